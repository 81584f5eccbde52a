"""What a diagnosis asks of Azure, with the identity of this process."""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from fleetcast.domain.diagnosis import Room
from fleetcast.domain.errors import BadInput
from fleetcast.domain.installation import Item
from fleetcast.domain.installed_azure import AzureWorkspace, BlobDatastore, ClusterSchedule, ComputeCluster
from fleetcast.domain.place import EnvironmentName
from fleetcast.platforms.azureml.client import AzureClients, asked
from fleetcast.platforms.azureml.installation import AzureInstallation
from fleetcast.platforms.azureml.operations import held, side_by_side
from fleetcast.platforms.azureml.quota import cores_allowed, machines_of

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

_SCOPE = "https://management.azure.com/.default"
_LIBRARY, _PACKAGE = "azure.ai.ml", "azure-ai-ml"
_IN_WORKSPACE = BlobDatastore | ComputeCluster | ClusterSchedule
_SERVED = (EnvironmentName.TEST, EnvironmentName.PROD)


class AzureCloud:
    """Asks Azure; nothing is changed."""

    def __init__(self, clients: AzureClients, fleet: Path) -> None:
        self._clients = clients
        self._installation = AzureInstallation(clients, fleet)

    def library(self) -> str:
        """The version of the SDK."""
        try:
            if find_spec(_LIBRARY) is not None:
                return f"{_PACKAGE} {version(_PACKAGE)}"
        except (ModuleNotFoundError, PackageNotFoundError):
            pass
        raise BadInput(f"{_PACKAGE} is not installed", fix="pip install 'fleetcast[azure]'")

    def identity(self) -> str:
        """Get a token for the control plane; says for whom it is."""
        with asked("a token"):
            token = self._clients.credential().get_token(_SCOPE).token
        return f"a token for {_holder(token)}"

    def read(self, item: Item) -> Item | None:
        """A thing of the installation as it is; what belongs to a workspace that is not there is not there either."""
        around = (AzureWorkspace(item.workspace),) if isinstance(item, _IN_WORKSPACE) else ()
        found = self._installation.found((*around, item))
        return next((one for one in found if one.ref == item.ref), None)

    def rooms(self, size: str) -> Sequence[Room]:
        """How many cores there are where test and prod are."""
        places: defaultdict[str, list[EnvironmentName]] = defaultdict(list)
        for environment in _SERVED:
            places[self._location(environment)].append(environment)
        return [self._room(place, size, environments) for place, environments in places.items()]

    def versions(self, names: Collection[str]) -> Mapping[str, Collection[int]]:
        """The versions of models in the workspace of dev, where they are made."""
        client = self._clients.workspace()

        def of(name: str) -> frozenset[int]:
            found = held(f"model {name}", lambda: list(client.models.list(name=name))) or ()
            return frozenset(int(one.version) for one in found if str(one.version).isdecimal())

        ordered = sorted(names)
        return dict(zip(ordered, side_by_side(of, ordered), strict=True))

    def _location(self, environment: EnvironmentName) -> str:
        name = self._clients.settings.workspace(environment)
        with asked(f"workspace {name}"):
            return str(self._clients.workspace(environment).workspaces.get(name).location)

    def _room(self, place: str, size: str, environments: Sequence[EnvironmentName]) -> Room:
        client = self._clients.workspace(environments[0])
        allowed = cores_allowed(client, machines_of(client, place, size))
        workspaces = {self._clients.settings.workspace(one): one for one in environments}
        running = sum(self._running(self._clients.workspace(one), size) for one in workspaces.values())
        return Room(
            place,
            allowed.family,
            allowed.cores_each,
            allowed.limit,
            allowed.used,
            running * allowed.cores_each,
            len(environments),
        )

    def _running(self, client: MLClient, size: str) -> int:
        """Machines of a size that serve in a workspace."""

        def of(endpoint: str) -> int:
            with asked(f"endpoint {endpoint}"):
                return sum(
                    int(one.instance_count or 1)
                    for one in client.online_deployments.list(endpoint)
                    if str(one.instance_type).casefold() == size.casefold()
                )

        with asked("endpoints"):
            names = [str(one.name) for one in client.online_endpoints.list()]
        return sum(side_by_side(of, names))


def _holder(token: str) -> str:
    """Whom a token names; what is signed in it stays secret."""
    try:
        middle = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    except (ValueError, IndexError):
        return "an identity that it does not name"
    known = claims if isinstance(claims, dict) else {}
    return str(known.get("upn") or known.get("appid") or known.get("oid") or "an identity it does not name")
