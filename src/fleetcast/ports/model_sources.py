"""What fleetcast needs from a place that holds models of other teams or systems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from fleetcast.domain.identity import CircuitKey


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A model that a place holds for a circuit."""

    key: CircuitKey
    source: str
    """For people and the lineage: `folder plant001-circuit01`, `MLflow registry plant001-circuit01:3`."""
    place: str
    """For the source itself: where to fetch it."""
    stated: Mapping[str, str] = field(default_factory=dict)
    """What the place says of it, in its own words."""
    lookback: int | None = None
    """Steps of history it wants, where the place says."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a place holds for a fleet."""

    models: Mapping[CircuitKey, FoundModel]
    unused: Sequence[str] = ()
    """Models there that belong to none of the circuits, where that is known."""


class ModelSource(Protocol):
    """Holds MLflow models by name. Nothing here runs a model."""

    def find(self, wanted: Mapping[CircuitKey, str]) -> Found:
        """Look for the models of circuits.

        Args:
            wanted: The name that each circuit's model has there.

        Raises:
            BadInput: There is no such place, or its index cannot be read.
            Unavailable: It does not answer.
        """
        ...

    def fetch(self, model: FoundModel, into: Path) -> None:
        """Copy a model's files into a folder that does not exist yet: plain files, and no links.

        Raises:
            BadInput: It holds links or special files.
            Unavailable: It cannot be read, or the disk is full.
        """
        ...
