"""Waiting until something that was shared can be seen where it was shared to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from fleetcast.domain.errors import Unavailable
from fleetcast.ports.clock import Clock

FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(seconds=30)
LONGEST_WAIT = timedelta(seconds=120)


def until_visible(visible: Callable[[], bool], what: str, clock: Clock) -> None:
    """Look until `visible()`; pauses double from 2 s to 30 s, for at most 120 s.

    Raises:
        Unavailable: It did not show in time. It was shared, and the next run looks again.
    """
    started, pause = clock.now(), FIRST_PAUSE
    while not visible():
        left = started + LONGEST_WAIT - clock.now()
        if left <= timedelta(0):
            raise Unavailable(
                f"{what} was shared but is not visible in the registry after {LONGEST_WAIT.seconds} s",
                fix="run `fleetcast train` again later; nothing is shared twice",
            )
        clock.sleep(min(pause, left))
        pause = min(2 * pause, LONGEST_PAUSE)
