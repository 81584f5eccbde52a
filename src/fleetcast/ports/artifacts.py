"""What fleetcast needs to keep trained models."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Protocol

from fleetcast.domain.artifact import ArtifactFiles
from fleetcast.domain.errors import FleetcastError
from fleetcast.domain.identity import Digest
from fleetcast.domain.manifest import ManifestFile


class ArtifactMissing(FleetcastError):
    """The store has no such artifact, or it is damaged."""

    def __init__(self, digest: Digest, why: str = "is not in the store") -> None:
        super().__init__(f"artifact {digest} {why}")
        self.fix = (
            "raise `revision` of the circuits that use it to train them again, or restore the artifact store"
        )


class ArtifactStore(Protocol):
    """Keeps model folders, named by the SHA-256 of their content.

    `keep` is idempotent: the same files always get the same name. What is given is exactly what was kept; a
    damaged artifact is never given. An artifact holds plain files and nothing else.
    """

    def keep(self, folder: Path) -> Digest:
        """Keep a folder of files and name it; the folder is gone afterwards.

        What is kept is on the disk, or with whoever keeps it for good, when this returns.

        Raises:
            BadInput: It holds a link, a special file or an empty folder.
        """
        ...

    def load(self, digest: Digest) -> ArtifactFiles:
        """All its files, read once: what is given is what was hashed.

        Raises:
            ArtifactMissing: It was never kept, or its files are not what they were.
        """
        ...

    def copy(self, digest: Digest, target: Path) -> None:
        """Write its files into a new folder, which is the caller's own; for those that are too large for memory.

        Raises:
            ArtifactMissing: It was never kept, or its files are not what they were.
        """
        ...

    def folder(self, digest: Digest) -> Path:
        """Where people find its files on this machine; they were checked just now, and are not to be written to.

        Raises:
            ArtifactMissing: It was never kept, or its files are not what they were.
        """
        ...

    def files(self, digest: Digest) -> tuple[ManifestFile, ...]:
        """Its files with their sizes and digests, each read just now to its last byte.

        Raises:
            ArtifactMissing: It was never kept, or its files are not what they were.
        """
        ...

    def lacking(self, sizes: Mapping[Digest, int | None]) -> Mapping[Digest, str]:
        """What is wrong with artifacts as far as it shows without reading them; asked in bulk.

        Args:
            sizes: The bytes of each artifact's files together, as they were when it was kept; None: only whether it is
                there, which takes a tenth of the time.

        Returns:
            For each that is not there, or where the store tells sizes not in its size, what is wrong.
        """
        ...

    def remove(self, digests: Collection[Digest]) -> None:
        """Remove artifacts for good; one that is not there is left so, and doing it again finishes what was cut short.

        A crash leaves each of them whole, or such that `lacking` names it and nothing reads it.

        Raises:
            Unavailable: The disk or the store refuses; some may be gone.
        """
        ...
