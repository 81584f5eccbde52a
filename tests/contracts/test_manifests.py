"""Signed manifests: what every control database promises."""

from __future__ import annotations

import pytest

from fleetcast.domain.manifest import (
    Forged,
    OtherFiles,
    OtherModel,
    Signed,
    UnknownKey,
    Unsigned,
    manifest_files,
)
from fleetcast.platforms.control.manifests import ControlManifestBook
from fleetcast.platforms.database import schema
from fleetcast.ports.platform import Platform
from fleetcast.stored.form import Unreadable
from fleetcast.stored.manifests import SIGNED_MANIFEST
from tests.contracts.samples import ADA
from tests.signing import FILES, artifact, manifest, signed, signer

OTHERS = {**FILES, "weights/a.safetensors": b"others"}


def typed(platform: Platform, model: str, version: int, content: str | None) -> None:
    """What somebody does who can write to the table."""
    book = platform.control.manifests
    assert isinstance(book, ControlManifestBook)
    table = schema.manifests
    mine = (table.c.model == model) & (table.c.version == version)
    statement = table.delete() if content is None else table.update().values(content=content)
    book.session.change(lambda connection: connection.execute(statement.where(mine)))


def test_a_manifest_is_worth_something_for_its_own_version_and_files(platform: Platform) -> None:
    book = platform.control.manifests
    assert set(book.lacking([("m", 1), ("m", 2)])) == {("m", 1), ("m", 2)}
    book.sign([manifest("m", 1), manifest("n", 1, OTHERS)])
    assert set(book.lacking([("m", 1), ("m", 2), ("n", 1)])) == {("m", 2)}
    files, others = manifest_files(artifact()), manifest_files(artifact(OTHERS))
    assert isinstance(book.worth("m", 1, files), Signed)
    assert book.worth("m", 1, others) == OtherFiles(("weights/a.safetensors",))
    assert book.worth("m", 1, files[1:]) == OtherFiles((files[0].name,))
    assert book.worth("m", 2, files) == Unsigned()


def test_the_first_manifest_of_a_version_stays(platform: Platform) -> None:
    book = platform.control.manifests
    book.sign([manifest("m", 1)])
    book.sign([manifest("m", 1, OTHERS), manifest("m", 2, OTHERS)])
    assert isinstance(book.worth("m", 1, manifest_files(artifact())), Signed)
    assert isinstance(book.worth("m", 2, manifest_files(artifact(OTHERS))), Signed)
    book.sign([])


def test_what_is_typed_into_the_table_is_worth_nothing(platform: Platform) -> None:
    book, files = platform.control.manifests, manifest_files(artifact())
    book.sign([manifest("m", 1), manifest("n", 1)])
    strangers = signed(manifest("m", 1), signer(9))
    typed(platform, "m", 1, SIGNED_MANIFEST.to_json(strangers))
    assert isinstance(book.worth("m", 1, files), UnknownKey)
    typed(platform, "m", 1, SIGNED_MANIFEST.to_json(signed(manifest("n", 1), signer(9))))
    assert not isinstance(book.worth("m", 1, files), Signed)
    typed(platform, "m", 1, "{")
    with pytest.raises(Unreadable, match="manifests m:1"):
        book.worth("m", 1, files)
    typed(platform, "m", 1, None)
    assert book.worth("m", 1, files) == Unsigned()


def test_a_manifest_of_another_model_is_no_manifest_of_this_one(platform: Platform) -> None:
    book, files = platform.control.manifests, manifest_files(artifact())
    assert isinstance(book, ControlManifestBook)
    book.sign([manifest("m", 1), manifest("n", 1)])
    sealing = book.session.database.sealing
    typed(platform, "m", 1, SIGNED_MANIFEST.to_json(sealing.sign(manifest("n", 1))))
    assert book.worth("m", 1, files) == OtherModel("n", 1)
    good = sealing.sign(manifest("m", 1))
    assert good.signature is not None
    changed = SIGNED_MANIFEST.to_json(good).replace('"version":1', '"version":2')
    typed(platform, "m", 1, changed)
    assert isinstance(book.worth("m", 1, files), Forged)
    assert platform.control.actor == ADA
