"""Opening a fleet on the platform that is gone with its process: made-up readings, and people who stand in."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from fleetcast.app.desk import Desk
from fleetcast.app.people import new_person_id, whoami
from fleetcast.app.platforms import Ground, memory_of
from fleetcast.config.reader import read_fleet
from fleetcast.domain.approval import Choice, NotDecidable, Request, RequestState
from fleetcast.domain.audit import Actor, Means, Proof, Standing
from fleetcast.domain.fleet import Fleet
from fleetcast.domain.gate import ANYONE
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.people import Directory, Grant, Group, Person
from fleetcast.domain.pretence import Pretence, Pretending
from fleetcast.domain.role import Role
from fleetcast.platforms.memory.clock import SkippingClock
from fleetcast.platforms.memory.kept_world import keep_world, kept_world

if TYPE_CHECKING:
    from fleetcast.app.fleet import OpenFleet
    from fleetcast.platforms.database.control import ControlDatabase
    from fleetcast.platforms.memory.world import World
    from fleetcast.ports.readings import ReadingsTable
    from fleetcast.stored.form import Stored

ME = "dummy"
"""Who runs a dummy's pipelines."""
MADE_UP = tuple(
    CircuitKey(f"PLANT{plant:03d}", f"CIRCUIT{circuit:02d}") for plant in (1, 2) for circuit in (1, 2, 3)
)
"""The circuits of a fleet that is made up where there is none."""
_MOST_STEPS = 1_000
"""Of training, or four times what the model needs: a dummy's models are good for nothing but to be there."""
_ROLES = (Role.ENGINEER, Role.OPERATOR, Role.ADMIN)
_PRETENCE_FILE, _KEY_FILE = "pretence.json", "signing.key"


@dataclass(slots=True)
class Dummy:
    """A fleet that is only pretended."""

    declared: Fleet
    """Whose training windows are cut short."""
    pretence: Pretence
    is_new: bool
    """Whether nothing was done in it before."""
    folder: Path
    _desk: Desk
    _world: World
    _clock: SkippingClock

    @property
    def fleet(self) -> Fleet:
        """As it is declared, and pretended."""
        return self.pretence.applied(self.declared)

    @property
    def opened(self) -> OpenFleet:
        """The fleet in the name of whoever runs its pipelines."""
        return replace(self._desk, fleet=self.fleet).as_(self._person(ME))

    @property
    def skipped(self) -> timedelta:
        """What was waited for without letting the time pass."""
        return self._clock.skipped

    @property
    def by_stand_in(self) -> OpenFleet:
        """The fleet in the name of somebody who stands in for those who decide."""
        (first, *_) = self._stand_ins()
        return replace(self._desk, fleet=self.fleet).as_(first)

    def check(self, asked: Pretending) -> None:
        """Make sure that this can be pretended.

        Raises:
            BadInput: The fleet has fewer circuits.
        """
        self.pretence.after(self.declared, asked)

    def pretend(self, asked: Pretending) -> None:
        """Change the fleet, and have the platform make trouble.

        Raises:
            BadInput: The fleet has fewer circuits.
        """
        self.pretence = self.pretence.after(self.declared, asked)
        self._world.failing = asked.job_failures
        self._world.shows_after = asked.propagation_delay

    def approve(self, request: Request) -> Request:
        """Have one after the other of those who stand in approve, until it is enough; gives what became of it."""
        for person in self._stand_ins():
            deciding = self._desk.as_(person).books.deciding
            try:
                (request,) = deciding([request.id], Choice.APPROVE, "stands in for somebody who looked")
            except NotDecidable:
                continue
            if request.state is not RequestState.PENDING:
                break
        return request

    def keep(self) -> None:
        """Write everything down that is not in its folder yet."""
        from fleetcast.stored.durable import write_durably

        keep_world(self._world, self.folder)
        kept = replace(self.pretence, skipped=self._clock.skipped)
        write_durably(self.folder / _PRETENCE_FILE, _stored().to_json(kept).encode())
        self._desk.database.backend.engine.dispose()

    def _stand_ins(self) -> Sequence[Actor]:
        return [
            self._person(name) for name in sorted(one.name for one in self._directory.people) if name != ME
        ]

    @property
    def _directory(self) -> Directory:
        return self._desk.as_(whoami()).platform.control.people.directory()

    def _person(self, name: str) -> Actor:
        person = self._directory.named(name)
        proof = Proof(Means.SYSTEM_USER, f"stands in as {name}")
        return Actor(name, Standing.ASSERTED, proof, "" if person is None else person.id)


