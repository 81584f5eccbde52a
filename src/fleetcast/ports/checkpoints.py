"""What fleetcast needs of a place that remembers how far an audit log had come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from fleetcast.domain.checkpoint import Checkpoint


class Checkpoints(Protocol):
    """Keeps the last checkpoint of each control database, apart from all of them."""

    def latest(self, database: str) -> Checkpoint | None:
        """The last checkpoint of a database; None if there is none that can be read.

        Args:
            database: Its address.

        Raises:
            FleetcastError: The place is far away, and does not answer or refuses: nobody knows then.
        """
        ...

    def put(self, database: str, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint; where that cannot be written, the one before stays.

        Raises:
            FleetcastError: As of `latest`.
        """
        ...

    def odd(self, database: str) -> Sequence[str]:
        """What lies where its last checkpoint would be and is none: torn, or signed by nobody who is trusted."""
        ...

    def forget(self, database: str) -> None:
        """Remember nothing of a database any more.

        Raises:
            FleetcastError: As of `latest`.
        """
        ...

    @property
    def assumes(self) -> str:
        """Under which condition a place that is no user's is independent: `if …`; empty for a folder."""
        ...

    def keeper(self) -> int | None:
        """The number of the user whom the place belongs to; None if that is no user of this machine."""
        ...
