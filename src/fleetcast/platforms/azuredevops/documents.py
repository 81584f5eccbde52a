"""Things of an installation as Azure DevOps describes them: read into ours, and ours written for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from fleetcast.domain.canonical import Json
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
from fleetcast.platforms.http.documents import Document, documents, inside, number, text

APPROVAL = "8c6f20a7-a545-4486-9777-f762fafe0d4d"
"""The type of a check that asks people."""
REVIEWERS, BUILD = "fa4e907d-c16b-4a4c-9dfa-4906e5d171dd", "0609b952-1397-4640-95ec-e00a01b2c241"
"""The types of branch policies that ask for reviewers, and for a build."""
FOLDER = "\\fleetcast"
"""In which our pipelines are."""
_VAULT, _VALUES = "AzureKeyVault", "Vsts"
_POLICY_NAME = "fleetcast"
_HEADS, _ALL_BELOW = "refs/heads/", "/*"
_CONTINUOUS = "continuousIntegration"
_IN_FILE = 2
"""The source of a trigger's settings: the pipeline's file."""
_YAML = 2
"""The kind of process that a file describes."""


@dataclass(frozen=True, slots=True)
class Place:
    """The project and repository that documents name, and what has which id there."""

    project_id: str
    project: str
    repository_id: str
    repository: str


def connection_in(found: Document) -> ServiceConnection:
    """Read a service connection of any kind."""
    authorization, data = inside(found, "authorization"), inside(found, "data")
    parameters = inside(authorization, "parameters")
    return ServiceConnection(
        text(found, "name"),
        text(parameters, "tenantid").lower(),
        text(data, "subscriptionId").lower(),
        text(data, "subscriptionName"),
        text(parameters, "serviceprincipalid").lower(),
        text(authorization, "scheme"),
        issuer=text(parameters, "workloadIdentityFederationIssuer"),
        subject=text(parameters, "workloadIdentityFederationSubject"),
    )


def connection_for(item: ServiceConnection, place: Place, found: Document | None) -> Json:
    """Write a service connection; what it has besides stays."""
    has = found or {}
    return {
        "serviceEndpointProjectReferences": [
            {"projectReference": {"id": place.project_id, "name": place.project}, "name": item.name}
        ],
        "url": "https://management.azure.com/",
        "isShared": False,
        "isReady": True,
        **has,
        "name": item.name,
        "type": "AzureRM",
        "data": {
            "environment": "AzureCloud",
            "scopeLevel": "Subscription",
            "creationMode": "Manual",
            **inside(has, "data"),
            "subscriptionId": item.subscription,
            "subscriptionName": item.subscription_name,
        },
        "authorization": {
            "scheme": item.scheme,
            "parameters": {"tenantid": item.tenant, "serviceprincipalid": item.client_id},
        },
    }


def group_in(found: Document, connections: Mapping[str, str]) -> VariableGroup:
    """Read a variable group.

    Args:
        found: The document.
        connections: Names of service connections, by their ids.
    """
    variables = inside(found, "variables")
    name = text(found, "name")
    if text(found, "type") == _VAULT:
        provider = inside(found, "providerData")
        by = text(provider, "serviceEndpointId")
        return VariableGroup(
            name, VaultSecrets(text(provider, "vault"), connections.get(by, by), frozenset(variables))
        )
    hidden = {key for key in variables if inside(variables, key).get("isSecret") is True}
    values = {key: text(inside(variables, key), "value") for key in variables if key not in hidden}
    return VariableGroup(name, Variables(values, frozenset(hidden)))


def group_for(
    item: VariableGroup, place: Place, found: Document | None, connections: Mapping[str, str]
) -> Json:
    """Write a variable group; variables of somebody else stay, secret ones with the value that nobody sees.

    Args:
        item: What it should be.
        place: Of the project.
        found: What it is.
        connections: Ids of service connections, by their names.
    """
    has = found or {}
    body: dict[str, Json] = {
        "name": item.name,
        "description": text(has, "description") or "Written by `fleetcast setup azure-devops`.",
        "variableGroupProjectReferences": has.get("variableGroupProjectReferences")
        or [{"projectReference": {"id": place.project_id, "name": place.project}, "name": item.name}],
    }
    match item.content:
        case VaultSecrets(vault=vault, connection=connection, names=names):
            same_kind = text(has, "type") == _VAULT
            kept = inside(has, "variables") if same_kind else {}
            linked = {name: {"isSecret": True, "enabled": True} for name in sorted(names)}
            provider = {"serviceEndpointId": connections[connection], "vault": vault}
            return {**body, "type": _VAULT, "providerData": provider, "variables": {**_kept(kept), **linked}}
        case Variables(values=values):
            kept = inside(has, "variables") if text(has, "type") != _VAULT else {}
            plain = {name: {"value": value} for name, value in sorted(values.items())}
            return {**body, "type": _VALUES, "variables": {**_kept(kept), **plain}}


def _kept(variables: Document) -> Mapping[str, Json]:
    """Variables as they are; a secret's value is left out, and so stays."""
    return {
        name: {key: value for key, value in inside(variables, name).items() if value is not None}
        for name in variables
    }


