"""How many cores of the cluster's machines may be used, as Azure says."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fleetcast.domain.canonical import digest_of
from fleetcast.domain.errors import BadInput, FleetcastError
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.quota import CoresAllowed, CoresKnown, Machines, NotKnown
from fleetcast.platforms.azureml.client import AzureClients, asked
from fleetcast.stored.durable import write_durably
from fleetcast.stored.quota import MACHINES

if TYPE_CHECKING:
    from azure.ai.ml import MLClient


class AzureQuota:
    """Of the machines that train.

    Where the workspace is and what machines of a size are never changes: this machine keeps that, so that later plans
    ask once. Only how much is used is asked each time.
    """

    def __init__(self, clients: AzureClients, state: Path) -> None:
        """Choose where to ask.

        Args:
            clients: Of the fleet.
            state: Folder for what this machine knows already.
        """
        self._clients = clients
        self._state = state

    @property
    def most_nodes(self) -> int:
        """As far as the cluster grows."""
        return self._clients.settings.cluster.max_nodes

    def cores(self) -> CoresKnown:
        """What may be used, and is used by everybody."""
        try:
            client = self._clients.workspace()
            return cores_allowed(client, self._machines(client))
        except FleetcastError as error:
            return NotKnown(str(error))

    def _machines(self, client: MLClient) -> Machines:
        kept = self._kept()
        if kept is not None:
            return kept
        settings = self._clients.settings
        name = settings.workspace(EnvironmentName.DEV)
        with asked(f"workspace {name}"):
            location = str(client.workspaces.get(name).location)
        found = machines_of(client, location, settings.cluster.size)
        # Whoever may not write here asks anew each time.
        with suppress(OSError):
            write_durably(self._file, MACHINES.to_json(found).encode())
        return found

    def _kept(self) -> Machines | None:
        """What this machine knows; None: nothing, or what is there is torn."""
        try:
            return MACHINES.from_json(self._file.read_bytes(), str(self._file))
        except (OSError, FleetcastError):
            return None

    @property
    def _file(self) -> Path:
        """For each workspace and size one, as settings change."""
        azure = self._clients.settings
        of = [
            azure.subscription_id,
            azure.resource_group,
            azure.workspace(EnvironmentName.DEV),
            azure.cluster.size,
        ]
        return self._state / f"azure-machines-{digest_of(of).short}.json"


def machines_of(client: MLClient, location: str, size: str) -> Machines:
    """What machines of a size are in one place.

    Raises:
        BadInput: There are none of that size, or Azure does not say how many cores they have.
    """
    with asked(f"quota in {location}"):
        sizes = [_plain(one) for one in client.compute.list_sizes(location=location)]
    machine = next((one for one in sizes if _word(one, "name").casefold() == size.casefold()), None)
    if machine is None:
        raise BadInput(
            f"{location} has no machines {size}", fix="write another size below azure: in fleetcast.yaml"
        )
    cores, family = _number(machine, "vCPUs", "v_cp_us"), _word(machine, "family")
    if not cores or not family:
        raise _unsaid(size, location)
    return Machines(location, size, family, cores)


def cores_allowed(client: MLClient, machines: Machines) -> CoresAllowed:
    """How much of a family may be used where these machines are, and is used.

    Raises:
        BadInput: Azure does not say.
    """
    with asked(f"quota in {machines.location}"):
        usages = [_plain(one) for one in client.compute.list_usage(location=machines.location)]
    usage = next((one for one in usages if _is_of(one, machines.family.casefold())), None)
    if usage is None:
        raise _unsaid(machines.size, machines.location)
    return CoresAllowed(
        machines.location,
        _called(usage),
        machines.cores_each,
        _number(usage, "limit"),
        _number(usage, "currentValue", "current_value"),
    )


def _unsaid(size: str, location: str) -> BadInput:
    return BadInput(f"Azure does not say how many cores of {size} may be used in {location}")


def _plain(found: Any) -> Mapping[str, Any]:
    """What Azure says of a size or a usage; the SDK keeps it as it came."""
    said: Mapping[str, Any] = vars(found)
    return said


def _word(found: Mapping[str, Any], name: str) -> str:
    return str(found.get(name) or "")


def _number(found: Mapping[str, Any], *names: str) -> int:
    return next((int(found[name]) for name in names if found.get(name) is not None), 0)


def _called(usage: Mapping[str, Any]) -> str:
    name = usage.get("name")
    return str(name.get("value") or "") if isinstance(name, Mapping) else ""


def _is_of(usage: Mapping[str, Any], family: str) -> bool:
    """Whether a usage is of a family: `standardDSv2Family` is Standard DSv2 Family Cluster Dedicated vCPUs."""
    name = "".join(_called(usage).split()).casefold()
    return name == family or (name.startswith(family) and "dedicated" in name)
