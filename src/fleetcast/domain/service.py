"""How endpoints fare: for how long servers serve them, what clients are answered, and how fast."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from fleetcast.domain.errors import BadInput

SERVING, AVAILABILITY, ERROR_RATE, LATENCY = "serving", "availability", "error rate", "latency"
"""What is measured of an endpoint, as observations name it."""
BEATS_EVERY = timedelta(seconds=5)
"""A server says so often that it serves."""
PATIENCE = timedelta(seconds=30)
"""A server that has said nothing for longer does not serve; shorter breaks are none."""
LONGEST_STRETCH = timedelta(minutes=15)
"""What a server counts is told apart by lengths of time of this size at most."""
KEPT = timedelta(days=2)
"""What servers said is kept for so long."""
TIMES_END_MS = (1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1_000.0, 2_000.0, 5_000.0, 10_000.0)
"""Where the ranges end by which servers tell how long answers took; a last one has no end."""
FEWEST_TO_BLAME = 10
"""Where so many requests had an error and none an answer, nobody was served."""


@dataclass(frozen=True, slots=True)
class Served:
    """Requests of clients that came to an end; those that were wrong themselves (4xx) are not among them."""

    answers: int = 0
    errors: int = 0
    """Answered by 5xx, or sent away because too much was asked (429)."""
    unanswered: int = 0
    """Of the errors: sent away, given up as too late, or nothing was there to answer them (429, 503, 504)."""
    times: tuple[int, ...] = ()
    """How many took as long as each range of `TIMES_END_MS`, the range without an end last; empty: there were none."""

    def __post_init__(self) -> None:
        if not 0 <= self.unanswered <= self.errors <= self.answers:
            raise BadInput(
                f"{self.unanswered} requests unanswered, {self.errors} errors, {self.answers} in all"
            )
        if self.times and len(self.times) != len(TIMES_END_MS) + 1:
            raise BadInput(f"the times of answers are told in {len(self.times)} ranges")
        if min(self.times, default=0) < 0 or sum(self.times) != self.answers:
            raise BadInput(f"the times of {sum(self.times)} answers are told, of {self.answers}")

    def __add__(self, other: Served) -> Served:
        return Served(
            self.answers + other.answers,
            self.errors + other.errors,
            self.unanswered + other.unanswered,
            _each(self.times, other.times, 1),
        )

    def __sub__(self, other: Served) -> Served:
        return Served(
            self.answers - other.answers,
            self.errors - other.errors,
            self.unanswered - other.unanswered,
            _each(self.times, other.times, -1),
        )

    def quantile_ms(self, share: float) -> float | None:
        """How long so great a share of the answers took at most, in milliseconds; None without answers.

        Within a range they are taken to lie evenly, as Prometheus does (`histogram_quantile`); of those in the range
        without an end it says where that begins.
        """
        if not self.answers:
            return None
        wanted, below, begins = share * self.answers, 0, 0.0
        for count, end in zip(self.times, TIMES_END_MS, strict=False):
            if count and below + count >= wanted:
                return begins + (end - begins) * (wanted - below) / count
            below, begins = below + count, end
        return begins

    @property
    def served_nobody(self) -> bool:
        """Whether clients asked, and none of them had an answer."""
        return self.errors == self.answers >= FEWEST_TO_BLAME


def _each(first: tuple[int, ...], second: tuple[int, ...], sign: int) -> tuple[int, ...]:
    if not first or not second:
        return first or tuple(sign * count for count in second)
    return tuple(one + sign * other for one, other in zip(first, second, strict=True))


@dataclass(frozen=True, slots=True)
class Stretch:
    """A length of time in which a server served an endpoint without a break."""

    since: datetime
    """Aware UTC, by the server's clock."""
    until: datetime
    """When it last said so."""
    served: Served = Served()

    def __post_init__(self) -> None:
        _check(self.since, self.until)


@dataclass(frozen=True, slots=True)
class ServerStretch:
    """What a server says of a length of time in which it served the same plants without a break."""

    server: str
    """Another one each time that it starts."""
    since: datetime
    """Aware UTC, by the server's clock."""
    until: datetime
    """When it last said so."""
    plants: Mapping[str, Served]
    """All that it served, with what was answered from the beginning of the stretch on."""

    def __post_init__(self) -> None:
        _check(self.since, self.until)


def _check(since: datetime, until: datetime) -> None:
    if since.tzinfo is None or until.tzinfo is None or until < since:
        raise BadInput(f"a server says that it served from {since} until {until}")


def last_served(stretches: Iterable[Stretch], at: datetime) -> datetime | None:
    """When a server last said that it serves, up to a moment; None: none did."""
    return max((min(one.until, at) for one in stretches if one.since <= at), default=None)


def availability(stretches: Iterable[Stretch], since: datetime, until: datetime) -> float:
    """The share of a length of time in which clients were served, 0 to 1.

    They were where a server said so, but for stretches in which nobody who asked had an answer. Breaks up to `PATIENCE`
    count as served: so long nobody can tell one from a server that is about to say something.
    """
    served = sorted(
        (max(one.since, since), min(one.until, until))
        for one in stretches
        if one.since <= until and one.until >= since and not one.served.served_nobody
    )
    out, reached = timedelta(0), since
    for begins, ends in [*served, (until, until)]:
        if begins - reached > PATIENCE:
            out += begins - reached
        reached = max(reached, ends)
    return 1 - out / (until - since)


def served_between(stretches: Iterable[Stretch], since: datetime, until: datetime) -> Served:
    """What was answered in all stretches that reach into a length of time."""
    total = Served()
    for one in stretches:
        if one.until > since and one.since <= until:
            total += one.served
    return total
