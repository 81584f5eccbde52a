"""What fleetcast needs of a place that remembers how far an audit log had come."""

from __future__ import annotations

from typing import Protocol

from fleetcast.domain.checkpoint import Checkpoint


class Checkpoints(Protocol):
    """Keeps the last checkpoint of each control database, apart from all of them."""

    def latest(self, database: str) -> Checkpoint | None:
        """The last checkpoint of a database; None if there is none that can be read.

        Args:
            database: Its address.
        """
        ...

    def put(self, database: str, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint in place of the one before; where that cannot be written, the one before stays."""
        ...

    def forget(self, database: str) -> None:
        """Remember nothing of a database any more."""
        ...

    def keeper(self) -> int | None:
        """The number of the user whom the place belongs to; None if that is no user of this machine."""
        ...
