"""`signing:` in `fleetcast.yaml`."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fleetcast.domain.location import Location
from fleetcast.domain.settings import SigningSettings
from fleetcast.domain.signing_key import Revoked, TrustedKey
from tests.config.conftest import Repository
from tests.signing import public

ONE, TWO, THREE = public(1), public(2), public(3)


def test_nobody_is_trusted_unless_it_is_written(repository: Repository) -> None:
    for content in ("", "signing: {trusted: []}\n", "signing: {}\n"):
        repository.write("fleetcast.yaml", content)
        assert repository.load().settings.signing == SigningSettings()


def test_keys_and_what_became_of_them(repository: Repository) -> None:
    repository.write(
        "fleetcast.yaml",
        "signing:\n"
        "  trusted:\n"
        f"  - key: {ONE.base64}\n"
        f"    revoked: false\n"
        f"  - {{key: {TWO.base64}, revoked_at: '2025-11-01T13:00:00+01:00'}}\n"
        f"  - {{key: {THREE.base64}, revoked: true}}\n",
    )
    assert repository.load().settings.signing.trusted == (
        TrustedKey(ONE),
        TrustedKey(TWO, Revoked(datetime(2025, 11, 1, 12, tzinfo=UTC))),
        TrustedKey(THREE, Revoked()),
    )


@pytest.mark.parametrize(
    ("content", "line", "text"),
    [
        ("signing:\n  trsuted: []", 2, "unknown key 'trsuted' (did you mean 'trusted'?"),
        ("signing:\n  trusted: abc", 2, "`signing.trusted`: must be a list"),
        ("signing:\n  trusted:\n  - abc", 3, "must be a mapping"),
        ("signing:\n  trusted:\n  - {revoked: true}", 3, "`signing.trusted[1].key` is missing"),
        ("signing:\n  trusted:\n  - key: c2VzYW1l", 3, "`signing.trusted[1].key`: this is no public key"),
        (
            f"signing:\n  trusted:\n  - key: {ONE.base64}\n  - key: {TWO.base64}\n    revoked_at: 2025-11-01",
            5,
            "'2025-11-01' has no time zone",
        ),
        (
            f"signing:\n  trusted:\n  - key: {ONE.base64}\n    revoked: maybe",
            4,
            "`signing.trusted[1].revoked`: must be true or false",
        ),
        (
            (
                f"signing:\n  trusted:\n  - key: {ONE.base64}\n"
                f"  - {{key: {TWO.base64}, revoked: true, revoked_at: '2025-11-01T12:00:00Z'}}"
            ),
            4,
            "`signing.trusted[2]`: has both `revoked` and `revoked_at`",
        ),
        (
            f"signing:\n  trusted:\n  - key: {ONE.base64}\n  - {{key: {ONE.base64}, revoked: true}}",
            2,
            f"`signing.trusted`: key {ONE.id} is written twice",
        ),
    ],
)
def test_a_mistake_is_named_at_its_line(content: str, line: int, text: str, repository: Repository) -> None:
    repository.write("fleetcast.yaml", content + "\n")
    (complaint,) = repository.complaints()
    assert complaint.startswith(f"fleetcast.yaml:{line}: ")
    assert text in complaint


def test_a_private_key_that_somebody_has_pasted_is_not_shown(repository: Repository) -> None:
    repository.write("fleetcast.yaml", "signing:\n  trusted:\n  - key: '-----BEGIN PRIVATE KEY-----sesame'\n")
    (complaint,) = repository.complaints()
    assert "sesame" not in complaint


@pytest.mark.parametrize(
    ("written", "uri"),
    [
        ("/srv/check points", "file:///srv/check%20points"),
        ("file:///srv/checkpoints", "file:///srv/checkpoints"),
        ("s3://bucket/fleet", "s3://bucket/fleet"),
        ("az://container/fleet", "az://container/fleet"),
        ("abfss://c@a.dfs.core.windows.net/fleet", "abfss://c@a.dfs.core.windows.net/fleet"),
    ],
)
def test_checkpoints_are_in_a_folder_or_an_object_store(
    repository: Repository, written: str, uri: str
) -> None:
    repository.write("fleetcast.yaml", f"signing: {{checkpoints: {written!r}}}\n")
    assert repository.load().settings.signing.checkpoints == Location(uri)


@pytest.mark.parametrize("written", ["checkpoints", "gs://bucket/x", "s3://key:secret@bucket/x", "s3://"])
def test_checkpoints_elsewhere_are_refused(repository: Repository, written: str) -> None:
    repository.write("fleetcast.yaml", f"signing:\n  checkpoints: {written!r}\n")
    (complaint,) = repository.complaints()
    assert complaint.startswith("fleetcast.yaml:2: ")
    assert "secret@" not in complaint
