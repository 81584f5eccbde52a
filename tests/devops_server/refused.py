"""What the server says when it does not do what it is asked."""

from __future__ import annotations


class Refused(Exception):  # it is an answer
    """An answer other than 200."""

    def __init__(self, status: int, message: str, errors: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.status, self.message, self.errors = status, message, errors
