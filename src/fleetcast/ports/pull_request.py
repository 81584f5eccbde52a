"""What fleetcast needs of the pull request that a pipeline checks."""

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
