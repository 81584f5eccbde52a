"""Model folders in the state directory, named by the digest of their files."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from fleetcast.domain.artifact import ArtifactFiles, artifact_digest
from fleetcast.domain.errors import Unavailable
from fleetcast.domain.identity import Digest
from fleetcast.domain.manifest import ManifestFile
from fleetcast.ports.artifacts import ArtifactMissing
from fleetcast.stored.durable import make_folder, sync
from fleetcast.stored.plain_folder import NotPlain, copy_plain, digest_of_folder, files_of_folder, read_plain

_GOING = "going-"
"""What the name of a folder begins with whose files are being removed."""


class FileArtifactStore:
    """Keeps model folders; a folder gets its name in one move, once it is on the disk."""

    def __init__(self, root: Path, *, durable: bool = True) -> None:
        """Keep folders below `root`; without syncs where it only holds copies."""
        self._root = root
        self._durable = durable

    def keep(self, folder: Path) -> Digest:
        """Copy a folder into the store, unless its content is there already, and remove it.

        Copied and not moved: what was hashed is then what is kept, whoever holds one of its files open or by
        another name, and whatever disk it was on.
        """
        try:
            make_folder(self._root)
            beside = Path(tempfile.mkdtemp(prefix="partial-", dir=self._root))
            try:
                digest = copy_plain(folder, beside / "model", durable=self._durable).digest
                self._take_in(beside / "model", digest)
            finally:
                shutil.rmtree(beside, ignore_errors=True)
        except OSError as error:
            raise Unavailable(
                f"cannot keep the model in {folder}: {error}", fix="check the disk's space and rights"
            ) from error
        shutil.rmtree(folder, ignore_errors=True)
        return digest

    def load(self, digest: Digest) -> ArtifactFiles:
        """All files of an artifact, read once and checked."""
        with _as_missing(digest):
            files = read_plain(self._path(digest))
            if files.digest != digest:
                raise _changed(digest)
            return files

    def copy(self, digest: Digest, target: Path) -> None:
        """Write an artifact into a new folder; what was copied is checked."""
        with _as_missing(digest):
            copied = copy_plain(self._path(digest), target)
        if copied.digest != digest:
            shutil.rmtree(target, ignore_errors=True)
            raise _changed(digest)

    def folder(self, digest: Digest) -> Path:
        """Where its files are, after checking that they are what they were."""
        path = self._path(digest)
        with _as_missing(digest):
            if digest_of_folder(path).digest != digest:
                raise _changed(digest)
        return path

    def files(self, digest: Digest) -> tuple[ManifestFile, ...]:
        """Its files with their sizes and digests, after checking that they are what they were."""
        with _as_missing(digest):
            files = files_of_folder(self._path(digest))
        if artifact_digest((file.name, file.digest) for file in files) != digest:
            raise _changed(digest)
        return files

    def lacking(self, sizes: Mapping[Digest, int | None]) -> Mapping[Digest, str]:
        """The artifacts that are not here, or not in their size."""
        found = {}
        root = str(self._root)
        for digest, size in sizes.items():
            folder = f"{root}/{digest.hex[:2]}/{digest.hex}"
            held = _size(folder) if size is not None else _presence(folder)
            if held is None:
                found[digest] = "its files are gone"
            elif size is not None and held != size:
                found[digest] = f"its files have {held:,} bytes instead of {size:,}"
        return found

    def remove(self, digests: Collection[Digest]) -> None:
        """Remove artifacts: each loses its name in one move, before the first of its files goes."""
        for digest in digests:
            path, going = self._path(digest), self._path(digest).with_name(f"{_GOING}{digest.hex}")
            try:
                _remove_folder(going)
                with suppress(FileNotFoundError):
                    path.rename(going)
                    if self._durable:
                        sync(path.parent)
                    _remove_folder(going)
            except OSError as error:
                raise Unavailable(
                    f"cannot remove artifact {digest}: {error}", fix="check the disk and its rights"
                ) from error

    def _take_in(self, partial: Path, digest: Digest) -> None:
        """Give a finished copy its name; one that is there and whole stays."""
        target = self._path(digest)
        make_folder(target.parent)
        try:
            partial.rename(target)
        except OSError:
            if self._is_whole(target, digest):
                return
            # Damaged: out of the way first, so that its name never stands for a mixture of both.
            target.rename(partial.with_name("damaged"))
            partial.rename(target)
        if self._durable:
            sync(target.parent)

    def _is_whole(self, path: Path, digest: Digest) -> bool:
        try:
            return digest_of_folder(path).digest == digest
        except (NotPlain, FileNotFoundError):
            return False

    def _path(self, digest: Digest) -> Path:
        return self._root / digest.hex[:2] / digest.hex


def _remove_folder(path: Path) -> None:
    with suppress(FileNotFoundError):
        shutil.rmtree(path)


@contextmanager
def _as_missing(digest: Digest) -> Iterator[None]:
    """Say that an artifact is missing where its files cannot be read as they were kept."""
    try:
        yield
    except FileNotFoundError as error:
        raise ArtifactMissing(digest) from error
    except NotPlain as error:
        raise ArtifactMissing(digest, f"is damaged: {error}") from error
    except OSError as error:
        raise Unavailable(
            f"cannot read artifact {digest}: {error}", fix="check the disk and its rights"
        ) from error


def _changed(digest: Digest) -> ArtifactMissing:
    return ArtifactMissing(digest, "is damaged: its files have changed")


def _presence(folder: str) -> int | None:
    """0 if there is such a folder, whatever is in it; None if not."""
    try:
        return 0 if stat.S_ISDIR(os.lstat(folder).st_mode) else None
    except OSError:
        return None


def _size(folder: str) -> int | None:
    """Bytes of all files below a folder; None where there is none. Fast, as a plan asks for thousands."""
    total = 0
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    total += _size(entry.path) or 0
                else:
                    total += entry.stat(follow_symlinks=False).st_size
    except OSError:
        return None
    return total
