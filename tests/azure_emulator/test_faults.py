"""What goes wrong when a test wants it to, and what the SDK makes of it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from azure.ai.ml import MLClient
from azure.ai.ml.entities import Environment, Model
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)

from tests.azure_emulator.conftest import credential, lead_to, workspace_client
from tests.azure_emulator.emulator import AzureEmulator
from tests.azure_emulator.faults import Fault

pytestmark = [
    # The SDK's own libraries will take away what it uses.
    pytest.mark.filterwarnings("ignore::marshmallow.warnings.RemovedInMarshmallow4Warning"),
]
PLACE = "/environments/"
_COUNT = itertools.count(1)


@dataclass(slots=True)
class HandMoved:
    """A clock that stands until it is moved."""

    time: datetime = field(default_factory=lambda: datetime.now(UTC))

    def now(self) -> datetime:
        return self.time

    def sleep(self, length: timedelta) -> None:
        self.time += length


def make(client: MLClient) -> str:
    name = f"faulty-{next(_COUNT)}"
    client.environments.create_or_update(Environment(name=name, version="1", image="x"))
    return name


def statuses(emulator: AzureEmulator, begin: int, method: str) -> list[int]:
    return [
        one.status
        for one in emulator.exchanges()[begin:]
        if (one.method, PLACE in one.path) == (method, True)
    ]


@pytest.mark.parametrize(
    ("status", "seen"), [(429, [429, 429, 201]), (503, [503, 503, 201])], ids=["too many", "not available"]
)
def test_the_sdk_asks_again_by_itself(
    client: MLClient, emulator: AzureEmulator, status: int, seen: list[int]
) -> None:
    begin = len(emulator.exchanges())
    emulator.faults.add(Fault("refuse", "PUT", PLACE, times=2, status=status, retry_after=0))

    make(client)

    assert statuses(emulator, begin, "PUT") == seen
    headers = [one.response_headers for one in emulator.exchanges()[begin:] if one.status == status]
    assert [one["retry-after"] for one in headers] == ["0", "0"]


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, ClientAuthenticationError), (409, ResourceExistsError)],
    ids=["who", "conflict"],
)
def test_the_sdk_gives_up_at_once(
    client: MLClient, emulator: AzureEmulator, status: int, error: type[HttpResponseError]
) -> None:
    begin = len(emulator.exchanges())
    emulator.faults.add(Fault("refuse", "PUT", PLACE, status=status, code="Told"))

    with pytest.raises(error):
        make(client)

    assert statuses(emulator, begin, "PUT") == [status]


def test_a_fault_is_used_up_and_meets_nothing_else(client: MLClient, emulator: AzureEmulator) -> None:
    emulator.faults.add(Fault("refuse", "PUT", "/models/", status=409))

    name = make(client)

    assert client.environments.get(name, version="1").name == name
    emulator.faults.clear()


def test_what_is_reported_failed_may_be_done(client: MLClient, emulator: AzureEmulator) -> None:
    emulator.faults.add(Fault("done_but_failed", "PUT", PLACE, status=409, code="Told"))
    with pytest.raises(ResourceExistsError):
        make(client)

    made = client.environments.list(name=f"faulty-{next(_COUNT) - 1}")

    assert [one.version for one in made] == ["1"]


def test_faults_are_told_by_another_process(client: MLClient, emulator: AzureEmulator) -> None:
    fault = {"kind": "refuse", "method": "PUT", "path": PLACE, "status": 409}
    httpx.post(f"{emulator.address}/__faults", json=fault).raise_for_status()

    with pytest.raises(ResourceExistsError):
        make(client)

    seen = httpx.get(f"{emulator.address}/__exchanges").json()
    assert ("PUT", 409) in {(one["method"], one["status"]) for one in seen}


def test_a_token_expires_when_it_is_told_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = HandMoved()
    with AzureEmulator(tmp_path, clock=clock) as emulator:
        lead_to(emulator, monkeypatch)
        httpx.post(f"{emulator.address}/__faults", json={"token_lifetime": 600}).raise_for_status()
        with credential(emulator) as shown:
            client = workspace_client(emulator, shown)
            make(client)
            clock.sleep(timedelta(seconds=601))
            with pytest.raises(ClientAuthenticationError, match="expired"):
                make(client)


def test_what_was_shared_is_found_when_its_time_has_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = HandMoved()
    with AzureEmulator(tmp_path, clock=clock) as emulator:
        emulator.operations.length = timedelta(0)
        lead_to(emulator, monkeypatch)
        emulator.faults.add(Fault("late", "POST", "/import$", seconds=60))
        with credential(emulator) as shown:
            client = workspace_client(emulator, shown)
            path = "azureml://datastores/workspaceblobstore/paths/model"
            client.models.create_or_update(Model(name="late", version="1", path=path))
            registry = emulator.setup.registries[0]
            share = {"share_with_name": "late", "share_with_version": "1", "registry_name": registry}
            with pytest.raises(ResourceNotFoundError):
                client.models.share("late", "1", **share)
            there = MLClient(shown, registry_name=registry)
            clock.sleep(timedelta(seconds=59))
            with pytest.raises(ResourceNotFoundError):
                there.models.get("late", "1")
            clock.sleep(timedelta(seconds=1))
            assert there.models.get("late", "1").version == "1"


def test_an_import_may_fail_and_leave_nothing(client: MLClient, emulator: AzureEmulator) -> None:
    path, name = "azureml://datastores/workspaceblobstore/paths/model", f"failing-{next(_COUNT)}"
    client.models.create_or_update(Model(name=name, version="1", path=path))
    registry = emulator.setup.registries[0]
    share = {"share_with_name": name, "share_with_version": "1", "registry_name": registry}
    emulator.faults.add(Fault("fail_operation", "POST", "/import$", code="Broken"))

    with pytest.raises(HttpResponseError, match="Broken"):
        client.models.share(name, "1", **share)

    assert client.models.share(name, "1", **share).version == "1"


def test_a_fault_that_cannot_happen_is_told(emulator: AzureEmulator) -> None:
    emulator.faults.add(Fault("fail_operation", "DELETE", PLACE))
    answer = httpx.delete(
        f"https://management.azure.com{emulator.scopes.workspace('fleetcast').key('environments', 'e')}/versions/1",
        headers={"Authorization": f"Bearer {emulator.identity.token('https://management.azure.com')}"},
    )

    assert "begins no operation to fail" in answer.text


def test_what_has_failed_in_a_registry_does_not_count(emulator: AzureEmulator) -> None:
    registry, name = emulator.setup.registries[0], f"failing-{next(_COUNT)}"
    with credential(emulator) as shown:
        there = MLClient(shown, registry_name=registry)
        there.environments.create_or_update(Environment(name=name, version="1", image="x"))
        emulator.faults.add(Fault("fail_operation", "PUT", PLACE, code="Broken"))
        with pytest.raises(HttpResponseError, match="Broken"):
            there.environments.create_or_update(Environment(name=name, version="2", image="x"))

        assert {one.name: one.latest_version for one in there.environments.list()}[name] == "1"
