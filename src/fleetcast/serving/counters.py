"""Counting what both colours of an endpoint do, window by window, on a clock that nobody sets."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from fleetcast.domain.health import Answers, Counts, Forecasts, Invalid
from fleetcast.domain.traffic import Colour, CountedWindow, Watch

KEPT_WINDOWS = 60
"""A controller that looks less often than it takes to fill these judges what is left."""
Seconds = Callable[[], float]
"""Monotonic."""


@dataclass(slots=True)
class Tally:
    """One colour within one window."""

    answers: int = 0
    errors: int = 0
    slow: int = 0
    forecasts: int = 0
    replayed: int = 0
    invalid: Counter[Invalid] = field(default_factory=Counter)
    invalid_replayed: Counter[Invalid] = field(default_factory=Counter)

    @property
    def counts(self) -> Counts:
        """The same as a value."""
        return Counts(
            Answers(self.answers, self.errors, self.slow),
            Forecasts(self.forecasts, dict(self.invalid)),
            Forecasts(self.replayed, dict(self.invalid_replayed)),
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one request went."""

    status: int
    seconds: float
    forecasts: int = 0
    invalid: tuple[Invalid, ...] = ()
    """Of forecasts that could not be true; one each."""


class WindowCounters:
    """Counts for one green; whoever answers calls it from any thread."""

    def __init__(self, watch: Watch, seconds: Seconds, *, after: int = 0, has_blue: bool = True) -> None:
        """Begin to count.

        Args:
            watch: How.
            seconds: A clock that only goes forward.
            after: The number of the last window that was counted for this green, by whoever served before.
            has_blue: Whether there is a release to compare with.
        """
        self._watch, self._seconds, self._has_blue = watch, seconds, has_blue
        self._number = after
        self._lock = threading.Lock()
        self._closed: deque[CountedWindow] = deque(maxlen=KEPT_WINDOWS)
        self._share, self._ready = 0, False
        self._begin()

    def _begin(self) -> None:
        self._since = self._seconds()
        self._tallies = {colour: Tally() for colour in Colour}

    @property
    def window(self) -> int:
        """The number of the window that is counted now."""
        return self._number + 1

    def green_is_ready(self) -> None:
        """Take note that green answers from now on: what was counted while it started says nothing of it."""
        with self._lock:
            if not self._ready:
                self._ready = True
                self._begin()

    def share_is(self, share: int) -> None:
        """Take note of the share that green has from now on: what was counted before says nothing of it."""
        with self._lock:
            if share != self._share:
                self._share = share
                self._begin()

    def answered(self, colour: Colour, outcome: Outcome) -> None:
        """Count a request of a client, or the copy of one; what was wrong with the request itself is not counted."""
        if 400 <= outcome.status < 500:
            return
        with self._lock:
            tally = self._tallies[colour]
            tally.answers += 1
            tally.errors += outcome.status >= 500
            tally.slow += outcome.seconds > self._watch.slow_after.total_seconds()
            tally.forecasts += outcome.forecasts
            tally.invalid.update(outcome.invalid)

    def replayed(self, colour: Colour, outcome: Outcome) -> None:
        """Count a forecast that no client asked for: it says nothing but whether it can be true."""
        with self._lock:
            tally = self._tallies[colour]
            tally.replayed += outcome.forecasts
            tally.invalid_replayed.update(outcome.invalid)

    def forecasts_so_far(self, colour: Colour) -> int:
        """How many forecasts of this window were looked at."""
        with self._lock:
            return self._tallies[colour].forecasts + self._tallies[colour].replayed

    @property
    def half_over(self) -> bool:
        """Whether half of the present window is over."""
        return self._seconds() - self._since >= self._watch.window.total_seconds() / 2

    def windows(self) -> tuple[CountedWindow, ...]:
        """Close the window if its time is over, and give those that are closed."""
        with self._lock:
            if self._seconds() - self._since >= self._watch.window.total_seconds():
                self._number += 1
                green, blue = self._tallies[Colour.GREEN].counts, self._tallies[Colour.BLUE].counts
                closed = CountedWindow(self._number, self._share, green, blue if self._has_blue else None)
                self._closed.append(closed)
                self._begin()
            return tuple(self._closed)
