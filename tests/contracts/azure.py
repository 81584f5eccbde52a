"""The platform azureml for contract tests: the unmodified SDK in front, the emulator behind."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from unittest.mock import patch

from fleetcast.domain.location import Location
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.settings import AzureSettings, PlatformKind, PlatformSettings, Settings
from fleetcast.platforms.azureml.platform import azure_fleet, azure_workspace
from fleetcast.platforms.control.opening import control
from fleetcast.platforms.database.control import ControlDatabase
from fleetcast.platforms.database.migrate import ensure_schema
from fleetcast.platforms.database.session import Session
from fleetcast.platforms.database.sqlite import sqlite
from fleetcast.ports.clock import Clock
from fleetcast.ports.platform import Platform
from tests.azure_emulator.emulator import AzureEmulator
from tests.azure_emulator.setup import Setup
from tests.clocks import FixedClock
from tests.contracts.samples import ADA
from tests.sealing import SEALING

ACCOUNT, CONTAINER = "fleetaccount", "fleet"
WORKSPACES: Mapping[EnvironmentName, str] = MappingProxyType(
    {name: f"fleetcast-{name.value}" for name in EnvironmentName}
)
REGISTRY = "fleet-registry"


SETUP = Setup(
    workspaces=tuple(WORKSPACES.values()),
    registries=(REGISTRY,),
    datastores={AzureSettings().datastore: (ACCOUNT, CONTAINER)},
)
"""The workspaces, the container and the registry of a fleet."""


@contextmanager
def azure_emulated(state: Path, clock: Clock | None = None) -> Iterator[AzureEmulator]:
    """An emulator to which this process's environment leads."""
    with AzureEmulator(state, SETUP, clock=clock) as emulator, led_to(emulator):
        yield emulator


@contextmanager
def led_to(emulator: AzureEmulator) -> Iterator[None]:
    """Let this process's environment lead to an emulator, for a `with` block."""
    with patch.dict(os.environ, {**emulator.environment, **emulator.storage_environment(ACCOUNT)}):
        yield


def settings_of(emulator: AzureEmulator) -> Settings:
    """The settings of a fleet there."""
    azure = AzureSettings(
        subscription_id=emulator.setup.subscription,
        resource_group=emulator.setup.resource_group,
        workspaces=WORKSPACES,
    )
    storage = Location(f"az://{CONTAINER}/fleet")
    return Settings(
        registry=REGISTRY,
        platform=PlatformSettings(kind=PlatformKind.AZUREML, storage=storage),
        azure=azure,
    )


@dataclass(frozen=True, slots=True)
class AzureForContracts:
    """Gives each test a platform of its own."""

    emulator: AzureEmulator

    def platform(self, folder: Path, clock: FixedClock) -> Platform:
        folder.mkdir(parents=True, exist_ok=True)
        settings = settings_of(self.emulator)
        fleet = azure_fleet(settings, folder, os.environ)
        database = ControlDatabase(sqlite(folder / "control.db"), clock=clock, sealing=SEALING)
        ensure_schema(database)
        session = Session(database, ADA)
        workspace = azure_workspace(session, fleet, folder, {}, settings.foreign)
        return Platform(workspace, control(session, settings.platform.lease))
