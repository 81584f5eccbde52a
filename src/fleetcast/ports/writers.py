"""What fleetcast needs to know of who wrote what a fleet repository declares."""

from __future__ import annotations

from typing import Protocol

from fleetcast.domain.commit import Writer
from fleetcast.domain.identity import CircuitKey


class Writers(Protocol):
    """Who wrote the commits that last changed what is declared: authors and committers, each once, sorted.

    Empty where that cannot be said: outside git, with changes that are not committed, or where the history was cut off.
    """

    def of_settings(self) -> tuple[Writer, ...]:
        """Of the settings of the fleet."""
        ...

    def of_environment(self) -> tuple[Writer, ...]:
        """Of the training environment."""
        ...

    def of_circuit(self, key: CircuitKey) -> tuple[Writer, ...]:
        """Of a circuit: the files that its declaration and its defaults stand in, and the settings."""
        ...