def environment_in(found: Document) -> Environment:
    """Read an environment."""
    return Environment(text(found, "name"))


def environment_for(item: Environment) -> Json:
    """Write an environment."""
    return {"name": item.name, "description": "Written by `fleetcast setup azure-devops`."}


def check_in(found: Document) -> ApprovalCheck:
    """Read an approval check of an environment."""
    settings = inside(found, "settings")
    return ApprovalCheck(
        text(inside(found, "resource"), "name"),
        frozenset(text(one, "id").lower() for one in documents(settings, "approvers")),
        number(settings, "minRequiredApprovers"),
        settings.get("requesterCannotBeApprover") is not True,
        timedelta(minutes=number(found, "timeout")),
        text(settings, "instructions"),
        found.get("isDisabled") is not True,
    )


def check_for(item: ApprovalCheck, environment_id: str, found: Document | None) -> Json:
    """Write an approval check of an environment; who is kept from approving stays so."""
    had = inside(found or {}, "settings")
    return {
        "type": {"id": APPROVAL, "name": "Approval"},
        "resource": {"type": "environment", "id": environment_id, "name": item.environment},
        "timeout": int(item.lapses_after / timedelta(minutes=1)),
        "isDisabled": not item.enabled,
        "settings": {
            "approvers": [{"id": one} for one in sorted(item.approvers)],
            "blockedApprovers": [
                {"id": text(one, "id")} for one in documents(had, "blockedApprovers") if text(one, "id")
            ],
            "executionOrder": text(had, "executionOrder") or "anyOrder",
            "instructions": item.instructions,
            "minRequiredApprovers": item.minimum,
            "requesterCannotBeApprover": not item.own_run_allowed,
        },
    }


def pipeline_in(found: Document) -> Pipeline:
    """Read a pipeline in full."""
    repository = inside(found, "repository")
    return Pipeline(
        text(found, "name"),
        text(inside(found, "process"), "yamlFilename").removeprefix("/"),
        text(repository, "name"),
        text(repository, "defaultBranch").removeprefix(_HEADS),
        text(found, "queueStatus") in ("", "enabled"),
        any(
            text(one, "triggerType") == _CONTINUOUS and number(one, "settingsSourceType") == _IN_FILE
            for one in documents(found, "triggers")
        ),
    )


def pipeline_for(item: Pipeline, place: Place, found: Document | None) -> Json:
    """Write a pipeline; what it has besides stays."""
    has = found or {}
    others = [one for one in documents(has, "triggers") if text(one, "triggerType") != _CONTINUOUS]
    return {
        "path": FOLDER,
        "type": "build",
        "quality": "definition",
        "queue": {"name": "Azure Pipelines"},
        **has,
        "name": item.name,
        "queueStatus": "enabled",
        "process": {"type": _YAML, "yamlFilename": item.file},
        "repository": {
            "id": place.repository_id,
            "name": place.repository,
            "type": "TfsGit",
            "defaultBranch": f"{_HEADS}{item.branch}",
        },
        "triggers": [*others, {"triggerType": _CONTINUOUS, "settingsSourceType": _IN_FILE}],
    }


