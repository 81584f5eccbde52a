"""Where a platform keeps artifacts, rows, forecasts and observations: in its state directory or an object store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from fleetcast.domain.errors import Unavailable
from fleetcast.domain.identity import Digest
from fleetcast.domain.location import Location
from fleetcast.domain.place import EnvironmentName
from fleetcast.platforms.files.artifact_store import FileArtifactStore
from fleetcast.platforms.files.frozen_rows import FileFrozenRows
from fleetcast.platforms.files.learnt import FileLearntProfiles
from fleetcast.ports.artifacts import ArtifactStore
from fleetcast.ports.forecasts import ForecastTable
from fleetcast.ports.frozen_rows import FrozenRows
from fleetcast.ports.learnt import LearntProfiles
from fleetcast.ports.observations import ObservationTable
from fleetcast.stored.durable import write_durably


class RowFiles(FrozenRows, Protocol):
    """Frozen rows that a job can read as a file of this machine."""

    def file(self, fingerprint: Digest) -> Path:
        """Where the rows are; no file if they are not kept."""
        ...


@dataclass(frozen=True, slots=True)
class FileDropper:
    """Removes files below a folder of this machine."""

    folder: Path

    def __call__(self, name: str) -> None:
        """Remove one; one that is not there is left so.

        Raises:
            Unavailable: The disk refuses.
        """
        try:
            (self.folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise Unavailable(
                f"cannot remove {self.folder / name}: {error}", fix="check the disk and its rights"
            ) from error


@dataclass(frozen=True, slots=True)
class Stores:
    """All of them. With a storage location, the state directory holds copies of what this machine has used."""

    state: Path
    storage: Location | None = None

    def artifacts(self) -> ArtifactStore:
        """Model folders by their digest."""
        if self.storage is None:
            return FileArtifactStore(self.state / "artifacts")
        from fleetcast.platforms.objects.artifacts import ObjectArtifactStore
        from fleetcast.platforms.objects.store import ObjectFolder

        return ObjectArtifactStore(ObjectFolder(self.storage / "artifacts"), self.state / "artifacts")

    def forecasts(self, environment: EnvironmentName) -> ForecastTable:
        """The table that forecasts of an environment are published in."""
        from fleetcast.platforms.delta.forecasts import DeltaForecastTable

        if self.storage is None:
            folder = self.state / "forecasts" / environment.value
            return DeltaForecastTable(
                folder, lambda path, content: write_durably(folder / path, content), FileDropper(folder)
            )
        from fleetcast.platforms.objects.store import ObjectFolder

        location = self.storage / "forecasts" / environment.value
        objects = ObjectFolder(location)
        return DeltaForecastTable(str(location), objects.put, objects.remove)

    def observations(self) -> ObservationTable:
        """The table of what monitoring saw."""
        from fleetcast.platforms.delta.observations import DeltaObservationTable

        if self.storage is None:
            folder = self.state / "observations"
            return DeltaObservationTable(folder, lambda path, content: write_durably(folder / path, content))
        from fleetcast.platforms.objects.store import ObjectFolder

        location = self.storage / "observations"
        return DeltaObservationTable(str(location), ObjectFolder(location).put)

    def learnt(self) -> LearntProfiles:
        """What monitoring learnt of deployed versions; of this machine, wherever the rest is."""
        return FileLearntProfiles(self.state / "learnt")

    def frozen(self) -> RowFiles:
        """Training rows by their fingerprint."""
        if self.storage is None:
            return FileFrozenRows(self.state / "frozen")
        from fleetcast.platforms.objects.frozen_rows import ObjectFrozenRows
        from fleetcast.platforms.objects.store import ObjectFolder

        return ObjectFrozenRows(ObjectFolder(self.storage / "frozen"), self.state / "frozen")
