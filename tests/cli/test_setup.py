"""`fleetcast setup azure-devops`, as it is typed, against a server that is as strict as the service."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fleetcast.app.people import TOKEN_VARIABLE
from fleetcast.cli.main import run
from fleetcast.config.pipelines import write_pipelines
from fleetcast.domain.ci import Ci
from fleetcast.ports.clock import SystemClock
from tests.azure_oracle.published import as_published_of_devops
from tests.devops_server.organisation import PROJECT, Organisation, made_id
from tests.devops_server.server import TOKEN, DevOpsServer, devops_server

Output = pytest.CaptureFixture[str]

GROUPS = {
    "mlops-dev-variables",
    "mlops-test-variables",
    "mlops-prod-variables",
    "mlops-registry-variables",
    "mlops-pipeline-settings",
    "mlops-shared-variables",
}
ENVIRONMENTS = {"registry-promotion", "test-deployment", "prod-deployment", "rollback", "dummy"}
CONNECTIONS = ("mlops-dev", "mlops-test", "mlops-prod", "mlops-rollback")


@pytest.fixture
def server() -> Iterator[DevOpsServer]:
    with devops_server() as running:
        yield running
        as_published_of_devops(running.exchanges)


@pytest.fixture
def organisation(server: DevOpsServer) -> Organisation:
    return server.organisation


@pytest.fixture
def fleet(tmp_path: Path, server: DevOpsServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_pipelines(tmp_path, Ci.AZURE_DEVOPS, "1.0.0")
    (tmp_path / "fleetcast.yaml").write_text(settings(server.url))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AZURE_DEVOPS_EXT_PAT", TOKEN)
    monkeypatch.delenv("SYSTEM_ACCESSTOKEN", raising=False)
    return tmp_path


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> list[timedelta]:
    """The pauses that were asked for, and not made."""
    paused: list[timedelta] = []
    monkeypatch.setattr(SystemClock, "sleep", lambda _self, length: paused.append(length))
    return paused


def settings(url: str) -> str:
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
    prod-deployment: [{made_id("senior 1")}, {made_id("senior 2")}, {made_id("lead")}]
  variables:
    mlops-dev-variables: {{workspace: fleet-dev}}
"""


def setup(*words: str) -> int:
    return run(["setup", "azure-devops", *words])


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


@pytest.fixture
def installed(fleet: Path, server: DevOpsServer, capsys: Output) -> Path:
    assert setup("--apply", "--yes") == 0
    capsys.readouterr()
    server.exchanges.clear()
    return fleet


@pytest.mark.usefixtures("fleet")
def test_a_fresh_project_gets_everything(
    server: DevOpsServer, organisation: Organisation, capsys: Output
) -> None:
    assert setup("--apply", "--yes") == 0
    said = capsys.readouterr().out
    assert "nothing to do: " in said
    assert "+ approval check prod-deployment: done" in said
    assert {one["name"] for one in organisation.groups.values()} == GROUPS
    assert {one["name"] for one in organisation.environments.values()} == ENVIRONMENTS
    assert {one["name"] for one in organisation.endpoints.values()} == set(CONNECTIONS)
    assert len(organisation.definitions) == 8
    assert len(organisation.checks) == 3
    assert len(organisation.policies) == 6
    assert server.unknown == []

    dev = organisation.named("groups", "mlops-dev-variables")
    assert dev["variables"] == {"fleetEnvironment": {"value": "dev"}, "workspace": {"value": "fleet-dev"}}
    shared = organisation.named("groups", "mlops-shared-variables")
    assert shared["providerData"] == {
        "serviceEndpointId": made_id("endpoint mlops-dev"),
        "vault": "fleet-secrets",
    }
    assert set(shared["variables"]) == {"databaseUrl", "signingKey"}
    assert all("value" not in one for one in shared["variables"].values())


@pytest.mark.usefixtures("installed")
def test_what_was_made_asks_what_the_gates_of_the_fleet_ask(organisation: Organisation) -> None:
    prod = organisation.check_of("prod-deployment")
    assert prod["timeout"] == 30 * 24 * 60
    assert prod["settings"]["minRequiredApprovers"] == 2
    assert prod["settings"]["requesterCannotBeApprover"] is True
    assert len(prod["settings"]["approvers"]) == 3
    assert "fleetcast approve" in prod["settings"]["instructions"]
    lone = organisation.check_of("test-deployment")["settings"]
    assert (lone["minRequiredApprovers"], lone["requesterCannotBeApprover"]) == (1, False)
    asked = {
        (one["settings"]["scope"][0]["refName"], one["settings"]["scope"][0]["matchKind"])
        for one in organisation.policies.values()
    }
    assert asked == {
        ("refs/heads/develop", "exact"),
        ("refs/heads/main", "exact"),
        ("refs/heads/release/", "prefix"),
    }


