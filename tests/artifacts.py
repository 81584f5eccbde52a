"""An artifact store that remembers what was asked of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from fleetcast.domain.identity import Digest
from fleetcast.ports.artifacts import ArtifactStore


@dataclass
class CountingArtifacts:
    """Another store, and each folder that was asked for, in order."""

    store: ArtifactStore
    opened: list[Digest] = field(default_factory=list)

    def keep(self, folder: Path) -> Digest:
        return self.store.keep(folder)

    def folder(self, digest: Digest) -> Path:
        self.opened.append(digest)
        return self.store.folder(digest)
