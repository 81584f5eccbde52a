"""Keys that signatures are checked with: who is trusted, from when on no longer, and where the own key comes from."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fleetcast.domain.errors import BadInput

_PUBLIC_BYTES = 32
VAULT = "keyvault:"
"""What stands before VAULT/SECRET where the key is in an Azure Key Vault. That names a key, and is none."""


@dataclass(frozen=True, slots=True, order=True)
class KeyId:
    """A key by the first 16 hex digits of the SHA-256 of its public part."""

    hex: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[0-9a-f]{16}", self.hex):
            raise BadInput("a key id has 16 hex digits", fix="`fleetcast keys show` prints it")

    def __str__(self) -> str:
        return self.hex


@dataclass(frozen=True, slots=True, order=True)
class PublicKey:
    """The public part of an Ed25519 key."""

    base64: str

    def __post_init__(self) -> None:
        # What is wrong is not shown: it may be a private key that somebody has pasted.
        if not is_base64(self.base64, _PUBLIC_BYTES):
            raise BadInput(
                f"this is no public key: that is {_PUBLIC_BYTES} bytes in base64",
                fix="`fleetcast keys show` prints it where the key is",
            )

    @classmethod
    def of(cls, raw: bytes) -> PublicKey:
        """The key with these 32 bytes."""
        return cls(base64.b64encode(raw).decode())

    @property
    def raw(self) -> bytes:
        """Its 32 bytes."""
        return base64.b64decode(self.base64)

    @property
    def id(self) -> KeyId:
        """What signatures name it by."""
        return KeyId(hashlib.sha256(self.raw).hexdigest()[:16])


@dataclass(frozen=True, slots=True)
class Revoked:
    """No longer to be believed."""

    at: datetime | None = None
    """What the key signed from then on does not count; None: nothing that it ever signed does."""

    def __post_init__(self) -> None:
        if self.at is not None and self.at.tzinfo is None:
            raise BadInput("a key is revoked at a moment with its time zone", fix="add Z if it is UTC")

    def covers(self, made_at: datetime) -> bool:
        """Whether a signature that says it was made then does not count."""
        return self.at is None or made_at >= self.at


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A key whose signatures count, or counted before it was revoked."""

    public: PublicKey
    revoked: Revoked | None = None


class KeySource(StrEnum):
    """How the own key reaches this process."""

    VARIABLE = "variable"
    """The value of an environment variable."""
    FILE = "file"
    """A file that the environment variable names."""
    VAULT = "vault"
    """A secret of a Key Vault that the environment variable names."""
    EMBEDDED = "embedded"
    """A file that fleetcast has made for this user, as nothing else was given."""


@dataclass(frozen=True, slots=True)
class OwnKeys:
    """What everybody may know of the keys that this user signs, and has signed, with."""

    public: PublicKey
    """Of the key that signs."""
    source: KeySource
    place: str
    """The variable, the file, or the secret."""
    earlier: tuple[PublicKey, ...] = ()
    """Of keys that this user has replaced; what they signed counts."""


def is_base64(text: str, length: int) -> bool:
    """Whether a text is the one way to write that many bytes in base64."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return len(raw) == length and base64.b64encode(raw).decode() == text
