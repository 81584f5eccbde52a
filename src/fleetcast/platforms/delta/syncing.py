"""Bringing a version of a table on this machine to the disk: delta-rs writes its files, and syncs none."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote

from fleetcast.stored.durable import sync


def sync_version(table: Path, version: int) -> None:
    """Bring what one version added to the disk: its files, then its entry in the log, then every folder's names.

    Raises:
        OSError: A file cannot be read.
    """
    log = table / "_delta_log"
    entry = log / f"{version:020}.json"
    added = [table / unquote(path) for path in _added(entry)]
    for path in (*added, entry, *log.glob(f"{version:020}.checkpoint*.parquet")):
        sync(path)
    folders = {folder for path in added for folder in path.parents if folder.is_relative_to(table)}
    for folder in (*folders, log, table, table.parent):
        sync(folder)


def _added(entry: Path) -> list[str]:
    actions = [json.loads(line) for line in entry.read_bytes().splitlines() if line.strip()]
    return [action["add"]["path"] for action in actions if "add" in action]
