"""Small fleets for tests: simulated readings, a real fleet repository, a real platform."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from fleetcast.app import OpenFleet, open_own_table, state_of
from fleetcast.config.reader import load_fleet
from fleetcast.config.templates import NewFleet, init_fleet
from fleetcast.domain.approval import Choice
from fleetcast.domain.audit import Actor
from fleetcast.domain.circuit import Circuit
from fleetcast.domain.model import ModelVersion
from fleetcast.domain.run import Run
from fleetcast.forecasting.simulation import NO_DEFECTS, SENSORS, Defects
from fleetcast.pipeline.runner import StageRunner, StageWatcher
from fleetcast.platforms.control.opening import control
from fleetcast.platforms.database.control import ControlDatabase
from fleetcast.platforms.database.session import Session
from fleetcast.platforms.database.sqlite import sqlite
from fleetcast.platforms.local.platform import local_platform
from fleetcast.platforms.memory.platform import memory_platform
from fleetcast.workflows.decide import Decide
from fleetcast.workflows.simulate import Simulate, SimulatedFleet
from fleetcast.workflows.train import Train
from tests.sealing import SEALING

START = datetime(2025, 1, 1, tzinfo=UTC)
"""The first simulated reading."""
UNWATCHED = StageWatcher(lambda *_: None, lambda *_: None, lambda *_: None)
PlatformName = Literal["memory", "local"]


@dataclass(slots=True)
class SteppedClock:
    """A clock that stands still until somebody sleeps, and then jumps ahead."""

    moment: datetime

    def now(self) -> datetime:
        return self.moment

    def sleep(self, length: timedelta) -> None:
        self.moment += length


@dataclass(slots=True)
class SmallFleet:
    """A fleet that tests can train, decide on and change."""

    opened: OpenFleet
    database: ControlDatabase
    clock: SteppedClock
    last: datetime
    """Time of the newest simulated reading."""
    runs: list[Run] = field(default_factory=list)

    def train(self) -> Run:
        """All eight stages."""
        runner = StageRunner(self.opened.platform, self.clock, self.opened.state / "runs")
        run = Train(runner, "0123abc")(self.opened.fleet, UNWATCHED, lock_timeout=timedelta(0))
        self.runs.append(run)
        return run

    def decide(self, choice: Choice = Choice.APPROVE, *, comment: str = "looks right") -> None:
        """Decide on everything that waits, as somebody else than who asked."""
        grace = control(Session(self.database, Actor("grace")), timedelta(seconds=60))
        book = Decide(grace, self.opened.fleet.settings.gates, self.clock)
        book([request.id for request in book.pending()], choice, comment)

    def promote(self) -> Run:
        """Train, approve everything, and train again, which shares what was approved."""
        self.train()
        self.decide()
        return self.train()

    def change(self, number: int = 0, **settings: object) -> Circuit:
        """Declare one circuit anew with some fields changed."""
        circuits = list(self.opened.fleet.circuits)
        circuits[number] = replace(circuits[number], **settings)  # type: ignore[arg-type]  # fields by name
        self.opened = replace(self.opened, fleet=replace(self.opened.fleet, circuits=tuple(circuits)))
        return circuits[number]

    @property
    def circuit(self) -> Circuit:
        """The first circuit."""
        return self.opened.fleet.circuits[0]


def used(fleet: SmallFleet) -> Mapping[str, ModelVersion]:
    """The version in use of every model that has one."""
    platform = fleet.opened.platform
    chosen = platform.control.states.intent().selected
    held = platform.workspace.models.versions(list(chosen))
    return {name: held[name][number - 1] for name, number in chosen.items()}


def small_fleet(
    tmp_path: Path,
    platform: PlatformName = "memory",
    *,
    plants: int = 1,
    circuits: int = 2,
    days: int = 60,
    sensors: int = 3,
    horizon_days: int = 2,
    family: str = "linear",
    trained_days: int | None = None,
    defects: Defects = NO_DEFECTS,
) -> SmallFleet:
    """Write a fleet repository with hourly simulated readings below `tmp_path`, and open a platform for it.

    Args:
        tmp_path: An empty folder; the repository becomes its subfolder `fleet`.
        platform: Where it runs.
        plants: How many plants.
        circuits: Circuits of each plant.
        days: Length of the readings, from `START`.
        sensors: How many of the six simulated sensors are declared.
        horizon_days: How far to forecast.
        family: Model family of every circuit.
        trained_days: Days before the cutoff; by default all but the last three.
        defects: Of each circuit.
    """
    directory = tmp_path / "fleet"
    trained = days - 3 if trained_days is None else trained_days
    made = SimulatedFleet(plants, circuits, timedelta(days=days), start=START, defects=defects)
    init_fleet(
        directory,
        NewFleet(
            circuits=tuple(made.circuit_keys()),
            features=SENSORS[:sensors],
            cutoff=f"{START + timedelta(days=trained - 1):%Y-%m-%d}",
            horizon_days=horizon_days,
            training_days=days,
            family=family,
        ),
    )
    table = open_own_table(directory)
    Simulate(table)(made)
    clock = SteppedClock(START + timedelta(days=days))
    fleet = load_fleet(directory, now=clock.now())
    actor, tables = Actor("ada"), {"readings": table}
    state = state_of(directory, fleet)
    database = ControlDatabase(sqlite(state / "control.db"), clock=clock, sealing=SEALING)
    if platform == "memory":
        world = memory_platform(tables, tmp_path / "scratch", actor=actor, clock=clock, database=database)
    else:
        world = local_platform(
            state, tables, fleet.settings.platform, actor=actor, clock=clock, database=database
        )
    opened = OpenFleet(directory, fleet, world, clock)
    return SmallFleet(opened, database, clock, START + timedelta(days=days) - timedelta(hours=1))
