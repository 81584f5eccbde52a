"""Files of our own that are torn: nothing is read from them, and nothing of them is lost."""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path

from fleetcast.domain.errors import Unavailable
from fleetcast.stored.form import Unreadable


def whole_file(path: Path) -> bytes:
    """The content of a file of ours.

    Raises:
        Unreadable: It is no file: a folder, a pipe, a link to nothing.
        Unavailable: The disk refuses.
    """
    try:
        if not path.is_file():
            raise Unreadable(f"{path} is no file", fix="move it away")
        return path.read_bytes()
    except OSError as error:
        raise Unavailable(
            f"cannot read {path}: {error.strerror}", fix="check the disk and its rights"
        ) from error


def set_aside(path: Path) -> Path:
    """Rename what stands in the way of a file of ours, to the first name `….torn-1`, `….torn-2` that is free.

    Raises:
        Unavailable: The disk refuses.
    """
    aside = next(
        free
        for number in count(1)
        if not os.path.lexists(free := path.with_name(f"{path.name}.torn-{number}"))
    )
    try:
        path.rename(aside)
    except OSError as error:
        raise Unavailable(
            f"cannot rename {path}: {error.strerror}", fix="check the disk and its rights"
        ) from error
    return aside
