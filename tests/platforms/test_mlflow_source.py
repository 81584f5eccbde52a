"""Models of an MLflow registry, through the real MLflow."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fleetcast.domain.errors import BadInput, FleetcastError
from fleetcast.domain.identity import CircuitKey
from fleetcast.platforms.foreign.mlflow_source import MlflowSource
from tests.foreign_models import save_foreign

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # MLflow's, about its own dependencies
    mlflow = pytest.importorskip("mlflow", reason="the extra `mlflow` is not installed")

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]  # MLflow makes its tables for seconds
KEY, OTHER = CircuitKey("P", "C1"), CircuitKey("P", "C2")


@contextmanager
def client_of(uri: str) -> Iterator[Any]:
    yield mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A registry with three versions of one model, the second of them in use."""
    folder = tmp_path_factory.mktemp("registry")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    with client_of(uri) as client:
        client.create_registered_model("p-c1")
        client.create_registered_model("stray")
        for number in (1, 2, 3):
            model = save_foreign(folder / f"v{number}")
            client.create_model_version("p-c1", source=model.as_uri(), tags={"team": f"east {number}"})
        client.set_registered_model_alias("p-c1", "champion", "2")
    return uri


def test_the_version_with_the_alias_champion_is_found_and_fetched(uri: str, tmp_path: Path) -> None:
    source = MlflowSource(uri)
    found = source.find({KEY: "p-c1", OTHER: "p-c2"})
    assert found.unused == ["stray"]
    assert list(found.models) == [KEY]
    model = found.models[KEY]
    assert model.source == "MLflow registry p-c1:2"
    assert (model.stated["registry_version"], model.stated["tag team"]) == ("2", "east 2")
    source.fetch(model, tmp_path / "model")
    assert (tmp_path / "model" / "code" / "foreign_v2.py").is_file()


def test_without_an_alias_the_newest_version_is_found(uri: str) -> None:
    with client_of(uri) as client:
        client.delete_registered_model_alias("p-c1", "champion")
        try:
            assert MlflowSource(uri).find({KEY: "p-c1"}).models[KEY].source == "MLflow registry p-c1:3"
        finally:
            client.set_registered_model_alias("p-c1", "champion", "2")


def test_a_model_without_a_version_is_named(uri: str) -> None:
    with pytest.raises(BadInput, match="the registered model stray has no version"):
        MlflowSource(uri).find({KEY: "stray"})


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("sqlite:///{folder}/gone.db", "there is no MLflow database"),
        ("{folder}/gone", "there is no MLflow folder"),
        ("http://ada:secret@localhost:1", "holds a password"),
    ],
)
def test_an_address_that_cannot_be_a_registry_is_refused(tmp_path: Path, address: str, says: str) -> None:
    with pytest.raises(BadInput, match=says) as caught:
        MlflowSource(address.format(folder=tmp_path))
    assert "secret" not in str(caught.value) + caught.value.fix
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"not a database", b""])
def test_a_file_that_is_no_registry_is_refused_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "mlflow.db"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=r"mlflow\.db is no"):
        MlflowSource(f"sqlite:///{path}")
    assert path.read_bytes() == content


def test_a_server_that_is_down_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(FleetcastError, match="MLflow registry") as caught:
        MlflowSource("http://127.0.0.1:1").find({KEY: "p-c1"})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["a b", "ü#%20[x]q?"])
def test_a_registry_below_a_folder_of_any_name_is_read(uri: str, tmp_path: Path, name: str) -> None:
    """MLflow decodes the address, and the place of what it keeps: both are given to it as they must be."""
    place = tmp_path / name
    place.mkdir()
    shutil.copy(uri.removeprefix("sqlite:///"), place / "mlflow.db")
    source = MlflowSource(f"sqlite:///{place / 'mlflow.db'}")
    with client_of(source._address()) as client:  # the address that MLflow takes
        client.create_registered_model("here")
        client.create_model_version("here", source=save_foreign(place / "model").as_uri())
    source.fetch(source.find({KEY: "here"}).models[KEY], tmp_path / "copy")
    assert (tmp_path / "copy" / "MLmodel").is_file()
    assert {path.name for path in tmp_path.iterdir()} == {name, "copy"}


def test_a_link_among_what_a_registry_keeps_here_is_refused(uri: str, tmp_path: Path) -> None:
    shutil.copy(uri.removeprefix("sqlite:///"), tmp_path / "mlflow.db")
    source = MlflowSource(f"sqlite:///{tmp_path / 'mlflow.db'}")
    model = save_foreign(tmp_path / "model")
    (model / "secret").symlink_to("/etc/passwd")
    with client_of(source.uri) as client:
        client.create_registered_model("linked")
        client.create_model_version("linked", source=model.as_uri())
    with pytest.raises(BadInput, match="secret is a symbolic link"):
        source.fetch(source.find({KEY: "linked"}).models[KEY], tmp_path / "copy")
