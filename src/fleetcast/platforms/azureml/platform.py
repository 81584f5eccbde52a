"""The platform that users have: what exists is in Azure ML, and is listed in the control database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fleetcast import __version__
from fleetcast.domain.errors import BadInput
from fleetcast.domain.foreign import ForeignLimits
from fleetcast.domain.location import Location
from fleetcast.domain.settings import DATABASE_URL_VARIABLE, SIGNING_KEY_VARIABLE, Settings
from fleetcast.domain.wanted_azure import Given
from fleetcast.platforms.azureml.assets import AzureAssetRegistry, AzureDataAssets
from fleetcast.platforms.azureml.batch_scoring import AzureBatchScoring, ClusterGiven
from fleetcast.platforms.azureml.client import AzureClients
from fleetcast.platforms.azureml.commands import ClusterCommands
from fleetcast.platforms.azureml.deployments import Served
from fleetcast.platforms.azureml.endpoints import AzureEndpoints
from fleetcast.platforms.azureml.jobs import AzureJobService
from fleetcast.platforms.azureml.models import AzureModelRegistry
from fleetcast.platforms.azureml.places import DatastorePlaces
from fleetcast.platforms.azureml.quota import AzureQuota
from fleetcast.platforms.azureml.sharing import AzureSharedRegistry
from fleetcast.platforms.cores import cores
from fleetcast.platforms.database.session import Session
from fleetcast.platforms.foreign.process import ProcessForeignModels
from fleetcast.platforms.local.asset_registry import LocalAssetRegistry, LocalDataAssets
from fleetcast.platforms.local.model_registry import LocalModelRegistry, LocalSharedRegistry
from fleetcast.platforms.stores import Stores
from fleetcast.ports.platform import Workspace
from fleetcast.ports.readings import ReadingsTable

_PASSED_ON = (DATABASE_URL_VARIABLE, "AZURE_STORAGE_ACCOUNT_NAME")
"""What containers that serve need of an agent's environment; none of it is a secret."""


@dataclass(frozen=True, slots=True)
class AzureFleet:
    """One fleet's place in Azure, opened once for many people."""

    clients: AzureClients
    storage: Location
    served: Served
    cluster: ClusterGiven


def azure_fleet(settings: Settings, fleet: Path, environment: Mapping[str, str]) -> AzureFleet:
    """Open the clients of a fleet; nothing is asked yet.

    Args:
        settings: Of the fleet.
        fleet: Its repository.
        environment: Variables that containers are given too, as far as none of them is a secret.

    Raises:
        BadInput: The settings do not say where the files are.
    """
    storage = settings.platform.storage
    if storage is None:
        raise BadInput(
            "the platform azureml needs platform.storage", fix="write az://CONTAINER/FOLDER in fleetcast.yaml"
        )
    passed = {name: environment[name] for name in _PASSED_ON if name in environment}
    clients = AzureClients(settings.azure, settings.registry)
    given = Given(
        "", __version__, environment.get(DATABASE_URL_VARIABLE, ""), environment.get(SIGNING_KEY_VARIABLE, "")
    )
    account = storage.account or environment.get("AZURE_STORAGE_ACCOUNT_NAME", "")
    return AzureFleet(clients, storage, Served(fleet, passed), ClusterGiven(given, account))


def azure_workspace(
    session: Session,
    fleet: AzureFleet,
    state: Path,
    tables: Mapping[str, ReadingsTable],
    foreign: ForeignLimits,
) -> Workspace:
    """What exists, as one person works with it.

    Args:
        session: With the control database, which holds the index of what is in Azure.
        fleet: Its place in Azure.
        state: Folder for copies of what this machine has used.
        tables: Tables of readings by the name of the data source.
        foreign: What a foreign model may take.
    """
    clients = fleet.clients
    places = DatastorePlaces(fleet.storage, clients.settings.datastore)
    stores = Stores(state.resolve(), fleet.storage)
    asset_index, model_index = LocalAssetRegistry(session), LocalModelRegistry(session)
    assets = AzureAssetRegistry(clients, asset_index)
    artifacts = stores.artifacts()
    return Workspace(
        assets=assets,
        data=AzureDataAssets(clients, LocalDataAssets(session), places),
        tables=tables,
        frozen=stores.frozen(),
        jobs=AzureJobService(session, clients, assets, places, artifacts),
        artifacts=artifacts,
        foreign=ProcessForeignModels(foreign),
        models=AzureModelRegistry(clients, model_index, places, session.clock),
        shared=AzureSharedRegistry(clients, LocalSharedRegistry(session), model_index, asset_index),
        endpoints=AzureEndpoints(session, clients, fleet.served),
        forecasts=stores.forecasts,
        observations=stores.observations,
        learnt=stores.learnt(),
        workers=cores(),
        quota=AzureQuota(clients, state.resolve()),
        remote=AzureBatchScoring(
            session, clients, ClusterCommands(clients, fleet.served.fleet), fleet.cluster
        ),
    )
