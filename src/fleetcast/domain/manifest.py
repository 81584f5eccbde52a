"""What is signed: the manifest of a model version, and the seal on an entry of the audit log.

What counts is decided here, in `judge`; whether a signature fits its key is arithmetic, and handed in.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath

from fleetcast.domain.artifact import ArtifactFiles, artifact_digest
from fleetcast.domain.audit import Mark
from fleetcast.domain.canonical import canonical_json, plain
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import Digest, checked_id
from fleetcast.domain.signing_key import KeyId, PublicKey, TrustedKey, is_base64

CLOCK_TOLERANCE = timedelta(minutes=5)
"""By so much the clocks of two machines may differ."""
_SIGNATURE_BYTES = 64


@dataclass(frozen=True, slots=True)
class Signature:
    """Some bytes as one key has signed them."""

    key: KeyId
    base64: str
    made_at: datetime
    """Signed too, so nobody but the holder of the key can date it otherwise."""

    def __post_init__(self) -> None:
        if not is_base64(self.base64, _SIGNATURE_BYTES):
            raise BadInput(f"a signature is {_SIGNATURE_BYTES} bytes in base64")
        if self.made_at.tzinfo is None:
            raise BadInput("a signature is made at a moment with its time zone")

    @property
    def raw(self) -> bytes:
        """Its 64 bytes."""
        return b64decode(self.base64)


def signed_bytes(message: bytes, key: KeyId, made_at: datetime) -> bytes:
    """What a signature is computed over: the message, and before it which key signs it and when."""
    head = {"kind": "fleetcast signature", "key": key.hex, "made_at": made_at.astimezone(UTC).isoformat()}
    return canonical_json(head).encode() + b"\n" + message


@dataclass(frozen=True, slots=True)
class Signed:
    """A trusted key has signed exactly this."""

    key: KeyId


@dataclass(frozen=True, slots=True)
class Unsigned:
    """There is no signature."""


@dataclass(frozen=True, slots=True)
class UnknownKey:
    """Nobody here trusts the key."""

    key: KeyId


@dataclass(frozen=True, slots=True)
class RevokedKey:
    """The key's signature fits, and no longer counts."""

    key: KeyId
    at: datetime | None
    """From when on the key's signatures do not count; None: none ever did."""


@dataclass(frozen=True, slots=True)
class Forged:
    """The signature is not that of the key over these bytes: one of the three was changed."""

    key: KeyId


@dataclass(frozen=True, slots=True)
class PostDated:
    """The signature fits, and says it was made at a moment that has not come yet."""

    key: KeyId
    made_at: datetime


Verdict = Signed | Unsigned | UnknownKey | RevokedKey | Forged | PostDated
"""What a signature on some bytes is worth; only the first counts."""
Check = Callable[[bytes, "Signature | None"], Verdict]
"""Gives the verdict at a moment, by the keys that are trusted."""


@dataclass(frozen=True, slots=True)
class OtherModel:
    """The signed manifest is that of another model or version."""

    model: str
    version: int


@dataclass(frozen=True, slots=True)
class OtherFiles:
    """The files are not those of the signed manifest."""

    names: tuple[str, ...]
    """Of files that were changed, are missing or were added, sorted."""


@dataclass(frozen=True, slots=True)
class OtherEntry:
    """The signed seal is that of another entry of the audit log, or of what this one was before."""

    sealed: Mark


ManifestVerdict = Verdict | OtherModel | OtherFiles
SealVerdict = Verdict | OtherEntry


