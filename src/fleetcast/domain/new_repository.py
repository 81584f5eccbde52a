"""What became of the git repository that a new fleet is to be in."""

from __future__ import annotations

from dataclasses import dataclass

from fleetcast.domain.commit import Writer


@dataclass(frozen=True, slots=True)
class FirstCommit:
    """One was made, and the fleet's files are its first commit."""

    by: Writer
    is_guess: bool
    """Whether git was not told who commits, and the operating system's user was taken."""


@dataclass(frozen=True, slots=True)
class InRepository:
    """The folder is in one already: its people commit the files when they want to."""


@dataclass(frozen=True, slots=True)
class GitMissing:
    """Git is not installed."""


@dataclass(frozen=True, slots=True)
class NotWanted:
    """Nobody wants one made."""


NewRepository = FirstCommit | InRepository | GitMissing | NotWanted
