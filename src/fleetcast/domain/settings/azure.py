"""Where in Azure a fleet is trained and served."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType

from fleetcast.domain.errors import BadInput
from fleetcast.domain.place import EnvironmentName

_SUBSCRIPTION = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_GROUP = re.compile(r"[\w.()-]{0,89}[\w()-]")
_WORKSPACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{2,32}")
_COMPUTE = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,30}[A-Za-z0-9]")
_SIZE = re.compile(r"[A-Za-z][A-Za-z0-9_-]{1,79}")
_DATASTORE = re.compile(r"[a-z0-9_]{1,255}")


def checked_subscription(text: str) -> str:
    """The same text, if it is the id of a subscription.

    Raises:
        BadInput: It is none.
    """
    return _checked(text, _SUBSCRIPTION, "the id of a subscription", "write it as `az account show` does")


def checked_group(text: str) -> str:
    """The same text, if a resource group can have that name; raises `BadInput`."""
    return _checked(text, _GROUP, "the name of a resource group", "write 1 to 90 letters, digits, . _ - ( )")


def checked_workspace(text: str) -> str:
    """The same text, if a workspace can have that name; raises `BadInput`."""
    return _checked(text, _WORKSPACE, "the name of a workspace", "write 3 to 33 letters, digits, _ or -")


def checked_compute(text: str) -> str:
    """The same text, if a compute cluster can have that name; raises `BadInput`."""
    return _checked(text, _COMPUTE, "the name of a compute cluster", "write 2 to 32 letters, digits or -")


def checked_datastore(text: str) -> str:
    """The same text, if a datastore can have that name; raises `BadInput`."""
    return _checked(text, _DATASTORE, "the name of a datastore", "write small letters, digits and _")


def _checked(text: str, pattern: re.Pattern[str], what: str, fix: str) -> str:
    if not pattern.fullmatch(text):
        raise BadInput(f"{text[:60]!r} is not {what}", fix=fix)
    return text


DEFAULT_WORKSPACES: Mapping[EnvironmentName, str] = MappingProxyType(
    {name: f"fleetcast-{name.value}" for name in EnvironmentName}
)


MOST_NODES = 1_000
"""Of one cluster, far beyond what a fleet needs."""


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """The machines that train, as `fleetcast setup azure` makes them."""

    size: str = "Standard_DS3_v2"
    min_nodes: int = 0
    max_nodes: int = 4
    idle: timedelta = timedelta(minutes=2)
    """After which a machine without work is given back; in whole seconds."""

    def __post_init__(self) -> None:
        checked_size(self.size)
        if not 0 <= self.min_nodes <= self.max_nodes <= MOST_NODES or not self.max_nodes:
            raise BadInput(
                f"a cluster of {self.min_nodes} to {self.max_nodes} machines is out of range",
                fix=f"write a min_nodes from 0, and a max_nodes from 1 to {MOST_NODES}, not below it",
            )
        if not timedelta(seconds=1) <= self.idle <= timedelta(days=1) or self.idle.microseconds:
            raise BadInput("the idle time of a cluster is out of range", fix="write 1s to 24h")


def checked_size(text: str) -> str:
    """The same text, if a size of machines in Azure can have that name; raises `BadInput`."""
    return _checked(text, _SIZE, "a size of machines", "write it as Azure does, such as Standard_DS3_v2")


@dataclass(frozen=True, slots=True)
class AzureSettings:
    """The workspaces of a fleet and what they train on; used where the platform is `azureml`."""

    subscription_id: str = ""
    resource_group: str = ""
    workspaces: Mapping[EnvironmentName, str] = field(default_factory=lambda: DEFAULT_WORKSPACES)
    """By environment; models are trained in that of dev."""
    compute: str = "fleetcast-cpu"
    """The cluster that trains."""
    cluster: ClusterSettings = field(default_factory=ClusterSettings)
    """What that cluster is."""
    datastore: str = "fleetcast"
    """The datastore of every workspace that stands for the container of `platform.storage`."""
    image: str = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04:latest"
    """What the training environment's packages are put on."""
    instance_type: str = "Standard_DS3_v2"
    """Of the machines that serve."""

    def __post_init__(self) -> None:
        if self.subscription_id:
            checked_subscription(self.subscription_id)
        if self.resource_group:
            checked_group(self.resource_group)
        for name in self.workspaces.values():
            checked_workspace(name)
        checked_compute(self.compute)
        checked_datastore(self.datastore)

    def workspace(self, environment: EnvironmentName) -> str:
        """The workspace of an environment."""
        return self.workspaces[environment]
