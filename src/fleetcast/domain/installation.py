"""What an installation in Azure DevOps or Azure should hold, what it holds, and the plan from one to the other.

Each thing is a value of its own and says what it is as named fields. Only the fields of what is wanted are compared,
so that what somebody else has added to the same thing stays as it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType

from fleetcast.domain.duration import format_duration
from fleetcast.domain.errors import FleetcastError
from fleetcast.domain.wording import counted

REGISTRY_GROUP, SETTINGS_GROUP, SHARED_GROUP = (
    "mlops-registry-variables",
    "mlops-pipeline-settings",
    "mlops-shared-variables",
)
VARIABLE_GROUPS = (
    "mlops-dev-variables",
    "mlops-test-variables",
    "mlops-prod-variables",
    REGISTRY_GROUP,
    SETTINGS_GROUP,
    SHARED_GROUP,
)
"""Those that generated pipelines name; the last one holds the secrets."""
SECRET = "(secret)"  # noqa: S105  # what stands in place of one
"""What a variable shows whose value nobody may read."""
YES, NO = "yes", "no"


class Kind(StrEnum):
    """Of things in an installation, in the order in which they are made: each needs only earlier ones."""

    CONNECTION = "service connection"
    GROUP = "variable group"
    ENVIRONMENT = "environment"
    CHECK = "approval check"
    PIPELINE = "pipeline"
    PERMISSION = "permission to use"
    POLICY = "branch policy"
    WORKSPACE = "workspace"
    REGISTRY = "shared registry"
    CONTAINER = "container"
    DATASTORE = "datastore"
    CLUSTER = "compute cluster"
    SCHEDULE = "schedule"


ROLES: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.CONNECTION: "Project settings, Service connections, Security: Administrator",
        Kind.GROUP: "Pipelines, Library, Security: Administrator",
        Kind.ENVIRONMENT: "Pipelines, Environments, Security: Creator, then Administrator of each",
        Kind.CHECK: "Administrator of the environment",
        Kind.PIPELINE: "Pipelines, Manage security: Edit build pipeline, in the folder fleetcast",
        Kind.PERMISSION: "Administrator of the resource",
        Kind.POLICY: "Repositories, Security: Edit policies, on the repository of the fleet",
        Kind.WORKSPACE: "Contributor on the resource group",
        Kind.REGISTRY: "Contributor on the resource group",
        Kind.CONTAINER: "Storage Blob Data Contributor on the storage account",
        Kind.DATASTORE: "AzureML Data Scientist on each workspace",
        Kind.CLUSTER: "AzureML Compute Operator on the workspace of dev",
        Kind.SCHEDULE: "AzureML Data Scientist on the workspace of dev",
    }
)
"""The least that whoever applies a plan must be given, as Azure DevOps and Azure call it."""


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """One thing by its kind and name."""

    kind: Kind
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class ServiceConnection:
    """Lets pipelines act in Azure as an identity, by workload identity federation: there is no secret."""

    name: str
    tenant: str
    subscription: str
    subscription_name: str
    client_id: str
    """Of the application or managed identity."""
    scheme: str = "WorkloadIdentityFederation"
    issuer: str = field(default="", compare=False)
    """Who signs the tokens that the identity must trust; empty as long as the connection does not exist."""
    subject: str = field(default="", compare=False)
    """Whom these tokens name."""

    @property
    def ref(self) -> Ref:
        """Its kind and name."""
        return Ref(Kind.CONNECTION, self.name)

    @property
    def fields(self) -> Mapping[str, str]:
        """What it is."""
        return {
            "scheme": self.scheme,
            "tenant": self.tenant,
            "subscription": self.subscription,
            "subscription name": self.subscription_name,
            "identity": self.client_id,
        }


@dataclass(frozen=True, slots=True)
class Variables:
    """Values that are written in a group."""

    values: Mapping[str, str]
    hidden: frozenset[str] = frozenset()
    """Names of secrets that somebody has typed in."""

    @property
    def names(self) -> frozenset[str]:
        """Of all variables."""
        return frozenset(self.values) | self.hidden

    @property
    def fields(self) -> Mapping[str, str]:
        """What is written."""
        values = {f"variable {name}": value for name, value in sorted(self.values.items())}
        hidden = {f"variable {name}": SECRET for name in sorted(self.hidden)}
        return {"holds": "values", **values, **hidden}


@dataclass(frozen=True, slots=True)
class VaultSecrets:
    """Secrets that Azure DevOps reads from a Key Vault when a pipeline runs; their values are never here."""

    vault: str
    connection: str
    """By which service connection."""
    names: frozenset[str]

    @property
    def fields(self) -> Mapping[str, str]:
        """What is linked."""
        secrets = {f"secret {name}": "linked" for name in sorted(self.names)}
        return {"holds": "secrets", "key vault": self.vault, "connection": self.connection, **secrets}


@dataclass(frozen=True, slots=True)
class VariableGroup:
    """Variables that pipelines share."""

    name: str
    content: Variables | VaultSecrets

    @property
    def ref(self) -> Ref:
        """Its kind and name."""
        return Ref(Kind.GROUP, self.name)

    @property
    def fields(self) -> Mapping[str, str]:
        """What it holds."""
        return self.content.fields


@dataclass(frozen=True, slots=True)
class Environment:
    """What deployment jobs name, and what people guard."""

    name: str

    @property
    def ref(self) -> Ref:
        """Its kind and name."""
        return Ref(Kind.ENVIRONMENT, self.name)

    @property
    def fields(self) -> Mapping[str, str]:
        """Nothing but that it exists."""
        return {}


@dataclass(frozen=True, slots=True)
class ApprovalCheck:
    """Who lets jobs on an environment begin."""

    environment: str
    approvers: frozenset[str]
    """Identities of Azure DevOps, by their ids in lower case."""
    minimum: int
    """How many of them must; a group is one. 0: all."""
    own_run_allowed: bool
    """Whether whoever started the run may approve it."""
    lapses_after: timedelta
    instructions: str
    enabled: bool = True

    @property
    def ref(self) -> Ref:
        """Its kind and the name of its environment."""
        return Ref(Kind.CHECK, self.environment)

    @property
    def fields(self) -> Mapping[str, str]:
        """Who approves, and how."""
        return {
            "approvers": ", ".join(sorted(self.approvers)),
            "minimum": str(self.minimum),
            "own run": "allowed" if self.own_run_allowed else "forbidden",
            "time-out": format_duration(self.lapses_after),
            "instructions": self.instructions,
            "enabled": _yes(is_so=self.enabled),
        }


@dataclass(frozen=True, slots=True)
class Pipeline:
    """One pipeline of the fleet repository."""

    name: str
    file: str
    """Below the root of the repository."""
    repository: str
    branch: str
    """On which it runs where nobody says which."""
    enabled: bool = True
    triggers_in_file: bool = True
    """Whether its file says what starts it."""

    @property
    def ref(self) -> Ref:
        """Its kind and name."""
        return Ref(Kind.PIPELINE, self.name)

    @property
    def fields(self) -> Mapping[str, str]:
        """What it runs."""
        return {
            "file": self.file,
            "repository": self.repository,
            "branch": self.branch,
            "triggers in its file": _yes(is_so=self.triggers_in_file),
            "enabled": _yes(is_so=self.enabled),
        }


@dataclass(frozen=True, slots=True)
class UsePermission:
    """Which pipelines may use a connection, a group or an environment."""

    resource: Ref
    pipelines: frozenset[str]
    open_to_all: bool = False
    """Whether each pipeline of the project may, whoever wrote it."""

    @property
    def ref(self) -> Ref:
        """Its kind, and of what."""
        return Ref(Kind.PERMISSION, str(self.resource))

    @property
    def fields(self) -> Mapping[str, str]:
        """Who may."""
        return {
            "open to every pipeline": _yes(is_so=self.open_to_all),
            **{f"pipeline {name}": "may" for name in sorted(self.pipelines)},
        }


@dataclass(frozen=True, slots=True)
class Reviewers:
    """Nobody merges alone."""

    minimum: int
    own_vote_counts: bool = False
    reset_by_push: bool = True
    """Whether a later push asks all again."""

    TITLE = "reviewers"

    @property
    def fields(self) -> Mapping[str, str]:
        """Who must agree."""
        return {
            "minimum": str(self.minimum),
            "own vote counts": _yes(is_so=self.own_vote_counts),
            "reset by a push": _yes(is_so=self.reset_by_push),
        }


@dataclass(frozen=True, slots=True)
class BuildValidation:
    """Nothing is merged that a pipeline refuses."""

    pipeline: str
    """By its name; empty: one that is not ours."""

    TITLE = "validation"

    @property
    def fields(self) -> Mapping[str, str]:
        """By what."""
        return {"pipeline": self.pipeline}


@dataclass(frozen=True, slots=True)
class BranchPolicy:
    """What is asked of pull requests into a branch of the fleet repository."""

    branch: str
    """Its name, or with `/*` at the end: all that begin so."""
    rule: Reviewers | BuildValidation
    enabled: bool = True
    blocking: bool = True

    @property
    def ref(self) -> Ref:
        """Its kind, what it asks, and where."""
        return Ref(Kind.POLICY, f"{self.rule.TITLE} of {self.branch}")

    @property
    def fields(self) -> Mapping[str, str]:
        """What is asked, and how strictly."""
        return {
            **self.rule.fields,
            "enabled": _yes(is_so=self.enabled),
            "blocking": _yes(is_so=self.blocking),
        }


@dataclass(frozen=True, slots=True)
class AzureWorkspace:
    """Where an environment of the fleet is trained or served; made by whoever may deploy in the resource group."""

    name: str
    subscription: str = field(default="", compare=False)
    resource_group: str = field(default="", compare=False)

    @property
    def ref(self) -> Ref:
        """Its kind and name."""
        return Ref(Kind.WORKSPACE, self.name)

    @property
    def fields(self) -> Mapping[str, str]:
        """Nothing but that it exists."""
        return {}

    @property
    def command(self) -> str:
        """What makes it."""
        return (
            f"az ml workspace create --subscription {self.subscription} "
            f"--resource-group '{self.resource_group}' --name {self.name}"
        )


@dataclass(frozen=True, slots=True)
class AzureRegistry:
    """What workspaces share models by; made by whoever may deploy in the resource group."""

    name: str
    subscription: str = field(default="", compare=False)
    resource_group: str = field(default="", compare=False)

    @property
    def ref(self) -> Ref:
        """Its kind and name."""
        return Ref(Kind.REGISTRY, self.name)

    @property
    def fields(self) -> Mapping[str, str]:
        """Nothing but that it exists."""
        return {}

    @property
    def command(self) -> str:
        """What makes it, where the resource group is; `az` takes no registry without a file."""
        where = f"--subscription {self.subscription}"
        return (
            f"at=$(az group show {where} --name '{self.resource_group}' --query location --output tsv); "
            f"printf 'name: {self.name}\\nlocation: %s\\nreplication_locations: [{{location: %s}}]\\n' "
            f'"$at" "$at" > registry.yml; '
            f"az ml registry create {where} --resource-group '{self.resource_group}' --file registry.yml"
        )


@dataclass(frozen=True, slots=True)
class BlobContainer:
    """Where the files of a fleet are."""

    account: str
    name: str

    @property
    def ref(self) -> Ref:
        """Its kind, and where it is."""
        return Ref(Kind.CONTAINER, f"{self.name} in {self.account}")

    @property
    def fields(self) -> Mapping[str, str]:
        """Nothing but that it exists."""
        return {}


BY_IDENTITY = "none: whoever reads shows their identity"
"""The credentials of a datastore that keeps no key."""


@dataclass(frozen=True, slots=True)
class BlobDatastore:
    """How a workspace reaches the container: by the identity of whoever reads, never by a key."""

    name: str
    workspace: str
    account: str
    container: str
    credentials: str = BY_IDENTITY

    @property
    def ref(self) -> Ref:
        """Its kind, and where it is."""
        return Ref(Kind.DATASTORE, f"{self.name} in {self.workspace}")

    @property
    def fields(self) -> Mapping[str, str]:
        """What it stands for."""
        return {"account": self.account, "container": self.container, "credentials": self.credentials}


@dataclass(frozen=True, slots=True)
class ComputeCluster:
    """The machines that train: none while there is nothing to do."""

    name: str
    workspace: str
    size: str
    min_nodes: int
    max_nodes: int
    idle: timedelta
    """After which a machine without work is given back."""
    identity: str = "of its own"
    """By which its jobs read and write the container."""

    @property
    def ref(self) -> Ref:
        """Its kind, and where it is."""
        return Ref(Kind.CLUSTER, f"{self.name} in {self.workspace}")

    @property
    def fields(self) -> Mapping[str, str]:
        """What it is, and how far it grows and shrinks."""
        return {
            "size": self.size,
            "min nodes": str(self.min_nodes),
            "max nodes": str(self.max_nodes),
            "idle": f"{self.idle.total_seconds():.0f}s",
            "identity": self.identity,
        }


@dataclass(frozen=True, slots=True)
class Lacking:
    """Why something cannot be made yet."""

    why: str
    fix: str


@dataclass(frozen=True, slots=True)
class ClusterSchedule:
    """A command that the cluster runs at given times, from one commit of the fleet."""

    name: str
    """What it starts, as `schedules:` calls it."""
    workspace: str
    cron: str
    """Five fields, in UTC."""
    runs: str
    """What follows `fleetcast`."""
    commit: str
    version: str
    """Of fleetcast."""
    database: str
    """Where the control database is; without a password."""
    account: str
    """The storage account of `platform.storage`."""
    signing_key: str
    """What names the key; not the key."""
    time_zone: str = "UTC"
    enabled: bool = True
    is_ours: bool = field(default=True, compare=False)
    """Whether fleetcast has made what is there."""
    lacks: Lacking | None = field(default=None, compare=False)

    @property
    def ref(self) -> Ref:
        """Its kind, and where it is."""
        return Ref(Kind.SCHEDULE, f"{self.name} in {self.workspace}")

    @property
    def fields(self) -> Mapping[str, str]:
        """When what is run, and with what."""
        return {
            "cron": self.cron,
            "time zone": self.time_zone,
            "runs": f"fleetcast {self.runs}",
            "commit": self.commit,
            "fleetcast": self.version,
            "database": self.database,
            "storage account": self.account,
            "signing key": self.signing_key,
            "enabled": _yes(is_so=self.enabled),
        }


@dataclass(frozen=True, slots=True)
class SwitchedOff:
    """A schedule that nobody wants: where fleetcast has made it, it is disabled, and stays to be seen."""

    name: str
    workspace: str

    @property
    def ref(self) -> Ref:
        """Its kind, and where it is."""
        return Ref(Kind.SCHEDULE, f"{self.name} in {self.workspace}")

    @property
    def fields(self) -> Mapping[str, str]:
        """Nothing but that it starts nothing."""
        return {"enabled": _yes(is_so=False)}


AzureItem = (
    AzureWorkspace
    | AzureRegistry
    | BlobContainer
    | BlobDatastore
    | ComputeCluster
    | ClusterSchedule
    | SwitchedOff
)
DevOpsItem = (
    ServiceConnection | VariableGroup | Environment | ApprovalCheck | Pipeline | UsePermission | BranchPolicy
)
Item = DevOpsItem | AzureItem


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that is not as it should be."""

    name: str
    before: str | None
    """None: it is not there."""
    after: str