@pytest.mark.usefixtures("installed")
def test_each_pipeline_may_use_what_it_names_and_nothing_else(organisation: Organisation) -> None:
    names = {one["id"]: one["name"] for one in organisation.definitions.values()}
    prod = str(organisation.named("environments", "prod-deployment")["id"])
    held = organisation.permissions["environment", prod]
    assert [names[one["id"]] for one in held["pipelines"]] == ["prod-deployment-pipeline"]
    rollback = organisation.permissions["endpoint", made_id("endpoint mlops-rollback")]
    assert [names[one["id"]] for one in rollback["pipelines"]] == ["rollback-pipeline"]
    assert all("allPipelines" not in one for one in organisation.permissions.values())


@pytest.mark.usefixtures("installed")
def test_again_there_is_nothing_to_do_and_nothing_is_written(server: DevOpsServer, capsys: Output) -> None:
    assert setup("--apply", "--yes") == 0
    said = capsys.readouterr().out
    assert said.startswith("nothing to do: ")
    assert "next:" not in said
    assert server.writes == []


@pytest.mark.usefixtures("fleet")
def test_a_plan_changes_nothing_and_says_who_may_apply_it(server: DevOpsServer, capsys: Output) -> None:
    assert setup() == 0
    said = capsys.readouterr().out
    assert "+ variable group mlops-dev-variables\n      holds: values\n" in said
    assert "\n      variable workspace: fleet-dev\n" in said
    assert "variable group: Pipelines, Library, Security: Administrator" in said
    assert said.endswith("next: fleetcast setup azure-devops --apply\n")
    assert server.writes == []


@pytest.mark.usefixtures("installed")
def test_drift_is_found_field_by_field_and_repaired(
    server: DevOpsServer, organisation: Organisation, capsys: Output
) -> None:
    organisation.named("groups", "mlops-dev-variables")["variables"] |= {
        "workspace": {"value": "somewhere"},
        "theirs": {"value": "kept"},
        "typed": {"value": "a-secret", "isSecret": True},
    }
    organisation.check_of("prod-deployment")["settings"]["minRequiredApprovers"] = 1
    lost = organisation.check_of("test-deployment")
    del organisation.checks[lost["id"]]
    organisation.named("definitions", "training-pipeline")["process"]["yamlFilename"] = "/wrong.yml"

    plan = as_json(capsys, "--plan")
    found = changes(plan)
    assert found["change variable group mlops-dev-variables"] == [
        ("variable workspace", "somewhere", "fleet-dev")
    ]
    assert found["change approval check prod-deployment"] == [("minimum", "1", "2")]
    assert found["change pipeline training-pipeline"] == [
        ("file", "wrong.yml", ".azuredevops/training-pipeline.yml")
    ]
    assert "create approval check test-deployment" in found
    assert len(found) == 4
    assert server.writes == []

    assert setup("--apply", "--yes") == 0
    said = capsys.readouterr().out
    assert "      variable workspace: somewhere → fleet-dev\n" in said
    assert "a-secret" not in said
    assert organisation.named("groups", "mlops-dev-variables")["variables"] == {
        "fleetEnvironment": {"value": "dev"},
        "workspace": {"value": "fleet-dev"},
        "theirs": {"value": "kept"},
        "typed": {"value": "a-secret", "isSecret": True},
    }
    assert organisation.check_of("test-deployment")["settings"]["minRequiredApprovers"] == 1
    assert as_json(capsys, "--verify")["nothing_to_do"] is True


