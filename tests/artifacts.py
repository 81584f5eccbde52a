"""An artifact store that remembers what was asked of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fleetcast.domain.artifact import ArtifactFiles
from fleetcast.domain.identity import Digest
from fleetcast.domain.manifest import ManifestFile
from fleetcast.ports.artifacts import ArtifactStore


@dataclass
class CountingArtifacts:
    """Another store, and each artifact that was read, in order."""

    store: ArtifactStore
    opened: list[Digest] = field(default_factory=list)

    def keep(self, folder: Path) -> Digest:
        return self.store.keep(folder)

    def load(self, digest: Digest) -> ArtifactFiles:
        self.opened.append(digest)
        return self.store.load(digest)

    def copy(self, digest: Digest, target: Path) -> None:
        self.opened.append(digest)
        self.store.copy(digest, target)

    def folder(self, digest: Digest) -> Path:
        self.opened.append(digest)
        return self.store.folder(digest)

    def files(self, digest: Digest) -> tuple[ManifestFile, ...]:
        self.opened.append(digest)
        return self.store.files(digest)

    def lacking(self, sizes: Mapping[Digest, int | None]) -> Mapping[Digest, str]:
        return self.store.lacking(sizes)

    def remove(self, digests: Collection[Digest]) -> None:
        self.store.remove(digests)