@dataclass(frozen=True, slots=True)
class Create:
    """Make what is missing."""

    item: Item


@dataclass(frozen=True, slots=True)
class Change:
    """Bring some fields to what they should be."""

    item: Item
    changes: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class Leave:
    """It is as it should be."""

    item: Item


@dataclass(frozen=True, slots=True)
class Blocked:
    """It cannot be changed without a loss to somebody."""

    item: Item
    why: str
    fix: str


Step = Create | Change | Leave | Blocked


@dataclass(frozen=True, slots=True)
class InstallationPlan:
    """What would be done, in this order, and what is there besides and stays as it is."""

    steps: tuple[Step, ...]
    others: tuple[Ref, ...]
    """Not ours."""

    @property
    def work(self) -> tuple[Create | Change, ...]:
        """What there is to do."""
        return tuple(step for step in self.steps if isinstance(step, Create | Change))

    @property
    def blocked(self) -> tuple[Blocked, ...]:
        """What only people can do."""
        return tuple(step for step in self.steps if isinstance(step, Blocked))

    @property
    def is_empty(self) -> bool:
        """Whether all is as it should be."""
        return all(isinstance(step, Leave) for step in self.steps)

    @property
    def roles(self) -> Mapping[Kind, str]:
        """The least that whoever applies it must be given."""
        kinds = {step.item.ref.kind for step in self.steps if not isinstance(step, Leave)}
        return {kind: role for kind, role in ROLES.items() if kind in kinds}


