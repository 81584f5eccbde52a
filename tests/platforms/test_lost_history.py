"""A control database that does not hold any more what was written there: it is said, and nothing is written on top."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from fleetcast.domain.errors import HistoryLost
from fleetcast.domain.gate import DEFAULT_GATES
from fleetcast.domain.place import Gate
from fleetcast.domain.settings import PlatformSettings
from fleetcast.platforms.database import schema
from fleetcast.platforms.database.control import ControlDatabase
from fleetcast.platforms.database.migrate import ensure_schema
from fleetcast.platforms.database.postgres import postgres
from fleetcast.platforms.database.sqlite import sqlite
from fleetcast.platforms.local.platform import local_platform
from fleetcast.ports.platform import Platform
from tests.clocks import NOON, FixedClock
from tests.contracts.samples import ADA, component, digest, job, readings, request
from tests.platforms.conftest import Address
from tests.sealing import SEALING

AT_ONCE = timedelta(0)


@pytest.fixture
def database(address: Address) -> ControlDatabase:
    backend = sqlite(address) if isinstance(address, Path) else postgres(address)
    found = ControlDatabase(backend, clock=FixedClock(), sealing=SEALING)
    ensure_schema(found)
    return found


def platform_of(database: ControlDatabase, folder: Path) -> Platform:
    return local_platform(
        folder / "state", {}, PlatformSettings(workers=1), actor=ADA, clock=FixedClock(), database=database
    )


def forget(database: ControlDatabase, table: sa.Table) -> None:
    """As a fail-over does that lost the last moment, or somebody who deletes rows."""
    database.change(lambda connection: connection.execute(sa.delete(table)))


def test_a_run_that_is_gone_is_not_saved_in_silence(database: ControlDatabase, tmp_path: Path) -> None:
    runs = platform_of(database, tmp_path).control.runs
    run = runs.begin(digest("fleet"), "0123abc")
    forget(database, schema.runs)
    with pytest.raises(HistoryLost, match="run-0001") as caught:
        runs.save(run)
    assert "run it again" in caught.value.fix


def test_jobs_that_are_gone_are_not_recorded_in_silence(database: ControlDatabase, tmp_path: Path) -> None:
    jobs = platform_of(database, tmp_path).workspace.jobs
    several = [job(readings(), component(), name=name) for name in ("a", "b", "c")]
    jobs.submit(several, component())
    database.change(
        lambda connection: connection.execute(sa.delete(schema.jobs).where(schema.jobs.c.id == several[1].id))
    )
    with pytest.raises(HistoryLost, match="all of the jobs"):
        jobs._record([], [one.failed("lost", NOON) for one in several])  # type: ignore[attr-defined]  # of the local one


def test_a_policy_that_is_gone_is_not_changed_in_silence(database: ControlDatabase, tmp_path: Path) -> None:
    policies = platform_of(database, tmp_path).control.policies
    policies.take_first(DEFAULT_GATES)
    forget(database, schema.gate_policies)
    stricter = {Gate.REGISTRY_PROMOTION: replace(DEFAULT_GATES[Gate.REGISTRY_PROMOTION], minimum=3)}
    with pytest.raises(HistoryLost, match="policy of the gate"):
        policies.change(stricter)


def test_a_request_that_is_gone_is_not_pinned_in_silence(database: ControlDatabase, tmp_path: Path) -> None:
    approvals = platform_of(database, tmp_path).control.approvals
    (opened,) = approvals.open([request("a")])
    forget(database, schema.requests)
    with pytest.raises(HistoryLost, match="request 1"):
        approvals.pin_anew([opened])


def test_nothing_is_written_on_top_of_a_history_that_was_set_back(
    database: ControlDatabase, tmp_path: Path
) -> None:
    states = platform_of(database, tmp_path).control.states
    states.select({"a": 1})
    states.select({"a": 2})
    database.change(
        lambda connection: connection.execute(sa.delete(schema.audit).where(schema.audit.c.number == 2))
    )
    with pytest.raises(HistoryLost, match="entry 2 of the audit log"):
        states.select({"b": 1})
    assert states.intent().selected == {"a": 2}


def test_a_run_whose_lease_was_set_back_is_told_so(database: ControlDatabase, tmp_path: Path) -> None:
    control = platform_of(database, tmp_path).control
    with control.runs.exclusive("ada", AT_ONCE):
        forget(database, schema.leases)
        with pytest.raises(HistoryLost, match="lease"):
            control.states.select({"a": 1})


def test_a_file_that_another_takes_the_place_of_is_not_written_to(tmp_path: Path) -> None:
    path = tmp_path / "control.db"
    database = ControlDatabase(sqlite(path), clock=FixedClock(), sealing=SEALING)
    ensure_schema(database)
    states = platform_of(database, tmp_path).control.states
    shutil.copy(path, tmp_path / "copy.db")
    states.select({"a": 1})
    (tmp_path / "copy.db").replace(path)
    with pytest.raises(HistoryLost, match=r"control\.db"):
        states.select({"a": 2})
