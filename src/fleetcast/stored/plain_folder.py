"""Folders of which nothing is believed: plain files are read once, without following anything; all else is refused."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from fleetcast.domain.artifact import ArtifactFiles, artifact_digest
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import Digest
from fleetcast.domain.manifest import ManifestFile
from fleetcast.stored.durable import sync

_CHUNK = 2**20
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
"""Without blocking: a FIFO would wait for a writer for ever."""


class NotPlain(BadInput):
    """A folder holds what is neither a plain file nor a folder of such."""

    def __init__(self, path: Path, kind: str) -> None:
        super().__init__(
            f"{path} is {kind}: a model must hold all its files itself",
            fix="replace it by the file it stands for, or remove it",
        )


@dataclass(frozen=True, slots=True)
class CopiedFolder:
    """What a copy turned out to hold."""

    digest: Digest
    size: int
    """Bytes of all files."""


def plain_files(root: Path) -> Iterator[tuple[str, BinaryIO]]:
    """Every file below a folder, opened; each is closed when the next is asked for.

    A link that is swapped in while this runs is refused as well: every name is opened inside the folder that was
    looked at, and what was opened is looked at again.

    Raises:
        NotPlain: Something below it is a link, a special file or an empty folder, or the folder itself is a link.
        FileNotFoundError: There is no such folder, or a file went away meanwhile.
    """
    opened = _open(root, _FOLDER, root)
    try:
        yield from _below(opened, root, "")
    finally:
        os.close(opened)


def files_of_folder(root: Path) -> tuple[ManifestFile, ...]:
    """The files below a folder with their sizes and digests, in the order of their names.

    Raises:
        NotPlain, FileNotFoundError: See `plain_files`.
    """
    files = []
    for name, stream in plain_files(root):
        seen, size = sha256(), 0
        while chunk := stream.read(_CHUNK):
            seen.update(chunk)
            size += len(chunk)
        files.append(ManifestFile(name, size, Digest(seen.hexdigest())))
    return tuple(sorted(files, key=lambda file: file.name))


def digest_of_folder(root: Path) -> CopiedFolder:
    """The digest and size of the files below a folder.

    Raises:
        NotPlain, FileNotFoundError: See `plain_files`.
    """
    files = files_of_folder(root)
    digest = artifact_digest((file.name, file.digest) for file in files)
    return CopiedFolder(digest, sum(file.size for file in files))


def read_plain(root: Path) -> ArtifactFiles:
    """All files below a folder, in memory.

    Raises:
        NotPlain, FileNotFoundError: See `plain_files`.
    """
    return ArtifactFiles(str(root), {name: stream.read() for name, stream in plain_files(root)})


def copy_plain(source: Path, target: Path, *, durable: bool = False) -> CopiedFolder:
    """Copy a folder into a new one, and say what the copy holds.

    Args:
        source: Read once; what is hashed is what is written.
        target: Must not be there.
        durable: Whether its files and folders are on the disk when this returns; the name of the target is not.

    Raises:
        NotPlain, FileNotFoundError: See `plain_files`.
        OSError: The disk is full or read-only.
    """
    target.mkdir()
    folders, files, size = {target}, [], 0
    for name, stream in plain_files(source):
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        folders |= {folder for folder in path.parents if folder.is_relative_to(target)}
        seen = sha256()
        with path.open("xb") as writing:
            while chunk := stream.read(_CHUNK):
                seen.update(chunk)
                size += len(chunk)
                writing.write(chunk)
            if durable:
                writing.flush()
                os.fsync(writing.fileno())
        files.append((name, Digest(seen.hexdigest())))
    for folder in folders if durable else ():
        sync(folder)
    return CopiedFolder(artifact_digest(files), size)


def _below(folder: int, root: Path, above: str) -> Iterator[tuple[str, BinaryIO]]:
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries)
    if not names and above:
        raise NotPlain(root / above, "an empty folder")
    for name in names:
        place = above + name
        if not name.isprintable():
            raise NotPlain(root / place.encode(errors="replace").decode(), "a file whose name is no text")
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
        if stat.S_ISDIR(mode):
            inner = _open(name, _FOLDER, root / place, folder)
            try:
                yield from _below(inner, root, f"{place}/")
            finally:
                os.close(inner)
        elif stat.S_ISREG(mode):
            with os.fdopen(_open(name, _FILE, root / place, folder), "rb") as stream:
                mode = os.fstat(stream.fileno()).st_mode
                if not stat.S_ISREG(mode):
                    raise NotPlain(root / place, _kind(mode))
                yield place, stream
        else:
            raise NotPlain(root / place, _kind(mode))


def _open(name: str | Path, flags: int, shown: Path, folder: int | None = None) -> int:
    try:
        return os.open(name, flags, dir_fd=folder)
    except OSError as error:
        if error.errno in (errno.ENOTDIR, errno.ELOOP):  # a link, as it is not followed
            raise NotPlain(shown, "no longer what it was, or a symbolic link") from error
        raise


def _kind(mode: int) -> str:
    return "a symbolic link" if stat.S_ISLNK(mode) else "no plain file"