class SetUpStopped(FleetcastError):
    """An installation was changed in part; what is done stays, and the same command does the rest."""

    def __init__(self, at: Ref, done: int, of: int, error: FleetcastError) -> None:
        super().__init__(f"stopped at {at}, with {done} of {counted(of, 'step')} done: {error}")
        again = "then run the same command again: it does the rest"
        self.fix = f"{error.fix}; {again}" if error.fix else again


def plan_installation(wanted: Iterable[Item], found: Iterable[Item]) -> InstallationPlan:
    """Compare what should be with what is.

    Args:
        wanted: Each thing once.
        found: Of all kinds, somebody else's things too. Of several with one name the first counts.
    """
    held: dict[Ref, Item] = {}
    more: list[Ref] = []
    for item in found:
        if item.ref in held:
            more.append(Ref(item.ref.kind, f"{item.ref.name} (another)"))
        else:
            held[item.ref] = item
    asked = {item.ref: item for item in wanted}
    order = {kind: number for number, kind in enumerate(Kind)}
    lacking = {
        ref.name for ref, item in asked.items() if isinstance(item, AzureWorkspace) and ref not in held
    }
    steps = [
        _step(asked[ref], held.get(ref), lacking)
        for ref in sorted(asked, key=lambda ref: (order[ref.kind], ref.name))
        if ref in held or not isinstance(asked[ref], SwitchedOff)
    ]
    others = sorted({ref for ref in held if ref not in asked}.union(more))
    return InstallationPlan(tuple(steps), tuple(others))


