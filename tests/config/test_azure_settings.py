"""`azure:` says where a fleet is in Azure, and a platform `azureml` without it is a mistake with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetcast.config.settings_reader import load_settings
from fleetcast.domain.errors import InvalidFleet
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.settings import PlatformKind

ID = "12345678-1234-1234-1234-123456789abc"
WHOLE = f"""\
platform: {{kind: azureml, storage: 'az://fleet/one'}}
registry: shared
azure:
  subscription_id: {ID}
  resource_group: forecasting
  workspaces: {{prod: mlw-prod}}
  compute: cpu
"""


def test_where_a_fleet_is_in_azure(tmp_path: Path) -> None:
    (tmp_path / "fleetcast.yaml").write_text(WHOLE)
    settings = load_settings(tmp_path)
    azure = settings.azure
    assert settings.platform.kind is PlatformKind.AZUREML
    assert (azure.subscription_id, azure.resource_group, azure.compute) == (ID, "forecasting", "cpu")
    assert [azure.workspace(name) for name in EnvironmentName] == [
        "fleetcast-dev",
        "fleetcast-test",
        "mlw-prod",
    ]
    assert azure.datastore == "fleetcast"


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (
            f"  subscription_id: {ID}\n",
            "",
            "fleetcast.yaml:1: `platform.kind`: azureml needs azure.subscription_id",
        ),
        (
            "  resource_group: forecasting\n",
            "",
            "fleetcast.yaml:1: `platform.kind`: azureml needs azure.resource_g",
        ),
        (
            ", storage: 'az://fleet/one'",
            "",
            "fleetcast.yaml:1: `platform.kind`: azureml needs platform.storage",
        ),
        (
            ID,
            "my subscription",
            "fleetcast.yaml:4: `azure.subscription_id`: 'my subscription' is not the id of a",
        ),
        ("mlw-prod", "x", "fleetcast.yaml:6: `azure.workspaces.prod`: 'x' is not the name of a workspace"),
        (
            "compute: cpu",
            "compute: a_b",
            "fleetcast.yaml:7: `azure.compute`: 'a_b' is not the name of a compute",
        ),
        ("compute: cpu", "computer: cpu", "fleetcast.yaml:7: unknown key 'computer'"),
    ],
)
def test_each_mistake_is_named_with_its_line(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    (tmp_path / "fleetcast.yaml").write_text(WHOLE.replace(old, new))
    with pytest.raises(InvalidFleet) as refused:
        load_settings(tmp_path)
    (said,) = refused.value.complaints
    assert complaint in str(said)
