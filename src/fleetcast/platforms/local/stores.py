"""Where the local platform keeps artifacts and frozen rows: in its state directory, or in an object store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from fleetcast.domain.identity import Digest
from fleetcast.domain.location import Location
from fleetcast.platforms.files.artifact_store import FileArtifactStore
from fleetcast.platforms.files.frozen_rows import FileFrozenRows
from fleetcast.ports.artifacts import ArtifactStore
from fleetcast.ports.frozen_rows import FrozenRows


class RowFiles(FrozenRows, Protocol):
    """Frozen rows that a job can read as a file of this machine."""

    def file(self, fingerprint: Digest) -> Path:
        """Where the rows are; no file if they are not kept."""
        ...


@dataclass(frozen=True, slots=True)
class Stores:
    """Both stores. With a storage location, the state directory holds copies of what this machine has used."""

    state: Path
    storage: Location | None = None

    def artifacts(self) -> ArtifactStore:
        """Model folders by their digest."""
        if self.storage is None:
            return FileArtifactStore(self.state / "artifacts")
        from fleetcast.platforms.objects.artifacts import ObjectArtifactStore
        from fleetcast.platforms.objects.store import ObjectFolder

        return ObjectArtifactStore(ObjectFolder(self.storage / "artifacts"), self.state / "artifacts")

    def frozen(self) -> RowFiles:
        """Training rows by their fingerprint."""
        if self.storage is None:
            return FileFrozenRows(self.state / "frozen")
        from fleetcast.platforms.objects.frozen_rows import ObjectFrozenRows
        from fleetcast.platforms.objects.store import ObjectFolder

        return ObjectFrozenRows(ObjectFolder(self.storage / "frozen"), self.state / "frozen")
