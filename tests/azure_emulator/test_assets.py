"""Assets in a workspace and in a registry, as the SDK makes, reads, lists and refuses them."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from azure.ai.ml import MLClient
from azure.ai.ml.entities import AzureBlobDatastore, CommandComponent, Component, Data, Environment, Model
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError

from tests.azure_emulator.blob_store import Place
from tests.azure_emulator.conftest import credential, unknown
from tests.azure_emulator.emulator import AzureEmulator
from tests.azure_emulator.faults import Fault
from tests.azure_emulator.scope import storage_account

pytestmark = [
    # The SDK's own libraries will take away what it uses.
    pytest.mark.filterwarnings("ignore::marshmallow.warnings.RemovedInMarshmallow4Warning"),
    pytest.mark.filterwarnings("ignore:content_as_bytes is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The use of a 'BlobProperties' instance:DeprecationWarning"),
]

_COUNT = itertools.count(1)


def environment(name: str, image: str = "registry.example.com/training@sha256:1") -> Environment:
    return Environment(name=name, version="1.0.0", image=image, tags={"fleetcast": "yes"})


def new_name(what: str) -> str:
    return f"{what}-{next(_COUNT)}"


def refused(error: pytest.ExceptionInfo[HttpResponseError]) -> int | None:
    status: int | None = error.value.status_code
    return status


def a_component(env: str, code: Path | None = None, line: str = "python train.py") -> CommandComponent:
    return CommandComponent(
        name=new_name("component").replace("-", "_"),
        version="1.0.0",
        command=line,
        environment=f"{env}:1.0.0",
        code=str(code) if code else None,
    )


def test_an_environment_is_made_repeated_read_and_listed(client: MLClient, emulator: AzureEmulator) -> None:
    name, begin = new_name("training"), len(emulator.exchanges())

    made = client.environments.create_or_update(environment(name))
    again = client.environments.create_or_update(environment(name))

    assert made.id == again.id
    assert client.environments.get(name, version="1.0.0").image == "registry.example.com/training@sha256:1"
    assert client.environments.get(name, label="latest").version == "1.0.0"
    assert [one.version for one in client.environments.list(name=name)] == ["1.0.0"]
    assert name in {one.name for one in client.environments.list()}
    puts = [one.status for one in emulator.exchanges()[begin:] if one.method == "PUT"]
    assert puts == [201, 200]


def test_an_environment_never_changes(client: MLClient) -> None:
    name = new_name("training")
    client.environments.create_or_update(environment(name))

    with pytest.raises(HttpResponseError) as error:
        client.environments.create_or_update(environment(name, image="registry.example.com/other"))

    assert refused(error) == 409


def test_an_environment_that_is_archived_is_not_listed(client: MLClient) -> None:
    name = new_name("training")
    client.environments.create_or_update(environment(name))

    client.environments.archive(name, version="1.0.0")

    assert list(client.environments.list(name=name)) == []
    client.environments.restore(name, version="1.0.0")
    assert len(list(client.environments.list(name=name))) == 1


def test_what_was_never_made_is_not_found(client: MLClient) -> None:
    with pytest.raises(ResourceNotFoundError):
        client.environments.get("never", version="1")


def test_the_same_code_is_uploaded_once(client: MLClient, emulator: AzureEmulator, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(f"print({next(_COUNT)})")
    name = new_name("training")
    client.environments.create_or_update(environment(name))
    component = a_component(name, tmp_path)
    made = client.components.create_or_update(component)
    begin = len(emulator.exchanges())

    again = client.components.create_or_update(a_component_like(component, tmp_path))

    assert again.id == made.id
    assert [one.method for one in emulator.exchanges()[begin:]] == ["GET", "GET", "PUT"]
    assert unknown(emulator, begin) == []


def a_component_like(component: Component, code: Path) -> CommandComponent:
    assert isinstance(component, CommandComponent)
    again = a_component("", code)
    again.name = component.name
    again.environment = component.environment
    return again


def test_a_component_is_read_by_default_and_never_changes(client: MLClient) -> None:
    name = new_name("training")
    client.environments.create_or_update(environment(name))
    component = a_component(name)
    client.components.create_or_update(component)

    assert client.components.get(component.name).version == "1.0.0"
    changed = a_component(name, line="python other.py")
    changed.name = component.name
    with pytest.raises(HttpResponseError) as error:
        client.components.create_or_update(changed)
    assert refused(error) == 409


def test_a_component_of_an_unknown_environment_is_refused(client: MLClient) -> None:
    with pytest.raises(HttpResponseError) as error:
        client.components.create_or_update(a_component("never-made"))

    assert refused(error) in {400, 404}


def test_data_get_the_next_version_and_the_latest_is_the_newest(client: MLClient) -> None:
    name = new_name("rows")
    uri = "azureml://datastores/workspaceblobstore/paths/rows/1"

    versions = [
        client.data.create_or_update(Data(name=name, path=uri, type="uri_folder")).version for _ in range(3)
    ]

    assert versions == ["1", "2", "3"]
    assert client.data.get(name, label="latest").version == "3"
    assert [one.version for one in client.data.list(name=name)] == ["3", "2", "1"]


def test_data_are_put_without_a_look_at_them(client: MLClient, emulator: AzureEmulator) -> None:
    name, begin = new_name("rows"), len(emulator.exchanges())
    uri = "azureml://datastores/never/paths/rows/1"
    data = Data(name=name, version="abc", path=uri, type="mltable", skip_validation=True)

    assert client.data.create_or_update(data).version == "abc"
    assert [one.method for one in emulator.exchanges()[begin:] if "/data/" in one.path] == ["PUT"]
    assert client.data.get(name, "abc").path == uri


def test_data_of_other_content_is_refused(client: MLClient) -> None:
    name = new_name("rows")
    uri = "azureml://datastores/workspaceblobstore/paths/rows/"
    client.data.create_or_update(Data(name=name, version="1", path=f"{uri}1", type="uri_folder"))

    with pytest.raises((HttpResponseError, ResourceExistsError)) as error:
        client.data.create_or_update(Data(name=name, version="1", path=f"{uri}2", type="uri_folder"))

    assert refused(error) == 409


def test_local_data_are_uploaded(client: MLClient, emulator: AzureEmulator, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("1,2\n")

    made = client.data.create_or_update(Data(name=new_name("rows"), path=str(tmp_path), type="uri_folder"))

    workspace = emulator.scopes.workspace("fleetcast")
    place = emulator.scopes.locate(workspace, str(made.path))
    assert [blob.content() for blob in emulator.blobs.below(place)] == [b"1,2\n"]


def test_a_list_longer_than_a_page_is_given_whole(client: MLClient) -> None:
    name = new_name("rows")
    uri = "azureml://datastores/workspaceblobstore/paths/rows/1"
    for _ in range(32):
        client.data.create_or_update(Data(name=name, path=uri, type="uri_folder"))

    assert [one.version for one in client.data.list(name=name)] == [str(n) for n in range(32, 0, -1)]


def a_model(client: MLClient, folder: Path) -> Model:
    (folder / "model.bin").write_bytes(b"weights")
    made: Model = client.models.create_or_update(Model(name=new_name("model"), version="1", path=str(folder)))
    return made


def test_a_model_is_made_read_and_downloaded(client: MLClient, tmp_path: Path) -> None:
    made = a_model(client, tmp_path)

    assert client.models.get(made.name, "1").path == made.path
    assert [one.version for one in client.models.list(name=made.name)] == ["1"]
    client.models.download(made.name, "1", download_path=tmp_path / "down")
    assert [file.read_bytes() for file in (tmp_path / "down").rglob("*.bin")] == [b"weights"]


def test_a_model_of_no_number_is_refused(client: MLClient) -> None:
    uri = "azureml://datastores/workspaceblobstore/paths/model"
    with pytest.raises(HttpResponseError, match="positive integer"):
        client.models.create_or_update(Model(name=new_name("model"), version="1.0.0", path=uri))


def test_a_datastore_without_credentials_is_made_and_read(client: MLClient) -> None:
    store = AzureBlobDatastore(name="fleetcast", account_name="fleetstorage", container_name="fleet")
    client.datastores.create_or_update(store)

    read = client.datastores.get("fleetcast")
    assert (read.account_name, read.container_name) == ("fleetstorage", "fleet")
    assert "workspaceblobstore" in {one.name for one in client.datastores.list()}


def registry_client(emulator: AzureEmulator) -> MLClient:
    return MLClient(credential(emulator), registry_name=emulator.setup.registries[0])


def test_a_model_is_shared_once(client: MLClient, emulator: AzureEmulator, tmp_path: Path) -> None:
    made, begin = a_model(client, tmp_path), len(emulator.exchanges())
    name = new_name("shared")

    shared = client.models.share(
        made.name, "1", share_with_name=name, share_with_version="4", registry_name="fleetcast-registry"
    )

    assert shared.id == f"azureml://registries/fleetcast-registry/models/{name}/versions/4"
    assert unknown(emulator, begin) == []
    held = emulator.blobs.below(Place(storage_account("fleetcast-registry"), "assets", f"models/{name}/4"))
    assert [blob.content() for blob in held] == [b"weights"]


def test_a_shared_model_may_be_found_late(client: MLClient, emulator: AzureEmulator, tmp_path: Path) -> None:
    made, name = a_model(client, tmp_path), new_name("shared")
    emulator.faults.add(Fault("late", "POST", "/import$", reads=2))

    with pytest.raises(ResourceNotFoundError):
        client.models.share(
            made.name, "1", share_with_name=name, share_with_version="1", registry_name="fleetcast-registry"
        )

    registry = registry_client(emulator)
    with pytest.raises(ResourceNotFoundError):
        registry.models.get(name, "1")
    assert registry.models.get(name, "1").version == "1"


def test_a_registry_takes_environments_and_components(emulator: AzureEmulator, tmp_path: Path) -> None:
    registry, name, begin = registry_client(emulator), new_name("training"), len(emulator.exchanges())
    (tmp_path / "train.py").write_text("print(1)")

    made = registry.environments.create_or_update(environment(name))
    component = CommandComponent(
        name=new_name("component").replace("-", "_"),
        version="1",
        command="python train.py",
        environment=made,
        code=str(tmp_path),
    )
    kept = registry.components.create_or_update(component)

    assert made.id == f"azureml://registries/fleetcast-registry/environments/{name}/versions/1.0.0"
    assert registry.components.get(kept.name, "1").id == kept.id
    assert unknown(emulator, begin) == []


def test_a_registry_takes_a_model(emulator: AzureEmulator, tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"weights")
    registry, name = registry_client(emulator), new_name("model")

    registry.models.create_or_update(Model(name=name, version="1", path=str(tmp_path)))
    registry.models.download(name, "1", download_path=tmp_path / "down")

    assert [file.read_bytes() for file in (tmp_path / "down").rglob("*.bin")] == [b"weights"]
    assert [one.version for one in registry.models.list(name=name)] == ["1"]


def test_all_is_found_again_by_the_next_process(tmp_path: Path, emulator: AzureEmulator) -> None:
    first = AzureEmulator(tmp_path / "state")
    scope = first.scopes.workspace("fleetcast")
    first.store.write(scope.key("environments", "kept"), {"name": "kept"})
    first.blobs.make_container("someaccount", "some")
    first.blobs.put(Place("someaccount", "some", "a/b"), b"kept", metadata={"k": "v"})

    second = AzureEmulator(tmp_path / "state")

    assert second.store.get(scope.key("Environments", "KEPT")).body["name"] == "kept"
    blob = second.blobs.find(Place("someaccount", "some", "a/b"))
    assert blob is not None
    assert (blob.content(), blob.metadata) == (b"kept", {"k": "v"})
