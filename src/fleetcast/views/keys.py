"""The own signing keys in words and as JSON; never their private parts."""

from __future__ import annotations

from collections.abc import Iterator

from fleetcast.domain.canonical import Json
from fleetcast.domain.signing_key import KeySource, OwnKeys, PublicKey

_IN_WORDS = {
    KeySource.VARIABLE: "the environment variable {place}",
    KeySource.FILE: "the file {place}",
    KeySource.VAULT: "the secret {place}",
    KeySource.EMBEDDED: "{place}, made by fleetcast for this user",
}


def as_json(own: OwnKeys) -> dict[str, Json]:
    """The key that signs, where it comes from, and those that it replaced."""
    return {
        **_key(own.public),
        "source": own.source.value,
        "place": own.place,
        "earlier_keys": [_key(earlier) for earlier in own.earlier],
    }


def rotated_as_json(replaced: PublicKey, own: OwnKeys) -> Json:
    """The key that signs now, and the one that did before."""
    return {**as_json(own), "replaced": _key(replaced)}


def facts(own: OwnKeys) -> Iterator[tuple[str, str]]:
    """What there is to say of the own keys: labels and values."""
    yield "key", str(own.public.id)
    yield "public key", own.public.base64
    yield "comes from", _IN_WORDS[own.source].format(place=own.place)
    for earlier in own.earlier:
        yield "signed before", f"{earlier.id}, {earlier.base64}"


def trusted_lines(*keys: PublicKey) -> Iterator[str]:
    """What makes other machines trust these keys, as lines of `fleetcast.yaml`."""
    yield "signing:"
    yield "  trusted:"
    for key in keys:
        yield f"    - {{key: {key.base64}}}"


def _key(key: PublicKey) -> dict[str, Json]:
    return {"key_id": key.id.hex, "public_key": key.base64}
