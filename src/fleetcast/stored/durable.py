"""When a file is on the disk: the one place that decides it.

A name never stands for less than the whole file, whatever is cut: a process, or the power. The order is always the
same: the content is synced, then it gets its name, then the folder that holds the name is synced. Only then may a
row of the control database name it, or a person be told.

Not everything is worth a sync. What only explains or can be made again (the JSON artifacts of stages, logs, a job's
task, copies of what an object store keeps) is written in one move, and not synced.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

_LITTLE = 2**16
"""Bytes: less than what SQLite takes for one transaction."""


def write_durably(path: Path, content: bytes) -> None:
    """Write a file, in place of an earlier one; its folder is made if need be.

    Raises:
        OSError: The disk is full or read-only; an earlier file is as it was.
    """
    make_folder(path.parent)
    partial = partial_beside(path)
    try:
        # What a killed process of the same number has left is written over.
        partial.write_bytes(content)
        publish(partial, path)
    except OSError:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


def publish(partial: Path, path: Path) -> None:
    """Give a finished file its name, in place of an earlier one: its content is on the disk first, its name after.

    Raises:
        OSError: The disk refuses.
    """
    sync(partial)
    partial.replace(path)
    sync(path.parent)


def write_secret(path: Path, content: bytes, *, replace: bool = False) -> bool:
    """Write a file that its owner alone may read, whatever the umask; what is made of its folder is the owner's alone.

    Args:
        path: Where it is to be.
        content: What it is to hold.
        replace: Whether an earlier file gives way. If not, and there is one, nothing is changed: of several that
            write it at the same moment one is first, and the others see its whole content.

    Returns:
        Whether it was written.

    Raises:
        OSError: The disk refuses; an earlier file is as it was.
    """
    make_private_folder(path.parent)
    # A name of its own, as threads of one process may write at the same moment too.
    opened, name = tempfile.mkstemp(prefix=f"{path.name}.", suffix=".partial", dir=path.parent)
    partial = Path(name)
    try:
        with os.fdopen(opened, "wb") as file:
            os.fchmod(opened, 0o600)
            file.write(content)
        if replace:
            publish(partial, path)
            return True
        sync(partial)
        try:
            os.link(partial, path)
        except FileExistsError:
            return False
        sync(path.parent)
        return True
    finally:
        partial.unlink(missing_ok=True)


def make_private_folder(folder: Path) -> None:
    """Make a folder and those above it, for their owner alone whatever the umask; one that is there stays as it is."""
    if folder.is_dir():
        return
    make_private_folder(folder.parent)
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:  # somebody else was first
        return
    folder.chmod(0o700)
    sync(folder.parent)


def write_in_one_move(path: Path, content: bytes) -> None:
    """Write a file that a reader sees whole or not at all, without a sync: what only explains, or can be made again.

    Raises:
        OSError: The disk is full or read-only; an earlier file is as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = partial_beside(path)
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


def partial_beside(path: Path) -> Path:
    """Where this process writes what becomes `path`."""
    return path.with_name(f"{path.name}.{os.getpid()}.partial")


def has_room(path: Path) -> bool:
    """Whether the disk that holds a file, or would, takes more: SQLite calls a full one an error of the disk."""
    folder = next((one for one in (path, *path.parents) if one.is_dir()), Path("/"))
    try:
        return shutil.disk_usage(folder).free >= _LITTLE
    except OSError:
        return True


def make_folder(folder: Path) -> None:
    """Make a folder and those above it; their names are on the disk when this returns."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync(folder.parent)


def sync(path: Path) -> None:
    """Bring a file's content, or the names in a folder, to the disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
