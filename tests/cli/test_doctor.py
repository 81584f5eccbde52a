"""`fleetcast doctor`, as it is typed: each finding where it holds, and where it does not."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import certifi
import pytest

from fleetcast.app import open_books, whoami
from fleetcast.app.people import TOKEN_VARIABLE
from fleetcast.cli.main import run
from fleetcast.config.pipelines import write_pipelines
from fleetcast.domain.ci import Ci
from fleetcast.domain.settings import DATABASE_URL_VARIABLE
from tests.azure_emulator.blob_store import Place
from tests.azure_emulator.emulator import AzureEmulator
from tests.azure_emulator.faults import Fault
from tests.azure_oracle.oracle import check
from tests.azure_oracle.published import as_published
from tests.azure_oracle.specs import NEEDS_SPECS
from tests.cli.azure_fleets import CONTAINER, azure_in_place, held, rewrite
from tests.cli.azure_fleets import settings as azure_settings
from tests.contracts.azure import ACCOUNT, WORKSPACES
from tests.contracts.samples import trained
from tests.devops_server.organisation import PROJECT, made_id
from tests.devops_server.server import TOKEN, DevOpsServer, devops_server
from tests.servers.postgres import PostgresServer

Output = pytest.CaptureFixture[str]
HOLDS, FAILS, NOT_CHECKED = "holds", "does not hold", "not checked"
CONNECTIONS = ("mlops-dev", "mlops-test", "mlops-prod", "mlops-rollback")
CLUSTER = "compute cluster fleetcast-cpu in fleetcast-dev is there"
QUOTA = "quota in westeurope is enough for blue and green"
INDEX = "the workspace holds what the control database lists"
TWO_PEOPLE = "production demands two people"
PROGRAMS = "a service principal cannot approve"
ROLLBACK = "an operator can roll back alone"
FILES = "the files of the fleet can be written, read and removed"

pytestmark = [
    # The SDK's own libraries will take away what it uses.
    pytest.mark.filterwarnings("ignore::marshmallow.warnings.RemovedInMarshmallow4Warning"),
]


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[AzureEmulator]:
    with azure_in_place(tmp_path / "azure") as running:
        yield running


@pytest.fixture
def devops() -> Iterator[DevOpsServer]:
    with devops_server() as running:
        yield running


@pytest.fixture
def fleet(
    tmp_path: Path, emulator: AzureEmulator, devops: DevOpsServer, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A repository of a fleet in Azure, with nothing around it yet."""
    folder = tmp_path / "fleet"
    assert run(["init", str(folder)]) == 0
    write_pipelines(folder, Ci.AZURE_DEVOPS, "1.0.0")
    (folder / "fleetcast.yaml").write_text(azure_settings(emulator) + devops_settings(devops.url) + CONTACTS)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("AZURE_DEVOPS_EXT_PAT", TOKEN)
    monkeypatch.delenv("SYSTEM_ACCESSTOKEN", raising=False)
    return folder


@pytest.fixture
def installed(fleet: Path, capsys: Output) -> Path:
    """All that it needs, made, and somebody on record; the control database is a file."""
    install()
    capsys.readouterr()
    return fleet


CONTACTS = "contacts: {On call: '+33 1 23 45 67 89', Models: models@example.com}\n"


def devops_settings(url: str) -> str:
    who = "tenant: {0}, subscription: {1}, subscription_name: Plants, client_id: {2}"
    connections = "\n".join(
        f"    {name}: {{{who.format(made_id('tenant'), made_id('subscription'), made_id(name))}}}"
        for name in CONNECTIONS
    )
    return f"""\
azure_devops:
  organisation: acme
  project: {PROJECT}
  repository: fleet
  url: {url}
  key_vault: {{name: fleet-secrets}}
  connections:
{connections}
  approvers:
    registry-promotion: [{made_id("leads")}]
    test-deployment: [{made_id("qa")}]
    prod-deployment: [{made_id("senior 1")}, {made_id("senior 2")}]
"""


