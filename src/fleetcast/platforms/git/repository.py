"""What git knows of the fleet repository."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from pathlib import Path

from fleetcast.domain.errors import BadInput

UNCOMMITTED = "uncommitted"


def commit_of(directory: Path) -> str:
    """The commit of a fleet repository, with `+changes` if files differ from it; `uncommitted` outside git."""
    head = _said(directory, "rev-parse", "HEAD")
    if not head:
        return UNCOMMITTED
    changed = _said(directory, "status", "--porcelain", "--untracked-files=no", "--", ".")
    return f"{head}+changes" if changed else head


def files_since(directory: Path, revision: str) -> tuple[str, ...]:
    """The files below a directory that differ from those of a revision, sorted.

    Raises:
        BadInput: The directory is not in a git repository, or it has no such revision.
    """
    commit = _commit(directory, revision)
    done = _git(directory, "diff", "--name-only", "-z", "--relative", commit, "--", ".")
    return tuple(
        sorted(filter(None, os.fsdecode(done.stdout).split("\0")))
    )  # without -z, odd names are quoted


def export(directory: Path, revision: str, target: Path) -> None:
    """Write the files below a directory as they were at a revision into another directory.

    Raises:
        BadInput: The directory is not in a git repository, or it has no such revision.
    """
    commit = _commit(directory, revision)
    done = _git(directory, "archive", "--format=tar", commit, ".")
    if done.returncode:
        raise BadInput(
            f"{revision} has no fleet repository here", fix="name a later commit, or leave --base out"
        )
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(target, filter="data")


def _commit(directory: Path, revision: str) -> str:
    commit = _said(
        directory, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
    )
    if not commit:
        raise BadInput(
            f"git knows no revision {revision!r} in {directory}", fix="name a branch, a tag or a commit"
        )
    return commit


def _said(directory: Path, *arguments: str) -> str:
    """What git says, or nothing if there is no git, no repository or no commit."""
    try:
        done = _git(directory, *arguments)
    except OSError:
        return ""
    return done.stdout.decode().strip() if done.returncode == 0 else ""


def _git(directory: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(  # noqa: S603  # our own words
        ["git", *arguments],  # noqa: S607  # git is where the user has it
        cwd=directory,
        capture_output=True,
        check=False,
    )
