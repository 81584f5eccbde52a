"""Copying a folder that nobody here vouches for: plain files and folders, nothing that leads elsewhere."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

from fleetcast.domain.errors import BadInput, Unavailable

MAX_FILES = 100_000


def plain_copy(source: Path, target: Path) -> None:
    """Copy a folder into a new one.

    Raises:
        BadInput: It holds a symbolic link or a special file, or too many files; nothing is left behind.
        Unavailable: A file cannot be read or written.
    """
    try:
        _refuse_link(source)
        target.mkdir(parents=True)
        count = 0
        for folder, folders, files in os.walk(source, followlinks=False):
            here = target / Path(folder).relative_to(source)
            count += len(folders) + len(files)
            _check_count(source, count)
            for name in folders:
                _refuse_link(Path(folder, name))
                (here / name).mkdir()
            for name in files:
                _copy(Path(folder, name), here / name)
    except BadInput:
        shutil.rmtree(target, ignore_errors=True)
        raise
    except OSError as error:
        shutil.rmtree(target, ignore_errors=True)
        raise Unavailable(
            f"cannot copy {error.filename or source}: {error.strerror}", fix="check the disk and its rights"
        ) from error


def _copy(source: Path, target: Path) -> None:
    _refuse_link(source)
    opened = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(opened, "rb") as reading:
        if not stat.S_ISREG(os.fstat(reading.fileno()).st_mode):
            raise BadInput(f"{source} is not a plain file", fix="save the model again with MLflow")
        with target.open("xb") as writing:
            shutil.copyfileobj(reading, writing, 2**20)


def _check_count(source: Path, count: int) -> None:
    if count > MAX_FILES:
        raise BadInput(f"{source} holds more than {MAX_FILES} files", fix="name the folder of one model")


def _refuse_link(path: Path) -> None:
    mode = path.lstat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        kind = "a symbolic link" if stat.S_ISLNK(mode) else "no plain file"
        raise BadInput(
            f"{path} is {kind}: a model must hold all its files itself",
            fix="replace it by the file it stands for, or save the model again with MLflow",
        )
