"""What `fleetcast plan` says of the quota where training runs in Azure: asked once, and never a reason to fail."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fleetcast.cli.main import run
from tests.azure_emulator.emulator import AzureEmulator
from tests.azure_emulator.faults import Fault
from tests.azure_fleet import write_azure_fleet
from tests.azure_oracle.published import as_published
from tests.contracts.azure import SETUP, led_to
from tests.scenarios.repository import Repository

Output = pytest.CaptureFixture[str]

pytestmark = [
    # The SDK's own libraries will take away what it uses.
    pytest.mark.filterwarnings("ignore::marshmallow.warnings.RemovedInMarshmallow4Warning"),
]


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[AzureEmulator]:
    with AzureEmulator(tmp_path / "azure", replace(SETUP, cores=10)) as running, led_to(running):
        yield running
        as_published(running.exchanges())


@pytest.fixture
def fleet(tmp_path: Path, emulator: AzureEmulator, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """Four circuits in batches of one, on a cluster that grows to four nodes of four cores."""
    made = write_azure_fleet(tmp_path / "fleet", emulator, circuits=4, days=40, batch_size=1)
    monkeypatch.chdir(tmp_path / "fleet")
    return made


def quota(capsys: Output) -> Any:
    capsys.readouterr()
    assert run(["plan", "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)["quota"]


def asked(emulator: AzureEmulator, since: int) -> list[str]:
    """What was asked of Azure's control plane since then, by the last word of each path."""
    later = emulator.exchanges()[since:]
    return [one.path.rsplit("/", 1)[-1] for one in later if one.host == "management.azure.com"]


@pytest.mark.usefixtures("fleet")
def test_a_plan_says_how_much_of_the_quota_it_uses_and_asks_once(
    emulator: AzureEmulator, capsys: Output
) -> None:
    assert quota(capsys) == {
        "nodes": 4,
        "is_known": True,
        "why_not_known": None,
        "location": "westeurope",
        "family": "Standard DSv2 Family Cluster Dedicated vCPUs",
        "cores_per_node": 4,
        "cores_limit": 10,
        "cores_used": 0,
        "cores_needed": 16,
        "fits": False,
    }
    before = len(emulator.exchanges())
    assert run(["plan"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "quota: 4 nodes × 4 cores = 16 of 10 that are free; 0 of 10 are used" in said
    assert "Only 2 at the same time" in said
    assert asked(emulator, before) == ["usages"]


def test_a_cluster_that_grows_less_uses_less(fleet: Repository, capsys: Output) -> None:
    fleet.edit("fleetcast.yaml", "azure: {", "azure: {cluster: {max_nodes: 2}, ")
    found = quota(capsys)
    assert (found["nodes"], found["cores_needed"], found["fits"]) == (2, 8, True)


@pytest.mark.usefixtures("fleet")
@pytest.mark.parametrize("path", ["/usages", "/vmSizes"])
@pytest.mark.parametrize("status", [403, 404])
def test_a_quota_that_cannot_be_read_is_not_known_and_the_plan_is_made(
    emulator: AzureEmulator, capsys: Output, path: str, status: int
) -> None:
    emulator.faults.add(Fault("refuse", "GET", path, status=status, code="Refused"))
    found = quota(capsys)
    assert (found["nodes"], found["is_known"], found["fits"]) == (4, False, None)
    assert "quota in westeurope" in found["why_not_known"]
    emulator.faults.add(Fault("refuse", "GET", path, status=status, code="Refused"))
    assert run(["plan", "--format", "markdown"]) == 0
    assert "quota: 4 nodes at the same time; what may be used is not known" in capsys.readouterr().out


def test_machines_that_azure_does_not_have_are_not_known(fleet: Repository, capsys: Output) -> None:
    fleet.edit("fleetcast.yaml", "azure: {", "azure: {cluster: {size: Standard_Odd}, ")
    assert quota(capsys)["why_not_known"] == "westeurope has no machines Standard_Odd"


def test_what_this_machine_kept_is_asked_anew_where_it_is_torn_or_of_another_size(
    fleet: Repository, emulator: AzureEmulator, capsys: Output
) -> None:
    quota(capsys)
    (kept,) = Path().rglob("azure-machines-*.json")
    kept.write_text('{"format":1,"loc')
    before = len(emulator.exchanges())
    assert quota(capsys)["fits"] is False
    assert asked(emulator, before)[-2:] == ["vmSizes", "usages"]
    fleet.edit("fleetcast.yaml", "azure: {", "azure: {cluster: {size: Standard_DS2_v2}, ")
    assert quota(capsys)["cores_per_node"] == 2


@pytest.mark.usefixtures("fleet")
def test_status_asks_nothing_of_the_quota(emulator: AzureEmulator, capsys: Output) -> None:
    before = len(emulator.exchanges())
    assert run(["status"]) == 0
    assert "quota" not in capsys.readouterr().out
    assert asked(emulator, before) == []
