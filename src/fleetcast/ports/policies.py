"""What fleetcast needs to remember which policy is in force at each gate, whatever a fleet repository says by now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from fleetcast.domain.gate import GatePolicy
from fleetcast.domain.place import Gate


class PolicyBook(Protocol):
    """Keeps the policies in force; each change with its audit entry, a repeat without."""

    def in_force(self) -> Mapping[Gate, GatePolicy]:
        """The policy of every gate; empty before the first were taken."""
        ...

    def take_first(self, policies: Mapping[Gate, GatePolicy]) -> None:
        """Take a new fleet's policies; where some are in force already nothing changes."""
        ...

    def change(self, policies: Mapping[Gate, GatePolicy]) -> None:
        """Put other policies in force, all or none; who calls this has made sure that it may be."""
        ...