def differences(wanted: Item, found: Item) -> tuple[FieldChange, ...]:
    """The fields that are not as they should be; what is found besides does not matter."""
    has = found.fields
    return tuple(
        FieldChange(name, has.get(name), value)
        for name, value in wanted.fields.items()
        if has.get(name) != value
    )


def _step(wanted: Item, found: Item | None, lacking: Collection[str]) -> Step:
    if isinstance(found, ClusterSchedule) and not found.is_ours:
        return _of_somebody_else(wanted)
    if isinstance(wanted, ClusterSchedule) and wanted.lacks is not None:
        return Blocked(wanted, wanted.lacks.why, wanted.lacks.fix)
    if found is None:
        return _missing(wanted, lacking)
    changes = differences(wanted, found)
    if not changes:
        return Leave(wanted)
    lost = _lost(wanted, found)
    if lost:
        return Blocked(
            wanted,
            f"it holds {', '.join(lost)}, which would be lost as it has to hold {wanted.fields['holds']}",
            "move them to a group of their own, or delete them, then run this again",
        )
    if isinstance(wanted, ComputeCluster) and isinstance(found, ComputeCluster) and wanted.size != found.size:
        return Blocked(
            wanted,
            f"its machines are {found.size} and should be {wanted.size}, and Azure never changes those of a cluster",
            "write the name of another cluster below `azure.compute`, or delete this one while it has no jobs, "
            "then run this again",
        )
    return Change(wanted, changes)


