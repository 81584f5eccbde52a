"""Every platform in turn: a new one adds one line to `OPENERS` and inherits every promise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from fleetcast.domain.location import Location
from fleetcast.domain.settings import PlatformSettings
from fleetcast.platforms.database.control import ControlDatabase
from fleetcast.platforms.database.postgres import postgres
from fleetcast.platforms.local.platform import local_platform
from fleetcast.platforms.memory.platform import memory_platform
from fleetcast.ports.platform import Platform
from tests.azure_oracle.published import as_published
from tests.clocks import FixedClock
from tests.contracts.azure import AzureForContracts, azure_emulated
from tests.contracts.samples import ADA
from tests.sealing import SEALING
from tests.servers.postgres import PostgresServer
from tests.servers.s3 import S3Server

Opener = Callable[[Path, FixedClock, pytest.FixtureRequest], Platform]


def _memory(folder: Path, clock: FixedClock, _request: pytest.FixtureRequest) -> Platform:
    return memory_platform({}, folder, actor=ADA, clock=clock)


def _sqlite(folder: Path, clock: FixedClock, _request: pytest.FixtureRequest) -> Platform:
    return local_platform(folder, {}, PlatformSettings(workers=2), actor=ADA, clock=clock)


def _sqlite_and_files(folder: Path, clock: FixedClock, _request: pytest.FixtureRequest) -> Platform:
    settings = PlatformSettings(workers=2, storage=Location(f"file://{folder}-shared"))
    return local_platform(folder, {}, settings, actor=ADA, clock=clock)


def _postgres_and_s3(folder: Path, clock: FixedClock, request: pytest.FixtureRequest) -> Platform:
    server: PostgresServer = request.getfixturevalue("postgres")
    buckets: S3Server = request.getfixturevalue("s3")
    settings = PlatformSettings(workers=2, storage=Location(f"s3://{buckets.new_bucket()}/fleet"))
    database = ControlDatabase(postgres(server.url(server.new_database())), clock=clock, sealing=SEALING)
    return local_platform(folder, {}, settings, actor=ADA, clock=clock, database=database)


def _azureml(folder: Path, clock: FixedClock, request: pytest.FixtureRequest) -> Platform:
    azure: AzureForContracts = request.getfixturevalue("azure_ml")
    return azure.platform(folder, clock)


OPENERS: Mapping[str, Opener] = {
    "memory": _memory,
    "sqlite": _sqlite,
    "sqlite+files": _sqlite_and_files,
    "postgres+s3": _postgres_and_s3,
    "azureml": _azureml,
}


@pytest.fixture
def azure_ml(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureForContracts]:
    """A workspace that holds nothing yet, and at the end nothing was asked that Azure does not know."""
    with azure_emulated(tmp_path_factory.mktemp("azure")) as emulator:
        yield AzureForContracts(emulator)
        as_published(emulator.exchanges())


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture(params=sorted(OPENERS))
def platform(request: pytest.FixtureRequest, tmp_path: Path, clock: FixedClock) -> Iterator[Platform]:
    opened = OPENERS[request.param](tmp_path / "state", clock, request)
    yield opened
    opened.workspace.jobs.close()
