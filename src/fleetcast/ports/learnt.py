"""What fleetcast needs to keep what monitoring learnt of deployed versions, so that it is learnt once."""

from __future__ import annotations

from typing import Protocol

from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.place import EnvironmentName


class LearntProfiles(Protocol):
    """Keeps one profile for each circuit and environment: a cache of this machine, safe to delete."""

    def load(self, environment: EnvironmentName, key: CircuitKey, source: Digest) -> bytes | None:
        """What was kept last, exactly.

        Args:
            environment: Where the circuit is looked at.
            key: Of the circuit.
            source: Of all that it was learnt from.

        Returns:
            None if nothing is kept, if it was learnt from something else, or if it is torn.
        """
        ...

    def keep(self, environment: EnvironmentName, key: CircuitKey, source: Digest, content: bytes) -> None:
        """Keep a profile in place of an earlier one; a reader sees the whole of one or none.

        A disk that refuses is no error, as it can be learnt again.
        """
        ...
