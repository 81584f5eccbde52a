"""Model folders in the state directory, named by the digest of their files."""

from __future__ import annotations

import shutil
from pathlib import Path

from fleetcast.domain.canonical import digest_of
from fleetcast.domain.errors import Unavailable
from fleetcast.domain.identity import Digest
from fleetcast.platforms.files.moving import move_folder
from fleetcast.ports.artifacts import ArtifactMissing


def folder_digest(folder: Path) -> Digest:
    """SHA-256 over the names and contents of all files below a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return digest_of(
        [[path.relative_to(folder).as_posix(), Digest.of(path.read_bytes()).hex] for path in files]
    )


class FileArtifactStore:
    """Keeps model folders; a folder is moved in whole, so that nobody sees half of one."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def keep(self, folder: Path) -> Digest:
        """Move a folder into the store, unless its content is there already.

        Raises:
            Unavailable: The disk is full or cannot be written.
        """
        digest = folder_digest(folder)
        target = self._path(digest)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.is_dir() and folder_digest(target) == digest:
                shutil.rmtree(folder)
            else:
                shutil.rmtree(target, ignore_errors=True)
                move_folder(folder, target)
        except OSError as error:
            raise Unavailable(
                f"cannot keep artifact {digest}: {error}", fix="check the disk's space and rights"
            ) from error
        return digest

    def folder(self, digest: Digest) -> Path:
        """The folder of an artifact, after checking that its files are what they were."""
        path = self._path(digest)
        if not path.is_dir():
            raise ArtifactMissing(digest)
        if folder_digest(path) != digest:
            raise ArtifactMissing(digest, "is damaged: its files have changed")
        return path

    def _path(self, digest: Digest) -> Path:
        return self._root / digest.hex[:2] / digest.hex
