"""What fleetcast needs to sign what people have agreed to, and to believe what was signed elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from fleetcast.domain.audit import Mark
    from fleetcast.domain.manifest import (
        Manifest,
        ManifestFile,
        ManifestVerdict,
        Seal,
        SealVerdict,
        Signature,
        SignedManifest,
        Verdict,
    )
    from fleetcast.domain.signing_key import KeyId
    from fleetcast.domain.traffic import SignedTraffic, Traffic


class Signer(Protocol):
    """Signs in the name of one key, which lies outside everything that is signed: no store, no database, no fleet
    repository holds it. The key itself is never given, shown or logged.
    """

    @property
    def key_id(self) -> KeyId:
        """Which key signs."""
        ...

    def sign(self, message: bytes) -> Signature:
        """Sign some bytes, with the present as their moment; nothing is kept.

        Raises:
            Unavailable: Whoever keeps the key does not answer. Nothing was signed.
        """
        ...


class TrustedKeys(Protocol):
    """The public keys whose signatures count, and those that counted before they were revoked."""

    def verdict(self, message: bytes, signature: Signature | None, at: datetime) -> Verdict:
        """What a signature on some bytes is worth.

        It is `Signed` only if a trusted key made it over exactly these bytes, the key id and its moment, before that
        key was revoked, and not after `at` by more than clocks may differ. Never raises: what cannot be checked is
        not `Signed`. A revoked key's signature counts by the moment that it states, so the holder of a stolen key
        can date it back: such a key is revoked altogether.

        Args:
            message: What is said to be signed.
            signature: None if there is none.
            at: The present.
        """
        ...


class Sealing(Protocol):
    """Seals the end of the audit log, signs manifests, and says what a seal or a signed manifest is worth."""

    def seal(self, mark: Mark) -> Seal:
        """Vouch for an entry, and so for all before it.

        Raises:
            BadInput: There is no key to sign with, or others can read it; the text says what to do.
            Unavailable: Whoever keeps the key does not answer.
        """
        ...

    def verdict(self, mark: Mark, seal: Seal | None) -> SealVerdict:
        """What a seal is worth for an entry; errors as of `seal`, as the own key is among those trusted."""
        ...

    def sign_traffic(self, traffic: Traffic) -> Signature:
        """Vouch for what a server is told; errors as of `seal`."""
        ...

    def traffic_verdict(self, signed: SignedTraffic) -> Verdict:
        """What the signature on what a server was told is worth."""
        ...

    def sign(self, manifest: Manifest) -> SignedManifest:
        """Vouch for what a version of a model consists of; errors as of `seal`."""
        ...

    def worth(
        self, signed: SignedManifest | None, model: str, version: int, files: Sequence[ManifestFile]
    ) -> ManifestVerdict:
        """What a manifest is worth for files that were read just now, and are said to be a version of a model.

        Args:
            signed: None where there is none.
            model: Whose files they are said to be.
            version: Of which version.
            files: As they were read.
        """
        ...
