"""What fleetcast needs of git to propose a change: a branch with one commit, made beside what people work on."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Committed:
    """What is on a branch."""

    branch: str
    commit: str
    new: bool
    """False: the branch was there already, with the same files."""


class Branches(Protocol):
    """Makes branches of the repository that the fleet is in; what is checked out there stays as it is."""

    def checkout(self) -> AbstractContextManager[Path]:
        """The fleet's folder as it is at the commit that is checked out, in a place of its own; it goes afterwards.

        Raises:
            BadInput: The fleet is in no git repository, or its files are not as that commit has them.
        """
        ...

    def commit(self, checkout: Path, branch: str, message: str) -> Committed:
        """Keep what was changed in a checkout, as one commit on a new branch.

        The same change on a branch that has it already makes no second commit.

        Raises:
            BadInput: There is such a branch with another content, git does not know who commits, or nothing changed.
        """
        ...

    def push(self, branch: str) -> None:
        """Give a branch to where the repository comes from.

        Raises:
            BadInput: There is no remote, or it refuses; the text says what git said.
        """
        ...

    @property
    def current(self) -> str | None:
        """The branch that is checked out; None for a commit by its number."""
        ...
