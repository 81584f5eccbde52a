"""What fleetcast needs of pull requests: to comment on the one that a pipeline checks, and to open one."""

from __future__ import annotations

from typing import Protocol

MARK = "<!-- fleetcast plan -->"
"""How a comment of ours begins, by which the next one finds it; nobody sees it."""


class PullRequest(Protocol):
    """One pull request, where people read what fleetcast found."""

    def comment(self, markdown: str) -> None:
        """Say something there; what fleetcast said before in the same place is replaced.

        Raises:
            Unavailable: The service does not answer, or refuses.
        """
        ...


class PullRequests(Protocol):
    """Pull requests of the repository that the fleet is in."""

    def open(self, branch: str, base: str, title: str, markdown: str) -> str:
        """Ask for a branch, which was pushed before, to be merged; where that is asked for already, nothing is done.

        Args:
            branch: What is to be merged.
            base: Into which branch.
            title: One line.
            markdown: What reviewers read first.

        Returns:
            Where people find it.

        Raises:
            BadInput: A branch is not there, or whoever asks may not.
            Unavailable: The service does not answer, or refuses.
        """
        ...
