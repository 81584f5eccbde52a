"""Who acts: many people on one database object, each in their own name and under their own lease."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from fleetcast.domain.approval import Choice
from fleetcast.domain.audit import Actor, Standing
from fleetcast.domain.gate import DEFAULT_GATES, GatePolicy
from fleetcast.platforms.control.opening import control
from fleetcast.platforms.database import schema
from fleetcast.platforms.database.control import ControlDatabase
from fleetcast.platforms.database.migrate import ensure_schema
from fleetcast.platforms.database.postgres import postgres
from fleetcast.platforms.database.session import Session
from fleetcast.platforms.database.sqlite import sqlite
from fleetcast.ports.platform import Control
from fleetcast.ports.runs import RunInProgress, RunTakenOver
from fleetcast.workflows.decide import Decide
from tests.clocks import FixedClock
from tests.contracts.samples import ADA, GRACE, digest, request
from tests.sealing import SEALING
from tests.servers.postgres import PostgresServer

LEASE = timedelta(seconds=60)
AT_ONCE = timedelta(0)


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> ControlDatabase:
    if request.param == "sqlite":
        opened = ControlDatabase(sqlite(tmp_path / "control.db"), clock=FixedClock(), sealing=SEALING)
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        opened = ControlDatabase(
            postgres(server.url(server.new_database())), clock=FixedClock(), sealing=SEALING
        )
    ensure_schema(opened)
    return opened


def as_(actor: Actor, database: ControlDatabase) -> Control:
    return control(Session(database, actor), LEASE)


def test_who_acts_is_named_by_each_entry_of_two_people_in_turn(database: ControlDatabase) -> None:
    ada, grace = as_(ADA, database), as_(Actor("grace", Standing.VERIFIED), database)
    ada.states.select({"a": 1})
    grace.states.select({"b": 1})
    ada.runs.begin(digest("fleet"), "0123abc")
    grace.runs.begin(digest("fleet"), "0123abc")
    ada.states.crown({"a": 1})
    told = [
        (entry.event.subject, entry.actor.name, entry.actor.standing.value) for entry in ada.audit.entries()
    ]
    assert told == [
        ("a:1", "ada", "asserted"),
        ("b:1", "grace", "verified"),
        ("a:1", "ada", "asserted"),
    ]
    assert [run.by for run in ada.runs.listed()] == ["grace", "ada"]


def test_who_acts_decides_in_their_own_name(database: ControlDatabase) -> None:
    ada, grace = as_(ADA, database), as_(GRACE, database)
    ada.approvals.open([request("a", policy=GatePolicy(minimum=2))])
    for person in (ada, grace):
        Decide(person, DEFAULT_GATES, FixedClock())([1], Choice.APPROVE, "fine")
    assert [decision.by.name for decision in ada.approvals.find(1).decisions] == ["ada", "grace"]
    assert [entry.actor.name for entry in ada.audit.entries()] == ["ada", "ada", "grace"]


def test_who_acts_under_a_lease_fences_nobody_else(database: ControlDatabase) -> None:
    ada, grace = as_(ADA, database), as_(GRACE, database)
    with ada.runs.exclusive("ada's run", AT_ONCE):
        with pytest.raises(RunInProgress, match="ada's run"), grace.runs.exclusive("grace's run", AT_ONCE):
            pass
        database.change(
            lambda connection: connection.execute(
                sa.update(schema.leases).values(token=schema.leases.c.token + 1, holder="another process")
            )
        )
        with pytest.raises(RunTakenOver, match="another process"):
            ada.states.select({"a": 1})
        grace.states.select({"b": 1})
        as_(ADA, database).states.select({"c": 1})
    assert ada.states.intent().selected == {"b": 1, "c": 1}
    ada.states.select({"a": 1})
