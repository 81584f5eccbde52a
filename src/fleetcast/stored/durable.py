"""When a file is on the disk: the one place that decides it.

A name never stands for less than the whole file, whatever is cut: a process, or the power. The order is always the
same: the content is synced, then it gets its name, then the folder that holds the name is synced. Only then may a
row of the control database name it, or a person be told.

Not everything is worth a sync. What only explains or can be made again (the JSON artifacts of stages, logs, a job's
task, copies of what an object store keeps) is written in one move, and not synced.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


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
