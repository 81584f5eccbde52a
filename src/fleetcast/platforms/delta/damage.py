"""What is wrong with the files of a Delta table on a disk that cannot be read: which file it is, and what to do."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import polars as pl
from deltalake import DeltaTable

LOG = "_delta_log"
_COMMIT = re.compile(r"(\d{20})\.json")
_HINT = "_last_checkpoint"
_RESTORE = "bring that file back from a backup of the table"


@dataclass(frozen=True, slots=True)
class Damage:
    """One file that is not as it was written."""

    file: str
    """Below the table."""
    what: str
    fix: str

    def __str__(self) -> str:
        return f"{self.file} {self.what}"


def damage_of_log(table: Path) -> Damage | None:
    """The first file of a table's log that cannot be what was written; None if none can be told.

    Args:
        table: Its folder.
    """
    log = table / LOG
    try:
        return next(_torn_commits(log), None) or _wrong_hint(log)
    except OSError as error:
        return Damage(LOG, f"cannot be read: {error.strerror}", "check the folder and its permissions")


def emptied_commit(table: Path) -> Damage | None:
    """A commit without a single byte: readers take it for one that did nothing, and its rows are gone in silence."""
    try:
        with os.scandir(table / LOG) as entries:
            emptied = [
                entry.name for entry in entries if _COMMIT.fullmatch(entry.name) and not entry.stat().st_size
            ]
    except OSError:
        return None
    return _torn(min(emptied)) if emptied else None


def cut_file(table: Path, opened: DeltaTable) -> Damage | None:
    """The first data file of an opened version that is there with another size than was written."""
    for name, size in _files(opened):
        try:
            found = (table / name).stat().st_size
        except OSError:
            continue  # what is not there is told where it is read: a version may have lost files that nobody wants
        if found != size:
            return Damage(name, f"has {found:,} of the {size:,} bytes that were written", _RESTORE)
    return None


def lost_file(table: Path, opened: DeltaTable) -> Damage | None:
    """The first data file of an opened version that is not there."""
    for name, _ in _files(opened):
        if not (table / name).is_file():
            return Damage(name, "is not there", _RESTORE)
    return None


def _files(opened: DeltaTable) -> Iterator[tuple[str, int]]:
    actions = pl.DataFrame(opened.get_add_actions(flatten=True)).select("path", "size_bytes")
    return ((unquote(path), size) for path, size in actions.iter_rows())


def _torn_commits(log: Path) -> Iterator[Damage]:
    for name in sorted(entry.name for entry in log.iterdir() if _COMMIT.fullmatch(entry.name)):
        lines = [line for line in (log / name).read_bytes().splitlines() if line.strip()]
        if not lines or not all(map(_is_action, lines)):
            yield _torn(name)


def _torn(name: str) -> Damage:
    number = int(name[:20])
    return Damage(
        f"{LOG}/{name}",
        "is torn",
        f"{_RESTORE}; without one, and if no commit follows it, move it away: the table is then as version "
        f"{number - 1}, and what was stored since is stored again"
        if number
        else _RESTORE,
    )


def _is_action(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _wrong_hint(log: Path) -> Damage | None:
    """The file that only says where to begin reading; without it a reader looks for itself."""
    hint = log / _HINT
    if not hint.exists():
        return None
    try:
        version = int(json.loads(hint.read_bytes())["version"])
    except (ValueError, KeyError, TypeError):
        version = -1
    if version >= 0 and any(log.glob(f"{version:020}.checkpoint*")):
        return None
    return Damage(
        f"{LOG}/{_HINT}",
        "names a checkpoint that is not there" if version >= 0 else "is torn",
        "remove that file: it is only a hint where to begin, and a new one is written",
    )
