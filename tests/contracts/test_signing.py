"""What signing promises, with every way to have a key."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetcast.domain.audit import GENESIS, AuditEvent, Mark, chained
from fleetcast.domain.manifest import (
    Check,
    Forged,
    Manifest,
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
    manifest_files,
)
from fleetcast.domain.settings import SIGNING_KEY_VARIABLE
from fleetcast.domain.signing_key import KeyId, Revoked, TrustedKey
from fleetcast.platforms.signing.ed25519 import Ed25519TrustedKeys, private_pem
from fleetcast.platforms.signing.keys import OpenKeys, open_keys, rotate
from fleetcast.ports.signing import TrustedKeys
from tests.clocks import NOON, FixedClock
from tests.contracts.samples import ADA
from tests.signing import FILES, artifact, manifest, private, public, signed, signer

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
OTHER_FILES: Mapping[str, bytes] = {**FILES, "weights/a.safetensors": b"weights of somebody else"}


def _in_the_variable(_folder: Path) -> Mapping[str, str]:
    return {SIGNING_KEY_VARIABLE: private_pem(private(1)).decode()}


def _in_a_file(folder: Path) -> Mapping[str, str]:
    path = folder / "given.pem"
    path.touch(mode=0o600)
    path.write_bytes(private_pem(private(1)))
    return {SIGNING_KEY_VARIABLE: f"file:{path}"}


def _embedded(folder: Path) -> Mapping[str, str]:
    return {"XDG_STATE_HOME": str(folder / "state")}


WAYS: Mapping[str, Callable[[Path], Mapping[str, str]]] = {
    "variable": _in_the_variable,
    "file": _in_a_file,
    "embedded": _embedded,
}


@pytest.fixture(params=sorted(WAYS))
def keys(request: pytest.FixtureRequest, tmp_path: Path) -> OpenKeys:
    return open_keys(WAYS[request.param](tmp_path))


@pytest.fixture
def check(keys: OpenKeys) -> Check:
    return at_noon(keys.trusted(()))


def at_noon(trusted: TrustedKeys) -> Check:
    return lambda message, signature: trusted.verdict(message, signature, NOON)


# Any message


def test_what_was_signed_counts_and_names_its_key(keys: OpenKeys, check: Check) -> None:
    signer = keys.signer(FixedClock())
    signature = signer.sign(b"a message")
    assert signer.key_id == signature.key == keys.own.public.id
    assert signature.made_at == NOON
    assert check(b"a message", signature) == Signed(signer.key_id)
    assert check(b"", signer.sign(b"")) == Signed(signer.key_id)
    assert check(b"a message", None) == Unsigned()


@pytest.mark.parametrize("way", sorted(WAYS))
def test_a_key_found_again_is_the_same(way: str, tmp_path: Path) -> None:
    environment = WAYS[way](tmp_path)
    first, again = open_keys(environment), open_keys(environment)
    assert again.own == first.own
    assert first.own.source.value == way
    signature = first.signer(FixedClock()).sign(MESSAGE)
    assert again.trusted(()).verdict(MESSAGE, signature, NOON) == Signed(first.own.public.id)


def test_a_signature_of_a_key_that_nobody_trusts_is_unknown(check: Check) -> None:
    assert check(b"a message", signer(9).sign(b"a message")) == UnknownKey(public(9).id)


def test_a_signature_under_the_name_of_a_trusted_key_is_forged(keys: OpenKeys, check: Check) -> None:
    stolen_name = replace(signer(9).sign(b"a message"), key=keys.own.public.id)
    assert check(b"a message", stolen_name) == Forged(keys.own.public.id)


TRUSTED = Ed25519TrustedKeys([TrustedKey(public(1)), TrustedKey(public(2))])
MESSAGE = b"a message of some length"
SIGNATURE = signer(1).sign(MESSAGE)


@given(st.integers(0, 8 * len(MESSAGE) - 1))
def test_no_bit_of_a_message_can_change(bit: int) -> None:
    changed = bytearray(MESSAGE)
    changed[bit // 8] ^= 1 << bit % 8
    assert TRUSTED.verdict(bytes(changed), SIGNATURE, NOON) == Forged(SIGNATURE.key)


@given(st.integers(0, 511))
def test_no_bit_of_a_signature_can_change(bit: int) -> None:
    changed = bytearray(SIGNATURE.raw)
    changed[bit // 8] ^= 1 << bit % 8
    other = replace(SIGNATURE, base64=b64encode(changed).decode())
    assert TRUSTED.verdict(MESSAGE, other, NOON) == Forged(SIGNATURE.key)


@given(st.timedeltas(timedelta(microseconds=1), timedelta(days=999)))
def test_a_signature_cannot_be_dated_otherwise(shift: timedelta) -> None:
    for moment in (NOON - shift, NOON + shift):
        other = replace(SIGNATURE, made_at=moment)
        assert TRUSTED.verdict(MESSAGE, other, NOON + 2_000 * DAY) == Forged(SIGNATURE.key)


@given(st.binary(), st.binary(min_size=64, max_size=64), st.sampled_from([1, 2, 9]))
def test_what_was_never_signed_never_counts_and_is_no_error(message: bytes, raw: bytes, key: int) -> None:
    made_up = Signature(public(key).id, b64encode(raw).decode(), NOON)
    assert isinstance(TRUSTED.verdict(message, made_up, NOON), Forged | UnknownKey)


def test_a_signature_of_one_key_does_not_pass_as_that_of_another() -> None:
    assert TRUSTED.verdict(MESSAGE, replace(SIGNATURE, key=public(2).id), NOON) == Forged(public(2).id)
    assert TRUSTED.verdict(MESSAGE, replace(SIGNATURE, key=KeyId("0" * 16)), NOON) == UnknownKey(
        KeyId("0" * 16)
    )


def test_a_signature_from_the_future_is_named() -> None:
    made = signer(1, NOON + DAY).sign(MESSAGE)
    assert TRUSTED.verdict(MESSAGE, made, NOON) == PostDated(public(1).id, NOON + DAY)
    assert TRUSTED.verdict(MESSAGE, made, NOON + DAY) == Signed(public(1).id)


# Rotation and revocation


def test_what_the_key_before_signed_counts_after_a_rotation(tmp_path: Path) -> None:
    before = open_keys(_embedded(tmp_path))
    old = before.signer(FixedClock()).sign(MESSAGE)
    replaced, after = rotate(_embedded(tmp_path))
    new = after.signer(FixedClock()).sign(MESSAGE)
    assert replaced == before.own.public
    assert new.key != old.key
    check = at_noon(open_keys(_embedded(tmp_path)).trusted(()))
    assert check(MESSAGE, old) == Signed(old.key)
    assert check(MESSAGE, new) == Signed(new.key)
    assert at_noon(before.trusted(()))(MESSAGE, new) == UnknownKey(new.key)


def test_another_machine_trusts_keys_by_their_declaration(tmp_path: Path) -> None:
    here = open_keys(_embedded(tmp_path))
    check = at_noon(here.trusted([TrustedKey(public(1)), TrustedKey(public(2))]))
    for number in (1, 2):
        assert check(MESSAGE, signer(number).sign(MESSAGE)) == Signed(public(number).id)


def test_a_retired_key_counts_for_what_it_signed_before_it_was_revoked() -> None:
    trusted = Ed25519TrustedKeys([TrustedKey(public(1), Revoked(NOON)), TrustedKey(public(2))])
    before, after = signer(1, NOON - SECOND), signer(1, NOON)
    assert trusted.verdict(MESSAGE, before.sign(MESSAGE), NOON + DAY) == Signed(public(1).id)
    assert trusted.verdict(MESSAGE, after.sign(MESSAGE), NOON + DAY) == RevokedKey(public(1).id, NOON)
    assert trusted.verdict(MESSAGE, signer(2).sign(MESSAGE), NOON + DAY) == Signed(public(2).id)


def test_nothing_that_a_stolen_key_signed_counts() -> None:
    trusted = Ed25519TrustedKeys([TrustedKey(public(1), Revoked())])
    for moment in (NOON - 1_000 * DAY, NOON):
        made = signer(1, moment).sign(MESSAGE)
        assert trusted.verdict(MESSAGE, made, NOON) == RevokedKey(public(1).id, None)


def test_the_own_key_can_be_revoked_by_its_declaration(keys: OpenKeys) -> None:
    check = at_noon(keys.trusted([TrustedKey(keys.own.public, Revoked())]))
    made = keys.signer(FixedClock()).sign(MESSAGE)
    assert check(MESSAGE, made) == RevokedKey(made.key, None)


def test_an_earlier_own_key_can_be_revoked_by_its_declaration(tmp_path: Path) -> None:
    old = open_keys(_embedded(tmp_path)).signer(FixedClock()).sign(MESSAGE)
    replaced, after = rotate(_embedded(tmp_path))
    check = at_noon(after.trusted([TrustedKey(replaced, Revoked(NOON))]))
    assert check(MESSAGE, old) == RevokedKey(old.key, NOON)


def test_an_earlier_own_key_counts_until_its_file_is_removed(tmp_path: Path) -> None:
    old = open_keys(_embedded(tmp_path)).signer(FixedClock()).sign(MESSAGE)
    rotate(_embedded(tmp_path))
    (tmp_path / "state" / "fleetcast" / f"signing.key.{old.key}").unlink()
    assert at_noon(open_keys(_embedded(tmp_path)).trusted(()))(MESSAGE, old) == UnknownKey(old.key)


# Models and entries of the audit log


def test_an_artifact_swapped_together_with_its_recorded_digest_does_not_verify(
    keys: OpenKeys, check: Check
) -> None:
    made = manifest("m", 1)
    kept = SignedManifest(made, keys.signer(FixedClock()).sign(made.message))
    assert kept.judged("m", 1, manifest_files(artifact()), check) == Signed(keys.own.public.id)

    swapped = manifest_files(artifact(OTHER_FILES))
    assert kept.judged("m", 1, swapped, check) == OtherFiles(("weights/a.safetensors",))

    # Whoever owns the store and the database writes the manifest anew, too: it lacks the key.
    rewritten = replace(kept, manifest=Manifest.of("m", 1, swapped))
    assert rewritten.manifest.artifact == artifact(OTHER_FILES).digest
    assert rewritten.judged("m", 1, swapped, check) == Forged(keys.own.public.id)
    own = signed(rewritten.manifest, signer(9))
    assert own.judged("m", 1, swapped, check) == UnknownKey(public(9).id)
    renamed = replace(own, signature=replace(own.signature, key=keys.own.public.id))  # type: ignore[type-var]
    assert renamed.judged("m", 1, swapped, check) == Forged(keys.own.public.id)


def test_two_models_swapped_with_all_that_is_recorded_of_them_do_not_verify(
    keys: OpenKeys, check: Check
) -> None:
    signer = keys.signer(FixedClock())
    mine, other = signed(manifest("m", 1), signer), signed(manifest("n", 1, OTHER_FILES), signer)
    assert other.judged("m", 1, manifest_files(artifact(OTHER_FILES)), check) == OtherModel("n", 1)
    assert mine.judged("n", 1, manifest_files(artifact()), check) == OtherModel("m", 1)


def test_a_manifest_of_version_1_does_not_verify_as_version_2(keys: OpenKeys, check: Check) -> None:
    files = manifest_files(artifact())
    first = signed(manifest("m", 1), keys.signer(FixedClock()))
    assert first.judged("m", 2, files, check) == OtherModel("m", 1)
    renumbered = replace(first, manifest=replace(first.manifest, version=2))
    assert renumbered.judged("m", 2, files, check) == Forged(keys.own.public.id)


def test_a_seal_holds_for_its_entry_and_not_for_a_chain_computed_anew(keys: OpenKeys, check: Check) -> None:
    entry = chained(1, NOON, ADA, AuditEvent("request.approved", "m:1", {}), GENESIS)
    mark = Mark(entry.number, entry.digest)
    seal = Seal(mark, keys.signer(FixedClock()).sign(Seal.message(mark)))
    assert seal.judged(entry.mark, check) == Signed(keys.own.public.id)

    anew = chained(1, NOON, ADA, AuditEvent("request.rejected", "m:1", {}), GENESIS)
    resealed = replace(seal, mark=Mark(anew.number, anew.digest))
    assert resealed.judged(anew.mark, check) == Forged(keys.own.public.id)


def test_a_signature_on_a_manifest_is_no_seal(keys: OpenKeys, check: Check) -> None:
    signature = keys.signer(FixedClock()).sign(manifest().message)
    seal = Seal(Mark(1, manifest().artifact), signature)
    assert check(Seal.message(seal.mark), signature) == Forged(keys.own.public.id)
