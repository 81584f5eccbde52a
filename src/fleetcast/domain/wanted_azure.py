"""What a fleet needs in Azure, from its settings."""

from __future__ import annotations

from fleetcast.domain.errors import BadInput
from fleetcast.domain.installed_azure import (
    AzureItem,
    AzureRegistry,
    AzureWorkspace,
    BlobContainer,
    BlobDatastore,
    ComputeCluster,
)
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.settings import PlatformKind, Settings

_SCHEMES = ("az", "abfss")


def wanted_in_azure(settings: Settings, account: str) -> tuple[AzureItem, ...]:
    """Everything that a fleet is trained and served with.

    Args:
        settings: Of the fleet.
        account: The storage account where `platform.storage` does not name it; empty: nobody says.

    Raises:
        BadInput: The fleet is not one of Azure, or nothing says where its files are.
    """
    azure, storage = settings.azure, settings.platform.storage
    if settings.platform.kind is not PlatformKind.AZUREML:
        raise BadInput(
            "the fleet is not trained in Azure",
            fix="write `platform: {kind: azureml, storage: az://CONTAINER/FOLDER}` and `azure:` in fleetcast.yaml",
        )
    if storage is None or storage.scheme not in _SCHEMES:
        raise BadInput(
            f"Azure ML does not read {storage}",
            fix="write az://CONTAINER/FOLDER or abfss://… as platform.storage",
        )
    account = storage.account or account
    if not account:
        raise BadInput(
            f"nothing says in which storage account the container {storage.bucket} is",
            fix="set AZURE_STORAGE_ACCOUNT_NAME, or name the account in platform.storage (abfss://…)",
        )
    where = (azure.subscription_id, azure.resource_group)
    # Two environments may share a workspace.
    workspaces = list(dict.fromkeys(azure.workspace(name) for name in EnvironmentName))
    cluster = azure.cluster
    return (
        *(AzureWorkspace(name, *where) for name in workspaces),
        AzureRegistry(settings.registry, *where),
        BlobContainer(account, storage.bucket),
        *(BlobDatastore(azure.datastore, name, account, storage.bucket) for name in workspaces),
        ComputeCluster(
            azure.compute,
            azure.workspace(EnvironmentName.DEV),
            cluster.size,
            cluster.min_nodes,
            cluster.max_nodes,
            cluster.idle,
        ),
    )
