"""What the things of an installation are called, in which order they are made, and who may make them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

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
    DEPLOYMENT = "deployment environment"
    VARIABLES = "variables"
    SECRET = "secret"  # noqa: S105  # what it is called
    WORKFLOW = "workflow"
    RULES = "branch rules"
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
        Kind.DEPLOYMENT: "Administration: write and Actions: read on the repository, Members: read of the organisation",
        Kind.VARIABLES: "Variables: write and Environments: write on the repository",
        Kind.SECRET: "Secrets: write on the repository, for whoever enters it; this command needs read",
        Kind.WORKFLOW: "Actions: write on the repository, and the right to push to its default branch",
        Kind.RULES: "Administration: write on the repository",
        Kind.WORKSPACE: "Contributor on the resource group",
        Kind.REGISTRY: "Contributor on the resource group",
        Kind.CONTAINER: "Storage Blob Data Contributor on the storage account",
        Kind.DATASTORE: "AzureML Data Scientist on each workspace",
        Kind.CLUSTER: "AzureML Compute Operator on the workspace of dev",
        Kind.SCHEDULE: "AzureML Data Scientist on the workspace of dev",
    }
)
"""The least that whoever applies a plan must be given, as Azure DevOps, GitHub and Azure call it."""


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """One thing by its kind and name."""

    kind: Kind
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def yes_or_no(*, is_so: bool) -> str:
    """How a field says that something is so."""
    return YES if is_so else NO


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose tokens an identity in Azure must trust, which only somebody with rights to it can enter there."""

    name: str
    """By which pipelines know the identity."""
    client_id: str
    """Of the application or managed identity."""
    issuer: str
    """Who signs the tokens."""
    subject: str
    """Whom these tokens name; `*` stands for anything."""
