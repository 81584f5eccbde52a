"""The same blobs by path, through the stores that fleetcast uses, and by host name, through the SDK."""

from __future__ import annotations

import itertools

import obstore
import pytest
from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import BlobServiceClient, ContainerClient
from obstore.store import AzureStore

from fleetcast.domain.errors import Unavailable
from fleetcast.domain.location import Location
from fleetcast.platforms.objects.store import ObjectFolder
from tests.azure_emulator.blob_store import Place
from tests.azure_emulator.conftest import credential
from tests.azure_emulator.emulator import AzureEmulator

ACCOUNT = "fleetaccount"
_COUNT = itertools.count(1)


@pytest.fixture
def container(emulator: AzureEmulator, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in emulator.storage_environment(ACCOUNT).items():
        monkeypatch.setenv(name, value)
    name = f"fleet-{next(_COUNT)}"
    emulator.blobs.make_container(ACCOUNT, name)
    return name


@pytest.fixture
def folder(container: str) -> ObjectFolder:
    return ObjectFolder(Location(f"az://{container}/some/folder"))


def by_host(emulator: AzureEmulator, container: str) -> ContainerClient:
    url = f"https://{ACCOUNT}.blob.core.windows.net"
    return BlobServiceClient(url, credential(emulator)).get_container_client(container)


def test_an_object_is_put_read_replaced_and_removed(folder: ObjectFolder) -> None:
    name = "a b/ü+%20.json"
    assert folder.get(name) is None
    folder.put(name, b"first")
    folder.put(name, b"second")

    assert folder.get(name) == b"second"
    assert folder.holds(name)
    folder.remove(name)
    folder.remove(name)
    assert not folder.holds(name)


def test_an_object_is_put_once(folder: ObjectFolder) -> None:
    assert folder.put_once("once", b"first")
    assert not folder.put_once("once", b"second")
    assert folder.get("once") == b"first"


def test_names_right_below_a_folder(folder: ObjectFolder) -> None:
    for name in ("jobs/1/a", "jobs/1/b", "jobs/2", "jobsandmore"):
        folder.put(name, b"")

    assert set(folder.names("jobs")) == {"jobs/1", "jobs/2"}
    assert set(folder.names("none")) == set()


def test_without_a_container_nothing_is_written(container: str) -> None:
    with pytest.raises(Unavailable):
        ObjectFolder(Location("az://no-such-container/folder")).put("a", b"")


def test_ranges_and_pages_and_many_removals(container: str) -> None:
    store = AzureStore(container)
    names = [f"many/{number:03}" for number in range(60)]
    for name in names:
        obstore.put(store, name, name.encode())

    assert bytes(obstore.get_range(store, "many/007", start=2, end=6)) == b"ny/0"
    listed = [found["path"] for page in obstore.list(store, "many", chunk_size=7) for found in page]
    assert listed == names
    obstore.delete(store, names)
    assert [found for page in obstore.list(store, "many") for found in page] == []


def test_a_large_object_is_put_in_parts(container: str) -> None:
    store, content = AzureStore(container), bytes(range(256)) * 4096

    obstore.put(store, "large", content, use_multipart=True, chunk_size=100_000)

    assert bytes(obstore.get(store, "large").bytes()) == content


def test_the_sdk_sees_the_same_blobs(emulator: AzureEmulator, container: str, folder: ObjectFolder) -> None:
    folder.put("seen", b"by both")
    with by_host(emulator, container) as client:
        names = [blob.name for blob in client.list_blobs(name_starts_with="some/")]
        content = client.download_blob("some/folder/seen").readall()
        client.upload_blob("some/folder/theirs", b"theirs", metadata={"made": "there"})

    assert (names, content) == (["some/folder/seen"], b"by both")
    assert folder.get("theirs") == b"theirs"
    kept = emulator.blobs.find(Place(ACCOUNT, container, "some/folder/theirs"))
    assert kept is not None
    assert kept.metadata == {"made": "there"}


def test_conditions_are_kept(emulator: AzureEmulator, container: str) -> None:
    with by_host(emulator, container) as client:
        client.upload_blob("kept", b"first")
        with pytest.raises(ResourceExistsError):
            client.upload_blob("kept", b"second")
        etag = client.get_blob_client("kept").get_blob_properties().etag
        client.upload_blob("kept", b"second", overwrite=True)
        with pytest.raises(ResourceModifiedError):
            client.get_blob_client("kept").download_blob(
                etag=etag, match_condition=MatchConditions.IfNotModified
            )
        with pytest.raises(ResourceNotFoundError):
            client.download_blob("never")


def test_a_list_by_pages_misses_nothing(emulator: AzureEmulator, container: str) -> None:
    with by_host(emulator, container) as client:
        for name in ("a/1", "a/2", "b", "c/1", "d"):
            client.upload_blob(name, b"")
        found = [[one.name for one in page] for page in client.list_blobs(results_per_page=2).by_page()]
        walked = sorted(one.name for one in client.walk_blobs(delimiter="/"))

    assert found == [["a/1", "a/2"], ["b", "c/1"], ["d"]]
    assert walked == ["a/", "b", "c/", "d"]