@pytest.mark.usefixtures("installed")
def test_what_was_opened_weakened_or_switched_off_by_hand_is_closed_again(
    organisation: Organisation, capsys: Output
) -> None:
    endpoint = organisation.named("endpoints", "mlops-prod")
    endpoint["authorization"] = {
        "scheme": "ServicePrincipal",
        "parameters": {"tenantid": made_id("tenant"), "serviceprincipalid": made_id("mlops-prod")},
    }
    organisation.permissions["endpoint", endpoint["id"]]["allPipelines"] = {"authorized": True}
    policy = next(one for one in organisation.policies.values() if "buildDefinitionId" in one["settings"])
    policy["isEnabled"] = False
    organisation.named("definitions", "rollback-pipeline")["queueStatus"] = "disabled"
    found = changes(as_json(capsys, "--plan"))
    assert found.pop("change service connection mlops-prod") == [
        ("scheme", "ServicePrincipal", "WorkloadIdentityFederation")
    ]
    assert found.pop("change permission to use service connection mlops-prod") == [
        ("open to every pipeline", "yes", "no")
    ]
    assert found.pop("change pipeline rollback-pipeline") == [("enabled", "no", "yes")]
    assert list(found.values()) == [[("enabled", "no", "yes")]]
    assert setup("--apply", "--yes") == 0
    assert "nothing to do" in capsys.readouterr().out


@pytest.mark.usefixtures("installed")
def test_things_of_others_are_shown_and_stay(
    server: DevOpsServer, organisation: Organisation, capsys: Output
) -> None:
    organisation.groups[900] = {
        "id": 900,
        "name": "payroll",
        "type": "Vsts",
        "variables": {"a": {"value": "1"}},
    }
    organisation.environments[901] = {"id": 901, "name": "payroll-prod"}
    organisation.definitions[902] = {
        **organisation.named("definitions", "training-pipeline"),
        "id": 902,
        "path": "\\other",
    }
    organisation.policies[903] = {
        **organisation.policies[next(iter(organisation.policies))],
        "id": 903,
        "settings": {"minimumApproverCount": 4, "scope": [{"repositoryId": None}]},
    }
    plan = as_json(capsys, "--plan")
    assert plan["nothing_to_do"] is True
    assert {(one["kind"], one["name"]) for one in plan["not_ours"]} == {
        ("variable group", "payroll"),
        ("environment", "payroll-prod"),
        ("pipeline", "\\other\\training-pipeline"),
        ("branch policy", "reviewers of policy 903"),
    }
    assert setup("--apply", "--yes") == 0
    assert server.writes == []


@pytest.mark.usefixtures("installed")
def test_verifying_changes_nothing_and_ends_with_1_where_something_differs(
    server: DevOpsServer, organisation: Organisation, capsys: Output
) -> None:
    assert setup("--verify") == 0
    said = capsys.readouterr().out
    assert "nothing to do" in said
    assert f"subject sc://acme/{PROJECT}/mlops-dev" in said
    organisation.named("groups", "mlops-dev-variables")["variables"]["workspace"]["value"] = "other"
    assert setup("--verify") == 1
    said = capsys.readouterr().out
    assert "~ variable group mlops-dev-variables\n      variable workspace: other → fleet-dev\n" in said
    assert "whoever applies it needs, at least:" in said
    assert server.writes == []


@pytest.mark.usefixtures("fleet")
def test_a_group_that_holds_values_of_others_is_left_to_people(
    organisation: Organisation, capsys: Output
) -> None:
    organisation.groups[900] = {
        "id": 900,
        "name": "mlops-shared-variables",
        "type": "Vsts",
        "variables": {"databaseUrl": {"value": "postgresql://secret", "isSecret": True}},
    }
    assert setup("--apply", "--yes") == 1
    said = capsys.readouterr().out
    assert "! variable group mlops-shared-variables" in said
    assert "postgresql://secret" not in said
    assert organisation.groups[900]["type"] == "Vsts"
    assert len(organisation.checks) == 3


@pytest.mark.usefixtures("fleet", "impatient")
def test_a_fault_in_the_middle_says_where_and_the_same_command_does_the_rest(
    server: DevOpsServer, organisation: Organisation, capsys: Output
) -> None:
    server.fail("POST", "/build/definitions", 403)
    assert setup("--apply", "--yes") == 1
    said = capsys.readouterr()
    assert "error: stopped at pipeline dummy-promote-single-model-pipeline, with 18 of " in said.err
    assert "Azure DevOps refuses POST" in said.err
    assert "then run the same command again: it does the rest" in said.err
    assert organisation.definitions == {}
    made = len(organisation.groups)
    assert setup("--apply", "--yes") == 0
    assert (len(organisation.groups), len(organisation.definitions)) == (made, 8)
    assert "nothing to do" in capsys.readouterr().out


