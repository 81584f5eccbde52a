"""What an installation in Azure holds: each thing is a value that says what it is as named fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from fleetcast.domain.installed import Kind, Ref, yes_or_no


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
            "enabled": yes_or_no(is_so=self.enabled),
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
        return {"enabled": yes_or_no(is_so=False)}


AzureItem = (
    AzureWorkspace
    | AzureRegistry
    | BlobContainer
    | BlobDatastore
    | ComputeCluster
    | ClusterSchedule
    | SwitchedOff
)
