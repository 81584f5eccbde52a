"""Rows of sign-in sessions, and how they end within a transaction that changes something else as well."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from fleetcast.domain import happened
from fleetcast.domain.audit import AuditEvent
from fleetcast.domain.people import Directory
from fleetcast.domain.session import SessionEnd, SignInSession
from fleetcast.platforms.database import schema
from fleetcast.platforms.database.session import Session, met
from fleetcast.stored.accounts import SIGN_IN_SESSION

_sessions = schema.sign_in_sessions


def session_in(connection: Connection, number: int) -> SignInSession | None:
    """The session of this number."""
    row = connection.execute(sa.select(_sessions.c.content).where(_sessions.c.number == number)).first()
    return None if row is None else _read(number, row.content)


def open_sessions(connection: Connection, person: str | None = None) -> Sequence[SignInSession]:
    """Sessions whose end is not written down, of one person or of all."""
    query = sa.select(_sessions).where(_sessions.c.open.is_(True)).order_by(_sessions.c.number)
    if person is not None:
        query = query.where(_sessions.c.person == person)
    return [_read(row.number, row.content) for row in connection.execute(query)]


def write_session(connection: Connection, session: SignInSession) -> None:
    """Write a session down anew, by its number."""
    values = {"open": session.end is None, "content": SIGN_IN_SESSION.to_json(session)}
    changed = sa.update(_sessions).where(_sessions.c.number == session.number).values(values)
    met(connection.execute(changed), 1, f"session {session.number}")


def end_session(
    connection: Connection, work: Session, held: SignInSession, why: SessionEnd, name: str
) -> AuditEvent:
    """End a session; gives what to write into the audit log."""
    ended = held.ended(why, work.clock.now())
    write_session(connection, ended)
    return happened.session_ended(ended, name)


def end_outdated(
    connection: Connection, work: Session, directory: Directory, person: str | None = None
) -> None:
    """End each open session that says nothing any more by this record: expired, or begun with other rights."""
    events = []
    for held in open_sessions(connection, person):
        why = held.over(work.clock.now(), directory)
        if why is not None:
            events.append(end_session(connection, work, held, why, name_of(directory, held.person)))
    work.audit(connection, events)


def name_of(directory: Directory, person: str) -> str:
    """What somebody is called; their id where they are on no record."""
    found = directory.person(person)
    return person if found is None else found.name


def _read(number: int, content: str) -> SignInSession:
    return SIGN_IN_SESSION.from_json(content, f"sign_in_sessions {number}")