@pytest.mark.usefixtures("fleet")
def test_busy_and_broken_answers_are_waited_for(server: DevOpsServer, impatient: list[timedelta]) -> None:
    server.fail("GET", "/variablegroups", 429, times=2, headers={"Retry-After": "7"})
    server.fail("POST", "/environments", 503)
    assert setup("--apply", "--yes") == 0
    assert impatient == [timedelta(seconds=7), timedelta(seconds=7), timedelta(seconds=1)]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("serviceendpoint/endpoints", "endpoints"),
        ("distributedtask/variablegroups", "groups"),
        ("distributedtask/environments", "environments"),
        ("checks/configurations", "checks"),
        ("build/definitions", "definitions"),
        ("policy/configurations", "policies"),
    ],
)
@pytest.mark.usefixtures("fleet")
def test_what_was_made_though_the_answer_was_lost_is_found_by_the_next_run(
    server: DevOpsServer,
    organisation: Organisation,
    impatient: list[timedelta],
    capsys: Output,
    path: str,
    kind: str,
) -> None:
    server.fail("POST", path, 504, is_done=True)
    assert setup("--apply", "--yes") == 1
    assert "with 504" in capsys.readouterr().err
    assert len(getattr(organisation, kind)) == 1
    assert setup("--apply", "--yes") == 0
    assert impatient == []
    capsys.readouterr()
    found = as_json(capsys, "--verify")
    assert (found["nothing_to_do"], found["not_ours"]) == (True, [])


@pytest.mark.usefixtures("fleet")
def test_a_wrong_token_and_no_token_are_said_and_never_shown(
    server: DevOpsServer, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setenv("AZURE_DEVOPS_EXT_PAT", "somebody-elses-token")
    assert setup() == 1
    said = capsys.readouterr()
    assert "Azure DevOps refuses GET" in said.err
    assert "somebody-elses-token" not in said.out + said.err
    monkeypatch.delenv("AZURE_DEVOPS_EXT_PAT")
    server.exchanges.clear()
    assert setup() == 1
    assert "no token for Azure DevOps" in capsys.readouterr().err
    assert server.exchanges == []
    monkeypatch.setenv("SYSTEM_ACCESSTOKEN", TOKEN)
    assert setup() == 0


@pytest.mark.usefixtures("fleet")
def test_no_secret_is_in_what_is_said_or_sent(server: DevOpsServer, capsys: Output) -> None:
    assert setup("--apply", "--yes") == 0
    assert setup("--verify", "--format", "json") == 0
    said = capsys.readouterr()
    sent = json.dumps([[one.path, dict(one.query), one.request] for one in server.exchanges])
    assert TOKEN not in said.out + said.err + sent
    assert all(shown.startswith("Basic ") for shown in server.shown)


@pytest.mark.usefixtures("fleet")
def test_only_an_admin_may(server: DevOpsServer, monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    assert run(["people", "add", "robot", "--service", "--role", "operator"]) == 0
    capsys.readouterr()
    assert run(["token", "create", "tries", "--of", "robot", "--format", "json"]) == 0
    secret = json.loads(capsys.readouterr().out)["secret"]
    monkeypatch.setenv(TOKEN_VARIABLE, secret)
    assert setup("--apply", "--yes") == 1
    assert "manage" in capsys.readouterr().err
    assert server.exchanges == []


@pytest.mark.usefixtures("fleet")
def test_it_asks_before_it_applies(
    server: DevOpsServer, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert setup("--apply") == 1
    assert "Apply this?" in capsys.readouterr().out
    assert server.writes == []
    assert setup("--apply", "--format", "json") == 1
    assert "a program cannot be asked" in capsys.readouterr().err
    assert setup("--apply", "--verify") == 64


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("azure_devops:", "other_things:", "unknown key"),
        ("    mlops-rollback:", "    mlops-other:", "these service connections act: mlops-rollback"),
        (f"[{made_id('senior 1')}, ", "[", ""),
        (f"    test-deployment: [{made_id('qa')}]\n", "", "test-deployment needs 1 approver"),
    ],
)
def test_settings_that_lack_something_are_named_before_anything_is_asked(
    fleet: Path, server: DevOpsServer, capsys: Output, old: str, new: str, says: str
) -> None:
    file = fleet / "fleetcast.yaml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))
    assert setup() == (1 if says else 0)
    assert says in capsys.readouterr().err
    assert bool(server.exchanges) is not bool(says)


def test_a_fleet_without_pipelines_is_told_how_to_get_some(fleet: Path, capsys: Output) -> None:
    for path in (fleet / ".azuredevops").glob("*.yml"):
        path.unlink()
    assert setup() == 1
    assert "fleetcast update-template --ci azure-devops" in capsys.readouterr().err
