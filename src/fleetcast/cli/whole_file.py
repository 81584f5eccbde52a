"""Writing a result to a file that somebody names: the whole of it, or nothing."""

from __future__ import annotations

from pathlib import Path

from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.stored.durable import write_durably


def write_whole(path: Path, content: bytes) -> None:
    """Write a file in one move, and to the disk; one that is there is replaced, a reader sees the old or the new.

    Raises:
        BadInput: The folder does not exist, or the path is one.
        Unavailable: The disk is full or read-only; nothing has changed then.
    """
    folder = path.parent
    if not folder.is_dir():
        raise BadInput(f"cannot write {path}: there is no folder {folder}", fix=f"make it: mkdir -p {folder}")
    if path.exists() and not path.is_file():
        raise BadInput(f"cannot write {path}: it is not a file", fix="name a file")
    try:
        write_durably(path, content)
    except OSError as error:
        raise Unavailable(
            f"cannot write {path}: {error.strerror}",
            fix="choose a folder that can be written, with space left",
        ) from error
