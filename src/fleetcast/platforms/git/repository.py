"""What git knows of the fleet repository."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import tarfile
from collections.abc import Sequence
from pathlib import Path

from fleetcast.domain.errors import BadInput

_log = logging.getLogger("fleetcast.steps")

UNCOMMITTED = "uncommitted"
_MANY = 100
"""So many files are not named one by one."""


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


def commit_of(directory: Path, files: Sequence[str]) -> str:
    """The commit of a fleet repository, with `+changes` if it is not what was read; `uncommitted` outside git.

    Args:
        directory: The fleet repository.
        files: What the fleet was read from, as paths below the directory: the commit must hold each as it is, whatever
            git tracks, ignores or was told to overlook.

    Raises:
        GitRefuses: The directory is in a git repository that git cannot or will not read, or git is not there
            to read it.
    """
    head = asked_of_git(directory, "rev-parse", "--verify", "--quiet", "HEAD")
    if not head:
        return UNCOMMITTED
    changed = asked_of_git(directory, "status", "--porcelain", "--untracked-files=no", "--", ".")
    return f"{head}+changes" if changed or not _holds(directory, head, files) else head


def _holds(directory: Path, commit: str, files: Sequence[str]) -> bool:
    """Whether a commit has these files with their present content."""
    top = Path(asked_of_git(directory, "rev-parse", "--show-toplevel")).resolve()
    below = directory.resolve().relative_to(top)
    read = [below / file for file in files]
    places_read = [(top / file).resolve() for file in read]
    if not all(place.is_relative_to(top) and "\n" not in str(place) for place in places_read):
        return False  # a commit cannot hold what lies outside, and git is asked line by line
    real = [place.relative_to(top).as_posix() for place in places_read]
    places = sorted({*real, *(file.as_posix() for file in read)} if len(files) < _MANY else {"."})
    held = _tree(asked_of_git(top, "ls-tree", "-r", "-z", commit, "--", *places))
    named = "".join(f"{path}\n" for path in real)
    present = asked_of_git(top, "hash-object", "--stdin-paths", words=named).split()
    linked = [file for file, path in zip(read, real, strict=True) if file.as_posix() != path]
    return present == [held.get(path) for path in real] and all(
        any(part.as_posix() in held for part in (file, *file.parents)) for file in linked
    )


def _tree(listed: str) -> dict[str, str]:
    """The content of each path, by what `git ls-tree -z` says."""
    entries = (entry.split("\t", 1) for entry in listed.split("\0") if entry)
    return {path: about.split()[2] for about, path in entries}


def files_since(directory: Path, revision: str) -> tuple[str, ...]:
    """The files below a directory that differ from those of a revision, sorted.

    Raises:
        BadInput: The directory is not in a git repository, or it has no such revision.
        GitRefuses: As of `commit_of`.
    """
    commit = _commit(directory, revision)
    names = asked_of_git(directory, "diff", "--name-only", "-z", "--relative", commit, "--", ".")
    return tuple(sorted(name for name in names.split("\0") if name))


def export(directory: Path, revision: str, target: Path) -> None:
    """Write the files below a directory as they were at a revision into another directory.

    Raises:
        BadInput: The directory is not in a git repository, or it has no such revision.
        GitRefuses: As of `commit_of`.
    """
    commit = _commit(directory, revision)
    done = done_by_git(directory, "archive", "--format=tar", commit, ".")
    if done.returncode:
        raise BadInput(
            f"{revision} has no fleet repository here: {_answer(done)}",
            fix="name a later commit, or leave --base out",
        )
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(target, filter="data")


def _commit(directory: Path, revision: str) -> str:
    commit = asked_of_git(
        directory, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
    )
    if not commit:
        raise BadInput(
            f"git knows no revision {revision!r} in {directory}", fix="name a branch, a tag or a commit"
        )
    return commit


def asked_of_git(directory: Path, *arguments: str, words: str = "") -> str:
    """What git says on some words; nothing outside of a repository, and where it quietly knows nothing.

    Raises:
        GitRefuses: It says anything else.
    """
    try:
        done = done_by_git(directory, *arguments, words=words)
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


def place_in_repository(directory: Path) -> str:
    """Where a folder is in its repository, with `/` at the end; empty: it is all of it."""
    return asked_of_git(directory, "rev-parse", "--show-prefix")


def bundle(directory: Path, file: Path) -> None:
    """Write the commit that is checked out, with its history, into one file that can be cloned.

    Raises:
        BadInput: The checkout lacks a part of the history.
        GitRefuses: Git cannot read the repository.
    """
    if asked_of_git(directory, "rev-parse", "--is-shallow-repository") == "true":
        raise BadInput(
            f"the checkout {directory} lacks a part of its history, so it cannot be handed on",
            fix="git fetch --unshallow (in a pipeline: fetchDepth: 0)",
        )
    asked_of_git(directory, "bundle", "create", "--quiet", str(file), "HEAD")


def branch_of(directory: Path) -> str | None:
    """The branch that is checked out; None where that is a commit by its number, or where git knows nothing."""
    return asked_of_git(directory, "symbolic-ref", "--quiet", "--short", "HEAD") or None


def _answer(done: subprocess.CompletedProcess[bytes]) -> str:
    return done.stderr.decode(errors="replace").strip()


def _in_checkout(directory: Path) -> bool:
    return any((above / ".git").exists() for above in (directory.resolve(), *directory.resolve().parents))


def done_by_git(directory: Path, *arguments: str, words: str = "") -> subprocess.CompletedProcess[bytes]:
    """Run git in a folder, and say how it ended; nothing is raised but where it does not start."""
    _log.debug("asks git %s in %s", arguments[0] if arguments else "", directory)
    return subprocess.run(  # noqa: S603  # our own words
        ["git", *arguments],  # noqa: S607  # git is where the user has it
        cwd=directory,
        # Its answers are read: they must not be translated.
        env={**os.environ, "LC_ALL": "C"},
        input=words.encode(),
        capture_output=True,
        check=False,
    )
