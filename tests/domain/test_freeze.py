"""Freeze windows: how they are written, when they hold, and until when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fleetcast.domain.errors import BadInput
from fleetcast.domain.freeze import Freeze, WeeklyFreeze, frozen_until, never_thaws, parse_freeze

MONDAY = datetime(2025, 12, 1, tzinfo=UTC)
WEEK = 7 * 24 * 60

weekly = st.builds(
    lambda start, length: WeeklyFreeze(timedelta(minutes=start), timedelta(minutes=length)),
    st.integers(0, WEEK - 1),
    st.integers(1, WEEK - 1),
)
dated = st.builds(
    lambda start, length: parse_freeze(
        f"{(MONDAY + timedelta(minutes=start)).isoformat()} to "
        f"{(MONDAY + timedelta(minutes=start + length)).isoformat()}"
    ),
    st.integers(-WEEK, WEEK),
    st.integers(1, WEEK),
)
windows = weekly | dated
moments = st.integers(-2 * WEEK, 2 * WEEK).map(lambda minutes: MONDAY + timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("fri 18:00 to mon 06:00", "fri 18:00 to mon 06:00"),
        (" Sat 00:00 to SUN 00:00 ", "sat 00:00 to sun 00:00"),
        ("2025-12-20T01:00+01:00 to 2026-01-05T00:00Z", "2025-12-20T00:00Z to 2026-01-05T00:00Z"),
    ],
)
def test_a_freeze_is_read_and_written(text: str, canonical: str) -> None:
    assert str(parse_freeze(text)) == canonical
    assert parse_freeze(canonical) == parse_freeze(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "fri 18:00",
        "fri 18:00 to fri 18:00",
        "fri 24:00 to sat 01:00",
        "fri 18:00 to 2026-01-05T00:00Z",
        "2026-01-05T00:00Z to 2025-12-20T00:00Z",
        "2026-01-05T00:00 to 2026-12-20T00:00Z",
        "2026-01-05T00:00Z to 9999-12-20T00:00Z",
    ],
)
def test_what_is_no_freeze_is_refused(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_freeze(text)
    assert caught.value.fix


@pytest.mark.parametrize(
    ("written", "now", "until"),
    [
        (["tue 00:00 to wed 00:00"], MONDAY, None),
        (["mon 00:00 to mon 01:00"], MONDAY, MONDAY + timedelta(hours=1)),
        (["mon 00:00 to mon 01:00"], MONDAY + timedelta(hours=1), None),
        (["sun 22:00 to mon 01:00"], MONDAY, MONDAY + timedelta(hours=1)),
        (
            ["mon 00:00 to mon 01:00", "mon 01:00 to mon 02:00"],
            MONDAY,
            MONDAY + timedelta(hours=2),
        ),
        (["2025-11-30T00:00Z to 2025-12-02T00:00Z"], MONDAY, MONDAY + timedelta(days=1)),
    ],
)
def test_until_when_nothing_opens(written: list[str], now: datetime, until: datetime | None) -> None:
    assert frozen_until(map(parse_freeze, written), now) == until


@given(st.lists(windows, max_size=4), moments)
def test_when_it_is_over_nothing_holds_and_until_then_something_does(
    held: list[Freeze], now: datetime
) -> None:
    assume(not never_thaws(held))
    until = frozen_until(held, now)
    assert all(window.end_at(until or now) is None for window in held)
    if until is not None:
        for share in (0.0, 0.3, 0.999):
            assert any(window.end_at(now + share * (until - now)) for window in held)


@given(windows, windows, moments)
def test_a_window_within_another_holds_only_while_the_other_does(
    one: Freeze, other: Freeze, now: datetime
) -> None:
    if one.within(other) and one.end_at(now):
        assert other.end_at(now)
