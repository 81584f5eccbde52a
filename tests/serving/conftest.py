"""A server over two circuits, of which the first has two versions."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from fleetcast.domain.token import digest_of_secret
from fleetcast.pipeline.forecasters.served import OpenServed
from fleetcast.pipeline.releases import composed_plants, what_there_is
from fleetcast.platforms.local.endpoints import LocalEndpointKeys, LocalEndpoints, LocalTrafficBoard
from fleetcast.serving.engine import Engine
from fleetcast.serving.loaded_models import LoadedModels
from fleetcast.serving.metrics import Metrics
from fleetcast.serving.newest import NewestReadings
from fleetcast.serving.replays import Replays
from fleetcast.serving.server import ScoringServer
from fleetcast.serving.watcher import Told, Watcher
from tests.fleets import SmallFleet, small_fleet
from tests.serving.house import ENDPOINT, KEY, TEST, Declared, House


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> SmallFleet:
    fleet = small_fleet(tmp_path_factory.mktemp("served"), "local", circuits=2)
    fleet.promote()
    fleet.change(0, revision=1, units={fleet.circuit.targets[0]: "°C"})
    fleet.promote()
    return fleet


@pytest.fixture
def house(trained: SmallFleet, tmp_path: Path) -> Iterator[House]:
    platform, clock = trained.opened.platform, trained.clock
    (found,) = composed_plants(trained.opened.fleet, TEST, what_there_is(platform, TEST))
    assert found.composed.release is not None
    newest = found.composed.release
    first = {
        circuit: replace(model, version=1) if model.version == 2 else model
        for circuit, model in newest.circuits.items()
    }
    assert {model.version for model in newest.circuits.values()} == {1, 2}
    versions = platform.workspace.models.versions([model.name for model in first.values()])
    older = replace(
        newest,
        circuits={
            circuit: replace(
                model,
                artifact=versions[model.name][0].model.artifact,
                training_hash=versions[model.name][0].training_hash,
            )
            for circuit, model in first.items()
        },
    )
    _, release = platform.control.releases.keep([older, newest])
    endpoints = platform.workspace.endpoints
    assert isinstance(endpoints, LocalEndpoints)
    endpoints.serve(ENDPOINT, release.release.digest)
    LocalEndpointKeys(endpoints.session).put(ENDPOINT, "primary", digest_of_secret(KEY))
    models = LoadedModels(OpenServed.of(platform, unsigned_allowed=False), 10**9)
    engine = Engine(models, NewestReadings(platform.workspace.tables, clock), clock)
    circuits = Declared({one.key.circuit: one for one in trained.opened.fleet.circuits})
    with ThreadPoolExecutor(1) as executor:
        loop = asyncio.new_event_loop()
        told = Told(
            TEST,
            circuits,
            LocalTrafficBoard(endpoints, timedelta(seconds=60)),
            platform.control.releases,
            platform.control.states,
            lambda _release, _socket: ["false"],
            tmp_path,
            lambda: 0.0,
            clock,
        )
        metrics = Metrics()
        watcher = Watcher(told, engine, Replays(engine, loop, executor), metrics)
        watcher.look()
        yield House(trained, release, watcher, ScoringServer(watcher, engine, metrics), circuits)
        watcher.end()
        loop.close()