def permission_in(found: Document, item: UsePermission, pipelines: Mapping[str, str]) -> UsePermission | None:
    """Read who may use something; None where nobody may yet.

    Args:
        found: The document.
        item: Of what.
        pipelines: Names of ours, by their ids; others go by their ids.
    """
    may = (text(one, "id") for one in documents(found, "pipelines") if one.get("authorized") is True)
    names = frozenset(pipelines.get(one, f"#{one}") for one in may)
    is_open = inside(found, "allPipelines").get("authorized") is True
    return UsePermission(item.resource, names, is_open) if names or is_open else None


def permission_for(item: UsePermission, kind: str, resource_id: str, pipelines: Mapping[str, int]) -> Json:
    """Write who may use something; others who may are not named, and so still may.

    Args:
        item: Who.
        kind: Of the resource.
        resource_id: Which.
        pipelines: Ids of ours, by their names.
    """
    return {
        "resource": {"type": kind, "id": resource_id, "name": item.resource.name},
        "allPipelines": {"authorized": item.open_to_all},
        "pipelines": [{"id": pipelines[name], "authorized": True} for name in sorted(item.pipelines)],
    }


def policy_in(found: Document, place: Place, pipelines: Mapping[str, str]) -> BranchPolicy | None:
    """Read a branch policy; None if it asks something else than ours do.

    One that covers more than one branch, or another repository, or a build that is none of ours goes by its number.
    """
    settings, kind = inside(found, "settings"), text(inside(found, "type"), "id").lower()
    rule: Reviewers | BuildValidation
    is_ours = True
    if kind == REVIEWERS:
        rule = Reviewers(
            number(settings, "minimumApproverCount"),
            settings.get("creatorVoteCounts") is True,
            settings.get("resetOnSourcePush") is True,
        )
    elif kind == BUILD:
        build = text(settings, "buildDefinitionId")
        rule = BuildValidation(pipelines.get(build, f"#{build}"))
        is_ours = build in pipelines or text(settings, "displayName") == _POLICY_NAME
    else:
        return None
    scopes = list(documents(settings, "scope"))
    scope = scopes[0] if len(scopes) == 1 else {}
    branch = _branch_in(scope) if text(scope, "repositoryId").lower() == place.repository_id.lower() else ""
    name = branch if branch and is_ours else f"policy {text(found, 'id')}"
    return BranchPolicy(name, rule, found.get("isEnabled") is True, found.get("isBlocking") is True)


def policy_for(
    item: BranchPolicy, place: Place, found: Document | None, pipelines: Mapping[str, int]
) -> Json:
    """Write a branch policy; what it asks besides stays."""
    had = inside(found or {}, "settings")
    if item.branch.endswith(_ALL_BELOW):
        branch, match = item.branch.removesuffix("*"), "prefix"
    else:
        branch, match = item.branch, "exact"
    scope = {"repositoryId": place.repository_id, "refName": f"{_HEADS}{branch}", "matchKind": match}
    match item.rule:
        case Reviewers(minimum=minimum, own_vote_counts=own, reset_by_push=reset):
            kind = REVIEWERS
            asked: Mapping[str, Json] = {
                "allowDownvotes": False,
                **had,
                "minimumApproverCount": minimum,
                "creatorVoteCounts": own,
                "resetOnSourcePush": reset,
            }
        case BuildValidation(pipeline=pipeline):
            kind = BUILD
            asked = {
                "queueOnSourceUpdateOnly": False,
                "manualQueueOnly": False,
                "validDuration": 0,
                **had,
                "displayName": _POLICY_NAME,
                "buildDefinitionId": pipelines[pipeline],
            }
    return {
        "isEnabled": item.enabled,
        "isBlocking": item.blocking,
        "type": {"id": kind},
        "settings": {**asked, "scope": [scope]},
    }


def _branch_in(scope: Document) -> str:
    """The branch of a policy, as ours name it; empty: none."""
    name = text(scope, "refName")
    if not name.startswith(_HEADS):
        return ""
    branch = name.removeprefix(_HEADS)
    return f"{branch.rstrip('/')}{_ALL_BELOW}" if text(scope, "matchKind").lower() == "prefix" else branch
