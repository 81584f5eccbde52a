"""Ed25519 signatures, and the forms in which people write such keys."""

from __future__ import annotations

import base64
import binascii
from base64 import b64encode
from collections.abc import Iterable
from datetime import datetime

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from fleetcast.domain.manifest import Signature, Verdict, judge, signed_bytes
from fleetcast.domain.signing_key import KeyId, PublicKey, TrustedKey
from fleetcast.ports.clock import Clock


class Ed25519Signer:
    """Signs with one private key in memory."""

    def __init__(self, private: Ed25519PrivateKey, clock: Clock) -> None:
        self._private = private
        self._clock = clock
        self._id = public_of(private).id

    @property
    def key_id(self) -> KeyId:
        """Which key signs."""
        return self._id

    def sign(self, message: bytes) -> Signature:
        """Sign some bytes, with the present as their moment."""
        now = self._clock.now()
        raw = self._private.sign(signed_bytes(message, self._id, now))
        return Signature(self._id, b64encode(raw).decode(), now)


class Ed25519TrustedKeys:
    """A fixed set of public keys; of two entries for one key the later holds."""

    def __init__(self, trusted: Iterable[TrustedKey]) -> None:
        self._trusted = {key.public.id: key for key in trusted}
        self._opened: dict[PublicKey, Ed25519PublicKey] = {}

    def verdict(self, message: bytes, signature: Signature | None, at: datetime) -> Verdict:
        """What a signature on some bytes is worth."""
        return judge(message, signature, trusted=self._trusted, at=at, fits=self._fits)

    def _fits(self, public: PublicKey, covered: bytes, signature: bytes) -> bool:
        opened = self._opened.get(public)
        try:
            if opened is None:
                opened = self._opened[public] = Ed25519PublicKey.from_public_bytes(public.raw)
            opened.verify(signature, covered)
        except (InvalidSignature, ValueError):
            return False
        return True


class NoKey(ValueError):
    """A text that is no private key; it says what it is instead, and never holds the text."""


def new_private() -> Ed25519PrivateKey:
    """A new key, from the system's source of randomness."""
    return Ed25519PrivateKey.generate()


def public_of(private: Ed25519PrivateKey) -> PublicKey:
    """The public part of a key."""
    return PublicKey.of(private.public_key().public_bytes_raw())


def private_from(content: bytes) -> Ed25519PrivateKey:
    """Read a private key: PEM (PKCS 8, without a password), or its 32 bytes in base64.

    Raises:
        NoKey: It is none.
    """
    content = content.strip()
    if not content:
        raise NoKey("is empty")
    if not content.startswith(b"-----BEGIN"):
        try:
            raw = base64.b64decode(content, validate=True)
        except (binascii.Error, ValueError):
            raise NoKey("is neither PEM nor base64") from None
        if len(raw) != 32:
            raise NoKey(f"has {len(raw)} bytes in base64, not 32")
        return Ed25519PrivateKey.from_private_bytes(raw)
    if b" PUBLIC KEY-----" in content:
        raise NoKey("is a public key: that cannot sign")
    try:
        found = serialization.load_pem_private_key(content, password=None)
    except TypeError:
        raise NoKey("is locked with a password, for which nobody can be asked") from None
    except (ValueError, UnsupportedAlgorithm):
        raise NoKey("is torn, or no key in PEM") from None
    if not isinstance(found, Ed25519PrivateKey):
        raise NoKey("is a key of another kind than Ed25519")
    return found


def public_from(content: bytes) -> PublicKey:
    """Read a public key in PEM.

    Raises:
        NoKey: It is none.
    """
    try:
        found = serialization.load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm):
        raise NoKey("is torn, or no public key in PEM") from None
    if not isinstance(found, Ed25519PublicKey):
        raise NoKey("is a key of another kind than Ed25519")
    return PublicKey.of(found.public_bytes_raw())


def private_pem(private: Ed25519PrivateKey) -> bytes:
    """A private key as its file holds it."""
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def public_pem(public: PublicKey) -> bytes:
    """A public key as its file holds it."""
    return Ed25519PublicKey.from_public_bytes(public.raw).public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
