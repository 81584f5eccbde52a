"""A witness beside the control database of one machine: how far its audit log is known to have come.

A file of its own, so that losing the database's newest part (a cut `-wal` file, an older copy put in its place) does
not take the knowledge of it along. Written after each commit that it tells of, so it never claims too much.
A server has none: agents come and go, and it keeps its own history.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from fleetcast.domain.audit import Mark
from fleetcast.domain.errors import FleetcastError
from fleetcast.domain.identity import Digest
from fleetcast.stored.durable import write_durably

_FORMAT = "1"


@dataclass(frozen=True, slots=True)
class Witness:
    """Remembers the last entry of an audit log."""

    path: Path

    def seen(self) -> Mark | None:
        """What it remembers; None if there is none, or it cannot be read: then nothing is known."""
        with suppress(OSError, ValueError, FleetcastError):
            kind, number, digest = self.path.read_text(encoding="ascii").split()
            return Mark(int(number), Digest(digest)) if kind == _FORMAT else None
        return None

    def note(self, mark: Mark) -> None:
        """Remember an entry that is committed, unless a later one is remembered."""
        seen = self.seen()
        if seen is None or seen.number < mark.number:
            self.put(mark)

    def put(self, mark: Mark) -> None:
        """Remember this, whatever was remembered. Where the disk is full, what is there stays: it is true as well."""
        with suppress(OSError):
            write_durably(self.path, f"{_FORMAT} {mark.number} {mark.digest.hex}\n".encode())
