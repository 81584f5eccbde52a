"""How far an audit log is known to have come, kept where whoever can write to the database may not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fleetcast.domain.identity import Digest
from fleetcast.domain.manifest import Seal


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The seal on the end of a log as it was once, and with which entry that log begins."""

    first: Digest
    """Of entry 1: tells a log that lost its end from one that was begun anew in the same place."""
    seal: Seal


@dataclass(frozen=True, slots=True)
class Held:
    """The log holds the checkpoint: up to there it is as it was."""

    entry: int
    at: datetime
    """When the checkpoint was made."""
    independent: bool
    """Whether somebody else than the database's owner keeps it."""
    assumes: str = ""
    """What that rests on: `if …`."""
    odd: tuple[str, ...] = ()
    """What lies beside it and is no checkpoint that counts."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The log does not hold the checkpoint: it was cut, set back, or written anew."""

    entry: int
    at: datetime
    ends: int
    """The last entry that is there."""

    def __str__(self) -> str:
        gone = self.entry - self.ends
        how = (
            f"the log ends with entry {self.ends}, {gone} fewer" if gone > 0 else "that entry is another now"
        )
        return f"the checkpoint of {self.at:%Y-%m-%d %H:%M:%S} UTC knows entry {self.entry} ({how})"


@dataclass(frozen=True, slots=True)
class BegunAnew:
    """Another log was kept in this place before."""

    entry: int
    at: datetime

    def __str__(self) -> str:
        return (
            f"the checkpoint of {self.at:%Y-%m-%d %H:%M:%S} UTC knows another log in this place, "
            f"with {self.entry} entries"
        )


@dataclass(frozen=True, slots=True)
class Unsound:
    """A checkpoint that nobody who is trusted has signed."""

    why: str
    """To go on from `the seal on the checkpoint`."""

    def __str__(self) -> str:
        return f"the seal on the checkpoint {self.why}"


CheckpointVerdict = Held | Lost | BegunAnew | Unsound
