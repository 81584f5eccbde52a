"""Checkpoints: the last one of each database, in a folder that its owner alone reads, or in real object stores."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from fleetcast.domain.audit import Mark
from fleetcast.domain.checkpoint import Checkpoint
from fleetcast.domain.errors import FleetcastError
from fleetcast.domain.identity import Digest
from fleetcast.domain.location import Location
from fleetcast.domain.manifest import Seal
from fleetcast.platforms.checkpoints.folder import FolderCheckpoints
from fleetcast.platforms.checkpoints.objects import ObjectCheckpoints
from fleetcast.platforms.objects.store import ObjectFolder
from fleetcast.ports.checkpoints import Checkpoints
from tests.servers.azure_storage import AzureServer
from tests.servers.s3 import S3Server
from tests.signing import signer


def checkpoint(number: int) -> Checkpoint:
    mark = Mark(number, Digest.of(str(number).encode()))
    return Checkpoint(Digest.of(b"first"), Seal(mark, signer().sign(Seal.message(mark))))


def sound(held: Checkpoint) -> bool:
    """Whether the key of these tests has signed it."""
    message = Seal.message(held.seal.mark)
    return signer().sign(message) == held.seal.signature


@pytest.fixture(params=["folder", "s3", "az"])
def kept(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkpoints:
    """An empty place for checkpoints."""
    if request.param == "folder":
        return FolderCheckpoints(lambda: tmp_path / "checkpoints")
    return ObjectCheckpoints(store(request, monkeypatch), sound)


def store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Location:
    """A place in a real object store, whose name is in `param`."""
    if getattr(request, "param", "s3") == "az":
        azure: AzureServer = request.getfixturevalue("azure")
        for name, value in azure.environment.items():
            monkeypatch.setenv(name, value)
        return Location(f"az://{azure.new_container()}/checkpoints")
    server: S3Server = request.getfixturevalue("s3")
    return Location(f"s3://{server.new_bucket()}/checkpoints")


def test_the_last_one_of_each_database_is_kept(kept: Checkpoints) -> None:
    assert kept.latest("one") is None
    assert list(kept.odd("one")) == []
    kept.put("one", checkpoint(1))
    kept.put("one", checkpoint(10))
    kept.put("one", checkpoint(10))
    kept.put("other", checkpoint(7))
    assert (kept.latest("one"), kept.latest("other")) == (checkpoint(10), checkpoint(7))
    assert list(kept.odd("one")) == []
    kept.forget("one")
    assert (kept.latest("one"), kept.latest("other")) == (None, checkpoint(7))


def test_a_folder_belongs_to_its_user_and_an_object_store_to_nobody_here(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = FolderCheckpoints(lambda: tmp_path)
    assert (folder.keeper(), folder.assumes) == (os.getuid(), "")
    far = ObjectCheckpoints(store(request, monkeypatch), sound)
    assert far.keeper() is None
    assert "can only add objects to s3://" in far.assumes


# In an object store


@pytest.fixture
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Location:
    return store(request, monkeypatch)


def test_an_older_one_never_takes_the_place_of_a_newer(place: Location) -> None:
    one, other = ObjectCheckpoints(place, sound), ObjectCheckpoints(place, sound)
    one.put("one", checkpoint(12))
    other.put("one", checkpoint(9))
    assert one.latest("one") == other.latest("one") == checkpoint(12)
    assert one.odd("one") == []


def test_what_is_torn_foreign_or_signed_by_nobody_is_named_and_not_believed(place: Location) -> None:
    kept = ObjectCheckpoints(place, sound)
    kept.put("one", checkpoint(3))
    objects = ObjectFolder(place)
    (folder,) = objects.names("")
    forged = replace(checkpoint(9), first=Digest.of(b"another"))
    unsigned = replace(forged, seal=replace(forged.seal, mark=Mark(9, Digest.of(b"another log"))))
    kept.put("one", unsigned)
    (nine,) = (name for name in objects.names(folder) if "000009-" in name)
    (three,) = (name for name in objects.names(folder) if "000003-" in name)
    whole = objects.get(three)
    assert whole is not None
    renamed = f"{folder}/000000000000011-0123456789abcdef.json"
    for name, content in ((renamed, whole), (f"{folder}/zzz", b"hello"), (f"{folder}/000", b"")):
        objects.put(name, content)
    assert kept.latest("one") == checkpoint(3)
    assert sorted(kept.odd("one")) == sorted(f"{place}/{name}" for name in (nine, renamed, f"{folder}/zzz"))
    objects.put(three, whole[:20])
    assert kept.latest("one") is None
    assert f"{place}/{three}" in kept.odd("one")


@pytest.mark.usefixtures("s3")
def test_a_store_that_does_not_answer_is_no_place_without_checkpoints() -> None:
    nowhere = ObjectCheckpoints(Location("s3://no-such-bucket-here/x"), sound)
    with pytest.raises(FleetcastError):
        nowhere.latest("one")
    with pytest.raises(FleetcastError):
        nowhere.put("one", checkpoint(1))


# In a folder


def test_what_is_torn_says_nothing_and_gives_way(tmp_path: Path) -> None:
    kept = FolderCheckpoints(lambda: tmp_path)
    kept.put("one", checkpoint(1))
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:20])
    assert kept.latest("one") is None
    assert kept.odd("one") == (str(file),)
    kept.put("one", checkpoint(2))
    assert (kept.latest("one"), kept.odd("one")) == (checkpoint(2), ())


def test_a_folder_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    kept = FolderCheckpoints(lambda: tmp_path / "file" / "checkpoints")
    kept.put("one", checkpoint(1))
    assert kept.latest("one") is None
    assert kept.keeper() is None


def test_others_cannot_read_it_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        FolderCheckpoints(lambda: tmp_path / "checkpoints").put("one", checkpoint(1))
    finally:
        os.umask(before)
    (file,) = (tmp_path / "checkpoints").iterdir()
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
