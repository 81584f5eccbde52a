"""What fleetcast reads of a project and writes there: whatever somebody changes is seen, and put right."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from fleetcast.domain.errors import Unavailable
from fleetcast.domain.installation import Change, Create, Item, plan_installation
from fleetcast.domain.installed import Kind, Ref
from fleetcast.domain.installed_devops import (
    ApprovalCheck,
    BranchPolicy,
    BuildValidation,
    Environment,
    Pipeline,
    Reviewers,
    ServiceConnection,
    UsePermission,
    VariableGroup,
    Variables,
    VaultSecrets,
)
from fleetcast.domain.settings.azure_devops import AzureDevOpsSettings, LinkedVault
from fleetcast.platforms.azuredevops.installation import AzureDevOpsInstallation
from fleetcast.platforms.azuredevops.project import open_project
from fleetcast.ports.installation import Installation
from tests.azure_oracle.published import as_published_of_devops
from tests.clocks import FixedClock
from tests.devops_server.organisation import PROJECT, Organisation
from tests.devops_server.server import TOKEN, DevOpsServer, devops_server

WANTED: tuple[Item, ...] = (
    ServiceConnection("mlops-dev", "a-tenant", "a-subscription", "Plants", "a-client"),
    VariableGroup("values", Variables({"a": "1"})),
    VariableGroup("secrets", VaultSecrets("vault", "mlops-dev", frozenset({"databaseUrl"}))),
    Environment("prod"),
    ApprovalCheck(
        "prod",
        frozenset({"id-1", "id-2"}),
        2,
        own_run_allowed=False,
        lapses_after=timedelta(days=1),
        instructions="look",
    ),
    Pipeline("deploy", ".azuredevops/deploy.yml", "fleet", "main"),
    Pipeline("check", ".azuredevops/check.yml", "fleet", "main"),
    UsePermission(Ref(Kind.ENVIRONMENT, "prod"), frozenset({"deploy"})),
    BranchPolicy("release/*", Reviewers(2)),
    BranchPolicy("main", BuildValidation("check")),
)


@pytest.fixture
def server() -> Iterator[DevOpsServer]:
    with devops_server() as running:
        yield running
        as_published_of_devops(running.exchanges)


@pytest.fixture
def installation(server: DevOpsServer) -> Installation:
    settings = AzureDevOpsSettings("acme", PROJECT, "fleet", LinkedVault("vault"), server.url)
    project = open_project(settings, {"SYSTEM_ACCESSTOKEN": TOKEN}, FixedClock())
    made = AzureDevOpsInstallation(project, "fleet")
    bring(made)
    return made


def bring(installation: Installation) -> list[str]:
    """Plan and apply; gives the fields that were changed, or `missing` for what was made."""
    changed = []
    for step in plan_installation(WANTED, installation.found(WANTED)).work:
        match step:
            case Create(item=item):
                installation.create(item)
                changed.append("missing")
            case Change(item=item, changes=changes):
                installation.change(item)
                changed += [one.name for one in changes]
    return changed


def check(org: Organisation) -> Any:
    return org.check_of("prod")


def policy(org: Organisation, setting: str) -> Any:
    return next(one for one in org.policies.values() if setting in one["settings"])


def reviewers(org: Organisation) -> Any:
    return policy(org, "minimumApproverCount")


def build(org: Organisation) -> Any:
    return policy(org, "buildDefinitionId")


def deploy(org: Organisation) -> Any:
    return org.named("definitions", "deploy")


def permission(org: Organisation) -> Any:
    return org.permissions["environment", str(org.named("environments", "prod")["id"])]


def connection(org: Organisation) -> Any:
    return org.named("endpoints", "mlops-dev")


def parameters(org: Organisation) -> Any:
    return connection(org)["authorization"]["parameters"]


def secrets(org: Organisation) -> Any:
    return org.named("groups", "secrets")


Drift = Callable[[Organisation], object]
DRIFTS: dict[str, tuple[str, Drift]] = {
    "another tenant": ("tenant", lambda org: parameters(org).update(tenantid="x")),
    "another identity": ("identity", lambda org: parameters(org).update(serviceprincipalid="x")),
    "another subscription": ("subscription", lambda org: connection(org)["data"].update(subscriptionId="x")),
    "its name": ("subscription name", lambda org: connection(org)["data"].update(subscriptionName="x")),
    "a key in place of federation": (
        "scheme",
        lambda org: connection(org)["authorization"].update(scheme="ServicePrincipal"),
    ),
    "another value": (
        "variable a",
        lambda org: org.named("groups", "values")["variables"].update(a={"value": "2"}),
    ),
    "a secret in its place": (
        "variable a",
        lambda org: org.named("groups", "values")["variables"].update(a={"value": "1", "isSecret": True}),
    ),
    "a value gone": (
        "variable a",
        lambda org: org.named("groups", "values").update(variables={"b": {"value": "1"}}),
    ),
    "another vault": ("key vault", lambda org: secrets(org)["providerData"].update(vault="x")),
    "another way to it": (
        "connection",
        lambda org: secrets(org)["providerData"].update(serviceEndpointId="x"),
    ),
    "a secret gone": (
        "secret databaseUrl",
        lambda org: secrets(org).update(variables={"other": {"isSecret": True, "enabled": True}}),
    ),
    "one more approver": (
        "approvers",
        lambda org: check(org)["settings"]["approvers"].append({"id": "id-3"}),
    ),
    "one approver less": ("approvers", lambda org: check(org)["settings"]["approvers"].pop()),
    "a lower minimum": ("minimum", lambda org: check(org)["settings"].update(minRequiredApprovers=1)),
    "own runs": ("own run", lambda org: check(org)["settings"].update(requesterCannotBeApprover=False)),
    "another time": ("time-out", lambda org: check(org).update(timeout=5)),
    "other instructions": ("instructions", lambda org: check(org)["settings"].update(instructions="click")),
    "a check switched off": ("enabled", lambda org: check(org).update(isDisabled=True)),
    "a check gone": ("missing", lambda org: org.checks.clear()),
    "another file": ("file", lambda org: deploy(org)["process"].update(yamlFilename="/x.yml")),
    "another branch": ("branch", lambda org: deploy(org)["repository"].update(defaultBranch="refs/heads/x")),
    "another repository": ("repository", lambda org: deploy(org)["repository"].update(name="x")),
    "a pipeline paused": ("enabled", lambda org: deploy(org).update(queueStatus="paused")),
    "triggers of its own": (
        "triggers in its file",
        lambda org: deploy(org)["triggers"][0].update(settingsSourceType=1),
    ),
    "open to all": (
        "open to every pipeline",
        lambda org: permission(org).update(allPipelines={"authorized": True}),
    ),
    "closed to ours": ("missing", lambda org: permission(org).update(pipelines=[])),
    "fewer reviewers": ("minimum", lambda org: reviewers(org)["settings"].update(minimumApproverCount=1)),
    "own votes": ("own vote counts", lambda org: reviewers(org)["settings"].update(creatorVoteCounts=True)),
    "votes that outlive a push": (
        "reset by a push",
        lambda org: reviewers(org)["settings"].update(resetOnSourcePush=False),
    ),
    "reviewers switched off": ("enabled", lambda org: reviewers(org).update(isEnabled=False)),
    "reviewers optional": ("blocking", lambda org: reviewers(org).update(isBlocking=False)),
    "another build": (
        "pipeline",
        lambda org: build(org)["settings"].update(buildDefinitionId=deploy(org)["id"]),
    ),
    "a policy of another branch": (
        "missing",
        lambda org: build(org)["settings"]["scope"][0].update(refName="refs/heads/x"),
    ),
    "policies gone": ("missing", lambda org: org.policies.pop(reviewers(org)["id"])),
}


@pytest.mark.parametrize("name", DRIFTS)
def test_whatever_somebody_changes_is_seen_and_put_right(
    server: DevOpsServer, installation: Installation, name: str
) -> None:
    assert bring(installation) == []
    field, drift = DRIFTS[name]
    drift(server.organisation)
    assert bring(installation) == [field]
    assert bring(installation) == []
    assert server.unknown == []


def test_what_somebody_has_added_stays_when_something_else_is_put_right(
    server: DevOpsServer, installation: Installation
) -> None:
    org = server.organisation
    org.named("groups", "values")["variables"] |= {"a": {"value": "2"}, "b": {"value": "x", "isSecret": True}}
    secrets(org)["variables"]["theirs"] = {"isSecret": True, "enabled": True}
    secrets(org)["providerData"]["vault"] = "x"
    permission(org)["pipelines"] = [{"id": org.named("definitions", "check")["id"], "authorized": True}]
    check(org)["settings"] |= {"blockedApprovers": [{"id": "id-9"}], "minRequiredApprovers": 1}
    reviewers(org)["settings"] |= {"allowDownvotes": True, "minimumApproverCount": 1}
    deploy(org)["triggers"].append({"triggerType": "schedule"})
    deploy(org)["queueStatus"] = "disabled"
    assert sorted(bring(installation)) == [
        "enabled", "key vault", "minimum", "minimum", "pipeline deploy", "variable a",
    ]  # fmt: skip
    assert org.named("groups", "values")["variables"]["b"] == {"value": "x", "isSecret": True}
    assert set(secrets(org)["variables"]) == {"databaseUrl", "theirs"}
    assert len(permission(org)["pipelines"]) == 2
    assert check(org)["settings"]["blockedApprovers"] == [{"id": "id-9"}]
    assert reviewers(org)["settings"]["allowDownvotes"] is True
    assert {"triggerType": "schedule"} in deploy(org)["triggers"]


def test_issuer_and_subject_of_a_federated_connection_are_read(installation: Installation) -> None:
    (found,) = [one for one in installation.found(()) if isinstance(one, ServiceConnection)]
    assert found.issuer.startswith("https://vstoken.dev.azure.com/")
    assert found.subject == f"sc://acme/{PROJECT}/mlops-dev"


def test_a_change_that_somebody_else_makes_at_once_is_not_overwritten(
    server: DevOpsServer, installation: Installation
) -> None:
    installation.found(WANTED)
    deploy(server.organisation)["revision"] += 1
    with pytest.raises(Unavailable, match="409: The pipeline was changed by somebody else"):
        installation.change(next(one for one in WANTED if isinstance(one, Pipeline) and one.name == "deploy"))
