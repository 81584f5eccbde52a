"""A folder under a name that delta-rs, polars and MLflow all read as it is written.

Each turns a folder into a URI and back in its own way: a blank, an umlaut, `#` or `?` in a path is decoded twice or not
at all, `[` ends in a panic, `%2e%2e` is read as the folder above. A link to the folder does not help, because delta-rs
resolves it first. So what is below such a name is opened through a stand-in: a temporary folder with a plain name that
holds a link to each entry of the real one. What is read and written through a link is the real thing.
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
from fleetcast.stored.durable import make_folder

_PLAIN = re.compile(r"[A-Za-z0-9._/-]*")
_LOG = "_delta_log"


class PlainlyNamed:
    """One folder, or the URI of one in an object store, as those libraries take it."""

    def __init__(self, location: Path | str) -> None:
        self._shown = str(location)
        self._real = None if isinstance(location, str) and "://" in location else Path(location)
        self._stand_in: Path | None = None
        self._lock = Lock()

    def __str__(self) -> str:
        return self._shown

    @property
    def folder(self) -> Path | None:
        """The real folder; None for a URI."""
        return self._real

    def address(self) -> str:
        """What to give them. Ask again before a table is opened, and once after it: files are there before the
        commit that names them, so what an opened version needs is linked then."""
        if self._real is None:
            return self._shown
        real = self._real.resolve()
        if _is_plain(real):
            return str(real)
        with self._lock:
            if self._stand_in is None or not self._stand_in.is_dir():
                self._stand_in = _new_folder(self._shown)
                weakref.finalize(self, _remove, self._stand_in, os.getpid())
            _link_entries(real, self._stand_in)
            return str(self._stand_in)

    def to_write(self, partitions: Iterable[str]) -> str:
        """What to give delta-rs for writing to these partitions of a table, such as `plant_id=PLANT001`.

        Their folders are made first: one that delta-rs made in a stand-in would not be the table's.
        """
        if self._real is not None:
            make_folder(self._real)
            if not _is_plain(self._real.resolve()):
                for name in (_LOG, *partitions):
                    (self._real / name).mkdir(exist_ok=True)
        return self.address()

    def said(self, error: BaseException) -> str:
        """What an error says, with the table's own name."""
        text = str(error)
        return text if self._stand_in is None else text.replace(str(self._stand_in), self._shown)


def _is_plain(path: Path) -> bool:
    return _PLAIN.fullmatch(str(path)) is not None


def _new_folder(shown: str) -> Path:
    for base in (tempfile.gettempdir(), "/tmp", "/var/tmp"):  # noqa: S108  # mkdtemp makes a private folder in it
        place = Path(base).resolve()
        if place.is_dir() and _is_plain(place):
            return Path(tempfile.mkdtemp(prefix="fleetcast-plain-", dir=place))
    raise Unavailable(
        f"no temporary folder has a plain name, which is needed to open {shown}",
        fix="have temporary files kept in a folder whose path has only letters, digits, '.', '_' and '-'",
    )


def _link_entries(real: Path, stand_in: Path) -> None:
    """Bring the links up to date with what is in the real folder, which may not exist yet."""
    try:
        wanted = {entry.name: entry for entry in real.iterdir()}
    except FileNotFoundError:
        wanted = {}
    for entry in stand_in.iterdir():
        target = wanted.get(entry.name)
        if not entry.is_symlink() or entry.readlink() == target:
            wanted.pop(entry.name, None)  # as it should be, or MLflow's own
        else:
            entry.unlink()
    for name, target in wanted.items():
        (stand_in / name).symlink_to(target)


def _remove(folder: Path, process: int) -> None:
    """Take a stand-in away at the end of the process that made it, and not of one that it forked."""
    if os.getpid() == process:
        with suppress(OSError):
            shutil.rmtree(folder)
