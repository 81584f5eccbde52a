"""Keys and signed things for tests; the keys are known to everybody who reads this."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fleetcast.domain.artifact import ArtifactFiles
from fleetcast.domain.manifest import Manifest, SignedManifest, manifest_files
from fleetcast.domain.signing_key import PublicKey
from fleetcast.platforms.signing.ed25519 import Ed25519Signer, public_of
from fleetcast.ports.signing import Signer
from tests.clocks import NOON, FixedClock

FILES: Mapping[str, bytes] = {"model.json": b"{}", "weights/a.safetensors": b"weights", "weights.txt": b"2"}


def private(number: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([number] * 32))


def public(number: int) -> PublicKey:
    return public_of(private(number))


def signer(number: int = 1, at: datetime = NOON) -> Signer:
    return Ed25519Signer(private(number), FixedClock(at))


def artifact(content: Mapping[str, bytes] = FILES) -> ArtifactFiles:
    return ArtifactFiles("the store", content)


def manifest(model: str = "m", version: int = 1, content: Mapping[str, bytes] = FILES) -> Manifest:
    return Manifest.of(model, version, manifest_files(artifact(content)))


def signed(what: Manifest, by: Signer | None = None) -> SignedManifest:
    return SignedManifest(what, (by or signer()).sign(what.message))
