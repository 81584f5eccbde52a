"""Whatever umask fleetcast is started with, nobody else may write to what it makes; with 077 it works as well."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from tests.found.story import Story

LONG = "it trains three times, under three masks"


def tell(story: Story) -> None:
    """A fleet whose every command runs under umask 000, another under 077, one that a group shares under 002."""
    for umask in (0o000, 0o077, 0o002):
        before = os.umask(umask)
        try:
            fleet = story.fleet(f"under-{umask:03o}", days=40)
            fleet.type("plan", code=0)
            fleet.type("train", code=3)
            fleet.approve_all()
            fleet.type("database", "backup", str(fleet.folder / "backup.db"), code=0)
        finally:
            os.umask(before)
        wrong = [str(path.relative_to(story.folder)) for path in _all(fleet.folder) if _open(path)]
        story.expect("nobody else may write to what was made", holds=not wrong, saw=wrong[:5])
        shared = bool(_mode(fleet.folder / "fleetcast.yaml") & stat.S_IWGRP)
        story.expect("a group that was let in still is", holds=shared == (umask == 0o002), saw=shared)


def _all(folder: Path) -> list[Path]:
    return [folder, *folder.rglob("*")]


def _mode(path: Path) -> int:
    return path.lstat().st_mode


def _open(path: Path) -> bool:
    """Whether anybody may write there: a socket or link says nothing."""
    mode = _mode(path)
    return (stat.S_ISREG(mode) or stat.S_ISDIR(mode)) and bool(mode & stat.S_IWOTH)
