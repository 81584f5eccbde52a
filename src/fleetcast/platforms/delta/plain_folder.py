"""A table's folder under a name that delta-rs and polars both read as it is written.

Both turn a folder into a URI and back, and not in the same way: a blank, an umlaut, `#` or `?` above the table is read
twice or not at all, `[` ends in a panic, `%2e%2e` is read as the folder above. Links do not help by themselves, because
delta-rs resolves the folder first. So a table below such a name is opened as a stand-in: a temporary folder with a
plain name that holds a link to each entry of the real one. What is read and written through a link is the real thing.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import weakref
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from threading import Lock

from fleetcast.domain.errors import Unavailable

_PLAIN = re.compile(r"[A-Za-z0-9._/-]*")
_LOG = "_delta_log"


class PlainFolder:
    """One table's folder, or its URI in an object store, as delta-rs takes it."""

    def __init__(self, location: Path | str) -> None:
        self._shown = str(location)
        self._real = None if isinstance(location, str) and "://" in location else Path(location)
        self._stand_in: Path | None = None
        self._lock = Lock()

    def __str__(self) -> str:
        return self._shown

    def address(self) -> str:
        """What delta-rs is given. Ask again before each opening, and once after it: files are there before the
        commit that names them, so what an opened version needs is linked then."""
        if self._real is None:
            return self._shown
        real = self._real.resolve()
        if _is_plain(real):
            return str(real)
        with self._lock:
            if self._stand_in is None or not self._stand_in.is_dir():
                self._stand_in = _new_folder()
                weakref.finalize(self, _remove, self._stand_in, os.getpid())
            _link_entries(real, self._stand_in)
            return str(self._stand_in)

    def to_write(self, partitions: Iterable[str]) -> str:
        """What delta-rs is given to write to these partitions, such as `plant_id=PLANT001`.

        Their folders are made first: one that delta-rs made in a stand-in would not be the table's.
        """
        if self._real is not None:
            self._real.mkdir(parents=True, exist_ok=True)
            if not _is_plain(self._real.resolve()):
                for name in (_LOG, *partitions):
                    (self._real / name).mkdir(exist_ok=True)
        return self.address()

    def said(self, error: Exception) -> str:
        """What an error says, with the table's own name."""
        text = str(error)
        return text if self._stand_in is None else text.replace(str(self._stand_in), self._shown)


def _is_plain(path: Path) -> bool:
    return _PLAIN.fullmatch(str(path)) is not None


def _new_folder() -> Path:
    for base in (tempfile.gettempdir(), "/tmp", "/var/tmp"):  # noqa: S108  # mkdtemp makes a private folder in it
        place = Path(base).resolve()
        if place.is_dir() and _is_plain(place):
            return Path(tempfile.mkdtemp(prefix="fleetcast-table-", dir=place))
    raise Unavailable(
        "no temporary folder has a plain name, which reading a table below this folder needs",
        fix="set TMPDIR to a folder whose path has only letters, digits, '.', '_' and '-'",
    )


def _link_entries(real: Path, stand_in: Path) -> None:
    """Bring the links up to date with what is in the real folder, which may not exist yet."""
    try:
        wanted = {entry.name: entry for entry in real.iterdir()}
    except FileNotFoundError:
        wanted = {}
    there = {entry.name: entry.readlink() for entry in stand_in.iterdir()}
    for name in there.keys() - wanted.keys():
        (stand_in / name).unlink()
    for name, target in wanted.items():
        if there.get(name, target) != target:
            (stand_in / name).unlink()
        if there.get(name) != target:
            (stand_in / name).symlink_to(target)


def _remove(folder: Path, process: int) -> None:
    """Take a stand-in away at the end of the process that made it, and not of one that it forked."""
    if os.getpid() == process:
        with suppress(OSError):
            shutil.rmtree(folder)
