"""What git knows of the fleet repository."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from pathlib import Path

from fleetcast.domain.errors import BadInput

UNCOMMITTED = "uncommitted"


class GitRefuses(BadInput):
    """Git cannot say what it is asked: what it answered instead is passed on, never taken for "no commit"."""

    def __init__(self, directory: Path, answer: str) -> None:
        super().__init__(f"git cannot say at which commit {directory} is: {' '.join(answer.split())}")
        self.fix = "mend the repository until `git status` works there, then run the same command again"
        if "dubious ownership" in answer:
            safe = next((line.strip() for line in answer.splitlines() if "safe.directory" in line), "")
            self.fix = (
                "if you trust its owner, run "
                f"`{safe or f'git config --global --add safe.directory {directory.resolve()}'}`, "
                "or have the checkout made by the user who runs fleetcast"
            )


def commit_of(directory: Path) -> str:
    """The commit of a fleet repository, with `+changes` if files differ from it; `uncommitted` outside git.

    Raises:
        GitRefuses: The directory is in a git repository that git cannot or will not read, or git is not there
            to read it.
    """
    head = _said(directory, "rev-parse", "--verify", "--quiet", "HEAD")
    if not head:
        return UNCOMMITTED
    changed = _said(directory, "status", "--porcelain", "--untracked-files=no", "--", ".")
    return f"{head}+changes" if changed else head


def files_since(directory: Path, revision: str) -> tuple[str, ...]:
    """The files below a directory that differ from those of a revision, sorted.

    Raises:
        BadInput: The directory is not in a git repository, or it has no such revision.
        GitRefuses: As of `commit_of`.
    """
    commit = _commit(directory, revision)
    names = _said(directory, "diff", "--name-only", "-z", "--relative", commit, "--", ".")
    return tuple(sorted(name for name in names.split("\0") if name))


def export(directory: Path, revision: str, target: Path) -> None:
    """Write the files below a directory as they were at a revision into another directory.

    Raises:
        BadInput: The directory is not in a git repository, or it has no such revision.
        GitRefuses: As of `commit_of`.
    """
    commit = _commit(directory, revision)
    done = _git(directory, "archive", "--format=tar", commit, ".")
    if done.returncode:
        raise BadInput(
            f"{revision} has no fleet repository here: {_answer(done)}",
            fix="name a later commit, or leave --base out",
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
    """What git says; nothing outside of a repository, and where it quietly knows nothing.

    Raises:
        GitRefuses: It says anything else.
    """
    try:
        done = _git(directory, *arguments)
    except OSError as error:
        if not _in_checkout(directory):
            return ""
        raise GitRefuses(directory, f"the command git does not start: {error.strerror}") from error
    answer = _answer(done)
    if not done.returncode:
        return done.stdout.decode(errors="surrogateescape").strip()
    nowhere = "not a git repository (or any" in answer and not _in_checkout(directory)
    if nowhere or not answer:
        return ""
    raise GitRefuses(directory, answer)


def _answer(done: subprocess.CompletedProcess[bytes]) -> str:
    return done.stderr.decode(errors="replace").strip()


def _in_checkout(directory: Path) -> bool:
    return any((above / ".git").exists() for above in (directory.resolve(), *directory.resolve().parents))


def _git(directory: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(  # noqa: S603  # our own words
        ["git", *arguments],  # noqa: S607  # git is where the user has it
        cwd=directory,
        # Its answers are read: they must not be translated.
        env={**os.environ, "LC_ALL": "C"},
        capture_output=True,
        check=False,
    )
