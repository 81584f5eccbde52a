"""Waiting until what was shared can be seen."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fleetcast.domain.errors import Unavailable
from fleetcast.pipeline.propagation import until_visible
from tests.clocks import NOON, FixedClock


def seconds(clock: FixedClock) -> list[float]:
    """The pauses that were made."""
    return [pause.total_seconds() for pause in clock.slept]


def shows_after(clock: FixedClock, seconds: float) -> None:
    """Wait for something that can be seen from then on."""
    until_visible(lambda: clock.now() >= NOON + timedelta(seconds=seconds), "m:1", clock)


def test_what_is_visible_at_once_is_not_waited_for() -> None:
    clock = FixedClock()
    shows_after(clock, 0)
    assert seconds(clock) == []


def test_pauses_double_up_to_half_a_minute() -> None:
    clock = FixedClock()
    shows_after(clock, 90)
    assert seconds(clock) == [2, 4, 8, 16, 30, 30]


def test_what_shows_at_the_last_moment_is_in_time() -> None:
    clock = FixedClock()
    shows_after(clock, 120)
    assert seconds(clock) == [2, 4, 8, 16, 30, 30, 30]


def test_what_does_not_show_in_two_minutes_is_reported() -> None:
    clock = FixedClock()
    with pytest.raises(Unavailable, match="m:1 was shared but is not visible in the registry after 120 s"):
        shows_after(clock, 121)
    assert sum(seconds(clock)) == 120
