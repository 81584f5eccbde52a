"""What an installation in Azure DevOps holds: each thing is a value that says what it is as named fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from fleetcast.domain.duration import format_duration
from fleetcast.domain.installed import Kind, Ref, Trust, yes_or_no

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
    def trust(self) -> Trust:
        """Whose tokens its identity must trust."""
        return Trust(self.name, self.client_id, self.issuer, self.subject)

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
            "enabled": yes_or_no(is_so=self.enabled),
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
            "triggers in its file": yes_or_no(is_so=self.triggers_in_file),
            "enabled": yes_or_no(is_so=self.enabled),
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
            "open to every pipeline": yes_or_no(is_so=self.open_to_all),
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
            "own vote counts": yes_or_no(is_so=self.own_vote_counts),
            "reset by a push": yes_or_no(is_so=self.reset_by_push),
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
            "enabled": yes_or_no(is_so=self.enabled),
            "blocking": yes_or_no(is_so=self.blocking),
        }


DevOpsItem = (
    ServiceConnection | VariableGroup | Environment | ApprovalCheck | Pipeline | UsePermission | BranchPolicy
)
