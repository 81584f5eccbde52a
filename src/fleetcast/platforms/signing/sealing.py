"""Seals on the audit log, by the key of this user or one that is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from fleetcast.domain.audit import Mark
from fleetcast.domain.manifest import (
    Manifest,
    ManifestFile,
    ManifestVerdict,
    Seal,
    SealVerdict,
    Signature,
    SignedManifest,
    Unsigned,
    Verdict,
)
from fleetcast.domain.signing_key import TrustedKey
from fleetcast.ports.clock import Clock

if TYPE_CHECKING:
    from fleetcast.domain.traffic import SignedTraffic, Traffic
    from fleetcast.platforms.signing.ed25519 import Ed25519Signer, Ed25519TrustedKeys

Pair = tuple["Ed25519Signer", "Ed25519TrustedKeys"]


class KeySealing:
    """Seals with one key, and believes the seals of several; the keys are opened when they are first needed."""

    def __init__(self, keys: Callable[[], Pair]) -> None:
        self._open = keys

    def seal(self, mark: Mark) -> Seal:
        """Vouch for an entry, and so for all before it."""
        return Seal(mark, self._keys[0].sign(Seal.message(mark)))

    def verdict(self, mark: Mark, seal: Seal | None) -> SealVerdict:
        """What a seal is worth for an entry.

        When it was made is believed: clocks of machines differ, and dating a seal ahead gains nothing.
        """
        return Unsigned() if seal is None else seal.judged(mark, self._check)

    def sign_traffic(self, traffic: Traffic) -> Signature:
        """Vouch for what a server is told."""
        return self._keys[0].sign(traffic.message)

    def traffic_verdict(self, signed: SignedTraffic) -> Verdict:
        """What the signature on what a server was told is worth; its moment is believed, as a seal's."""
        return self._check(signed.traffic.message, signed.signature)

    def sign(self, manifest: Manifest) -> SignedManifest:
        """Vouch for what a version of a model consists of."""
        return SignedManifest(manifest, self._keys[0].sign(manifest.message))

    def worth(
        self, signed: SignedManifest | None, model: str, version: int, files: Sequence[ManifestFile]
    ) -> ManifestVerdict:
        """What a manifest is worth for files that were read just now; its moment is believed, as a seal's."""
        return Unsigned() if signed is None else signed.judged(model, version, files, self._check)

    @cached_property
    def _keys(self) -> Pair:
        return self._open()

    def _check(self, message: bytes, signature: Signature | None) -> Verdict:
        if signature is None:
            return Unsigned()
        return self._keys[1].verdict(message, signature, signature.made_at)


def own_sealing(
    clock: Clock, environment: Mapping[str, str], declared: Sequence[TrustedKey] = ()
) -> KeySealing:
    """Seals with the key that the environment names, else with the one of this user.

    Args:
        clock: Tells the time.
        environment: Variables by name.
        declared: Keys that the fleet trusts, and those it does not trust any more.
    """

    def keys() -> Pair:
        from fleetcast.platforms.signing.keys import open_keys

        opened = open_keys(environment)
        return opened.signer(clock), opened.trusted(declared)

    return KeySealing(keys)
