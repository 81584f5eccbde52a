"""Hashes of passwords."""

from __future__ import annotations

from typing import Protocol


class Passwords(Protocol):
    """Makes and checks hashes that are slow on purpose, each with a salt of its own.

    What is handed in was made `readable` before. Nothing is logged, and no error holds a password or a hash.
    """

    def hashed(self, password: str) -> str:
        """A new hash, as one line of printable ASCII that says how it was made."""
        ...

    def fits(self, password: str | None, kept: str | None) -> bool:
        """Whether a hash was made of this password.

        Does the same work when there is no hash, or when nothing was typed that a password can be; the answer is no
        then. So it is for a hash that cannot be read.
        """
        ...

    def outdated(self, kept: str) -> bool:
        """Whether a hash was made with less work than new ones are."""
        ...
