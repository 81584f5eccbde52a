"""`azure:` in `fleetcast.yaml`."""

from __future__ import annotations

from types import MappingProxyType
from typing import Annotated

from fleetcast.config.settings.settings_file import SettingsFile
from fleetcast.config.written import Duration, Text, Whole, Written, judged
from fleetcast.domain.errors import BadInput
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.settings import AzureSettings, ClusterSettings, PlatformKind, PlatformSettings
from fleetcast.domain.settings.azure import (
    checked_compute,
    checked_datastore,
    checked_group,
    checked_size,
    checked_subscription,
    checked_workspace,
)


class WorkspacesWritten(Written):
    """`azure.workspaces:`."""

    dev: Annotated[Text, judged(checked_workspace)] | None = None
    test: Annotated[Text, judged(checked_workspace)] | None = None
    prod: Annotated[Text, judged(checked_workspace)] | None = None


class ClusterWritten(Written):
    """`azure.cluster:`."""

    size: Annotated[Text, judged(checked_size)] | None = None
    min_nodes: Whole | None = None
    max_nodes: Whole | None = None
    idle: Duration | None = None


class AzureWritten(Written):
    """`azure:`."""

    subscription_id: Annotated[Text, judged(checked_subscription)] | None = None
    resource_group: Annotated[Text, judged(checked_group)] | None = None
    workspaces: WorkspacesWritten | None = None
    compute: Annotated[Text, judged(checked_compute)] | None = None
    cluster: ClusterWritten | None = None
    datastore: Annotated[Text, judged(checked_datastore)] | None = None
    image: Text | None = None
    instance_type: Text | None = None


def read_azure(written: AzureWritten | None, platform: PlatformSettings, file: SettingsFile) -> AzureSettings:
    """Where in Azure the fleet is; its defaults where nothing is written.

    A platform `azureml` that does not say where it is, or keeps nothing in the cloud, is complained about.
    """
    plain, said = AzureSettings(), written or AzureWritten()
    if platform.kind is PlatformKind.AZUREML:
        for name in ("subscription_id", "resource_group"):
            if not file.says("azure", name):
                file.refuse(
                    BadInput(f"azureml needs azure.{name}", fix="write where in Azure the fleet is"),
                    "platform",
                    "kind",
                )
        if not file.says("platform", "storage"):
            file.refuse(
                BadInput(
                    "azureml needs platform.storage",
                    fix="write az://CONTAINER/FOLDER: jobs read their rows there and leave their models",
                ),
                "platform",
                "kind",
            )
    workspaces = {
        name: getattr(said.workspaces, name.value, None) or plain.workspaces[name] for name in EnvironmentName
    }
    return AzureSettings(
        subscription_id=said.subscription_id or "",
        resource_group=said.resource_group or "",
        workspaces=MappingProxyType(workspaces),
        compute=said.compute or plain.compute,
        cluster=_cluster(said.cluster, file),
        datastore=said.datastore or plain.datastore,
        image=said.image or plain.image,
        instance_type=said.instance_type or plain.instance_type,
    )


def _cluster(written: ClusterWritten | None, file: SettingsFile) -> ClusterSettings:
    said, plain = written or ClusterWritten(), ClusterSettings()
    try:
        return ClusterSettings(
            size=said.size or plain.size,
            min_nodes=plain.min_nodes if said.min_nodes is None else said.min_nodes,
            max_nodes=plain.max_nodes if said.max_nodes is None else said.max_nodes,
            idle=plain.idle if said.idle is None else said.idle,
        )
    except BadInput as error:
        file.refuse(error, "azure", "cluster")
        return plain
