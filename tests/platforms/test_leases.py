"""Leases: who is taken for dead, whatever the clocks on the wall show."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from fleetcast.domain.errors import Unavailable
from fleetcast.domain.lease import Holding, Place, Reach, holding
from fleetcast.domain.settings import PlatformSettings
from fleetcast.platforms.database import schema
from fleetcast.platforms.database.control import ControlDatabase
from fleetcast.platforms.database.leases import Lease, holders, place_of_this_process
from fleetcast.platforms.database.migrate import ensure_schema
from fleetcast.platforms.database.network_files import check_local, file_system
from fleetcast.platforms.database.session import Session
from fleetcast.platforms.database.sqlite import sqlite
from fleetcast.ports.runs import RunInProgress, RunTakenOver
from tests.clocks import NOON, FixedClock
from tests.contracts.samples import ADA
from tests.sealing import SEALING

MINUTE = timedelta(minutes=1)
AT_ONCE = timedelta(0)
HERE = Place("line-3", "boot-a", "pid:[1]", "time:[1]")
CONTAINER = replace(HERE, host="1f2e3d", processes="pid:[2]")
REBOOTED = replace(HERE, boot="boot-b")
ELSEWHERE = Place("line-4", "boot-c", "pid:[1]", "time:[1]")


@dataclass(slots=True)
class Uptime:
    """Seconds since the boot, which pass only when somebody lets them."""

    seconds: float = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass(slots=True)
class Machine:
    """A database file, and what its clocks show."""

    path: Path
    uptime: Uptime

    def lease(self, place: Place, wall: timedelta = AT_ONCE) -> Lease:
        """As a process at this place has it, whose clock on the wall is so far ahead."""
        return Lease(Session(self.database(wall), ADA), "stages", MINUTE, lambda: place)

    def database(self, wall: timedelta = AT_ONCE) -> ControlDatabase:
        found = ControlDatabase(
            sqlite(self.path, uptime=self.uptime), clock=FixedClock(NOON + wall), sealing=SEALING
        )
        ensure_schema(found)
        return found

    def dies(self, holder: str, place: Place, wall: timedelta = AT_ONCE) -> None:
        """Take the lease and never let go, as somebody does who is killed."""
        with self.lease(place, wall).held(holder, AT_ONCE):
            row = self.database().read(lambda connection: connection.execute(sa.select(schema.leases)).one())
        self.write(expires_at=row.expires_at)

    def write(self, **values: object) -> None:
        self.database().change(
            lambda connection: connection.execute(sa.update(schema.leases).values(**values))
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "control.db", Uptime())


def refused(lease: Lease) -> bool:
    try:
        with lease.held("grace", AT_ONCE):
            return False
    except RunInProgress:
        return True


@pytest.mark.parametrize("wall", [timedelta(minutes=10), timedelta(days=400), -timedelta(days=1)])
@pytest.mark.parametrize("place", [HERE, CONTAINER])
def test_a_clock_on_the_wall_that_is_wrong_takes_no_living_holders_lease(
    machine: Machine, place: Place, wall: timedelta
) -> None:
    with machine.lease(HERE).held("ada", AT_ONCE):
        assert refused(machine.lease(place, wall))


def test_a_holder_that_was_hours_ahead_and_died_blocks_nobody_for_hours(machine: Machine) -> None:
    machine.dies("ada", CONTAINER, timedelta(hours=2))
    assert refused(machine.lease(HERE))
    machine.uptime.seconds += 61
    assert not refused(machine.lease(HERE))


def test_a_holder_in_another_container_is_not_looked_for_by_its_number(machine: Machine) -> None:
    with machine.lease(CONTAINER).held("ada", AT_ONCE):
        machine.write(process="999999999 1")  # a number that nobody here has
        assert refused(machine.lease(HERE))


def test_a_process_that_ended_here_blocks_nobody(machine: Machine) -> None:
    machine.dies("ada", HERE)
    machine.write(process=f"{os.getpid()} 1")  # the same number, but begun at another moment
    assert not refused(machine.lease(HERE))


def test_a_machine_that_was_started_again_has_no_holder_left(machine: Machine) -> None:
    machine.dies("ada", HERE)
    assert not refused(machine.lease(REBOOTED))


def test_a_holder_that_no_clock_here_can_judge_is_watched_for_the_length_of_the_lease(
    machine: Machine,
) -> None:
    machine.dies("ada", ELSEWHERE)
    lease = machine.lease(HERE)
    assert not refused(lease)
    clock = lease.session.clock
    assert isinstance(clock, FixedClock)
    assert MINUTE <= sum(clock.slept, AT_ONCE) < 2 * MINUTE


@dataclass(slots=True)
class Watching(FixedClock):
    """Lets somebody do something while it sleeps."""

    meanwhile: Callable[[], None] = lambda: None

    def sleep(self, length: timedelta) -> None:
        self.meanwhile()
        FixedClock.sleep(self, length)


def test_a_watched_holder_that_renews_its_lease_lives(machine: Machine) -> None:
    machine.dies("ada", ELSEWHERE)
    clock = Watching()
    clock.meanwhile = lambda: machine.write(expires_at=5.0) if len(clock.slept) == 3 else None
    database = ControlDatabase(sqlite(machine.path, uptime=machine.uptime), clock=clock, sealing=SEALING)
    with (
        pytest.raises(RunInProgress, match="ada"),
        Lease(Session(database, ADA), "stages", MINUTE, lambda: HERE).held("grace", AT_ONCE),
    ):
        raise AssertionError("two at once")
    assert sum(clock.slept, AT_ONCE) < MINUTE


def test_a_lease_that_an_earlier_version_timed_by_the_wall_is_watched_too(machine: Machine) -> None:
    machine.dies("ada", CONTAINER)
    machine.write(machine="1f2e3d boot-a pid:[2]", expires_at=NOON.timestamp() + 7_200)
    assert not refused(machine.lease(HERE))


def test_a_holder_that_stood_still_while_another_took_over_writes_nothing(machine: Machine) -> None:
    with ExitStack() as both:
        first = machine.lease(CONTAINER)
        both.enter_context(first.held("ada", AT_ONCE))
        machine.uptime.seconds += 61
        both.enter_context(machine.lease(HERE).held("grace", AT_ONCE))
        with pytest.raises(RunTakenOver, match="grace"):
            first.session.change(lambda _connection: None)


def test_those_who_hold_a_lease_are_listed_until_they_let_go(machine: Machine) -> None:
    place = place_of_this_process()
    with machine.lease(place).held("ada", AT_ONCE):
        assert holders(machine.database(timedelta(days=400))) == {"stages": "ada"}
    assert holders(machine.database()) == {}


@pytest.mark.parametrize(
    ("left", "there", "reach", "ended", "expected"),
    [
        (30, HERE, Reach.ONE_MACHINE, False, Holding.HELD),
        (30, HERE, Reach.ONE_MACHINE, True, Holding.FREE),
        (-1, HERE, Reach.ONE_MACHINE, False, Holding.FREE),
        (-1, ELSEWHERE, Reach.ONE_MACHINE, None, Holding.UNKNOWN),
        (30, REBOOTED, Reach.ONE_MACHINE, None, Holding.FREE),
        (30, Place("line-3"), Reach.ONE_MACHINE, None, Holding.UNKNOWN),
        (30, replace(CONTAINER, uptime="time:[9]"), Reach.ONE_MACHINE, None, Holding.UNKNOWN),
        (30, ELSEWHERE, Reach.MANY_MACHINES, None, Holding.HELD),
        (-1, ELSEWHERE, Reach.MANY_MACHINES, None, Holding.FREE),
        (30, REBOOTED, Reach.MANY_MACHINES, None, Holding.HELD),
        (7_200, ELSEWHERE, Reach.MANY_MACHINES, None, Holding.UNKNOWN),  # the server's clock was set back
    ],
)
def test_how_a_lease_stands(
    left: float, there: Place, reach: Reach, ended: bool | None, expected: Holding
) -> None:
    found = holding(timedelta(seconds=left), there=there, here=HERE, reach=reach, ended=ended, let_go=False)
    assert found is expected


def test_no_lease_lasts_so_long_that_it_seems_timed_by_another_clock() -> None:
    lease = PlatformSettings(lease=timedelta(hours=1)).lease
    found = holding(lease, there=HERE, here=HERE, reach=Reach.ONE_MACHINE, ended=False, let_go=False)
    assert found is Holding.HELD


# Whose disk it is

MOUNTS = r"""
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
23 22 0:50 / /srv/plants rw,relatime shared:2 - nfs4 nas:/plants rw
24 22 0:51 / /srv/plants/own rw - xfs /dev/sdb1 rw
25 22 0:52 / /mnt/with\040blank rw - cifs //nas/share rw
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/data/fleet", "ext4"),
        ("/srv/plants/fleet/.fleetcast", "nfs4"),
        ("/srv/plants", "nfs4"),
        ("/srv/plants-too", "ext4"),
        ("/srv/plants/own/fleet", "xfs"),
        ("/mnt/with blank/fleet", "cifs"),
    ],
)
def test_the_file_system_of_a_folder_is_that_of_the_innermost_mount(folder: str, kind: str) -> None:
    assert file_system(folder, MOUNTS) == kind


def test_a_database_on_a_disk_of_many_machines_is_refused(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"22 1 0:50 / {tmp_path} rw - nfs4 nas:/plants rw\n")
    with pytest.raises(Unavailable, match=r"network file system \(nfs4\)") as caught:
        check_local(tmp_path, mounts)
    assert "PostgreSQL" in caught.value.fix
    check_local(tmp_path, tmp_path / "missing")
