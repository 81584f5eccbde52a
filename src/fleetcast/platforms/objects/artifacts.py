"""Model folders in an object store, with a cache on this machine."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

from fleetcast.domain.artifact import ArtifactFiles, artifact_digest
from fleetcast.domain.errors import Unavailable
from fleetcast.domain.identity import Digest
from fleetcast.domain.manifest import ManifestFile
from fleetcast.platforms.files.artifact_store import FileArtifactStore
from fleetcast.platforms.objects.store import ObjectFolder
from fleetcast.ports.artifacts import ArtifactMissing
from fleetcast.stored.plain_folder import digest_of_folder, plain_files

_AT_ONCE = 16
"""Listings that are asked for at the same time."""


class ObjectArtifactStore:
    """Keeps each artifact as a folder of objects that other tools can read, next to a list of its files.

    The list is written last: an artifact is there once its list is.
    """

    def __init__(self, objects: ObjectFolder, cache: Path) -> None:
        self._objects = objects
        self._root = cache
        self._cache = FileArtifactStore(cache, durable=False)

    def keep(self, folder: Path) -> Digest:
        """Take a folder into the cache, and upload it from there unless its content is in the store already.

        Raises:
            Unavailable: The store or the disk does not take it.
        """
        digest = self._cache.keep(folder)
        if not self._objects.holds(_list_of(digest)):
            self._upload(digest)
        return digest

    def load(self, digest: Digest) -> ArtifactFiles:
        """All files of an artifact, downloaded if they are not here, read once and checked."""
        try:
            return self._cache.load(digest)
        except ArtifactMissing:
            self._download(digest)
            return self._cache.load(digest)

    def copy(self, digest: Digest, target: Path) -> None:
        """Write an artifact into a new folder; what was copied is checked."""
        self.folder(digest)
        self._cache.copy(digest, target)

    def folder(self, digest: Digest) -> Path:
        """The artifact on this machine, downloaded if it is not here, and checked."""
        try:
            return self._cache.folder(digest)
        except ArtifactMissing:
            self._download(digest)
            return self._cache.folder(digest)

    def files(self, digest: Digest) -> tuple[ManifestFile, ...]:
        """Its files with their sizes and digests, downloaded if they are not here, and checked."""
        self.folder(digest)
        return self._cache.files(digest)

    def lacking(self, sizes: Mapping[Digest, int | None]) -> Mapping[Digest, str]:
        """The artifacts that are not in the store. Their sizes are not asked for: one listing tells of hundreds."""
        places = sorted({digest.hex[:2] for digest in sizes})
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            listed = {name for names in pool.map(self._objects.names, places) for name in names}
        return {
            digest: f"its files are not in {self._objects.location}"
            for digest in sizes
            if not {_list_of(digest), _place(digest)} <= listed
        }

    def remove(self, digests: Collection[Digest]) -> None:
        """Remove artifacts: the list goes first, so that what is left of one is none. Copies of other machines stay."""
        for digest in digests:
            self._objects.remove(_list_of(digest))
            self._objects.remove_all(_place(digest))
        self._cache.remove(digests)

    def _upload(self, digest: Digest) -> None:
        names, sent = [], []
        for name, stream in plain_files(self._cache.folder(digest)):
            content = stream.read()
            self._objects.put(f"{_place(digest)}/{name}", content)
            names.append(name)
            sent.append((name, Digest.of(content)))
        if artifact_digest(sent) != digest:
            raise ArtifactMissing(digest, "was changed while it was uploaded")
        self._objects.put(_list_of(digest), json.dumps(names).encode())

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
                if digest_of_folder(partial).digest != digest:
                    raise ArtifactMissing(digest, f"is damaged in {self._objects.location}")
                self._cache.keep(partial)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
        except OSError as error:
            raise Unavailable(
                f"cannot keep artifact {digest} here: {error}", fix="check the disk's space and rights"
            ) from error

    def _names(self, digest: Digest, listed: bytes) -> list[str]:
        """The files that a list names, all of them inside the artifact's folder."""
        try:
            names = json.loads(listed)
        except (ValueError, RecursionError) as error:
            raise self._damaged_list(digest) from error
        if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
            raise self._damaged_list(digest)
        if any(".." in PurePosixPath(name).parts or name.startswith("/") for name in names):
            raise self._damaged_list(digest)
        return names

    def _damaged_list(self, digest: Digest) -> ArtifactMissing:
        return ArtifactMissing(digest, f"is damaged in {self._objects.location}: its list cannot be read")

    def _fetch(self, digest: Digest, name: str, folder: Path) -> None:
        content = self._objects.get(f"{_place(digest)}/{name}")
        if content is None:
            raise ArtifactMissing(digest, f"is damaged in {self._objects.location}: it lacks {name}")
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def _place(digest: Digest) -> str:
    return f"{digest.hex[:2]}/{digest.hex}"


def _list_of(digest: Digest) -> str:
    return f"{_place(digest)}.json"
