"""`fleetcast setup azure`, as it is typed: the unmodified SDK in front, the emulator behind."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fleetcast.app.people import TOKEN_VARIABLE
from fleetcast.cli.main import run
from fleetcast.domain.azure_roles import NEEDED_ROLES
from tests.azure_emulator.emulator import AzureEmulator
from tests.azure_emulator.faults import Fault
from tests.azure_oracle.oracle import check
from tests.azure_oracle.published import as_published
from tests.azure_oracle.specs import NEEDS_SPECS
from tests.cli.azure_fleets import CONTAINER, azure_in_place, held, rewrite, settings
from tests.contracts.azure import ACCOUNT, REGISTRY, WORKSPACES

Output = pytest.CaptureFixture[str]
CLUSTER = "fleetcast-cpu in fleetcast-dev"

pytestmark = [
    # The SDK's own libraries will take away what it uses.
    pytest.mark.filterwarnings("ignore::marshmallow.warnings.RemovedInMarshmallow4Warning"),
]


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[AzureEmulator]:
    with azure_in_place(tmp_path / "azure") as running:
        yield running


@pytest.fixture
def fleet(tmp_path: Path, emulator: AzureEmulator, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "fleet"
    folder.mkdir()
    (folder / "fleetcast.yaml").write_text(settings(emulator))
    monkeypatch.chdir(folder)
    return folder


def setup(*words: str) -> int:
    return run(["setup", "azure", *words])


def as_json(capsys: Output, *words: str, code: int = 0) -> Any:
    assert setup(*words, "--format", "json") == code
    return json.loads(capsys.readouterr().out)


def changes(plan: Any) -> dict[str, list[tuple[str, str | None, str]]]:
    return {
        f"{step['action']} {step['kind']} {step['name']}": [
            (one["field"], one["before"], one["after"]) for one in step["changes"]
        ]
        for step in plan["steps"]
        if step["action"] != "leave"
    }


def writes(emulator: AzureEmulator) -> list[str]:
    """What was changed in Azure; asking for a token changes nothing."""
    return [
        f"{one.method} {one.path}"
        for one in emulator.exchanges()
        if one.method not in {"GET", "HEAD"} and one.host != "login.microsoftonline.com"
    ]


@pytest.fixture
def installed(fleet: Path, capsys: Output) -> Path:
    assert setup("--apply", "--yes") == 0
    capsys.readouterr()
    return fleet


@pytest.mark.usefixtures("fleet")
def test_a_plan_changes_nothing_and_says_who_may_apply_it(emulator: AzureEmulator, capsys: Output) -> None:
    assert setup() == 0
    said = capsys.readouterr().out
    assert "+ container fleet in fleetaccount\n" in said
    assert f"+ compute cluster {CLUSTER}\n      size: Standard_DS3_v2\n      min nodes: 0\n" in said
    assert "datastore: AzureML Data Scientist on each workspace" in said
    assert said.endswith("next: fleetcast setup azure --apply\n")
    assert writes(emulator) == []


@pytest.mark.usefixtures("fleet")
def test_a_fresh_resource_group_gets_everything_without_a_key(
    emulator: AzureEmulator, capsys: Output
) -> None:
    assert setup("--apply", "--yes") == 0
    assert "nothing to do: 9 things as declared" in capsys.readouterr().out
    assert emulator.blobs.has_container(ACCOUNT, CONTAINER)
    for workspace in WORKSPACES.values():
        store = held(emulator, "datastores", "fleetcast", workspace=workspace)["properties"]
        assert (store["accountName"], store["containerName"]) == (ACCOUNT, CONTAINER)
        assert store["credentials"] == {"credentialsType": "None"}
    cluster = held(emulator, "computes", "fleetcast-cpu")["properties"]
    assert cluster["properties"]["scaleSettings"] == {
        "maxNodeCount": 3,
        "minNodeCount": 0,
        "nodeIdleTimeBeforeScaleDown": "PT5M",
    }
    sent = json.dumps([one.request for one in emulator.exchanges()])
    assert "AccountKey" not in sent
    assert "sasToken" not in sent


@pytest.mark.usefixtures("installed")
def test_again_there_is_nothing_to_do_and_nothing_is_written(emulator: AzureEmulator, capsys: Output) -> None:
    before = writes(emulator)
    assert setup("--apply", "--yes") == 0
    assert setup("--verify") == 0
    assert capsys.readouterr().out == "nothing to do: 9 things as declared\n" * 2
    assert writes(emulator) == before


def test_a_datastore_with_a_key_or_another_container_is_put_right(
    installed: Path, emulator: AzureEmulator, capsys: Output
) -> None:
    assert installed.is_dir()
    keyed = held(emulator, "datastores", "fleetcast", workspace="fleetcast-test")
    keyed["properties"]["credentials"] = {"credentialsType": "AccountKey"}
    rewrite(emulator, keyed)
    other = held(emulator, "datastores", "fleetcast", workspace="fleetcast-prod")
    other["properties"] |= {"containerName": "elsewhere", "accountName": "others"}
    rewrite(emulator, other)
    before = writes(emulator)

    found = changes(as_json(capsys, "--plan"))
    assert found == {
        "change datastore fleetcast in fleetcast-prod": [
            ("account", "others", ACCOUNT),
            ("container", "elsewhere", CONTAINER),
        ],
        "change datastore fleetcast in fleetcast-test": [
            ("credentials", "account_key", "none: whoever reads shows their identity")
        ],
    }
    assert as_json(capsys, "--verify", code=1)["nothing_to_do"] is False
    assert writes(emulator) == before

    assert setup("--apply", "--yes") == 0
    assert "nothing to do" in capsys.readouterr().out
    mended = held(emulator, "datastores", "fleetcast", workspace="fleetcast-test")["properties"]
    assert mended["credentials"] == {"credentialsType": "None"}


@pytest.mark.usefixtures("installed")
def test_a_cluster_that_grows_too_far_or_waits_too_long_is_put_right(
    emulator: AzureEmulator, capsys: Output
) -> None:
    cluster = held(emulator, "computes", "fleetcast-cpu")
    cluster["properties"]["properties"]["scaleSettings"] = {
        "maxNodeCount": 50,
        "minNodeCount": 2,
        "nodeIdleTimeBeforeScaleDown": "PT1H",
    }
    del cluster["identity"]
    rewrite(emulator, cluster)
    assert changes(as_json(capsys, "--plan")) == {
        f"change compute cluster {CLUSTER}": [
            ("min nodes", "2", "0"),
            ("max nodes", "50", "3"),
            ("idle", "3600s", "300s"),
            ("identity", "none", "of its own"),
        ]
    }
    assert setup("--apply", "--yes") == 0
    assert "nothing to do" in capsys.readouterr().out


def test_machines_of_a_cluster_never_change_so_people_decide(
    installed: Path, emulator: AzureEmulator, capsys: Output
) -> None:
    file = installed / "fleetcast.yaml"
    file.write_text(file.read_text().replace("Standard_DS3_v2", "Standard_DS4_v2"))
    before = writes(emulator)
    assert setup("--apply", "--yes") == 1
    said = capsys.readouterr().out
    assert f"! compute cluster {CLUSTER}\n" in said
    assert "its machines are STANDARD_DS3_V2 and should be Standard_DS4_v2" in said
    assert writes(emulator) == before


@pytest.mark.parametrize("lost", ["container", "datastore", "cluster"])
@pytest.mark.usefixtures("installed")
def test_what_somebody_removed_is_made_again(emulator: AzureEmulator, capsys: Output, lost: str) -> None:
    dev = emulator.scopes.workspace("fleetcast-dev")
    match lost:
        case "container":
            file = installed_settings(emulator)
            file.write_text(file.read_text().replace(f"az://{CONTAINER}/", "az://another/"))
        case "datastore":
            emulator.store.remove(dev.key("datastores", "fleetcast"))
        case _:
            emulator.store.remove(dev.key("computes", "fleetcast-cpu"))
    assert setup("--apply", "--yes") == 0
    assert f"+ {'compute ' if lost == 'cluster' else ''}{lost} " in capsys.readouterr().out
    assert as_json(capsys, "--verify")["nothing_to_do"] is True


def installed_settings(emulator: AzureEmulator) -> Path:
    return emulator.state.parent / "fleet" / "fleetcast.yaml"


def test_what_only_others_may_make_is_said_with_the_command_that_makes_it(
    fleet: Path, emulator: AzureEmulator, capsys: Output
) -> None:
    file = fleet / "fleetcast.yaml"
    text = file.read_text().replace(f"registry: {REGISTRY}", "registry: not-there-yet")
    file.write_text(f"{text}  workspaces: {{prod: plants-prod}}\n")
    where = f"--subscription {emulator.setup.subscription}"
    assert setup("--apply", "--yes") == 1
    said = capsys.readouterr().out
    assert "! workspace plants-prod\n      it is not there" in said
    assert f"az ml workspace create {where} --resource-group 'fleetcast' --name plants-prod\n" in said
    assert "! shared registry not-there-yet\n" in said
    assert f"az ml registry create {where} --resource-group 'fleetcast' --file registry.yml\n" in said
    assert "Contributor on the resource group" in said


def test_a_fault_in_the_middle_says_where_and_the_same_command_does_the_rest(
    fleet: Path, emulator: AzureEmulator, capsys: Output
) -> None:
    assert fleet.is_dir()
    emulator.faults.add(Fault("refuse", "PUT", "/computes/", status=403, code="AuthorizationFailed"))
    assert setup("--apply", "--yes") == 1
    said = capsys.readouterr()
    assert f"error: stopped at compute cluster {CLUSTER}, with 4 of 5 steps done" in said.err
    assert setup("--apply", "--yes") == 0
    assert "nothing to do" in capsys.readouterr().out


@pytest.mark.usefixtures("fleet")
def test_a_cluster_that_was_made_though_the_answer_was_lost_is_found_by_the_next_run(
    emulator: AzureEmulator, capsys: Output
) -> None:
    emulator.faults.add(Fault("done_but_failed", "PUT", "/computes/", code="InternalError"))
    assert setup("--apply", "--yes") == 1
    assert "stopped at compute cluster" in capsys.readouterr().err
    assert as_json(capsys, "--verify")["nothing_to_do"] is True
    assert emulator.store.find(emulator.scopes.workspace("fleetcast-dev").key("computes", "fleetcast-cpu"))


@pytest.mark.usefixtures("fleet")
def test_only_an_admin_may(emulator: AzureEmulator, monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    assert run(["people", "add", "robot", "--service", "--role", "operator"]) == 0
    capsys.readouterr()
    assert run(["token", "create", "tries", "--of", "robot", "--format", "json"]) == 0
    monkeypatch.setenv(TOKEN_VARIABLE, json.loads(capsys.readouterr().out)["secret"])
    assert setup("--apply", "--yes") == 1
    assert "manage" in capsys.readouterr().err
    assert emulator.exchanges() == ()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("kind: azureml", "kind: local", "the fleet is not trained in Azure"),
        ("az://fleet/fleet", "s3://fleet/fleet", "Azure ML does not read s3://fleet/fleet"),
        ("max_nodes: 3", "max_nodes: 0", "out of range"),
        ("size: Standard_DS3_v2", "size: 'big one'", "a size of machines"),
        ("idle: 5min", "idle: 2d", "idle time"),
    ],
)
def test_settings_that_lack_something_are_named_before_anything_is_asked(
    fleet: Path, emulator: AzureEmulator, capsys: Output, old: str, new: str, says: str
) -> None:
    file = fleet / "fleetcast.yaml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))
    assert setup() == 1
    assert says in capsys.readouterr().err
    assert emulator.exchanges() == ()


@pytest.mark.usefixtures("fleet")
def test_nobody_says_which_storage_account(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME")
    assert setup() == 1
    assert "set AZURE_STORAGE_ACCOUNT_NAME" in capsys.readouterr().err


@pytest.mark.usefixtures("fleet")
def test_all_goes_through_a_proxy_whose_private_authority_is_trusted(
    emulator: AzureEmulator, capsys: Output
) -> None:
    assert os.environ["HTTPS_PROXY"] == emulator.address
    assert setup("--apply", "--yes") == 0
    capsys.readouterr()
    hosts = {one.host for one in emulator.exchanges()}
    assert {"management.azure.com", "fleetaccount.blob.core.windows.net", "login.microsoftonline.com"} < hosts


@pytest.mark.usefixtures("fleet")
def test_a_federated_token_is_enough(
    emulator: AzureEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    token = tmp_path / "federated"
    token.write_text(emulator.identity.token("api://AzureADTokenExchange"))
    for name in ("AZURE_CLIENT_SECRET", "IDENTITY_ENDPOINT", "IDENTITY_HEADER"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(token))
    assert setup("--apply", "--yes") == 0
    assert "nothing to do" in capsys.readouterr().out
    token.write_text("a.b.c")
    assert setup() == 1
    assert "Azure does not let this identity ask" in capsys.readouterr().err


@NEEDS_SPECS
@pytest.mark.usefixtures("installed")
def test_what_is_asked_and_answered_is_as_it_is_published(emulator: AzureEmulator) -> None:
    assert setup("--verify") == 0
    as_published(emulator.exchanges())
    asked = {check(one).name for one in emulator.exchanges()}
    assert {"Compute_CreateOrUpdate", "Datastores_CreateOrUpdate"} < asked


def test_the_roles_are_listed_and_the_documents_list_the_same(capsys: Output) -> None:
    assert setup("--roles") == 0
    said = capsys.readouterr().out.splitlines()
    assert "rollback: AzureML Data Scientist on the workspace of the endpoint" in said
    assert setup("--roles", "--format", "json") == 0
    assert len(json.loads(capsys.readouterr().out)["roles"]) == len(said)
    document = (Path(__file__).parents[2] / "docs" / "SETUP.md").read_text()
    for one in NEEDED_ROLES:
        assert f"| `{one.command}` | {one.role} | {one.on} |" in document
