"""Copying a folder that nobody here vouches for: plain files and folders, nothing that leads elsewhere."""

from __future__ import annotations

import os
import shutil
import stat
from collections import Counter
from pathlib import Path

from fleetcast.domain.errors import BadInput, Unavailable

MAX_FILES = 100_000
_File = tuple[int, int]
"""Device and number: two names of one file have them in common."""


def plain_copy(source: Path, target: Path) -> None:
    """Copy a folder into a new one.

    Every file is opened from its own open folder, and never through a link: what is swapped for a link while this
    runs is refused too.

    Raises:
        BadInput: It holds a symbolic link, a special file, a file that has other names elsewhere, or too many
            files; nothing is left behind.
        Unavailable: A file cannot be read or written.
    """
    try:
        _refuse_link(source, source.lstat())
        target.mkdir(parents=True)
        _copy_all(source, target)
    except BadInput:
        shutil.rmtree(target, ignore_errors=True)
        raise
    except OSError as error:
        shutil.rmtree(target, ignore_errors=True)
        raise Unavailable(
            f"cannot copy {error.filename or source}: {error.strerror}", fix="check the disk and its rights"
        ) from error


def _copy_all(source: Path, target: Path) -> None:
    count = 0
    names_of: dict[_File, tuple[Path, int]] = {}
    seen: Counter[_File] = Counter()
    for folder, folders, files, opened in os.fwalk(source, onerror=_raise, follow_symlinks=False):
        here = target / Path(folder).relative_to(source)
        count += len(folders) + len(files)
        if count > MAX_FILES:
            raise BadInput(f"{source} holds more than {MAX_FILES} files", fix="name the folder of one model")
        for name in folders:
            _refuse_link(Path(folder, name), os.stat(name, dir_fd=opened, follow_symlinks=False))
        if files:  # a folder without files is no part of a model
            here.mkdir(parents=True, exist_ok=True)
        for name in files:
            found = _copy(Path(folder, name), opened, here / name)
            if found.st_nlink > 1:
                file = (found.st_dev, found.st_ino)
                names_of[file] = (Path(folder, name), found.st_nlink)
                seen[file] += 1
    for file, (path, names) in names_of.items():
        _refuse_other_names(path, names - seen[file])


def _raise(error: OSError) -> None:
    """Half of a model is none: a folder that cannot be listed is an error."""
    raise error


def _refuse_other_names(path: Path, others: int) -> None:
    """Refuse a file that has names which are not in the folder.

    A hard link does not say where its other names are, and nothing else does short of reading the whole disk: it may be
    a saving of space, or somebody's private file under a second name, whose bytes would be kept and shared as a model.
    So what is not known to be the model's own is left alone. Names within the folder are counted, and fine.
    """
    if others > 0:
        raise BadInput(
            f"{path} is a hard link: the same file has {others} more {'name' if others == 1 else 'names'} "
            "outside of the model's folder",
            fix="if it belongs to the model, copy the folder (`cp -R`), which makes it a file of its own",
        )


def _copy(source: Path, folder: int, target: Path) -> os.stat_result:
    _refuse_link(source, os.stat(source.name, dir_fd=folder, follow_symlinks=False))
    opened = os.open(source.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    with os.fdopen(opened, "rb") as reading:
        found = os.fstat(reading.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise BadInput(f"{source} is not a plain file", fix="save the model again with MLflow")
        with target.open("xb") as writing:
            shutil.copyfileobj(reading, writing, 2**20)
    return found


def _refuse_link(path: Path, found: os.stat_result) -> None:
    mode = found.st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        kind = "a symbolic link" if stat.S_ISLNK(mode) else "no plain file"
        raise BadInput(
            f"{path} is {kind}: a model must hold all its files itself",
            fix="replace it by the file it stands for, or save the model again with MLflow",
        )
