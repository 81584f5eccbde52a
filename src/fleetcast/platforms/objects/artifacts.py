"""Model folders in an object store, with a cache on this machine."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path, PurePosixPath

from fleetcast.domain.errors import Unavailable
from fleetcast.domain.identity import Digest
from fleetcast.platforms.files.artifact_store import FileArtifactStore, folder_digest
from fleetcast.platforms.objects.store import ObjectFolder
from fleetcast.ports.artifacts import ArtifactMissing


class ObjectArtifactStore:
    """Keeps each artifact as a folder of objects that other tools can read, next to a list of its files.

    The list is written last: an artifact is there once its list is.
    """

    def __init__(self, objects: ObjectFolder, cache: Path) -> None:
        self._objects = objects
        self._root = cache
        self._cache = FileArtifactStore(cache)

    def keep(self, folder: Path) -> Digest:
        """Upload a folder, unless its content is there already.

        Raises:
            Unavailable: The store or the disk does not take it.
        """
        digest = folder_digest(folder)
        if not self._objects.holds(_list_of(digest)):
            names = sorted(
                path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
            )
            for name in names:
                self._objects.put(f"{_place(digest)}/{name}", (folder / name).read_bytes())
            self._objects.put(_list_of(digest), json.dumps(names).encode())
        return self._cache.keep(folder)

    def folder(self, digest: Digest) -> Path:
        """The artifact on this machine, downloaded if it is not here, and checked."""
        try:
            return self._cache.folder(digest)
        except ArtifactMissing:
            self._download(digest)
            return self._cache.folder(digest)

    def _download(self, digest: Digest) -> None:
        listed = self._objects.get(_list_of(digest))
        if listed is None:
            raise ArtifactMissing(digest, f"is not in {self._objects.location}")
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            partial = Path(tempfile.mkdtemp(prefix="partial-", dir=self._root))
            try:
                for name in self._names(digest, listed):
                    self._fetch(digest, name, partial)
                if folder_digest(partial) != digest:
                    raise ArtifactMissing(digest, f"is damaged in {self._objects.location}")
                self._cache.keep(partial)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
        except OSError as error:
            raise Unavailable(
                f"cannot keep artifact {digest} here: {error}", fix="check the disk's space and rights"
            ) from error

    def _names(self, digest: Digest, listed: bytes) -> list[str]:
        try:
            names = json.loads(listed)
        except (ValueError, RecursionError) as error:
            raise self._damaged_list(digest) from error
        if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
            raise self._damaged_list(digest)
        return names

    def _damaged_list(self, digest: Digest) -> ArtifactMissing:
        return ArtifactMissing(digest, f"is damaged in {self._objects.location}: its list cannot be read")

    def _fetch(self, digest: Digest, name: str, folder: Path) -> None:
        parts = PurePosixPath(name).parts
        outside = ".." in parts or PurePosixPath(name).is_absolute()
        content = None if outside else self._objects.get(f"{_place(digest)}/{name}")
        if content is None:
            raise ArtifactMissing(digest, f"is damaged in {self._objects.location}: it lacks {name}")
        target = folder.joinpath(*parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def _place(digest: Digest) -> str:
    return f"{digest.hex[:2]}/{digest.hex}"


def _list_of(digest: Digest) -> str:
    return f"{_place(digest)}.json"
