"""One emulator for these tests, and the SDK in front of it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.identity import ClientSecretCredential

from tests.azure_emulator.emulator import AzureEmulator

with warnings.catch_warnings():
    # The SDK's own schemas use what its libraries will take away.
    warnings.simplefilter("ignore")
    from azure.ai.ml import MLClient, load_component
    from azure.ai.ml.entities import AzureBlobDatastore, Environment

    from tests.azure_emulator.submitted import BATCH, PIPELINE

# What is not set for the emulator is not to be found in the environment of whoever runs the tests.
_OTHERS = ("HTTP_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy", "no_proxy", "CURL_CA_BUNDLE")


@pytest.fixture(scope="session")
def session_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureEmulator]:
    with AzureEmulator(tmp_path_factory.mktemp("azure")) as emulator:
        yield emulator


@pytest.fixture
def emulator(session_emulator: AzureEmulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[AzureEmulator]:
    """The emulator, with an environment that leads to it, and no fault left behind."""
    lead_to(session_emulator, monkeypatch)
    yield session_emulator
    session_emulator.faults.clear()


@pytest.fixture
def client(emulator: AzureEmulator) -> Iterator[MLClient]:
    with credential(emulator) as shown:
        yield workspace_client(emulator, shown)


@pytest.fixture
def fleet(client: MLClient, emulator: AzureEmulator, tmp_path: Path) -> MLClient:
    """A workspace with all that training needs."""
    emulator.blobs.make_container("fleetaccount", "fleet")
    client.datastores.create_or_update(
        AzureBlobDatastore(name="fleetcast", account_name="fleetaccount", container_name="fleet")
    )
    client.environments.create_or_update(Environment(name="training", version="1.0.0", image="x"))
    for number, text in enumerate((BATCH, PIPELINE)):
        file = tmp_path / f"{number}.yml"
        file.write_text(text)
        client.components.create_or_update(load_component(file))
    return client


def lead_to(emulator: AzureEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _OTHERS:
        monkeypatch.delenv(name, raising=False)
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)


def credential(emulator: AzureEmulator) -> ClientSecretCredential:
    principal = emulator.setup.principal
    return ClientSecretCredential(principal.tenant, principal.client, principal.secret)


def workspace_client(emulator: AzureEmulator, shown: ClientSecretCredential) -> MLClient:
    setup = emulator.setup
    return MLClient(shown, setup.subscription, setup.resource_group, setup.workspaces[0])


def unknown(emulator: AzureEmulator, begin: int = 0) -> list[str]:
    """What the emulator was asked and did not know."""
    return [f"{one.method} {one.host}{one.path}" for one in emulator.exchanges()[begin:] if not one.known]