def _of_somebody_else(wanted: Item) -> Step:
    """A schedule of our name that fleetcast did not make: it is in the way only of one that is wanted."""
    if isinstance(wanted, SwitchedOff):
        return Leave(wanted)
    return Blocked(
        wanted,
        "there is a schedule of that name that fleetcast did not make",
        "rename or delete it in Azure ML studio, then run this again",
    )


def _missing(wanted: Item, lacking: Collection[str]) -> Step:
    if isinstance(wanted, BlobDatastore | ComputeCluster | ClusterSchedule) and wanted.workspace in lacking:
        return Blocked(
            wanted, f"there is no workspace {wanted.workspace} yet", "make it, then run this again"
        )
    if isinstance(wanted, AzureWorkspace | AzureRegistry):
        return Blocked(
            wanted,
            "it is not there; making it deploys resources, which somebody with the right to do so decides",
            wanted.command,
        )
    return Create(wanted)


def _lost(wanted: Item, found: Item) -> Sequence[str]:
    """Names of what cannot stay in a group that has to hold something else."""
    if not isinstance(wanted, VariableGroup) or not isinstance(found, VariableGroup):
        return ()
    if type(wanted.content) is type(found.content):
        return ()
    return sorted(found.content.names)


def _yes(*, is_so: bool) -> str:
    return YES if is_so else NO
