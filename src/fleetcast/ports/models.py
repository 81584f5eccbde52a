"""What fleetcast needs from the registry of models, and from the one that environments share."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from fleetcast.domain.assets import Asset
from fleetcast.domain.model import FleetIndex, ModelVersion, TrainedModel


class ModelRegistry(Protocol):
    """Holds the versions of every model, counted 1, 2, 3 …; a version never changes."""

    def index(self) -> FleetIndex:
        """Every version and selection, in one reading."""
        ...

    def versions(self, names: Collection[str]) -> Mapping[str, Sequence[ModelVersion]]:
        """All versions of these models, oldest first; a name without versions gives an empty sequence."""
        ...

    def selected(self) -> Mapping[str, ModelVersion]:
        """The version in use of every model that has one."""
        ...

    def register(self, models: Sequence[TrainedModel]) -> Sequence[ModelVersion]:
        """Give each model its next version, all or none; select it.

        A model whose name and job are registered already is given as it is, so doing it twice is once.
        """
        ...

    def adopt(self, models: Sequence[TrainedModel]) -> Sequence[ModelVersion]:
        """Register models made elsewhere as first versions; select, share and crown them. All or none.

        A model that was adopted before is given as it is, so doing it twice is once.

        Raises:
            HasVersions: A model has versions that are not this adoption; nothing changed.
        """
        ...

    def select(self, choices: Mapping[str, int]) -> None:
        """Make earlier versions the ones in use."""
        ...

    def deselect(self, names: Collection[str]) -> None:
        """Take models out of use; their versions stay."""
        ...

    def reject(self, name: str, version: int) -> None:
        """Mark a version as rejected by an approver, so that no plan reuses it."""
        ...


@dataclass(frozen=True, slots=True)
class Shared:
    """What the shared registry holds: versions by name."""

    environments: Mapping[str, Collection[str]]
    models: Mapping[str, Collection[int]]
    champions: Mapping[str, int]
    """The version of each model that was promoted last."""


class SharedRegistry(Protocol):
    """The registry that dev, test and prod have in common; sharing the same thing twice is once."""

    def shared(self) -> Shared:
        """Everything in it, by name, in one reading."""
        ...

    def share_environment(self, environment: Asset) -> None:
        """Copy an environment version."""
        ...

    def share_models(self, versions: Sequence[ModelVersion]) -> None:
        """Copy model versions under the same numbers, and make each the champion."""
        ...

    def crown(self, champions: Mapping[str, int]) -> None:
        """Make versions that are already shared the champions."""
        ...
