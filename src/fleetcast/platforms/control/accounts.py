"""Accounts and one-time links, in the control database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from fleetcast.domain import happened
from fleetcast.domain.account import Account
from fleetcast.domain.errors import HistoryLost
from fleetcast.domain.link import Link, LinkEnd
from fleetcast.domain.people import Denied
from fleetcast.domain.session import SessionEnd
from fleetcast.platforms.control.people import add_people, directory_in
from fleetcast.platforms.control.session_rows import end_session, name_of, open_sessions
from fleetcast.platforms.database import schema
from fleetcast.platforms.database.session import Kept, changes, met, reads
from fleetcast.ports.sessions import Known, PasswordSet
from fleetcast.stored.accounts import ACCOUNT, LINK

_accounts = schema.accounts
_links = schema.one_time_links


class ControlAccountBook(Kept):
    """Keeps one account a person, and links by their number."""

    @reads
    def find(self, connection: Connection, person: str) -> Account | None:
        """The account of this person."""
        return _account(connection, person)

    @reads
    def known(self, connection: Connection) -> Known:
        """Who is on record, and who has an account."""
        return known_in(connection)

    @changes
    def set_password(self, connection: Connection, before: Account, after: Account) -> None:
        """Change a password; ends all sessions of its owner, and the links by which they could set another."""
        if not before.same_password(_account(connection, before.person)):
            raise Denied("this password was changed in the meantime", fix="sign in again, with the new one")
        self._set(connection, after, link=None)

    @changes
    def rehash(self, connection: Connection, before: Account, after: Account) -> bool:
        """Keep a better hash of the same password, unless the account is another by now; whether it was kept."""
        if _account(connection, before.person) != before:
            return False
        _put(connection, after)
        name = name_of(directory_in(connection), after.person)
        self.session.audit(connection, [happened.password_rehashed(after, name)])
        return True

    @changes
    def make_link(self, connection: Connection, deciding: Callable[[Known], Link]) -> Link:
        """Keep a new link; gives it with its number."""
        known = known_in(connection)
        new = deciding(known)
        replaced = self._end_links(connection, new.person) if new.person else []
        query = sa.select(sa.func.coalesce(sa.func.max(_links.c.number), 0))
        numbered = replace(new, number=connection.execute(query).scalar_one() + 1)
        connection.execute(
            sa.insert(_links).values(
                number=numbered.number, person=numbered.person, content=LINK.to_json(numbered)
            )
        )
        name = name_of(known.directory, numbered.person)
        self.session.audit(connection, [happened.link_made(numbered, name, replaced)])
        return numbered

    @reads
    def find_link(self, connection: Connection, number: int) -> Link | None:
        """The link of this number."""
        return _link(connection, number)

    @changes
    def use_link(
        self, connection: Connection, number: int, deciding: Callable[[Link, Known], PasswordSet]
    ) -> PasswordSet:
        """Set the password that a link is for, all or nothing; the link is used then."""
        link = _link(connection, number)
        if link is None:
            raise HistoryLost(f"link {number}")
        result = deciding(link, known_in(connection))
        _write(connection, link.ended(LinkEnd.USED, self.session.clock.now()))
        person = result.account.person
        if result.add is not None:
            add_people(connection, self.session, [result.add], result.grants)
        name = name_of(directory_in(connection), person)
        self.session.audit(connection, [happened.link_used(link, person, name)])
        self._set(connection, result.account, link)
        return result

    def _set(self, connection: Connection, account: Account, link: Link | None) -> None:
        first = _account(connection, account.person) is None
        _put(connection, account)
        replaced = self._end_links(connection, account.person)
        name = name_of(directory_in(connection), account.person)
        ended = [
            end_session(connection, self.session, held, SessionEnd.PASSWORD, name)
            for held in open_sessions(connection, account.person)
        ]
        event = happened.password_set(account, name, link, first=first, replaced=replaced)
        self.session.audit(connection, [event, *ended])

    def _end_links(self, connection: Connection, person: str) -> Sequence[int]:
        """Let the open links of a person open nothing any more; gives their numbers."""
        rows = connection.execute(
            sa.select(_links).where(_links.c.person == person).order_by(_links.c.number)
        )
        held = [LINK.from_json(row.content, f"one_time_links {row.number}") for row in rows]
        now = self.session.clock.now()
        opens = [link for link in held if link.opens(now)]
        for link in opens:
            _write(connection, link.ended(LinkEnd.REPLACED, now))
        return [link.number for link in opens]


def known_in(connection: Connection) -> Known:
    """Who is on record, and who has an account, within a transaction that goes on."""
    rows = connection.execute(sa.select(_accounts).order_by(_accounts.c.person))
    held = {row.person: ACCOUNT.from_json(row.content, f"accounts {row.person}") for row in rows}
    return Known(directory_in(connection), held)


def _account(connection: Connection, person: str) -> Account | None:
    row = connection.execute(sa.select(_accounts.c.content).where(_accounts.c.person == person)).first()
    return None if row is None else ACCOUNT.from_json(row.content, f"accounts {person}")


def _put(connection: Connection, account: Account) -> None:
    connection.execute(sa.delete(_accounts).where(_accounts.c.person == account.person))
    connection.execute(sa.insert(_accounts).values(person=account.person, content=ACCOUNT.to_json(account)))


def _link(connection: Connection, number: int) -> Link | None:
    row = connection.execute(sa.select(_links.c.content).where(_links.c.number == number)).first()
    return None if row is None else LINK.from_json(row.content, f"one_time_links {number}")


def _write(connection: Connection, link: Link) -> None:
    changed = sa.update(_links).where(_links.c.number == link.number).values(content=LINK.to_json(link))
    met(connection.execute(changed), 1, f"link {link.number}")
