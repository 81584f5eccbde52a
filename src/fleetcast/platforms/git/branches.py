"""Branches with a proposed change, made in a work tree of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from fleetcast.domain.errors import BadInput
from fleetcast.platforms.git.repository import (
    UNCOMMITTED,
    asked_of_git,
    branch_of,
    commit_of,
    done_by_git,
)
from fleetcast.ports.branches import Committed

_REMOTE = "origin"


@dataclass(frozen=True, slots=True)
class GitBranches:
    """See `Branches`."""

    directory: Path
    """The fleet repository."""
    files: Sequence[str]
    """What the fleet is read from, as paths below it."""

    @property
    def current(self) -> str | None:
        """See `Branches`."""
        return branch_of(self.directory)

    @contextmanager
    def checkout(self) -> Iterator[Path]:
        """See `Branches`."""
        commit = commit_of(self.directory, self.files)
        if commit == UNCOMMITTED:
            raise BadInput(
                f"{self.directory} has no commit to propose a change of",
                fix="`git init`, `git add .` and `git commit` it first, or write a patch with --patch FILE",
            )
        if commit.endswith("+changes"):
            raise BadInput(
                "the fleet is not as it was committed: a proposal would not be about what you see",
                fix="commit or stash your changes, then run this again",
            )
        top = Path(asked_of_git(self.directory, "rev-parse", "--show-toplevel")).resolve()
        with TemporaryDirectory() as folder:
            tree = Path(folder) / "tree"
            _must(self.directory, "worktree", "add", "--quiet", "--detach", str(tree), commit)
            try:
                yield tree / self.directory.resolve().relative_to(top)
            finally:
                _must(self.directory, "worktree", "remove", "--force", str(tree))

    def commit(self, checkout: Path, branch: str, message: str) -> Committed:
        """See `Branches`."""
        if done_by_git(self.directory, "check-ref-format", "--branch", branch).returncode:
            raise BadInput(f"{branch!r} is no name of a branch", fix="choose another one with --branch")
        _must(checkout, "add", "--all", "--", ".")
        tree = _must(checkout, "write-tree")
        if tree == _must(checkout, "rev-parse", "HEAD^{tree}"):
            raise BadInput("there is nothing to commit", fix="propose other circuits")
        held = asked_of_git(checkout, "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}^{{commit}}")
        if held:
            if asked_of_git(checkout, "rev-parse", f"{held}^{{tree}}") == tree:
                return Committed(branch, held, new=False)
            raise BadInput(
                f"the branch {branch} is there already, with another change",
                fix=f"choose another name with --branch, or `git branch -D {branch}`",
            )
        # Hooks are of people's own work trees; what is proposed is checked as a pull request.
        _must(checkout, "commit", "--quiet", "--no-verify", "--message", message)
        commit = _must(checkout, "rev-parse", "HEAD")
        _must(checkout, "branch", branch, commit)
        return Committed(branch, commit, new=True)

    def push(self, branch: str) -> None:
        """See `Branches`."""
        if _REMOTE not in asked_of_git(self.directory, "remote").split():
            raise BadInput(
                f"this repository has no remote {_REMOTE!r} to push {branch} to",
                fix=f"`git remote add {_REMOTE} URL`, or take the branch from here yourself",
            )
        _must(self.directory, "push", "--quiet", _REMOTE, f"refs/heads/{branch}:refs/heads/{branch}")


def _must(directory: Path, *arguments: str) -> str:
    """What git prints, which has to succeed.

    Raises:
        BadInput: It does not.
    """
    done = done_by_git(directory, *arguments)
    if not done.returncode:
        return done.stdout.decode(errors="surrogateescape").strip()
    answer = " ".join(done.stderr.decode(errors="replace").split())
    if "Please tell me who you are" in answer:
        raise BadInput(
            "git does not know who you are, and so cannot commit",
            fix="`git config user.name NAME` and `git config user.email ADDRESS`",
        )
    raise BadInput(f"`git {arguments[0]}` refused: {answer}", fix="mend that, then run this again")
