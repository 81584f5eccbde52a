"""Leases: whether their holder lives, as far as one who wants the lease can know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

LONGEST = timedelta(hours=1)
"""No lease is longer: one that seems to last for longer was timed by another clock."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a process runs; what a system does not tell is empty."""

    host: str
    boot: str = ""
    """Which start of which machine."""
    processes: str = ""
    """The space of its process numbers: each container has its own."""
    uptime: str = ""
    """The clock since the boot that it sees: a container may have its own."""

    def sees(self, other: Place) -> bool:
        """Whether a process there can be looked for from here, by its number."""
        if not (self.boot and self.processes):
            return self == other
        return (self.boot, self.processes) == (other.boot, other.processes)

    def shares_uptime(self, other: Place) -> bool:
        """Whether the clock since the boot shows the same there as here."""
        if not self.boot:
            return self == other
        return (self.boot, self.uptime) == (other.boot, other.uptime)

    def rebooted_since(self, other: Place) -> bool:
        """Whether this is the same machine as there, and was started again."""
        return self.host == other.host and bool(self.boot and other.boot) and self.boot != other.boot

    def __str__(self) -> str:
        return " ".join(part for part in (self.host, self.boot, self.processes, self.uptime) if part)

    @classmethod
    def read(cls, written: str) -> Place:
        """What `str` wrote, now or before there was an `uptime`."""
        return cls(*written.split(" ")[:4])


class Reach(Enum):
    """Who may hold leases of one database."""

    ONE_MACHINE = "one machine"
    """Leases are timed by its clock since the boot."""
    MANY_MACHINES = "many machines"
    """Leases are timed by the server's clock."""


class Holding(Enum):
    """How a lease stands."""

    FREE = "free"
    HELD = "held"
    UNKNOWN = "unknown"
    """No clock here can tell: it has to be watched whether its holder renews it."""


def holding(
    left: timedelta, *, there: Place, here: Place, reach: Reach, ended: bool | None, let_go: bool
) -> Holding:
    """How a lease stands.

    Args:
        left: For how long it lasts, by the database's clock as it is seen here.
        there: Where its holder runs.
        here: Where the one who asks runs.
        reach: Whose clock timed it.
        ended: Whether its holder's process is gone; None: it cannot be seen from here.
        let_go: Whether the holder gave it back.
    """
    if let_go or ended:
        return Holding.FREE
    if reach is Reach.ONE_MACHINE and not here.shares_uptime(there):
        return Holding.FREE if here.rebooted_since(there) else Holding.UNKNOWN
    if left <= timedelta(0):
        return Holding.FREE
    return Holding.HELD if left <= LONGEST else Holding.UNKNOWN
