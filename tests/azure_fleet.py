"""A fleet repository on the platform azureml, as a person has it, with the emulator in Azure's place."""

from __future__ import annotations

from pathlib import Path

from fleetcast.config.templates import NewFleet, init_fleet
from fleetcast.domain.identity import CircuitKey
from tests.azure_emulator.emulator import AzureEmulator
from tests.contracts.azure import settings_of
from tests.scenarios.repository import CIRCUITS, CUTOFF, Repository

SETTINGS = "fleetcast.yaml"


def write_azure_fleet(
    folder: Path,
    emulator: AzureEmulator,
    *,
    plants: int = 1,
    circuits: int = 2,
    days: int = 60,
    batch_size: int = 50,
) -> Repository:
    """Circuits that forecast twelve hours of one sensor, with readings; this process must be led to the emulator."""
    keys = [
        CircuitKey(f"PLANT{plant:03d}", f"CIRCUIT{circuit:02d}")
        for plant in range(1, plants + 1)
        for circuit in range(1, circuits + 1)
    ]
    init_fleet(
        folder, NewFleet(circuits=keys, features=("temperature",), cutoff=CUTOFF, family="seasonal_naive")
    )
    fleet = Repository(folder)
    fleet.edit(CIRCUITS, "forecast_horizon: 7 ", "forecast_horizon: 12h ")
    # intervals measured on twelve days of made-up readings may cover anything; that is another story
    any_coverage = "  thresholds: {min_coverage_80: 0, max_coverage_80: 1}"
    fleet.edit(CIRCUITS, "  data_source: readings\n", f"  data_source: readings\n{any_coverage}\n")
    where = settings_of(emulator)
    azure = f"azure: {{subscription_id: {where.azure.subscription_id}, resource_group: {where.azure.resource_group}}}"
    fleet.edit(SETTINGS, "  kind: local ", "  kind: azureml ")
    fleet.edit(SETTINGS, "  # storage: s3://bucket/fleet ", f"  storage: {where.platform.storage} ")
    fleet.edit(SETTINGS, "batch_size: 50 ", f"batch_size: {batch_size} ")
    fleet.edit(SETTINGS, "# azure:                 #", f"{azure}\n#")
    size = ("--plants", str(plants), "--circuits", str(circuits), "--length", f"{days}d")
    said = fleet.type("simulate", *size)
    assert said.code == 0, said.out + said.err
    return fleet
