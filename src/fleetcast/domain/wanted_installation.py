"""What an installation in Azure DevOps should hold, from the settings of a fleet and what its pipelines name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from fleetcast.domain.branch import LEADS_TO
from fleetcast.domain.duration import format_duration
from fleetcast.domain.errors import BadInput
from fleetcast.domain.installation import Item
from fleetcast.domain.installed import Kind, Ref
from fleetcast.domain.installed_devops import (
    REGISTRY_GROUP,
    SETTINGS_GROUP,
    SHARED_GROUP,
    VARIABLE_GROUPS,
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
from fleetcast.domain.place import EnvironmentName, Gate
from fleetcast.domain.settings import AzureSettings, Settings
from fleetcast.domain.settings.azure_devops import AzureDevOpsSettings
from fleetcast.domain.wording import counted

INSTRUCTIONS = (
    "Look at the evidence and decide in fleetcast (`fleetcast approve`, or its pages), then approve here so that the "
    "pipeline goes on. fleetcast counts its own decisions: approving here alone moves nothing."
)
"""What approvers read."""
_DEFAULT_BRANCH = "main"


@dataclass(frozen=True, slots=True)
class PipelineFile:
    """One pipeline of the fleet repository, and what it names."""

    name: str
    file: str
    groups: frozenset[str] = frozenset()
    environments: frozenset[str] = frozenset()
    connections: frozenset[str] = frozenset()
    is_validation: bool = False
    """Whether it checks pull requests."""


def wanted_installation(settings: Settings, files: Sequence[PipelineFile]) -> tuple[Item, ...]:
    """Everything that the pipelines of a fleet need.

    Raises:
        BadInput: The settings lack something that the pipelines name, or there are no pipelines.
    """
    devops = settings.azure_devops
    if devops is None:
        raise BadInput(
            "fleetcast.yaml says nothing of Azure DevOps",
            fix="write `azure_devops:` with organisation, project and key_vault; see docs/SETUP.md",
        )
    if not files:
        raise BadInput(
            "the fleet has no pipelines in .azuredevops",
            fix="write them with `fleetcast update-template --ci azure-devops`",
        )
    return (
        *_connections(devops, files),
        *_groups(settings, devops),
        *(Environment(name) for name in _named(one.environments for one in files)),
        *_checks(settings, devops, _named(one.environments for one in files)),
        *(Pipeline(one.name, one.file, devops.repository, _DEFAULT_BRANCH) for one in files),
        *_permissions(files),
        *_policies(devops, files),
    )


def _connections(devops: AzureDevOpsSettings, files: Sequence[PipelineFile]) -> Iterator[ServiceConnection]:
    named = {*_named(one.connections for one in files), devops.vault.connection}
    lacking = sorted(named - set(devops.connections))
    if lacking:
        raise BadInput(
            f"nothing says as whom these service connections act: {', '.join(lacking)}",
            fix="write tenant, subscription, subscription_name and client_id of each below "
            "`azure_devops.connections`",
        )
    for name in sorted(named):
        who = devops.connections[name]
        yield ServiceConnection(name, who.tenant, who.subscription, who.subscription_name, who.client_id)


def values_for_pipelines(settings: Settings) -> Mapping[str, Mapping[str, str]]:
    """What pipelines are told of the settings, by the variable group that carries it; never secrets."""
    return {
        **{
            group_of(name): {"fleetEnvironment": name.value, **_in_azure(settings.azure, name)}
            for name in EnvironmentName
        },
        REGISTRY_GROUP: {"fleetRegistry": settings.registry},
        SETTINGS_GROUP: {
            "fleetMaxParallel": str(settings.platform.max_parallel),
            "fleetBatchSize": str(settings.platform.batch_size),
            "fleetLongestWait": format_duration(settings.polling.longest),
        },
    }


def group_of(environment: EnvironmentName) -> str:
    """The variable group that carries what an environment is."""
    return f"mlops-{environment}-variables"


def _groups(settings: Settings, devops: AzureDevOpsSettings) -> Iterator[VariableGroup]:
    derived = values_for_pipelines(settings)
    for name in VARIABLE_GROUPS:
        if name != SHARED_GROUP:
            yield VariableGroup(name, Variables({**derived[name], **devops.variables.get(name, {})}))
    vault = devops.vault
    yield VariableGroup(SHARED_GROUP, VaultSecrets(vault.name, vault.connection, frozenset(vault.secrets)))


def _in_azure(azure: AzureSettings, environment: EnvironmentName) -> Mapping[str, str]:
    """Where an environment is; nothing where the fleet is not trained in Azure."""
    if not azure.subscription_id:
        return {}
    return {
        "fleetSubscription": azure.subscription_id,
        "fleetResourceGroup": azure.resource_group,
        "fleetWorkspace": azure.workspace(environment),
    }


def _checks(
    settings: Settings, devops: AzureDevOpsSettings, environments: Sequence[str]
) -> Iterator[ApprovalCheck]:
    """The gates that fleetcast keeps too; an environment that is no gate asks nobody."""
    for gate in Gate:
        if gate not in environments:
            continue
        policy, approvers = settings.gates[gate], frozenset(devops.approvers.get(gate, ()))
        if len(approvers) < policy.people_needed:
            raise BadInput(
                f"environment {gate} needs {counted(policy.people_needed, 'approver')}, and "
                f"`azure_devops.approvers` names {len(approvers)}",
                fix=f"write the ids of enough people or groups below `azure_devops.approvers.{gate}`; a group is one",
            )
        yield ApprovalCheck(
            gate,
            approvers,
            policy.people_needed,
            policy.own_request_allowed,
            policy.lapses_after,
            INSTRUCTIONS,
        )


def _permissions(files: Sequence[PipelineFile]) -> Iterator[UsePermission]:
    """Each pipeline may use what it names, and nothing is open to all."""
    users: dict[Ref, set[str]] = {}
    for one in files:
        connections = (Ref(Kind.CONNECTION, name) for name in one.connections)
        groups = (Ref(Kind.GROUP, name) for name in one.groups if name in VARIABLE_GROUPS)
        environments = (Ref(Kind.ENVIRONMENT, name) for name in one.environments)
        for ref in (*connections, *groups, *environments):
            users.setdefault(ref, set()).add(one.name)
    return (UsePermission(ref, frozenset(names)) for ref, names in sorted(users.items()))


def _policies(devops: AzureDevOpsSettings, files: Sequence[PipelineFile]) -> Iterator[BranchPolicy]:
    validation = next((one.name for one in files if one.is_validation), None)
    for branch in LEADS_TO.values():
        yield BranchPolicy(branch, Reviewers(devops.reviewers))
        if validation is not None:
            yield BranchPolicy(branch, BuildValidation(validation))


def _named(names: Iterable[frozenset[str]]) -> Sequence[str]:
    return sorted(frozenset().union(*names))
