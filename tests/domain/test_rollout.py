"""Which step a rollout takes next."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetcast.domain.errors import BadInput
from fleetcast.domain.health import Finding, Health, Measure, Verdict
from fleetcast.domain.identity import Digest
from fleetcast.domain.ramp import Ramp
from fleetcast.domain.rollout import (
    Cause,
    Finish,
    Hold,
    Phase,
    RollBack,
    Rollout,
    Seen,
    Shift,
    Step,
    Window,
    advance,
    superseded,
    waves,
)

GREEN, BLUE = Digest.of(b"green"), Digest.of(b"blue")
RAMP = Ramp(window=timedelta(seconds=10), soak=timedelta(seconds=20), patience=3)
NO_TIME = timedelta(0)


def health(verdict: Verdict) -> Health:
    return Health((Finding(Measure.ERRORS, verdict, None, 0.05, 0),))


class Endpoint:
    """Shows what a rollout is shown, and does what it says."""

    def __init__(self, *, blue: Digest | None = BLUE, ramp: Ramp = RAMP) -> None:
        self.rollout = Rollout("LYON", GREEN, blue, ramp)
        self.share = 0
        self.windows: list[Window] = []

    def look(self, *, ready: bool = True, stopped: bool = False, waited: timedelta = NO_TIME) -> Step:
        seen = Seen(ready, stopped, waited, self.share, self.windows)
        self.rollout, step = advance(self.rollout, seen)
        return step

    def do(self, step: Step) -> None:
        if isinstance(step, Shift):
            self.share = step.share
        elif isinstance(step, RollBack):
            self.share = 0

    def counted(self, verdict: Verdict, blue: Health | None = None) -> None:
        self.windows.append(Window(len(self.windows) + 1, self.share, health(verdict), blue))

    def ramping(self) -> Endpoint:
        self.do(self.look())
        return self


def test_a_good_release_goes_through_every_share_and_soaks_at_each() -> None:
    endpoint = Endpoint()
    shares = []
    while not endpoint.rollout.phase.is_over:
        step = endpoint.look()
        endpoint.do(step)
        if isinstance(step, Shift):
            shares.append((step.share, len(endpoint.windows)))
        endpoint.counted(Verdict.PASSED)
    assert shares == [(0, 0), (10, 2), (25, 4), (50, 6), (100, 8)]
    assert endpoint.rollout.phase is Phase.DONE
    assert endpoint.share == 100


def test_one_failed_window_gives_everything_back_for_good() -> None:
    endpoint = Endpoint().ramping()
    endpoint.counted(Verdict.FAILED)
    step = endpoint.look()
    assert step == RollBack(Cause.FAILED, health(Verdict.FAILED))
    assert (endpoint.rollout.phase, endpoint.rollout.share) == (Phase.ROLLED_BACK, 0)
    endpoint.counted(Verdict.PASSED)
    assert endpoint.look() == Hold()


@pytest.mark.parametrize("verdict", [Verdict.INCONCLUSIVE, Verdict.NOT_MEASURED])
def test_what_says_too_little_is_waited_for_so_long_and_never_a_pass(verdict: Verdict) -> None:
    endpoint = Endpoint().ramping()
    endpoint.counted(Verdict.PASSED)
    for _ in range(2):
        endpoint.counted(verdict)
        assert endpoint.look() == Hold()
    endpoint.counted(Verdict.PASSED)
    assert endpoint.look() == Hold(), "those that pass are counted anew after one that did not"
    for _ in range(2):
        endpoint.counted(verdict)
        assert endpoint.look() == Hold()
    endpoint.counted(verdict)
    step = endpoint.look()
    assert isinstance(step, RollBack)
    assert step.cause is Cause.NO_VERDICT


def test_where_both_are_sick_nobody_blames_the_release() -> None:
    endpoint = Endpoint().ramping()
    endpoint.counted(Verdict.FAILED, health(Verdict.FAILED))
    step = endpoint.look()
    assert isinstance(step, RollBack)
    assert (step.cause, step.cause.blames_release) == (Cause.BOTH_SICK, False)
    assert Cause.FAILED.blames_release


def test_green_that_does_not_start_or_stops_is_rolled_back() -> None:
    late = Endpoint()
    assert late.look(ready=False, waited=timedelta(minutes=4)) == Hold()
    assert late.look(ready=False, waited=timedelta(minutes=5)) == RollBack(Cause.NOT_READY)
    crashed = Endpoint().ramping()
    assert crashed.look(ready=False) == Hold(), "its server was started anew, and starts it anew"
    assert crashed.look(ready=False, stopped=True) == RollBack(Cause.CRASHED)


def test_the_first_release_of_a_plant_serves_as_soon_as_it_is_ready() -> None:
    """There are no clients yet that could be hurt, or that it could be judged by."""
    endpoint = Endpoint(blue=None)
    assert endpoint.look(ready=False) == Hold()
    assert endpoint.look() == Finish()
    assert (endpoint.rollout.phase, endpoint.rollout.share) == (Phase.DONE, 100)
    assert endpoint.look() == Hold()


def test_a_controller_that_died_before_it_acted_does_what_it_had_decided() -> None:
    endpoint = Endpoint().ramping()
    for _ in range(2):
        endpoint.counted(Verdict.PASSED)
    assert endpoint.look() == Shift(10)
    for _ in range(5):  # nothing was shifted, and the servers went on counting
        endpoint.counted(Verdict.PASSED)
        assert endpoint.look() == Shift(10)
    endpoint.do(Shift(10))
    assert endpoint.look() == Hold(), "what was counted at the share before is no reason"
    assert endpoint.rollout.passed == 0


def test_a_controller_that_was_away_takes_one_share_at_a_time() -> None:
    endpoint = Endpoint().ramping()
    for _ in range(50):
        endpoint.counted(Verdict.PASSED)
    step = endpoint.look()
    assert step == Shift(10)
    endpoint.do(step)
    assert endpoint.look() == Hold()


def test_a_failed_window_is_not_overlooked_behind_those_that_passed() -> None:
    away = Endpoint().ramping()
    for _ in range(5):
        away.counted(Verdict.PASSED)
    away.counted(Verdict.FAILED)
    assert away.look() == RollBack(Cause.FAILED, health(Verdict.FAILED))
    died = Endpoint().ramping()
    for _ in range(2):
        died.counted(Verdict.PASSED)
    assert died.look() == Shift(10)
    died.counted(Verdict.FAILED)  # at the share before, as nothing was shifted
    assert died.look() == RollBack(Cause.FAILED, health(Verdict.FAILED))


def test_a_controller_that_died_before_it_rolled_back_does_so() -> None:
    endpoint = Endpoint().ramping()
    for _ in range(2):
        endpoint.counted(Verdict.PASSED)
    endpoint.do(endpoint.look())
    endpoint.counted(Verdict.FAILED)
    endpoint.look()  # written down, and not done
    again = endpoint.look()
    assert again == RollBack(Cause.FAILED)
    endpoint.do(again)
    assert endpoint.look() == Hold()


def test_a_window_is_counted_once() -> None:
    endpoint = Endpoint().ramping()
    endpoint.counted(Verdict.PASSED)
    for _ in range(5):
        assert endpoint.look() == Hold()
    assert endpoint.rollout.passed == 1


def test_a_newer_release_ends_an_older_one_that_is_under_way() -> None:
    endpoint = Endpoint().ramping()
    assert superseded(endpoint.rollout).phase is Phase.SUPERSEDED
    done = replace(endpoint.rollout, phase=Phase.DONE, share=100)
    assert superseded(done) == done


_EVENTS = st.lists(
    st.one_of(
        st.sampled_from(Verdict),
        st.sampled_from(["look", "look, and die before it is done", "look, stopped", "look, not ready"]),
    ),
    max_size=80,
)


@given(_EVENTS, st.booleans())
def test_no_share_is_skipped_and_nothing_comes_after_a_rollback(
    events: list[Verdict | str],
    first: bool,
) -> None:
    endpoint = Endpoint(blue=None if first else BLUE)
    before, over = endpoint.rollout, False
    for event in events:
        if isinstance(event, Verdict):
            endpoint.counted(event)
            continue
        step = endpoint.look(
            ready=event not in ("look, stopped", "look, not ready"), stopped=event == "look, stopped"
        )
        now = endpoint.rollout
        assert not (over and not isinstance(step, Hold | RollBack)), "it was over"
        if isinstance(step, RollBack):
            assert now.phase is Phase.ROLLED_BACK
        if now.share > before.share:
            assert now.share == (100 if first else before.ramp.after(before.share))
        elif now.share < before.share:
            assert now.phase is Phase.ROLLED_BACK
        assert now.judged >= before.judged
        if isinstance(step, Finish):
            assert first or endpoint.share == 100
        if event == "look":
            endpoint.do(step)
        before, over = now, now.phase.is_over


@pytest.mark.parametrize(
    ("count", "sizes"),
    [(0, ()), (1, (1,)), (2, (1, 1)), (10, (1, 1, 8)), (75, (1, 8, 66)), (200, (1, 20, 179))],
)
def test_plants_come_in_waves(count: int, sizes: tuple[int, ...]) -> None:
    plants = [f"P{number}" for number in range(count)]
    found = waves(plants)
    assert tuple(map(len, found)) == sizes
    assert [plant for wave in found for plant in wave] == plants


@pytest.mark.parametrize("shares", [(), (10, 50), (50, 10, 100), (-1, 100), (10, 10, 100), (100, 120)])
def test_a_ramp_that_does_not_rise_to_everything_is_refused(shares: tuple[int, ...]) -> None:
    with pytest.raises(BadInput, match="do not rise to 100"):
        Ramp(shares=shares)


def test_a_release_does_not_take_its_own_place() -> None:
    with pytest.raises(BadInput, match="serves release"):
        Rollout("LYON", GREEN, GREEN, RAMP)