def judge(
    message: bytes,
    signature: Signature | None,
    *,
    trusted: Mapping[KeyId, TrustedKey],
    at: datetime,
    fits: Callable[[PublicKey, bytes, bytes], bool],
) -> Verdict:
    """Decide what a signature is worth.

    Args:
        message: What is said to be signed.
        signature: None if there is none.
        trusted: Keys that count, and those that did.
        at: The present.
        fits: Whether a public key's signature (third) is over these bytes (second).
    """
    if signature is None:
        return Unsigned()
    key = trusted.get(signature.key)
    if key is None:
        return UnknownKey(signature.key)
    covered = signed_bytes(message, signature.key, signature.made_at)
    if not fits(key.public, covered, signature.raw):
        return Forged(signature.key)
    if key.revoked is not None and key.revoked.covers(signature.made_at):
        return RevokedKey(signature.key, key.revoked.at)
    if signature.made_at > at + CLOCK_TOLERANCE:
        return PostDated(signature.key, signature.made_at)
    return Signed(signature.key)


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """One file of an artifact."""

    name: str
    """Relative to the artifact, with slashes."""
    size: int
    """In bytes."""
    digest: Digest

    def __post_init__(self) -> None:
        path = PurePosixPath(self.name)
        if not path.parts or path.is_absolute() or ".." in path.parts or str(path) != self.name:
            raise BadInput(f"{self.name[:80]!r} is not the name of a file inside an artifact")
        if self.size < 0:
            raise BadInput(f"{self.name[:80]!r} cannot have {self.size} bytes")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one version of a model consists of: one whose digest is not that of its files cannot exist."""

    model: str
    version: int
    files: tuple[ManifestFile, ...]
    """In the order of their names."""
    artifact: Digest
    """Of all files together."""

    def __post_init__(self) -> None:
        checked_id("model", self.model)
        if self.version < 1:
            raise BadInput(f"{self.model}:{self.version} is no version: they are counted from 1")
        names = [file.name for file in self.files]
        if not names or names != sorted(set(names)):
            raise BadInput(f"the files of {self.model}:{self.version} are none, doubled or out of order")
        if self.artifact != artifact_digest((file.name, file.digest) for file in self.files):
            raise BadInput(f"{self.artifact} is not the digest of the files of {self.model}:{self.version}")

    @classmethod
    def of(cls, model: str, version: int, files: Iterable[ManifestFile]) -> Manifest:
        """The manifest of a version that has these files, in any order."""
        ordered = tuple(sorted(files, key=lambda file: file.name))
        return cls(model, version, ordered, artifact_digest((file.name, file.digest) for file in ordered))

    @property
    def message(self) -> bytes:
        """The bytes to sign; the same for ever, or no earlier signature counts any more."""
        return canonical_json({"kind": "fleetcast model manifest", "manifest": plain(self)}).encode()


def manifest_files(files: ArtifactFiles) -> tuple[ManifestFile, ...]:
    """The files of an artifact in memory, as a manifest lists them."""
    return tuple(
        ManifestFile(name, len(content), files.digests[name])
        for name, content in sorted(files.content.items())
    )


@dataclass(frozen=True, slots=True)
class SignedManifest:
    """A manifest and who vouches for it."""

    manifest: Manifest
    signature: Signature | None
    """None: it was made where nothing is signed."""

    def judged(
        self, model: str, version: int, files: Iterable[ManifestFile], check: Check
    ) -> ManifestVerdict:
        """What it is worth for the files that are about to be used as a version of a model.

        Args:
            model: Of which they are said to be.
            version: Of which they are said to be.
            files: As they were read just now, never as something recorded says they are.
            check: What the signature is worth, by the keys that are trusted.
        """
        verdict = check(self.manifest.message, self.signature)
        if not isinstance(verdict, Signed | Unsigned):
            return verdict
        if (model, version) != (self.manifest.model, self.manifest.version):
            return OtherModel(self.manifest.model, self.manifest.version)
        differing = set(self.manifest.files) ^ set(files)
        if differing:
            return OtherFiles(tuple(sorted({file.name for file in differing})))
        return verdict


@dataclass(frozen=True, slots=True)
class Seal:
    """An entry of the audit log, and so all before it, as somebody has signed it."""

    mark: Mark
    signature: Signature

    @staticmethod
    def message(mark: Mark) -> bytes:
        """The bytes to sign; the same for ever, or no earlier seal counts any more."""
        return canonical_json({"kind": "fleetcast audit entry", "mark": plain(mark)}).encode()

    def judged(self, mark: Mark, check: Check) -> SealVerdict:
        """What it is worth for an entry, whose digest was computed anew from its content."""
        verdict = check(self.message(self.mark), self.signature)
        if isinstance(verdict, Signed) and self.mark != mark:
            return OtherEntry(self.mark)
        return verdict


def seal_in_words(verdict: SealVerdict) -> str:
    """What is wrong with a seal, to go on from `the seal`; empty if nothing is."""
    if isinstance(verdict, OtherEntry):
        return f"belongs to another entry, {verdict.sealed.number} ({verdict.sealed.digest.short})"
    return _in_words(verdict)


def traffic_in_words(verdict: Verdict) -> str:
    """What is wrong with the signature on what a server was told, to go on from its endpoint; empty if nothing is."""
    words = _in_words(verdict)
    return f"has a signature that {words}" if words else ""


def manifest_in_words(verdict: ManifestVerdict) -> str:
    """What is wrong with a manifest, to go on from `its signed manifest`; empty if nothing is."""
    match verdict:
        case OtherModel(model, version):
            return f"is that of {model}:{version}"
        case OtherFiles(names):
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            return f"lists other files: {', '.join(names[:3])}{more}"
        case _:
            return _in_words(verdict)


def _in_words(verdict: Verdict) -> str:
    match verdict:
        case Signed():
            return ""
        case Unsigned():
            return "is missing"
        case UnknownKey(key):
            return f"is by the key {key}, which nobody here trusts"
        case RevokedKey(key):
            return f"is by the key {key}, which was revoked"
        case PostDated(key):
            return f"is dated ahead of time by the key {key}"
        case Forged(key):
            return f"is no signature of the key {key}"
