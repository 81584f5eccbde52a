"""What fleetcast needs to keep trained models."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from fleetcast.domain.errors import FleetcastError
from fleetcast.domain.identity import Digest


class ArtifactMissing(FleetcastError):
    """The store has no such artifact, or it is damaged."""

    def __init__(self, digest: Digest, why: str = "is not in the store") -> None:
        super().__init__(f"artifact {digest} {why}")
        self.fix = (
            "raise `revision` of the circuits that use it to train them again, or restore the artifact store"
        )


class ArtifactStore(Protocol):
    """Keeps model folders, named by the SHA-256 of their content.

    `keep` is idempotent: the same files always get the same name. `folder` gives exactly what was kept; a
    damaged artifact is never given.
    """

    def keep(self, folder: Path) -> Digest:
        """Keep a folder of files and name it; the folder may be moved away in the doing."""
        ...

    def folder(self, digest: Digest) -> Path:
        """A folder to read the artifact's files from; not to be written to.

        Raises:
            ArtifactMissing: It was never kept, or its files are not what they were.
        """
        ...
