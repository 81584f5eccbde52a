"""What a process remembers of people: good until the audit log says something of them, and never longer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from fleetcast.domain.approval import Choice
from fleetcast.domain.audit import Actor
from fleetcast.domain.people import Grant, Group, Person
from fleetcast.domain.role import Role
from fleetcast.platforms.control.opening import control
from fleetcast.platforms.database import migrate, schema
from fleetcast.platforms.database.backend import Backend
from fleetcast.platforms.database.control import ControlDatabase
from fleetcast.platforms.database.postgres import postgres
from fleetcast.platforms.database.session import Session
from fleetcast.platforms.database.sqlite import sqlite
from fleetcast.ports.platform import Control
from tests.clocks import NOON, SteppingClock
from tests.contracts.samples import ADA, request
from tests.contracts.test_people import TOKEN
from tests.platforms.conftest import Address
from tests.sealing import SEALING

ANNA, LI = Person("p-1", "anna"), Person("p-2", "li")


class Process:
    """One of those that have the database open."""

    def __init__(self, address: Address) -> None:
        backend: Backend = sqlite(address) if isinstance(address, Path) else postgres(address)
        self.database = ControlDatabase(backend, clock=SteppingClock(), sealing=SEALING)
        migrate.upgrade(self.database)
        self.control: Control = control(Session(self.database, ADA), timedelta(minutes=1))

    @property
    def count(self) -> int | None:
        return self.database.read(self.database.people.count)


@pytest.fixture
def server(address: Address) -> Process:
    """Serves people; somebody is on record."""
    made = Process(address)
    made.control.people.add([ANNA], [Grant("p-1", Role.ADMIN)], first=True)
    return made


@pytest.fixture
def other(address: Address, server: Process) -> Process:
    """Another process, which the server is not told of."""
    return Process(address)


def test_decisions_of_others_leave_it_as_it_is(server: Process, other: Process) -> None:
    before, count = server.control.people.directory(), server.count
    (opened,) = other.control.approvals.open([replace(request(), id=0)])
    other.control.approvals.note_refused(opened, Choice.APPROVE, "", "too early")
    assert server.count == count
    assert server.control.people.directory() is before


CHANGES: dict[str, Callable[[Control], object]] = {
    "somebody is added": lambda kept: kept.people.add([LI], first=False),
    "somebody is disabled": lambda kept: kept.people.change(replace(ANNA, disabled=True)),
    "a group is made": lambda kept: kept.people.put_group(Group("leads", frozenset({"p-1"}))),
    "a role is given": lambda kept: kept.people.grant([Grant("p-1", Role.VIEWER)]),
    "a role is taken back": lambda kept: kept.people.revoke([Grant("p-1", Role.ADMIN)]),
    "a token is made": lambda kept: kept.tokens.issue(TOKEN),
    "a token is revoked": lambda kept: kept.tokens.revoke(kept.tokens.issue(TOKEN).number),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_others_change_about_people_is_seen_at_once(
    address: Address, server: Process, other: Process, change: Callable[[Control], object]
) -> None:
    count = server.count
    assert server.control.people.directory() == other.control.people.directory()
    change(other.control)
    assert server.count != count
    assert server.control.people.directory() == Process(address).control.people.directory()


def test_nothing_is_remembered_of_a_record_that_nobody_began(address: Address) -> None:
    assert Process(address).count is None


def test_a_view_from_before_is_not_taken_for_the_newest(server: Process, other: Process) -> None:
    count = server.count

    def while_somebody_is_added(connection: sa.Connection) -> tuple[int | None, int | None]:
        connection.execute(sa.select(schema.people)).all()  # the view is taken with the first statement
        other.control.people.add([LI], first=False)
        return server.count, server.database.people.count(connection)

    assert count is not None
    newer, seen_from_before = server.database.read(while_somebody_is_added)
    assert (newer, seen_from_before) == (count + 1, None)


def test_a_log_that_went_on_from_an_earlier_place_is_read_anew(server: Process, other: Process) -> None:
    """As after a backup was put back: the same numbers, other entries."""
    server.control.people.add([LI], first=False)
    assert len(server.control.people.directory().people) == 2
    count = server.count
    with other.database.backend.engine.begin() as connection:
        last = connection.execute(sa.select(sa.func.max(schema.audit.c.number))).scalar_one()
        connection.execute(sa.delete(schema.audit).where(schema.audit.c.number == last))
        for table in (schema.people, schema.people_names):
            key = next(iter(table.c))
            connection.execute(sa.delete(table).where(key.in_(["p-2", "li"])))
    other.control.approvals.open([replace(request(), id=0)])
    assert server.count != count
    assert server.control.people.directory().people == (ANNA,)


def test_more_entries_than_are_looked_through_are_read_anew(server: Process, other: Process) -> None:
    count = server.count
    session = Session(other.database, Actor("ada"))
    (opened,) = other.control.approvals.open([replace(request(), id=0, opened_at=NOON)])
    event = other.control.audit.latest(1)[0].event
    assert server.count == count
    session.tell([event] * 200)
    assert server.count == count
    session.tell([event] * 201)
    assert server.count != count
    assert opened.id


def test_who_tries_to_sign_in_lets_nobody_be_forgotten(server: Process, other: Process) -> None:
    count = server.count
    other.control.attempts.refused(ANNA, "192.0.2.0/24")
    assert other.control.audit.latest(1)[0].event.action == "sign-in.refused"
    assert server.count == count
