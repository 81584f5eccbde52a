"""Secrets by which programs and command lines show who they act for: kept as digests, shown once."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from fleetcast.domain.audit import Standing
from fleetcast.domain.canonical import digest_of, plain
from fleetcast.domain.errors import BadInput
from fleetcast.domain.given import LONGEST_NAME, check_line
from fleetcast.domain.identity import Digest
from fleetcast.domain.role import Right

SECRET_BYTES = 32
LONGEST_LIFE = timedelta(days=366)
TOKEN_PREFIX = "fct"  # noqa: S105  # what it begins with; it lets scanners for leaked secrets find one
_WRITTEN = re.compile(r"([a-z]{3})_([1-9][0-9]{0,9})_([A-Za-z0-9_-]{43})")
"""Prefix, number and secret."""


class TokenState(StrEnum):
    """Whether a token still says anything."""

    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Token:
    """What is kept of a token: everything but its secret."""

    number: int
    """Given by the token book, counted from 1; 0 before."""
    person: str
    """The id of the one it acts for."""
    secret: Digest
    """SHA-256; of 32 random bytes no salt and no slow hash is needed."""
    standing: Standing
    """No better known than the one who made it."""
    only: frozenset[Right]
    """What it reaches to, at most; empty: all that the person may."""
    purpose: str
    made_by: str
    made_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None

    @property
    def kept(self) -> Digest:
        """Of all that makes it worth something: the audit log says the same, or a row was typed into the table."""
        return digest_of(
            {
                "person": self.person,
                "secret": self.secret.hex,
                "standing": self.standing.value,
                "only": sorted(self.only),
                "expires_at": plain(self.expires_at),
            }
        )

    def __post_init__(self) -> None:
        life = self.expires_at - self.made_at
        if not timedelta(0) < life <= LONGEST_LIFE:
            raise BadInput(
                f"a token for {life.days} days", fix=f"let it expire within 1 to {LONGEST_LIFE.days} days"
            )
        check_line(self.purpose, "the purpose of a token", LONGEST_NAME)

    def state(self, now: datetime) -> TokenState:
        """How it stands at a moment."""
        if self.revoked_at is not None:
            return TokenState.REVOKED
        return TokenState.VALID if now < self.expires_at else TokenState.EXPIRED


def new_secret(random: Callable[[int], str]) -> tuple[str, Digest]:
    """A new secret and the digest to keep; `random` gives URL-safe text of so many random bytes."""
    secret = random(SECRET_BYTES)
    return secret, digest_of_secret(secret)


def digest_of_secret(secret: str) -> Digest:
    """What is kept of a secret."""
    return Digest(hashlib.sha256(secret.encode()).hexdigest())


NO_SECRET = Digest("0" * 64)
"""Of no secret: what a shown one is compared with where there is no token, so that the answer takes as long."""


def fits(secret: str, kept: Digest) -> bool:
    """Whether this is the secret that was kept; takes as long whatever the answer."""
    return hmac.compare_digest(digest_of_secret(secret).hex, kept.hex)


def written(number: int, secret: str, prefix: str = TOKEN_PREFIX) -> str:
    """A token, or another numbered secret of ours, as people and programs carry it."""
    return f"{prefix}_{number}_{secret}"


def parsed(text: str, prefix: str = TOKEN_PREFIX) -> tuple[int, str] | None:
    """The number and the secret of a token as it was written; None if it is none. Never show the text."""
    found = _WRITTEN.fullmatch(text.strip())
    return (int(found[2]), found[3]) if found and found[1] == prefix else None
