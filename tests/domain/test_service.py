"""How endpoints fare: what adds up, what cannot be, and for how much of the time somebody served."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from fleetcast.domain.errors import BadInput
from fleetcast.domain.service import (
    FEWEST_TO_BLAME,
    PATIENCE,
    TIMES_END_MS,
    Served,
    ServerStretch,
    Stretch,
    availability,
    last_served,
    served_between,
)
from tests.clocks import NOON

MINUTE = timedelta(minutes=1)
RANGES = len(TIMES_END_MS) + 1


def served(errors: int = 0, **by_range: int) -> Served:
    """So many answers by the number of their range: `served(r3=10)`."""
    times = tuple(by_range.get(f"r{number}", 0) for number in range(RANGES))
    return Served(sum(times), errors, 0, times)


def stretch(begins: float, ends: float, what: Served | None = None) -> Stretch:
    """In minutes after noon."""
    return Stretch(NOON + begins * MINUTE, NOON + ends * MINUTE, what or Served())


def share(*stretches: Stretch) -> float:
    return availability(stretches, NOON, NOON + 100 * MINUTE)


def test_counts_add_up_and_what_was_before_can_be_taken_off() -> None:
    one, two = served(1, r0=3, r4=2), served(2, r4=5, r13=1)
    assert one + two == served(3, r0=3, r4=7, r13=1)
    assert one + two - one == two
    assert one + Served() == Served() + one == one - Served() == one


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Served(1, 2, 0, (1, *(0 for _ in TIMES_END_MS))),
        lambda: Served(2, 1, 2, (2, *(0 for _ in TIMES_END_MS))),
        lambda: Served(1),
        lambda: Served(1, times=(1,)),
        lambda: Served(1, times=(2, -1, *(0 for _ in TIMES_END_MS[1:]))),
        lambda: Served() - served(r0=1),
        lambda: Stretch(NOON, NOON - MINUTE),
        lambda: Stretch(NOON.replace(tzinfo=None), NOON),
        lambda: ServerStretch("s", NOON, NOON - MINUTE, {}),
    ],
)
def test_what_cannot_be_is_refused(wrong: object) -> None:
    assert callable(wrong)
    with pytest.raises(BadInput):
        wrong()


@pytest.mark.parametrize(
    ("counts", "of", "milliseconds"),
    [
        (served(r0=100), 0.95, 0.95),
        (served(r3=100), 0.5, 7.5),
        (served(r3=95, r10=5), 0.95, 10.0),
        (served(r3=90, r10=10), 0.95, 1_500.0),
        (served(r13=1), 0.95, 10_000.0),
        (Served(), 0.95, None),
    ],
)
def test_a_share_of_the_answers_took_so_long_at_most(
    counts: Served, of: float, milliseconds: float | None
) -> None:
    assert counts.quantile_ms(of) == (None if milliseconds is None else pytest.approx(milliseconds))


def test_breaks_count_but_for_those_that_nobody_can_tell_from_none() -> None:
    assert share() == 0.0
    assert share(stretch(0, 100)) == 1.0
    assert share(stretch(-50, 150)) == 1.0
    assert share(stretch(0, 40), stretch(60, 100)) == pytest.approx(0.8)
    assert share(stretch(60, 100), stretch(0, 40)) == pytest.approx(0.8)
    assert share(stretch(20, 90)) == pytest.approx(0.7)
    short = PATIENCE / MINUTE
    assert share(stretch(0, 40), stretch(40 + short, 100 - short)) == 1.0
    assert share(stretch(-20, -10), stretch(110, 120)) == 0.0


def test_servers_stand_in_for_each_other() -> None:
    assert share(stretch(0, 70), stretch(10, 20), stretch(60, 90)) == pytest.approx(0.9)


def test_where_nobody_who_asked_had_an_answer_nobody_was_served() -> None:
    lost, few = served(FEWEST_TO_BLAME, r0=FEWEST_TO_BLAME), served(1, r0=1)
    assert share(stretch(0, 40, lost), stretch(40, 100)) == pytest.approx(0.6)
    assert share(stretch(0, 40, few), stretch(40, 100)) == 1.0
    assert share(stretch(0, 40, lost + few + served(r0=1)), stretch(40, 100)) == 1.0


@pytest.mark.parametrize(
    ("at", "last"),
    [(-1, None), (0, NOON), (5, NOON + 5 * MINUTE), (15, NOON + 10 * MINUTE), (40, NOON + 30 * MINUTE)],
)
def test_a_server_said_last_that_it_serves(at: float, last: datetime | None) -> None:
    assert last_served([stretch(20, 30), stretch(0, 10)], NOON + at * MINUTE) == last


def test_answers_are_those_of_the_stretches_that_reach_into_a_time() -> None:
    parts = [stretch(0, 10, served(r0=1)), stretch(10, 20, served(r0=2)), stretch(20, 30, served(r0=4))]
    assert served_between(parts, NOON + 10 * MINUTE, NOON + 19 * MINUTE).answers == 2
    assert served_between(parts, NOON + 5 * MINUTE, NOON + 25 * MINUTE).answers == 7
    assert served_between([], NOON, NOON + MINUTE) == Served()
