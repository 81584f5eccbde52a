"""What servers say of how they serve: by the server's own clocks, on a control database of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from fleetcast.app.serving import DeclaredCircuits, OpenServing
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.service import BEATS_EVERY, LONGEST_STRETCH, PATIENCE, Served, Stretch
from fleetcast.domain.settings import PlatformSettings
from fleetcast.domain.traffic import Watch
from fleetcast.pipeline.forecasters.served import OpenServed
from fleetcast.platforms.local.endpoints import LocalEndpoints, LocalTrafficBoard
from fleetcast.platforms.local.platform import local_platform
from fleetcast.serving.heartbeat import Heartbeat, LoopPulse
from fleetcast.serving.managed import ManagedDeployment
from fleetcast.serving.metrics import Metrics
from tests.clocks import NOON, FixedClock
from tests.contracts.samples import ADA, digest
from tests.serving.house import ENDPOINT, House

PROD = EnvironmentName.PROD


@dataclass(slots=True)
class Office:
    """A server without clients, whose answers are made up."""

    clock: FixedClock
    endpoints: LocalEndpoints
    metrics: Metrics
    heartbeat: Heartbeat

    def answer(self, status: int, *, seconds: float = 0.003, plant: str = "LYON", times: int = 1) -> None:
        for _ in range(times):
            self.metrics.answered(plant, status, seconds)

    def beats(self, *plants: str, times: int = 1, every: timedelta = BEATS_EVERY) -> None:
        """Let so much time go by before each."""
        for _ in range(times):
            self.clock.moment += every
            self.heartbeat.beat(plants, self.metrics.served())

    def fared(self) -> Mapping[str, list[Stretch]]:
        told = self.endpoints.fared(PROD, NOON - timedelta(days=1))
        return {plant: list(stretches) for plant, stretches in told.items()}


@pytest.fixture
def office(tmp_path: Path) -> Office:
    clock = FixedClock()
    platform = local_platform(tmp_path / "state", {}, PlatformSettings(workers=1), actor=ADA, clock=clock)
    endpoints = platform.workspace.endpoints
    assert isinstance(endpoints, LocalEndpoints)
    board = LocalTrafficBoard(endpoints, timedelta(seconds=60))

    def seconds() -> float:
        return (clock.now() - NOON).total_seconds()

    heartbeat = Heartbeat(board, PROD, seconds, clock)
    return Office(clock, endpoints, Metrics(), heartbeat)


def test_one_stretch_grows_with_every_beat_and_counts_what_is_answered(office: Office) -> None:
    assert office.heartbeat.is_due()
    office.beats("LYON", "PARIS")
    assert not office.heartbeat.is_due()
    office.answer(200, times=3)
    office.answer(500, seconds=20.0)
    office.answer(429, seconds=20.0)
    office.answer(422)
    office.answer(401, plant="-")
    office.beats("LYON", "PARIS")
    begins, ends = NOON + BEATS_EVERY, NOON + 2 * BEATS_EVERY
    took = (0, 0, 3, *(0 for _ in range(10)), 2)
    assert office.fared() == {
        "LYON": [Stretch(begins, ends, Served(5, 2, 1, took))],
        "PARIS": [Stretch(begins, ends)],
    }


def test_a_long_time_is_told_in_several_stretches_and_every_answer_once(office: Office) -> None:
    beats = int(LONGEST_STRETCH / BEATS_EVERY)
    for _ in range(2 * beats):
        office.answer(200)
        office.beats("LYON")
    stretches = office.fared()["LYON"]
    assert [one.served.answers for one in stretches] == [beats, beats]
    assert stretches[1].since - stretches[0].until == BEATS_EVERY


@pytest.mark.parametrize(
    ("pause", "stretches"), [(PATIENCE, 1), (PATIENCE + BEATS_EVERY, 2), (-10 * BEATS_EVERY, 2)]
)
def test_a_break_and_a_clock_that_is_set_back_begin_another_one(
    office: Office, pause: timedelta, stretches: int
) -> None:
    office.beats("LYON", times=2)
    office.beats("LYON", every=pause)
    assert len(office.fared()["LYON"]) == stretches


def test_a_plant_is_told_of_as_long_as_it_is_served(office: Office) -> None:
    office.beats("LYON", times=2)
    office.beats("LYON", "PARIS")
    office.beats("PARIS")
    office.beats()
    office.beats("PARIS")
    found = office.fared()
    assert [one.until for one in found["LYON"]] == [NOON + 2 * BEATS_EVERY, NOON + 3 * BEATS_EVERY]
    assert [one.since for one in found["PARIS"]] == [NOON + number * BEATS_EVERY for number in (3, 4, 6)]


def test_what_could_not_be_written_down_is_said_with_the_next_beat(office: Office) -> None:
    office.beats("LYON")
    office.endpoints.session.change(
        lambda connection: connection.exec_driver_sql("ALTER TABLE endpoint_stretches RENAME TO away")
    )
    for _ in range(int(LONGEST_STRETCH / BEATS_EVERY) + 1):
        office.answer(200)
        with pytest.raises(Exception, match="endpoint_stretches"):
            office.beats("LYON")
    office.endpoints.session.change(
        lambda connection: connection.exec_driver_sql("ALTER TABLE away RENAME TO endpoint_stretches")
    )
    office.beats("LYON", times=2)
    first, _ = office.fared()["LYON"]
    assert first.until - first.since > LONGEST_STRETCH
    assert first.served.answers == int(LONGEST_STRETCH / BEATS_EVERY) + 1


def test_a_server_says_what_it_serves_and_a_hung_one_does_not(house: House) -> None:
    endpoints, clock = house.fleet.opened.platform.workspace.endpoints, house.fleet.clock
    before = clock.now() - timedelta(seconds=1)
    house.ask(circuit_id="CIRCUIT01")
    hung = replace(house.watcher, is_answering=lambda: False)
    hung.beat()
    assert endpoints.fared(ENDPOINT.environment, before) == {}
    house.watcher.beat()
    (found,) = endpoints.fared(ENDPOINT.environment, before)[ENDPOINT.plant]
    assert (found.until, found.served.answers, found.served.errors) == (clock.now(), 1, 0)


def test_a_loop_that_hangs_does_not_come_back() -> None:
    async def turned() -> list[bool]:
        pulse = LoopPulse(asyncio.get_running_loop())
        first = pulse()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        second = pulse()
        hung = pulse()
        return [first, second, hung]

    assert asyncio.run(turned()) == [True, True, False]


def test_a_closed_loop_does_not_answer() -> None:
    loop = asyncio.new_event_loop()
    loop.close()
    pulse = LoopPulse(loop)
    pulse()
    assert not pulse()


def container(house: House) -> ManagedDeployment:
    """What Azure runs for the release of this house, which goes on to serve by itself."""
    fleet, watcher = house.fleet.opened, house.watcher
    platform = fleet.platform
    told, plant = watcher.told, watcher.routes.by_plant[ENDPOINT.plant].blue
    assert plant is not None
    opened = OpenServing(
        fleet.directory,
        told.environment,
        DeclaredCircuits(fleet.directory, told.clock, fleet.fleet.circuits, fleet.files),
        told.board,
        told.releases,
        told.states,
        platform.workspace.tables,
        OpenServed.of(platform, unsigned_allowed=False),
        "container",
        told.clock,
    )
    heartbeat = Heartbeat(told.board, told.environment, count().__next__, told.clock, timedelta(0))
    release = house.release.release.digest
    return ManagedDeployment(opened, watcher.engine, ENDPOINT, release, plant, 0.0, heartbeat)


def test_a_container_says_what_it_answered_and_nothing_of_copies(house: House) -> None:
    endpoints, clock = house.fleet.opened.platform.workspace.endpoints, house.fleet.clock
    clock.sleep(timedelta(hours=1))
    before, one = clock.now() - timedelta(seconds=1), container(house)
    asked, nonsense = b'{"circuit_id": "CIRCUIT01"}', b"{"

    def answered() -> list[int]:
        told = endpoints.fared(ENDPOINT.environment, before).get(ENDPOINT.plant, ())
        return [stretch.served.answers for stretch in told]

    # Green without a share gets copies alone.
    other, release = digest("other"), one.release
    endpoints.serve(ENDPOINT, other)
    endpoints.start(ENDPOINT, release, Watch())
    one.look()
    assert one.answer(asked).status == 200
    one.look()
    assert answered() == []

    endpoints.shift(ENDPOINT, release, 10)
    one.look()
    assert (one.answer(asked).status, one.answer(nonsense).status) == (200, 400)
    one.look()
    assert answered() == [1]

    endpoints.finish(ENDPOINT, release)
    one.look()
    one.answer(asked)
    one.look()
    assert answered() == [2]

    # Blue no longer: it goes on running for a while, and clients are not sent there.
    endpoints.serve(ENDPOINT, other)
    one.look()
    one.answer(asked)
    one.look()
    assert answered() == [2]
