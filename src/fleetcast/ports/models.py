"""What fleetcast needs from the registry of models, from the one that environments share, and to remember what
was decided about both."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from fleetcast.domain.assets import Asset
from fleetcast.domain.identity import Digest
from fleetcast.domain.model import Intent, ModelVersion, TrainedModel, VersionEntry
from fleetcast.domain.retention import ArtifactToGo


@dataclass(frozen=True, slots=True)
class QaPassed:
    """A version that somebody signs off, and what it was seen to do."""

    name: str
    version: int
    newest_reading: datetime | None
    """Aware UTC, of those that it was tried on."""
    skill: Mapping[str, float]
    """By sensor, against the seasonal naive forecast on recent readings; what could not be measured is not in it."""


class ModelRegistry(Protocol):
    """Holds the versions of every model, counted 1, 2, 3 …; a version never changes. What exists, and no more."""

    def entries(self) -> Mapping[str, Sequence[VersionEntry]]:
        """Every version by model name, oldest first, in one reading."""
        ...

    def versions(self, names: Collection[str]) -> Mapping[str, Sequence[ModelVersion]]:
        """All versions of these models, oldest first; a name without versions gives an empty sequence."""
        ...

    def register(self, models: Sequence[TrainedModel]) -> Sequence[ModelVersion]:
        """Give each model its next version, in order.

        A model whose name and maker (job or adoption) are registered already is given as it is, so doing it twice is
        once. After an error some may be registered and others not: doing it again registers the rest.
        """
        ...


@dataclass(frozen=True, slots=True)
class Shared:
    """What the shared registry holds: versions by name."""

    environments: Mapping[str, Collection[str]]
    models: Mapping[str, Collection[int]]


class SharedRegistry(Protocol):
    """The registry that dev, test and prod have in common; sharing the same thing twice is once.

    Sharing may become visible later than it was done, and may be done although an error was reported: whoever
    shares reads back.
    """

    def shared(self) -> Shared:
        """Everything in it, by name, in one reading."""
        ...

    def share_environment(self, environment: Asset) -> None:
        """Copy an environment version."""
        ...

    def share_models(self, versions: Sequence[ModelVersion]) -> None:
        """Copy model versions under the same numbers."""
        ...


class ModelStates(Protocol):
    """Remembers what was decided about model versions; each change with its audit entry, a repeat without."""

    def intent(self, name: str | None = None) -> Intent:
        """Everything that was decided, or all about one model, in one reading."""
        ...

    def refused(self) -> Collection[tuple[str, int]]:
        """The versions that may not be used, by name and number; cheap, as few ever are."""
        ...

    def select(self, choices: Mapping[str, int]) -> None:
        """Make versions the ones that their circuits use, all or none."""
        ...

    def deselect(self, names: Collection[str]) -> None:
        """Take models out of use; their versions stay."""
        ...

    def reject(self, versions: Sequence[tuple[str, int]]) -> None:
        """Mark versions as rejected by an approver, all or none, so that nothing uses them."""
        ...

    def pass_qa(self, versions: Sequence[QaPassed], comment: str) -> None:
        """Sign versions off for production, all or none; what they were seen to do is kept with it."""
        ...

    def block(self, versions: Mapping[tuple[str, int], Digest], reason: str) -> None:
        """Mark versions as rolled back, by their training hashes, so that nothing uses those; one that is refused
        already stays as it is.
        """
        ...

    def unblock(self, version: tuple[str, int], reason: str) -> None:
        """Let a version be used again that was rolled back.

        Raises:
            BadInput: It is not blocked.
        """
        ...

    def retire(self, artifacts: Sequence[ArtifactToGo], days: int) -> Sequence[ArtifactToGo]:
        """Write down that retention removes files, before the first byte goes; nothing uses their versions then.

        Looks again, in the same transaction, whether one of the versions was taken into use since it was judged. It
        is never undone: what a version stood for is trained again under another number.

        Args:
            artifacts: Each with all versions whose files they are.
            days: What retention says; for the audit log.

        Returns:
            Those that are written down now; the others are needed again, with all of their versions.
        """
        ...

    def crown(self, champions: Mapping[str, int]) -> None:
        """Make versions that are shared the champions, all or none."""
        ...
