"""Files that a person names: plain ones are opened, and read up to a bound; nothing else is waited for or read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from fleetcast.domain.errors import BadInput

MOST_BYTES = 64 * 2**20
"""Of a file that is read as a whole: settings, circuits, plans."""


class NotAFile(BadInput):
    """What is there under a name cannot be read as a file: it is a folder, a pipe, a device."""

    def __init__(self, path: Path, kind: str, fix: str) -> None:
        super().__init__(f"{path} is {kind}", fix=fix)
        self.kind = kind


class TooLarge(BadInput):
    """A file holds more than is read at once."""

    def __init__(self, path: Path, most: int) -> None:
        super().__init__(
            f"{path} is larger than {most // 2**20} MiB", fix="check that it is the right file, or split it"
        )


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a plain file to read it; a link is followed, and a pipe without a writer is not waited for.

    Raises:
        NotAFile: It is something else.
        OSError: It is not there, or may not be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:
        if _is_socket(path):  # which cannot be opened at all
            raise _not_a_file(path, stat.S_IFSOCK) from None
        raise
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        raise _not_a_file(path, mode)
    with os.fdopen(descriptor, "rb") as stream:
        yield stream


def read_named(path: Path, most: int = MOST_BYTES) -> bytes:
    """The content of a plain file.

    Raises:
        NotAFile: It is something else.
        TooLarge: It holds more than `most` bytes, of which no more are read.
        OSError: It is not there, or may not be read.
    """
    with opened(path) as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        raise TooLarge(path, most)
    return content


def _is_socket(path: Path) -> bool:
    try:
        return stat.S_ISSOCK(path.stat().st_mode)
    except OSError:
        return False


def _not_a_file(path: Path, mode: int) -> NotAFile:
    if stat.S_ISDIR(mode):
        return NotAFile(path, "a folder", "name a file in it")
    if stat.S_ISFIFO(mode):
        return NotAFile(path, "a pipe, not a file", "write what comes out of it to a file, and name that")
    kind = "a socket, not a file" if stat.S_ISSOCK(mode) else "a device, not a file"
    return NotAFile(path, kind, "name a file")
