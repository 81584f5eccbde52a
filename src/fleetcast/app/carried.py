"""A folder that one file carries from one process to the next."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.stored.durable import partial_beside

_MARK = b"fleetcast dummy 1"
"""The comment of the file."""
_LEFT_OUT = ("jobs",)
"""Folders that nobody reads again."""


@contextmanager
def carried(file: Path | None) -> Iterator[Path]:
    """A folder with what a file holds, and written back to it afterwards, whatever happened in between.

    Args:
        file: A zip of ours, which may not exist yet; None: the folder is empty, and gone afterwards.

    Raises:
        BadInput: The file is something else.
        Unavailable: The disk refuses; an earlier file is as it was.
    """
    with TemporaryDirectory(prefix="fleetcast-") as name:
        folder = Path(name)
        if file is not None and file.exists():
            _unpack(file, folder)
        try:
            yield folder
        finally:
            if file is not None:
                _pack(folder, file)


def _unpack(file: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(file) as packed:
            if packed.comment != _MARK:
                raise BadInput(f"{file} was not written by `fleetcast dummy`", fix="name another --state")
            packed.extractall(folder)
            for name in packed.namelist():
                (folder / name).chmod(0o600)
    except (zipfile.BadZipFile, OSError, EOFError) as error:
        raise BadInput(
            f"{file} cannot be read: {error}", fix="remove it and begin anew, or name another --state"
        ) from error


def _pack(folder: Path, file: Path) -> None:
    partial = partial_beside(file)
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
            packed.comment = _MARK
            for path in sorted(folder.rglob("*")):
                inner = path.relative_to(folder)
                if path.is_file() and inner.parts[0] not in _LEFT_OUT:
                    packed.write(path, inner)
        partial.chmod(0o600)  # it holds the key that this dummy signs with
        partial.replace(file)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise Unavailable(
            f"cannot write {file}: {error.strerror}", fix="check the disk, or name another --state"
        ) from error
