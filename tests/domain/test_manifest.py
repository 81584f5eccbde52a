"""What a signature is worth, whoever computes it; and what a manifest says."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetcast.domain.artifact import ArtifactFiles
from fleetcast.domain.audit import GENESIS, Actor, AuditEvent, Mark, chained
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import Digest
from fleetcast.domain.manifest import (
    CLOCK_TOLERANCE,
    Forged,
    Manifest,
    ManifestFile,
    OtherEntry,
    OtherFiles,
    OtherModel,
    PostDated,
    RevokedKey,
    Seal,
    Signature,
    Signed,
    SignedManifest,
    UnknownKey,
    Unsigned,
    Verdict,
    judge,
    manifest_files,
    signed_bytes,
)
from fleetcast.domain.signing_key import KeyId, PublicKey, Revoked, TrustedKey
from tests.clocks import NOON

KEY = PublicKey.of(bytes(range(32)))
SECOND = timedelta(seconds=1)
LATER = NOON + timedelta(days=1)
SIGNATURE = Signature(KEY.id, b64encode(bytes(64)).decode(), NOON)
FILES = {"a.json": b"{}", "b/weights": b"1234"}


def listed(content: Mapping[str, bytes] = FILES) -> tuple[ManifestFile, ...]:
    return manifest_files(ArtifactFiles("a store", content))


MANIFEST = Manifest.of("m", 3, listed())


def verdict(
    *,
    signature: Signature | None = SIGNATURE,
    revoked: Revoked | None = None,
    trusted: PublicKey = KEY,
    at: datetime = LATER,
    fits: bool = True,
) -> Verdict:
    keys = {trusted.id: TrustedKey(trusted, revoked)}
    return judge(b"message", signature, trusted=keys, at=at, fits=lambda _key, _covered, _signature: fits)


def counts(_message: bytes, _signature: Signature | None) -> Verdict:
    return Signed(KEY.id)


# The rule


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (verdict(), Signed(KEY.id)),
        (verdict(signature=None), Unsigned()),
        (verdict(trusted=PublicKey.of(bytes(32))), UnknownKey(KEY.id)),
        (verdict(fits=False), Forged(KEY.id)),
        (verdict(fits=False, revoked=Revoked()), Forged(KEY.id)),
        (verdict(revoked=Revoked()), RevokedKey(KEY.id, None)),
        (verdict(revoked=Revoked(NOON)), RevokedKey(KEY.id, NOON)),
        (verdict(revoked=Revoked(NOON + SECOND)), Signed(KEY.id)),
        (verdict(at=NOON - CLOCK_TOLERANCE), Signed(KEY.id)),
        (verdict(at=NOON - CLOCK_TOLERANCE - SECOND), PostDated(KEY.id, NOON)),
    ],
)
def test_only_a_fitting_signature_of_a_key_that_was_trusted_then_counts(
    found: Verdict, expected: Verdict
) -> None:
    assert found == expected


@given(st.integers(-1_000, 1_000), st.one_of(st.none(), st.integers(-1_000, 1_000)))
def test_a_revoked_key_counts_for_what_it_signed_before_and_for_nothing_else(
    made: int, revoked: int | None
) -> None:
    signature = replace(SIGNATURE, made_at=NOON + made * SECOND)
    at = None if revoked is None else NOON + revoked * SECOND
    found = verdict(signature=signature, revoked=Revoked(at))
    assert isinstance(found, Signed) == (revoked is not None and made < revoked)


def test_what_is_signed_says_by_which_key_and_when() -> None:
    covered = signed_bytes(b"message", KEY.id, NOON)
    assert covered == (
        b'{"key":"' + KEY.id.hex.encode() + b'","kind":"fleetcast signature",'
        b'"made_at":"2025-12-01T12:00:00+00:00"}\nmessage'
    )
    others = {
        signed_bytes(b"other", KEY.id, NOON),
        signed_bytes(b"message", KeyId("0" * 16), NOON),
        signed_bytes(b"message", KEY.id, LATER),
    }
    assert len(others | {covered}) == 4


# Manifests


def test_the_bytes_of_a_manifest_stay_the_same_for_ever() -> None:
    assert Manifest.of("m", 3, listed({"a.json": b"{}"})).message == (
        b'{"kind":"fleetcast model manifest","manifest":{'
        b'"artifact":"ef28c0dd511a247546942d6886f6667963ffb1c99667a294896ffba9edd2e044",'
        b'"files":[{"digest":"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",'
        b'"name":"a.json","size":2}],"model":"m","version":3}}'
    )


def test_a_manifest_is_of_the_artifact_that_the_store_names() -> None:
    assert MANIFEST.artifact == ArtifactFiles("a store", FILES).digest
    assert Manifest.of("m", 3, reversed(listed())) == MANIFEST


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"artifact": Digest.of(b"another")}, "is not the digest of the files of m:3"),
        ({"files": ()}, "none, doubled or out of order"),
        ({"files": MANIFEST.files[::-1]}, "none, doubled or out of order"),
        ({"files": (MANIFEST.files[0], *MANIFEST.files)}, "none, doubled or out of order"),
        ({"files": MANIFEST.files[:1]}, "is not the digest of the files"),
        ({"version": 0}, "m:0 is no version"),
        ({"model": "../m"}, "is not a valid id"),
    ],
)
def test_a_manifest_that_contradicts_itself_cannot_exist(change: Mapping[str, object], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        replace(MANIFEST, **change)  # type: ignore[arg-type]  # values of the right types, by name


@pytest.mark.parametrize("name", ["", ".", "/etc/passwd", "../a", "a/../b", "a//b", "a/"])
def test_a_file_outside_the_artifact_is_in_no_manifest(name: str) -> None:
    with pytest.raises(BadInput, match="is not the name of a file inside an artifact"):
        ManifestFile(name, 1, Digest.of(b"a"))


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ({"a.json": b"{}", "b/weights": b"4321"}, ("b/weights",)),
        ({"a.json": b"{}"}, ("b/weights",)),
        ({**FILES, "c": b""}, ("c",)),
        ({"a.json": b"{}", "weights": b"1234"}, ("b/weights", "weights")),
        ({}, ("a.json", "b/weights")),
    ],
)
def test_files_that_are_not_those_of_the_manifest_are_named(
    content: Mapping[str, bytes], names: tuple[str, ...]
) -> None:
    signed = SignedManifest(MANIFEST, SIGNATURE)
    assert signed.judged("m", 3, listed(content), counts) == OtherFiles(names)
    unsigned = SignedManifest(MANIFEST, None)
    assert unsigned.judged("m", 3, listed(content), lambda _m, _s: Unsigned()) == OtherFiles(names)


def test_a_manifest_counts_for_its_own_version_and_files_alone() -> None:
    signed = SignedManifest(MANIFEST, SIGNATURE)
    assert signed.judged("m", 3, listed(), counts) == Signed(KEY.id)
    assert signed.judged("m", 2, listed(), counts) == OtherModel("m", 3)
    assert signed.judged("n", 3, listed(), counts) == OtherModel("m", 3)
    assert signed.judged("m", 3, listed(), lambda _m, _s: Forged(KEY.id)) == Forged(KEY.id)
    assert SignedManifest(MANIFEST, None).judged("m", 3, listed(), lambda _m, _s: Unsigned()) == Unsigned()


names = st.text("ab/.", min_size=1, max_size=6)


@given(st.dictionaries(names, st.binary(max_size=3), max_size=4))
def test_whatever_is_in_an_artifact_its_manifest_is_of_that_or_cannot_exist(
    content: Mapping[str, bytes],
) -> None:
    try:
        made = Manifest.of("m", 1, listed(content))
    except BadInput:
        return
    assert made.artifact == ArtifactFiles("a store", content).digest
    assert SignedManifest(made, SIGNATURE).judged("m", 1, listed(content), counts) == Signed(KEY.id)


# Seals


def test_a_seal_counts_for_its_own_entry_alone() -> None:
    event = AuditEvent("model.shared", "m:1", {"artifact": "x"})
    entry = chained(1, NOON, Actor("ada"), event, GENESIS)
    changed = chained(1, NOON, Actor("eve"), event, GENESIS)
    seal = Seal(Mark(1, entry.digest), SIGNATURE)
    assert seal.judged(entry.mark, counts) == Signed(KEY.id)
    assert seal.judged(changed.mark, counts) == OtherEntry(seal.mark)
    assert seal.judged(replace(entry, number=2).mark, counts) == OtherEntry(seal.mark)
    assert seal.judged(entry.mark, lambda _m, _s: RevokedKey(KEY.id, None)) == RevokedKey(KEY.id, None)


def test_a_seal_and_a_manifest_can_never_be_the_same_bytes() -> None:
    mark = Mark(7, Digest("0" * 64))
    assert Seal.message(mark) == (
        b'{"kind":"fleetcast audit entry","mark":{"digest":"' + b"0" * 64 + b'","number":7}}'
    )
    assert Seal.message(mark)[:20] != MANIFEST.message[:20]


# Values


@pytest.mark.parametrize(
    "text", ["", "AAAA", b64encode(bytes(31)).decode(), b64encode(bytes(33)).decode(), "A" * 44, "ü" * 44]
)
def test_what_is_no_public_key_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(BadInput, match="this is no public key") as caught:
        PublicKey(text)
    assert not text or text not in str(caught.value)


def test_a_key_is_named_by_the_digest_of_its_public_part() -> None:
    assert KEY.id == KeyId(Digest.of(bytes(range(32))).hex[:16])
    assert str(KEY.id) == KEY.id.hex
    for text in ("", "0" * 15, "G" * 16, "A" * 16):
        with pytest.raises(BadInput, match="16 hex digits"):
            KeyId(text)


@pytest.mark.parametrize("text", ["", "AA==", b64encode(bytes(64)).decode()[:-1], "A" * 86 + "B="])
def test_a_signature_is_written_in_one_way(text: str) -> None:
    with pytest.raises(BadInput, match="64 bytes in base64"):
        replace(SIGNATURE, base64=text)


def test_moments_without_a_time_zone_are_refused() -> None:
    with pytest.raises(BadInput, match="time zone"):
        replace(SIGNATURE, made_at=NOON.replace(tzinfo=None))
    with pytest.raises(BadInput, match="time zone"):
        Revoked(NOON.replace(tzinfo=None))
