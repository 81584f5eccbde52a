"""Which commit of the fleet repository is checked out."""

from __future__ import annotations

import subprocess
from pathlib import Path

UNCOMMITTED = "uncommitted"


def commit_of(directory: Path) -> str:
    """The commit of a fleet repository, with `+changes` if files differ from it; `uncommitted` outside git."""
    head = _git(directory, "rev-parse", "HEAD")
    if not head:
        return UNCOMMITTED
    changed = _git(directory, "status", "--porcelain", "--untracked-files=no", "--", ".")
    return f"{head}+changes" if changed else head


def _git(directory: Path, *arguments: str) -> str:
    """What git says, or nothing if there is no git, no repository or no commit."""
    try:
        done = subprocess.run(  # noqa: S603  # our own words
            ["git", *arguments],  # noqa: S607  # git is where the user has it
            cwd=directory,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