@contextmanager
def open_dummy(directory: Path | None, state: Path | None = None) -> Iterator[Dummy]:
    """Open a fleet on the platform in memory, whatever its settings name; nothing of the fleet's own is touched.

    Readings are made up, models are trained on them for real, people on record stand in for those whom the gates name,
    and waiting takes no time.

    Args:
        directory: The fleet repository; None: one is made up.
        state: A file in which it goes on, and is kept; None: it is gone afterwards.

    Raises:
        InvalidFleet: The repository has mistakes; all of them are named.
        BadInput: The file is no dummy's.
        Unavailable: The disk refuses.
    """
    from fleetcast.app.carried import carried

    with carried(state) as folder, TemporaryDirectory(prefix="fleetcast-") as made_up:
        dummy = _opened(directory or _made_up(Path(made_up)), folder)
        try:
            yield dummy
        finally:
            dummy.keep()


def _made_up(folder: Path) -> Path:
    from fleetcast.config.templates import NewFleet, init_fleet

    init_fleet(folder, NewFleet(circuits=MADE_UP, training_days=60))
    return folder


def _opened(directory: Path, folder: Path) -> Dummy:
    file = folder / _PRETENCE_FILE
    pretence = _stored().from_json(file.read_bytes(), str(file)) if file.is_file() else Pretence()
    clock = SkippingClock(pretence.skipped)
    reading = read_fleet(directory, now=clock.now())
    fleet = _short(reading.fleet)
    world, database = kept_world(folder), _database(folder, clock)
    ground = Ground(directory, folder, _tables(fleet, clock), fleet.settings, clock)
    desk = Desk(
        directory,
        fleet,
        database,
        memory_of(ground, world),
        clock,
        reading.unused,
        folder,
        reading.files,
        reading.deciding_files().__getitem__,
    )
    is_new = not file.is_file()
    if is_new:
        _put_on_record(desk)
    dummy = Dummy(fleet, pretence, is_new, folder, desk, world, clock)
    dummy.opened.platform.control.policies.take_first(fleet.settings.gates)
    return dummy


def _short(fleet: Fleet) -> Fleet:
    """The same with shorter histories: what a dummy needs is done soon, whatever the fleet."""
    from fleetcast.forecasting.family import needed_steps

    circuits = []
    for circuit in fleet.circuits:
        needed = needed_steps(circuit.family, circuit.hyperparameters, circuit.steps)
        longest = max(_MOST_STEPS, 4 * needed) * circuit.frequency
        circuits.append(replace(circuit, training_window=min(circuit.training_window, longest)))
    return replace(fleet, circuits=tuple(circuits))


def _tables(fleet: Fleet, clock: SkippingClock) -> dict[str, ReadingsTable]:
    from fleetcast.platforms.memory.readings import MadeUpReadings

    return {
        name: MadeUpReadings([one for one in fleet.circuits if one.data_source == name], clock)
        for name in fleet.settings.data_sources
    }


def _database(folder: Path, clock: SkippingClock) -> ControlDatabase:
    """A demo's database in the folder, sealed with a key that is there too."""
    from fleetcast.domain.settings import SIGNING_KEY_VARIABLE
    from fleetcast.platforms.database.control import ControlDatabase
    from fleetcast.platforms.database.migrate import ensure_schema
    from fleetcast.platforms.database.sqlite import sqlite
    from fleetcast.platforms.signing.ed25519 import new_private, private_pem
    from fleetcast.platforms.signing.sealing import own_sealing
    from fleetcast.stored.durable import write_secret

    write_secret(folder / _KEY_FILE, private_pem(new_private()))
    key = {**os.environ, SIGNING_KEY_VARIABLE: f"file:{folder / _KEY_FILE}"}
    database = ControlDatabase(sqlite(folder / "control.db"), clock=clock, sealing=own_sealing(clock, key))
    ensure_schema(database)
    return database


def _put_on_record(desk: Desk) -> None:
    """Let everybody be on record whom the gates ask for, and mark the database as a demo's."""
    from fleetcast.app.demo import mark_as_demo

    mark_as_demo(desk.database)
    policies = desk.fleet.settings.gates.values()
    enough = max(policy.people_needed for policy in policies)
    groups = sorted({name for policy in policies for name in (*policy.groups, *policy.sequence)})
    named = sorted({name for policy in policies for name in policy.approvers if name != ANYONE})
    names = dict.fromkeys([*named, *(f"stand-in-{number}" for number in range(1, enough + 1))])
    people = [Person(new_person_id(), name) for name in names if name != ME]
    members = {
        name: [Person(new_person_id(), f"{name}-{n}") for n in range(1, enough + 1)] for name in groups
    }
    me = Person(new_person_id(), ME)
    deciding: Sequence[Person] = [*people, *(one for held in members.values() for one in held)]
    desk.as_(whoami()).platform.control.people.add(
        [me, *deciding],
        [
            *(Grant(me.id, role) for role in _ROLES),
            *(Grant(one.id, Role.APPROVER) for one in deciding),
        ],
        [Group(name, frozenset(one.id for one in held)) for name, held in members.items()],
        first=True,
    )


def _stored() -> Stored[Pretence]:
    from fleetcast.stored.form import Stored

    return Stored(Pretence, fix="remove the state and begin anew: it is a dummy's")
