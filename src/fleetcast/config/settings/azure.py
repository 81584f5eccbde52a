"""`azure:` in `fleetcast.yaml`."""

from __future__ import annotations

from types import MappingProxyType
from typing import Annotated

from fleetcast.config.settings.settings_file import SettingsFile
from fleetcast.config.written import Text, Written, judged
from fleetcast.domain.errors import BadInput
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.settings import AzureSettings, PlatformKind, PlatformSettings
from fleetcast.domain.settings.azure import (
    checked_compute,
    checked_datastore,
    checked_group,
    checked_subscription,
    checked_workspace,
)


class WorkspacesWritten(Written):
    """`azure.workspaces:`."""

    dev: Annotated[Text, judged(checked_workspace)] | None = None
    test: Annotated[Text, judged(checked_workspace)] | None = None
    prod: Annotated[Text, judged(checked_workspace)] | None = None


class AzureWritten(Written):
    """`azure:`."""

    subscription_id: Annotated[Text, judged(checked_subscription)] | None = None
    resource_group: Annotated[Text, judged(checked_group)] | None = None
    workspaces: WorkspacesWritten | None = None
    compute: Annotated[Text, judged(checked_compute)] | None = None
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
        datastore=said.datastore or plain.datastore,
        image=said.image or plain.image,
        instance_type=said.instance_type or plain.instance_type,
    )
