"""Sign-in sessions without their secrets, and attempts to begin one, in the control database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from fleetcast.domain import happened
from fleetcast.domain.attempts import NO_ATTEMPTS, Attempts, Limit, Listed
from fleetcast.domain.people import Person
from fleetcast.domain.session import SessionEnd, SignInSession
from fleetcast.platforms.control.accounts import known_in
from fleetcast.platforms.control.people import directory_in, give_by_provider
from fleetcast.platforms.control.session_rows import (
    end_outdated,
    end_session,
    name_of,
    session_in,
    write_session,
)
from fleetcast.platforms.database import schema
from fleetcast.platforms.database.session import Kept, Session, changes, reads
from fleetcast.ports.sessions import Known, SignedIn
from fleetcast.stored.accounts import ATTEMPTS, LISTED, SIGN_IN_SESSION

_sessions = schema.sign_in_sessions
_NOBODY = "nobody:"
"""Under what refusals with a name that nobody has are counted; no id of a person holds a colon."""


class ControlSessionBook(Kept):
    """Keeps sign-in sessions by their number."""

    @changes
    def begin(self, connection: Connection, deciding: Callable[[Known], SignedIn]) -> SignInSession:
        """Keep a new session; gives it with its number."""
        known = known_in(connection)
        signed_in = deciding(known)
        new, directory = signed_in.session, known.directory
        person = directory.person(new.person)
        if person is not None and signed_in.grants is not None:
            directory = give_by_provider(connection, self._of(new, person), person, signed_in.grants)
        end_outdated(connection, self.session, directory, new.person)
        query = sa.select(sa.func.coalesce(sa.func.max(_sessions.c.number), 0))
        numbered = replace(new, number=connection.execute(query).scalar_one() + 1)
        connection.execute(
            sa.insert(_sessions).values(
                number=numbered.number,
                person=numbered.person,
                open=True,
                content=SIGN_IN_SESSION.to_json(numbered),
            )
        )
        name = name_of(directory, numbered.person)
        self._of(numbered, person).audit(connection, [happened.session_began(numbered, name)])
        return numbered

    @reads
    def find(self, connection: Connection, number: int) -> SignInSession | None:
        """The session of this number."""
        return session_in(connection, number)

    @changes
    def note_use(self, connection: Connection, number: int) -> None:
        """Note that a session was used now; one that has ended stays as it is."""
        held = session_in(connection, number)
        if held is not None and held.end is None:
            write_session(connection, replace(held, used_at=self.session.clock.now()))

    @changes
    def end(self, connection: Connection, number: int, why: SessionEnd) -> None:
        """End a session; one that has ended stays as it is, and so does one that never was."""
        held = session_in(connection, number)
        if held is None or held.end is not None:
            return
        directory = directory_in(connection)
        by = self.session
        if why is SessionEnd.SIGNED_OUT:
            by = self._of(held, directory.person(held.person))
        by.audit(connection, [end_session(connection, by, held, why, name_of(directory, held.person))])

    def _of(self, held: SignInSession, person: Person | None) -> Session:
        """Work in the name of the one who signed in: that they did is theirs, whoever runs this process."""
        return self.session if person is None else Session(self.session.database, held.actor(person))


class ControlAttemptBook(Kept):
    """Counts attempts by what they have in common."""

    def begin(self, limits: Mapping[str, Limit]) -> timedelta:
        """Count one more attempt under each of these keys, or say how long to wait; none: it was counted."""
        # Whoever tries all the time only reads: they hold nobody up who writes.
        wait = self.session.read(lambda connection: self._wait(connection, limits))
        return wait or self.session.change(lambda connection: self._begun(connection, limits))

    @changes
    def succeeded(self, connection: Connection, forgotten: str, taken_back: str | None = None) -> None:
        """Forget all attempts under one key, and take the last one back under another, if there is one."""
        table = schema.sign_in_attempts
        connection.execute(sa.delete(table).where(table.c.key == forgotten))
        if taken_back is not None:
            _put_attempts(connection, taken_back, _attempts(connection, taken_back).taken_back())

    @changes
    def refused(self, connection: Connection, person: Person | None, address: str) -> None:
        """Write into the audit log that a sign-in was refused, or that it was one of too many to list each."""
        table, key = schema.refused_sign_ins, _NOBODY if person is None else person.id
        row = connection.execute(sa.select(table.c.content).where(table.c.person == key)).first()
        now = self.session.clock.now()
        before = Listed(now) if row is None else LISTED.from_json(row.content, f"refused_sign_ins {key}")
        after, listed = before.next(now)
        connection.execute(sa.delete(table).where(table.c.person == key))
        connection.execute(sa.insert(table).values(person=key, content=LISTED.to_json(after)))
        if listed:
            event = happened.sign_in_refused(person, address, before.unlisted)
            self.session.audit(connection, [event])

    def _wait(self, connection: Connection, limits: Mapping[str, Limit]) -> timedelta:
        now = self.session.clock.now()
        waits = [_attempts(connection, key).wait(limit, now) for key, limit in limits.items()]
        return max(waits, default=timedelta(0))

    def _begun(self, connection: Connection, limits: Mapping[str, Limit]) -> timedelta:
        wait = self._wait(connection, limits)
        if not wait:
            for key in limits:
                _put_attempts(connection, key, _attempts(connection, key).begun(self.session.clock.now()))
        return wait


def _attempts(connection: Connection, key: str) -> Attempts:
    table = schema.sign_in_attempts
    row = connection.execute(sa.select(table.c.content).where(table.c.key == key)).first()
    return NO_ATTEMPTS if row is None else ATTEMPTS.from_json(row.content, f"sign_in_attempts '{key}'")


def _put_attempts(connection: Connection, key: str, attempts: Attempts) -> None:
    table = schema.sign_in_attempts
    connection.execute(sa.delete(table).where(table.c.key == key))
    if attempts.failures:
        connection.execute(sa.insert(table).values(key=key, content=ATTEMPTS.to_json(attempts)))
