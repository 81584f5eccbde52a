"""Hashes of passwords by Argon2id."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from secrets import token_urlsafe

from argon2 import Parameters, PasswordHasher, Type, extract_parameters
from argon2.exceptions import HashingError, InvalidHashError, VerificationError, VerifyMismatchError

from fleetcast.domain.errors import Unavailable

_AT_ONCE = 2
"""So many are made or checked at the same time: each takes all its memory, and everybody may ask for one."""


@dataclass(frozen=True, slots=True)
class Work:
    """How much a hash costs."""

    passes: int
    memory_kib: int
    lanes: int


SECOND_RECOMMENDED = Work(passes=3, memory_kib=64 * 1024, lanes=4)
"""Of RFC 9106, section 4, for where memory is scarce."""
_MOST = Work(passes=100, memory_kib=1024 * 1024, lanes=64)
"""A hash that asks for more was put there by somebody else."""


class Argon2Passwords:
    """Makes and checks hashes of passwords, a few at a time; threads may share it."""

    def __init__(self, work: Work = SECOND_RECOMMENDED) -> None:
        self._work = work
        self._hasher = PasswordHasher(
            time_cost=work.passes,
            memory_cost=work.memory_kib,
            parallelism=work.lanes,
            hash_len=32,
            salt_len=16,
            type=Type.ID,
        )
        self._turn = threading.BoundedSemaphore(_AT_ONCE)
        # Made now: the first unknown name must not take longer than the second.
        self._nobodys = self.hashed(token_urlsafe(32))

    def hashed(self, password: str) -> str:
        """A new hash, as one line of printable ASCII that says how it was made.

        Raises:
            Unavailable: There is too little memory.
        """
        try:
            with self._turn:
                return self._hasher.hash(password)
        except HashingError:
            raise _too_little_memory() from None

    def fits(self, password: str | None, kept: str | None) -> bool:
        """Whether a hash was made of this password; the same work where there is nothing to compare.

        Raises:
            Unavailable: There is too little memory.
        """
        known = kept is not None and _made(kept) is not None
        fits = self._verified(password or "", kept if known and kept is not None else self._nobodys)
        return fits and known and password is not None

    def outdated(self, kept: str) -> bool:
        """Whether a hash was made with less work than new ones are."""
        made = _made(kept)
        if made is None or made.type is not Type.ID:
            return True
        return made.time_cost * made.memory_cost < self._work.passes * self._work.memory_kib

    def _verified(self, password: str, kept: str) -> bool:
        try:
            with self._turn:
                return self._hasher.verify(kept, password)
        except VerifyMismatchError:
            return False
        except VerificationError as error:
            if "emory" in str(error):
                raise _too_little_memory() from None
            return False


def _made(kept: str) -> Parameters | None:
    """How a hash was made; None for text that is none, or that would take a machine down."""
    try:
        found = extract_parameters(kept)
    except (InvalidHashError, ValueError):
        return None
    if (
        found.time_cost > _MOST.passes
        or found.memory_cost > _MOST.memory_kib
        or found.parallelism > _MOST.lanes
    ):
        return None
    return found


def _too_little_memory() -> Unavailable:
    return Unavailable("there is too little memory to check a password", fix="try again in a moment")