def install() -> None:
    for words in (
        ["setup", "azure", "--apply", "--yes"],
        ["setup", "azure-devops", "--apply", "--yes"],
        ["people", "add", "robot", "--service", "--role", "engineer"],
    ):
        assert run(words) == 0


def edit(fleet: Path, old: str, new: str) -> None:
    file = fleet / "fleetcast.yaml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))


def doctor(capsys: Output, *words: str) -> tuple[int, dict[str, Any]]:
    code = run(["doctor", "--format", "json", *words])
    return code, json.loads(capsys.readouterr().out)


def found(capsys: Output) -> dict[str, dict[str, Any]]:
    code, said = doctor(capsys)
    assert code == (0 if said["is_well"] else 1)
    return {one["name"]: one for one in said["findings"]}


def broken(capsys: Output) -> dict[str, str]:
    """What does not hold, with what was seen; each has a mend."""
    failing = {name: one for name, one in found(capsys).items() if one["verdict"] == FAILS}
    assert all(one["fix"] for one in failing.values())
    # A file is no database for a fleet in Azure; one test has a server.
    failing.pop("the control database is on PostgreSQL", None)
    return {name: one["seen"] for name, one in failing.items()}


@pytest.mark.usefixtures("fleet")
def test_everything_holds_where_everything_is_made(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setenv(DATABASE_URL_VARIABLE, postgres.url(postgres.new_database()))
    install()
    capsys.readouterr()
    code, said = doctor(capsys)
    assert [one for one in said["findings"] if one["verdict"] != HOLDS] == []
    assert code == 0
    assert [one["name"] for one in said["findings"]] == [
        "the settings are complete",
        "the control database answers",
        "the control database is on PostgreSQL",
        FILES,
        "the library of Azure ML is installed",
        "the identity gets a token",
        "workspace fleetcast-dev is there",
        "workspace fleetcast-test is there",
        "workspace fleetcast-prod is there",
        "shared registry fleet-registry is there",
        "container fleet in fleetaccount is there",
        "datastore fleetcast in fleetcast-dev is there",
        "datastore fleetcast in fleetcast-test is there",
        "datastore fleetcast in fleetcast-prod is there",
        CLUSTER,
        QUOTA,
        INDEX,
        TWO_PEOPLE,
        PROGRAMS,
        ROLLBACK,
        "Azure DevOps asks two people before production",
        "branch policies stand",
    ]


@pytest.mark.usefixtures("installed")
def test_a_fleet_in_azure_needs_a_server_for_its_database(capsys: Output) -> None:
    assert run(["doctor"]) == 1
    said = capsys.readouterr().out
    assert "✗ the control database is on PostgreSQL: .fleetcast/control.db\n" in said
    assert "FLEETCAST_DATABASE_URL" in said
    assert "whom to ask:\n  On call: +33 1 23 45 67 89\n  Models: models@example.com\n" in said
    assert broken(capsys) == {}


@pytest.mark.usefixtures("installed")
def test_a_database_that_does_not_answer_is_one_finding_of_many(
    monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setenv(DATABASE_URL_VARIABLE, "postgresql://fleet:hidden@127.0.0.1:1/fleet?sslmode=disable")
    every = found(capsys)
    answers = every["the control database answers"]
    assert answers["verdict"] == FAILS
    assert "hidden" not in json.dumps(every)
    assert every["the identity gets a token"]["verdict"] == HOLDS
    assert TWO_PEOPLE not in every


def test_settings_with_a_mistake_are_the_only_finding(installed: Path, capsys: Output) -> None:
    edit(installed, "resource_group", "resorce_group")
    every = found(capsys)
    assert list(every) == ["the settings are complete"]
    assert "did you mean" in every["the settings are complete"]["seen"]


@pytest.mark.usefixtures("installed")
def test_without_the_library_nothing_of_azure_is_asked(
    emulator: AzureEmulator, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setitem(sys.modules, "azure.ai.ml", None)
    before = len(emulator.exchanges())
    every = found(capsys)
    assert every["the library of Azure ML is installed"]["verdict"] == FAILS
    assert every["the library of Azure ML is installed"]["fix"] == "pip install 'fleetcast[azure]'"
    assert every["what the fleet needs in Azure is there"]["verdict"] == NOT_CHECKED
    asked = {one.host for one in emulator.exchanges()[before:]}
    assert "management.azure.com" not in asked


@pytest.mark.usefixtures("installed")
def test_an_identity_without_a_token_is_said_and_nothing_else_of_azure_is_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "the-wrong-secret")
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER"):
        monkeypatch.delenv(name)
    every = found(capsys)
    assert every["the identity gets a token"]["verdict"] == FAILS
    assert every["what the fleet needs in Azure is there"]["verdict"] == NOT_CHECKED
    assert "the-wrong-secret" not in json.dumps(every)


@pytest.mark.usefixtures("installed")
def test_federated_tokens_are_enough(
    emulator: AzureEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    token = tmp_path / "federated"
    token.write_text(emulator.identity.token("api://AzureADTokenExchange"))
    for name in ("AZURE_CLIENT_SECRET", "IDENTITY_ENDPOINT", "IDENTITY_HEADER"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(token))
    every = found(capsys)
    client = emulator.setup.principal.client
    assert every["the identity gets a token"]["seen"] == f"a token for {client}"
    assert every[CLUSTER]["verdict"] == HOLDS


@pytest.mark.usefixtures("installed")
def test_what_is_missing_or_changed_in_azure_is_found(emulator: AzureEmulator, capsys: Output) -> None:
    emulator.store.remove(emulator.scopes.workspace("fleetcast-dev").key("computes", "fleetcast-cpu"))
    keyed = held(emulator, "datastores", "fleetcast", workspace="fleetcast-test")
    keyed["properties"]["credentials"] = {"credentialsType": "AccountKey"}
    rewrite(emulator, keyed)
    emulator.store.remove(emulator.scopes.workspace("fleetcast-prod").key("datastores", "fleetcast"))
    assert broken(capsys) == {
        "datastore fleetcast in fleetcast-test is there": (
            "credentials is account_key and should be none: whoever reads shows their identity"
        ),
        "datastore fleetcast in fleetcast-prod is there": "it is not there",
        CLUSTER: "it is not there",
    }


def test_workspaces_registry_and_container_that_are_not_there_are_found(
    installed: Path, capsys: Output
) -> None:
    edit(installed, "registry: fleet-registry", "registry: another-registry")
    edit(installed, "az://fleet/", "az://nowhere/")
    edit(installed, "azure:\n", "azure:\n  workspaces: {prod: plants-prod}\n")
    every = found(capsys)
    assert every["workspace plants-prod is there"]["fix"].startswith("az ml workspace create --subscription ")
    assert "az ml registry create" in every["shared registry another-registry is there"]["fix"]
    seen = broken(capsys)
    assert seen.pop(FILES)
    assert seen["workspace plants-prod is there"] == "it is not there"
    assert seen["shared registry another-registry is there"] == "it is not there"
    assert seen["container nowhere in fleetaccount is there"] == "it is not there"
    assert "datastore fleetcast in plants-prod is there" in seen


@pytest.mark.usefixtures("installed")
def test_a_right_that_is_missing_is_said_with_the_role(emulator: AzureEmulator, capsys: Output) -> None:
    emulator.faults.add(Fault("refuse", "GET", "/computes/", status=403, code="AuthorizationFailed"))
    code, said = doctor(capsys)
    cluster = next(one for one in said["findings"] if one["name"] == CLUSTER)
    assert (code, cluster["verdict"]) == (1, FAILS)
    assert "give this identity the role" in cluster["fix"]


@pytest.mark.usefixtures("installed")
def test_nothing_is_left_where_the_files_are(emulator: AzureEmulator, capsys: Output) -> None:
    assert found(capsys)[FILES]["verdict"] == HOLDS
    probes = [one.method for one in emulator.exchanges() if "/fleet/probe-" in one.path]
    assert probes == ["PUT", "GET"]
    assert list(emulator.blobs.below(Place(ACCOUNT, CONTAINER, "fleet/"))) == []


def test_a_gate_that_one_person_opens_does_not_hold(fleet: Path, capsys: Output) -> None:
    edit(fleet, "contacts:", "gates:\n  prod-deployment: {approvers: ['*'], minimum: 1}\ncontacts:")
    install()
    capsys.readouterr()
    every = found(capsys)
    assert every[TWO_PEOPLE]["verdict"] == FAILS
    assert "1 person decides" in every[TWO_PEOPLE]["seen"]
    asked = every["Azure DevOps asks two people before production"]
    assert (asked["verdict"], asked["seen"]) == (FAILS, "1 of 2 approvers")


@pytest.mark.usefixtures("installed")
def test_a_check_or_a_policy_that_somebody_weakened_does_not_hold(
    devops: DevOpsServer, capsys: Output
) -> None:
    organisation = devops.organisation
    organisation.check_of("prod-deployment")["settings"]["minRequiredApprovers"] = 1
    policy = next(one for one in organisation.policies.values() if "buildDefinitionId" in one["settings"])
    policy["isBlocking"] = False
    before = list(devops.writes)
    seen = broken(capsys)
    assert set(seen) == {"Azure DevOps asks two people before production", "branch policies stand"}
    assert "missing or changed: validation of" in seen["branch policies stand"]
    assert devops.writes == before


@pytest.mark.usefixtures("installed")
def test_azure_devops_without_a_token_is_one_finding_of_many(
    monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setenv("AZURE_DEVOPS_EXT_PAT", "somebody-elses-token")
    every = found(capsys)
    assert every["Azure DevOps can be read"]["verdict"] == FAILS
    assert "branch policies stand" not in every
    assert every[TWO_PEOPLE]["verdict"] == HOLDS
    assert "somebody-elses-token" not in json.dumps(every)
    monkeypatch.delenv("AZURE_DEVOPS_EXT_PAT")
    assert "no token for Azure DevOps" in broken(capsys)["Azure DevOps can be read"]


@pytest.mark.usefixtures("installed")
def test_a_storage_account_that_nobody_names_is_found(
    monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME")
    seen = broken(capsys)
    assert "in which storage account" in seen["the settings say what is needed in Azure"]
    assert FILES in seen


@pytest.mark.usefixtures("installed")
def test_shared_keys_of_the_storage_account_can_be_disabled(emulator: AzureEmulator, capsys: Output) -> None:
    assert found(capsys)[FILES]["verdict"] == HOLDS
    asked = emulator.exchanges()
    assert not [one.path for one in asked if one.path.lower().endswith(("listsecrets", "listkeys"))]
    assert not [one.path for one in asked if {"sig", "sv"} & set(one.query)]
    stores = [held(emulator, "datastores", "fleetcast", workspace=name) for name in WORKSPACES.values()]
    assert {one["properties"]["credentials"]["credentialsType"] for one in stores} == {"None"}


@pytest.mark.usefixtures("installed")
def test_all_goes_through_a_proxy_whose_private_authority_is_trusted(
    emulator: AzureEmulator, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    assert found(capsys)["the identity gets a token"]["verdict"] == HOLDS
    assert os.environ["HTTPS_PROXY"] == emulator.address
    # Another authority than that which the proxy has its certificates from.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())
    monkeypatch.setenv("SSL_CERT_FILE", certifi.where())
    monkeypatch.delenv("IDENTITY_ENDPOINT")
    assert "the identity gets a token" in broken(capsys)


def test_a_program_that_may_approve_does_not_hold(fleet: Path, capsys: Output) -> None:
    edit(fleet, "contacts:", "gates:\n  test-deployment: {approvers: ['*'], services: [robot]}\ncontacts:")
    edit(fleet, f"test-deployment: [{made_id('qa')}]", f"test-deployment: [{made_id('mlops-test')}]")
    install()
    capsys.readouterr()
    says = "service connection mlops-test at test-deployment of Azure DevOps"
    assert broken(capsys) == {PROGRAMS: f"these may: {says}"}
    assert run(["people", "grant", "robot", "approver"]) == 0
    capsys.readouterr()
    assert broken(capsys) == {PROGRAMS: f"these may: robot at test-deployment, {says}"}


@pytest.mark.usefixtures("fleet")
def test_a_pipeline_decides_where_nobody_is_on_record(capsys: Output) -> None:
    every = found(capsys)
    assert every[PROGRAMS]["verdict"] == FAILS
    assert "nobody is on record" in every[PROGRAMS]["seen"]


@pytest.mark.usefixtures("installed")
def test_nobody_who_may_roll_back_alone_does_not_hold(capsys: Output) -> None:
    me = whoami().name
    assert found(capsys)[ROLLBACK]["seen"] == me
    assert run(["people", "revoke", me, "operator"]) == 0
    assert run(["people", "grant", "robot", "operator"]) == 0
    capsys.readouterr()
    assert broken(capsys) == {ROLLBACK: "nobody on record may roll back in prod"}


@pytest.mark.usefixtures("fleet")
def test_a_quota_that_is_too_small_for_blue_and_green_does_not_hold(tmp_path: Path, capsys: Output) -> None:
    with azure_in_place(tmp_path / "small", cores=10):
        install()
        capsys.readouterr()
        seen = broken(capsys)
    assert list(seen) == [QUOTA]
    assert "2 machines, one of them in reserve, × 4 cores = " in seen[QUOTA]
    assert "10 of 10 for this fleet" in seen[QUOTA]


@pytest.mark.usefixtures("installed")
def test_cores_that_the_fleet_uses_already_are_not_needed_twice(
    emulator: AzureEmulator, tmp_path: Path, capsys: Output
) -> None:
    needed = int(found(capsys)[QUOTA]["seen"].partition(" = ")[2].partition(" ")[0])
    with azure_in_place(tmp_path / "tight", cores=needed) as tight:
        assert run(["setup", "azure", "--apply", "--yes"]) == 0
        deploy(tight, "blue", "Standard_DS3_v2")
        deploy(tight, "green", "Standard_DS3_v2")
        capsys.readouterr()
        assert f"{needed} of {needed} for this fleet" in found(capsys)[QUOTA]["seen"]
        assert broken(capsys) == {}
        deploy(tight, "other", "Standard_DS4_v2")
        assert list(broken(capsys)) == [QUOTA]


def deploy(emulator: AzureEmulator, name: str, size: str) -> None:
    """Let somebody deploy in prod's workspace."""
    endpoint = emulator.scopes.workspace("fleetcast-prod").key("onlineEndpoints", "plant")
    kind, place = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints", emulator.setup.region
    known = {"type": kind, "location": place, "tags": {}}
    state = {"authMode": "Key", "provisioningState": "Succeeded", "traffic": {}, "properties": {}}
    rewrite(emulator, {**known, "id": endpoint, "name": "plant", "properties": state})
    made = {
        **known,
        "id": f"{endpoint}/deployments/{name}",
        "name": name,
        "sku": {"name": "Default", "capacity": 1},
        "properties": {
            "endpointComputeType": "Managed",
            "instanceType": size,
            "provisioningState": "Succeeded",
            "scaleSettings": {"scaleType": "Default"},
        },
    }
    rewrite(emulator, made)


@pytest.mark.parametrize("path", ["/usages", "/vmSizes"])
@pytest.mark.usefixtures("installed")
def test_a_quota_that_azure_does_not_tell_is_not_checked_and_never_holds(
    emulator: AzureEmulator, capsys: Output, path: str
) -> None:
    emulator.faults.add(Fault("refuse", "GET", path, status=404, code="NotFound"))
    every = found(capsys)
    quota = every["quota is enough for blue and green"]
    assert (quota["verdict"], QUOTA in every) == (NOT_CHECKED, False)
    assert "quota in westeurope" in quota["seen"]


def test_machines_that_azure_does_not_have_are_not_checked(installed: Path, capsys: Output) -> None:
    edit(installed, "azure:\n", "azure:\n  instance_type: Standard_Odd\n")
    quota = found(capsys)["quota is enough for blue and green"]
    assert (quota["verdict"], quota["seen"]) == (NOT_CHECKED, "westeurope has no machines Standard_Odd")


def test_a_version_that_somebody_deleted_in_azure_is_shown_and_not_made_again(
    fleet: Path,
    emulator: AzureEmulator,
    postgres: PostgresServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Output,
) -> None:
    monkeypatch.setenv(DATABASE_URL_VARIABLE, postgres.url(postgres.new_database()))
    install()
    capsys.readouterr()
    models = open_books(fleet).workspace().models
    models.register([trained("m", "job-1"), trained("m", "job-2")])
    assert found(capsys)[INDEX]["seen"] == "2 versions in both"
    gone = emulator.scopes.workspace("fleetcast-dev").key("models", "m", "versions", "1")
    emulator.store.remove(gone)
    assert broken(capsys) == {INDEX: "1 version missing in Azure: m:1"}
    assert emulator.store.find(gone) is None
    assert [one.version for one in open_books(fleet).workspace().models.entries()["m"]] == [1, 2]


@pytest.mark.usefixtures("installed")
def test_whoever_may_see_nothing_of_the_fleet_is_told_nothing(
    emulator: AzureEmulator, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, "fct_nonsense")
    before = len(emulator.exchanges())
    assert run(["doctor"]) == 1
    assert capsys.readouterr().out == ""
    assert len(emulator.exchanges()) == before


@pytest.mark.usefixtures("fleet")
def test_a_plan_needs_no_role_in_azure_but_for_what_it_says_of_the_quota(
    emulator: AzureEmulator, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setenv(DATABASE_URL_VARIABLE, postgres.url(postgres.new_database()))
    install()
    assert run(["simulate", "--plants", "1", "--circuits", "1"]) == 0
    emulator.faults.add(Fault("refuse", path="/locations/", times=9, status=403, code="AuthorizationFailed"))
    capsys.readouterr()
    assert run(["plan", "--format", "json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert "PLANT001" in json.dumps(said["circuits"])
    assert "Azure refuses quota in westeurope" in said["quota"]["why_not_known"]


@NEEDS_SPECS
@pytest.mark.usefixtures("installed")
def test_what_is_asked_and_answered_is_as_it_is_published(emulator: AzureEmulator, capsys: Output) -> None:
    found(capsys)
    as_published(emulator.exchanges())
    asked = {check(one).name for one in emulator.exchanges()}
    assert {"Usages_List", "VirtualMachineSizes_List", "Compute_Get"} < asked


def test_a_fleet_on_one_machine_has_fewer_checks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    assert run(["init", str(tmp_path / "fleet")]) == 0
    monkeypatch.chdir(tmp_path / "fleet")
    capsys.readouterr()
    every = found(capsys)
    assert {name: one["verdict"] for name, one in every.items()} == {
        "the settings are complete": HOLDS,
        "the control database answers": HOLDS,
        FILES: HOLDS,
        TWO_PEOPLE: HOLDS,
        PROGRAMS: NOT_CHECKED,
        ROLLBACK: HOLDS,
    }
    assert {path.name for path in Path(".fleetcast").iterdir()} == {"control.db", "control.witness"}
    assert run(["doctor"]) == 0
    assert "- a service principal cannot approve: not checked: nobody is on record" in capsys.readouterr().out
