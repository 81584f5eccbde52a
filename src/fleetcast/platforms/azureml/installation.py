"""The installation around a fleet, as Azure holds it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from fleetcast.domain.errors import BadInput
from fleetcast.domain.installation import Item
from fleetcast.domain.installed_azure import (
    BY_IDENTITY,
    AzureRegistry,
    AzureWorkspace,
    BlobContainer,
    BlobDatastore,
    ClusterSchedule,
    ComputeCluster,
    SwitchedOff,
)
from fleetcast.domain.place import EnvironmentName
from fleetcast.platforms.azureml.client import AzureClients, NotThere, asked
from fleetcast.platforms.azureml.commands import ClusterCommands
from fleetcast.platforms.azureml.operations import held, seen_through
from fleetcast.platforms.azureml.schedules import AzureSchedules

if TYPE_CHECKING:
    from azure.ai.ml import MLClient
    from azure.ai.ml.entities import AmlCompute, AzureBlobDatastore
    from azure.storage.blob import ContainerClient

_NO_CREDENTIALS = ("", "none")


class AzureInstallation:
    """Reads what is wanted, one request for each thing; workspaces and registries are only read."""

    def __init__(self, clients: AzureClients, fleet: Path) -> None:
        """Choose what to look at.

        Args:
            clients: Of the fleet.
            fleet: Its repository, which goes along with what the cluster runs.
        """
        self._clients = clients
        self._schedules = AzureSchedules(clients, ClusterCommands(clients, fleet))

    def found(self, wanted: Iterable[Item]) -> Sequence[Item]:
        """What is there of what is wanted; the rest of a resource group is not looked at."""
        missing: set[str] = set()
        found: list[Item] = []
        schedules: list[ClusterSchedule | SwitchedOff] = []
        for item in wanted:
            if isinstance(item, ClusterSchedule | SwitchedOff):
                if item.workspace not in missing:
                    schedules.append(item)
                continue
            if isinstance(item, BlobDatastore | ComputeCluster) and item.workspace in missing:
                continue
            read = self.read(item)
            if read is not None:
                found.append(read)
            elif isinstance(item, AzureWorkspace):
                missing.add(item.name)
        if schedules:
            found += self._schedules.found([item.name for item in schedules])
        return found

    def read(self, item: Item) -> Item | None:
        """One thing as it is; None if it is not there.

        Raises:
            BadInput: This identity may not see it.
            Unavailable: Azure does not answer.
        """
        match item:
            case AzureWorkspace():
                client = self._workspace(item.name)
                there = held(str(item.ref), lambda: client.workspaces.get(item.name))
                return None if there is None else item
            case AzureRegistry():
                return self._read_registry(item)
            case BlobContainer():
                with self._container(item) as container:
                    there = held(str(item.ref), container.get_container_properties)
                return None if there is None else item
            case BlobDatastore():
                client = self._workspace(item.workspace)
                store = held(str(item.ref), lambda: client.datastores.get(item.name))
                return None if store is None else _datastore_in(store, item)
            case ComputeCluster():
                client = self._workspace(item.workspace)
                cluster = held(str(item.ref), lambda: client.compute.get(item.name))
                return None if cluster is None else _cluster_in(cluster, item)
            case ClusterSchedule() | SwitchedOff():
                return self._schedules.read(item.name)
            case _:
                raise _not_of_azure(item)

    def create(self, item: Item) -> None:
        """Make what is not there."""
        if isinstance(item, ClusterSchedule | SwitchedOff):
            self._schedules.write(item)
        elif isinstance(item, BlobContainer):
            with self._container(item) as container, asked(str(item.ref)):
                container.create_container()
        else:
            self._write(item)

    def change(self, item: Item) -> None:
        """Give what is there the fields of `item`."""
        if isinstance(item, ClusterSchedule | SwitchedOff):
            self._schedules.write(item)
        else:
            self._write(item)

    def _write(self, item: Item) -> None:
        from azure.ai.ml.entities import AmlCompute, AzureBlobDatastore, IdentityConfiguration

        with asked(str(item.ref)):
            match item:
                case BlobDatastore():
                    self._workspace(item.workspace).datastores.create_or_update(
                        AzureBlobDatastore(
                            name=item.name,
                            account_name=item.account,
                            container_name=item.container,
                            description="Made by fleetcast: the container of platform.storage.",
                        )
                    )
                case ComputeCluster():
                    described = AmlCompute(
                        name=item.name,
                        size=item.size,
                        min_instances=item.min_nodes,
                        max_instances=item.max_nodes,
                        idle_time_before_scale_down=int(item.idle.total_seconds()),
                        tier="dedicated",
                        identity=IdentityConfiguration(type="SystemAssigned"),
                    )
                    compute = self._workspace(item.workspace).compute
                    seen_through(lambda: compute.begin_create_or_update(described))
                case _:
                    raise _not_of_azure(item)

    def _read_registry(self, item: AzureRegistry) -> Item | None:
        try:
            self._clients.registry()
        except NotThere:
            return None
        return item

    def _workspace(self, name: str) -> MLClient:
        settings = self._clients.settings
        environment = next(one for one in EnvironmentName if settings.workspace(one) == name)
        return self._clients.workspace(environment)

    @contextmanager
    def _container(self, item: BlobContainer) -> Iterator[ContainerClient]:
        from azure.storage.blob import ContainerClient

        address = f"https://{item.account}.blob.core.windows.net"
        credential = self._clients.credential()
        with ContainerClient(address, item.name, credential=credential, retry_total=2) as container:
            yield container


def _datastore_in(store: AzureBlobDatastore, wanted: BlobDatastore) -> BlobDatastore:
    said = getattr(store.credentials, "type", "")
    kind = str(getattr(said, "value", said) or "")
    kind = BY_IDENTITY if kind.lower() in _NO_CREDENTIALS else kind
    account, container = getattr(store, "account_name", ""), getattr(store, "container_name", "")
    return BlobDatastore(wanted.name, wanted.workspace, str(account), str(container), kind)


def _cluster_in(cluster: AmlCompute, wanted: ComputeCluster) -> ComputeCluster:
    return ComputeCluster(
        wanted.name,
        wanted.workspace,
        # Azure writes sizes in whatever case.
        wanted.size if _same(cluster.size, wanted.size) else str(cluster.size or cluster.type),
        int(cluster.min_instances or 0),
        int(cluster.max_instances or 0),
        timedelta(seconds=float(cluster.idle_time_before_scale_down or 0)),
        # Azure writes kinds of identities in whatever case, and two of them in one text.
        wanted.identity if _has_its_own(cluster) else "none",
    )


def _has_its_own(cluster: AmlCompute) -> bool:
    kind = str(getattr(cluster.identity, "type", ""))
    return "systemassigned" in kind.lower().replace("_", "")


def _same(one: str | None, other: str) -> bool:
    return (one or "").casefold() == other.casefold()


def _not_of_azure(item: Item) -> BadInput:
    return BadInput(f"{item.ref} is made by somebody else", fix="see `fleetcast setup --help`")
