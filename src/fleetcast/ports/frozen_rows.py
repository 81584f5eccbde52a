"""What fleetcast needs to keep the exact rows a model was trained on."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.ports.readings import Readings


class FrozenRows(Protocol):
    """Keeps the rows of one circuit, named by their fingerprint; a cache of the table, safe to delete."""

    def freeze(self, readings: Readings, fingerprint: Digest) -> None:
        """Keep these rows; the same rows again change nothing. A reader never sees half of them."""
        ...

    def holds(self, fingerprint: Digest) -> bool:
        """Whether rows with this fingerprint are kept."""
        ...

    def load(self, fingerprint: Digest, key: CircuitKey) -> Readings:
        """Exactly what was frozen, as the rows of this circuit.

        Raises:
            BadInput: No such rows are kept.
        """
        ...

    def remove(self, fingerprints: Collection[Digest]) -> None:
        """Remove rows; those that are not there are left so.

        Raises:
            Unavailable: The disk or the store refuses; some may be gone.
        """
        ...
