"""What a fleet needs in Azure, and what of it waits for something that only others make."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleetcast.domain.errors import BadInput
from fleetcast.domain.installation import Blocked, Create, Leave, plan_installation
from fleetcast.domain.installed import Kind
from fleetcast.domain.installed_azure import AzureWorkspace
from fleetcast.domain.location import Location
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.settings import AzureSettings, PlatformKind, PlatformSettings, Settings
from fleetcast.domain.wanted_azure import wanted_in_azure

SETTINGS = Settings(
    platform=PlatformSettings(kind=PlatformKind.AZUREML, storage=Location("az://fleet/energy")),
    azure=AzureSettings("11111111-1111-1111-1111-111111111111", "plants"),
)


def test_each_workspace_has_a_datastore_and_dev_has_the_cluster() -> None:
    assert [str(item.ref) for item in wanted_in_azure(SETTINGS, "account")] == [
        "workspace fleetcast-dev",
        "workspace fleetcast-test",
        "workspace fleetcast-prod",
        "shared registry fleet-registry",
        "container fleet in account",
        "datastore fleetcast in fleetcast-dev",
        "datastore fleetcast in fleetcast-test",
        "datastore fleetcast in fleetcast-prod",
        "compute cluster fleetcast-cpu in fleetcast-dev",
    ]


def test_a_workspace_that_environments_share_is_wanted_once() -> None:
    shared = replace(
        SETTINGS, azure=replace(SETTINGS.azure, workspaces=dict.fromkeys(EnvironmentName, "one"))
    )
    kinds = [item.ref.kind for item in wanted_in_azure(shared, "account")]
    assert (kinds.count(Kind.WORKSPACE), kinds.count(Kind.DATASTORE)) == (1, 1)


def test_a_uri_that_names_the_account_needs_nobody_else_to() -> None:
    storage = Location("abfss://fleet@named.dfs.core.windows.net/energy")
    named = replace(SETTINGS, platform=replace(SETTINGS.platform, storage=storage))
    assert "container fleet in named" in [str(item.ref) for item in wanted_in_azure(named, "")]
    with pytest.raises(BadInput, match="in which storage account"):
        wanted_in_azure(SETTINGS, "")


def test_what_belongs_to_a_workspace_waits_until_others_have_made_it() -> None:
    wanted = wanted_in_azure(SETTINGS, "account")
    there = [item for item in wanted if isinstance(item, AzureWorkspace) and item.name != "fleetcast-dev"]
    steps = {str(step.item.ref): type(step) for step in plan_installation(wanted, there).steps}
    assert steps == {
        "workspace fleetcast-dev": Blocked,
        "workspace fleetcast-test": Leave,
        "workspace fleetcast-prod": Leave,
        "shared registry fleet-registry": Blocked,
        "container fleet in account": Create,
        "datastore fleetcast in fleetcast-dev": Blocked,
        "datastore fleetcast in fleetcast-test": Create,
        "datastore fleetcast in fleetcast-prod": Create,
        "compute cluster fleetcast-cpu in fleetcast-dev": Blocked,
    }
