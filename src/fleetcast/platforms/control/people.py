"""Who is on record, in the control database."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from fleetcast.domain import happened
from fleetcast.domain.audit import AuditEntry
from fleetcast.domain.canonical import digest_of, plain
from fleetcast.domain.errors import BadInput, HistoryLost
from fleetcast.domain.people import Directory, Grant, Group, Person, folded
from fleetcast.platforms.database import schema
from fleetcast.platforms.database.session import Kept, Session, changes, reads
from fleetcast.stored.audit import AUDIT_ENTRY
from fleetcast.stored.people import GRANT, GROUP, PERSON

Rows = tuple[tuple[str, str], ...]
"""Keys with what is written under them."""
_EVERYBODY = (
    sa.select(schema.people.c.id, schema.people.c.content).order_by(schema.people.c.id),
    sa.select(schema.people_groups.c.name, schema.people_groups.c.content).order_by(
        schema.people_groups.c.name
    ),
    sa.select(schema.grants.c.digest, schema.grants.c.content).order_by(schema.grants.c.digest),
)
_GROUP_OWNER = "group:"
"""What stands before a group's name as the owner of that name; no id of a person holds a colon."""


class ControlPeopleBook(Kept):
    """Keeps people, groups and roles."""

    @reads
    def directory(self, connection: Connection) -> Directory:
        """Everybody who is on record now."""
        return remembered_directory(connection, self.session)

    @changes
    def add(
        self,
        connection: Connection,
        people: Sequence[Person],
        grants: Sequence[Grant] = (),
        groups: Sequence[Group] = (),
        *,
        first: bool,
    ) -> None:
        """Put people on record with what they are given and the groups that they join, all or nothing."""
        if first and not directory_in(connection).is_open:
            raise BadInput("somebody else was put on record first", fix="look with `fleetcast people list`")
        add_people(connection, self.session, people, grants, groups)

    @changes
    def change(self, connection: Connection, person: Person) -> None:
        """Write a person down anew, by their id."""
        mine = schema.people.c.id == person.id
        row = connection.execute(sa.select(schema.people.c.content).where(mine)).first()
        if row is None:
            raise HistoryLost(f"person {person.id}")
        before = PERSON.from_json(row.content, f"people {person.id}")
        if before == person:
            return
        _leave_names(connection, person.id)
        _take_names(connection, person)
        connection.execute(sa.update(schema.people).where(mine).values(content=PERSON.to_json(person)))
        self.session.audit(connection, [happened.person_changed(before, person)])
        _end_sessions(connection, self.session)

    @changes
    def put_group(self, connection: Connection, group: Group) -> None:
        """Make a group, or give it other members."""
        _put_group(connection, self.session, group)
        _end_sessions(connection, self.session)

    @changes
    def grant(self, connection: Connection, grants: Sequence[Grant]) -> None:
        """Give roles; what is given already stays as it is."""
        _grant(connection, self.session, grants)
        _end_sessions(connection, self.session)

    @changes
    def revoke(self, connection: Connection, grants: Sequence[Grant]) -> None:
        """Take roles back; what nobody has stays as it is."""
        _revoke(connection, self.session, grants)
        _end_sessions(connection, self.session)


def add_people(
    connection: Connection,
    session: Session,
    people: Sequence[Person],
    grants: Sequence[Grant],
    groups: Sequence[Group] = (),
) -> None:
    """Put people on record with what they are given, within a transaction that goes on.

    Raises:
        BadInput: As `PeopleBook.add`.
    """
    for person in people:
        _take_names(connection, person)
        connection.execute(sa.insert(schema.people).values(id=person.id, content=PERSON.to_json(person)))
    session.audit(connection, [happened.person_added(person) for person in people])
    for group in groups:
        _put_group(connection, session, group)
    _grant(connection, session, grants)
    _end_sessions(connection, session)


def _put_group(connection: Connection, session: Session, group: Group) -> None:
    known = {row.id for row in connection.execute(sa.select(schema.people.c.id))}
    if unknown := sorted(group.members - known):
        raise BadInput(f"{unknown[0]} is on no record", fix="see `fleetcast people list`")
    before = directory_in(connection).group(group.name)
    if before == group:
        return
    table, owner = schema.people_groups, _GROUP_OWNER + folded(group.name)
    _leave_names(connection, owner)
    _take_name(connection, group.name, owner)
    connection.execute(sa.delete(table).where(table.c.name == folded(group.name)))
    connection.execute(sa.insert(table).values(name=folded(group.name), content=GROUP.to_json(group)))
    session.audit(connection, [happened.group_changed(before, group)])


def _grant(connection: Connection, session: Session, grants: Sequence[Grant]) -> None:
    held = directory_in(connection)
    new = [grant for grant in dict.fromkeys(grants) if grant not in held.grants]
    for grant in new:
        if held.person(grant.to) is None and held.group(grant.to) is None:
            raise BadInput(f"{grant.to} is on no record", fix="see `fleetcast people list`")
        connection.execute(sa.insert(schema.grants).values(digest=_key(grant), content=GRANT.to_json(grant)))
    session.audit(connection, [happened.role_granted(grant, held) for grant in new])


def _revoke(connection: Connection, session: Session, grants: Sequence[Grant]) -> None:
    held = directory_in(connection)
    gone = [grant for grant in dict.fromkeys(grants) if grant in held.grants]
    for grant in gone:
        connection.execute(sa.delete(schema.grants).where(schema.grants.c.digest == _key(grant)))
    session.audit(connection, [happened.role_revoked(grant, held) for grant in gone])


def give_by_provider(
    connection: Connection, session: Session, person: Person, given: frozenset[Grant]
) -> Directory:
    """Put what a provider gives somebody in place of what it gave before, within a transaction that goes on."""
    before = directory_in(connection).given_by_provider(person)
    _revoke(connection, session, sorted(before - given, key=str))
    _grant(connection, session, sorted(given - before, key=str))
    return directory_in(connection)


def _end_sessions(connection: Connection, session: Session) -> None:
    """End the sign-in sessions of everybody whose rights are others now."""
    # Most changes of who is on record happen where nobody signs in, and need nothing of what is about that.
    from fleetcast.platforms.control.session_rows import end_outdated, open_sessions

    if open_sessions(connection):
        end_outdated(connection, session, directory_in(connection))


def remembered_directory(connection: Connection, session: Session) -> Directory:
    """Everybody on record, read anew only after the log said something of people; not where people are changed."""
    return session.database.people.directory(connection, lambda: directory_in(connection))


def directory_in(connection: Connection) -> Directory:
    """Everybody on record, within a transaction that goes on."""
    people, groups, grants = (_rows(connection, query) for query in _EVERYBODY)
    return _directory(people, groups, grants, is_demo=happened.says_demo(_first_entry(connection)))


def _rows(connection: Connection, query: sa.Select[str, str]) -> Rows:
    return tuple((row[0], row[1]) for row in connection.execute(query))


@lru_cache(maxsize=8)
def _directory(people: Rows, groups: Rows, grants: Rows, *, is_demo: bool) -> Directory:
    """Made anew once a row is another one: the record is read with each request, and seldom changes."""
    return Directory(
        tuple(PERSON.from_json(content, f"people {key}") for key, content in people),
        tuple(GROUP.from_json(content, f"people_groups {key}") for key, content in groups),
        frozenset(GRANT.from_json(content, f"grants {key}") for key, content in grants),
        is_demo=is_demo,
    )


def _first_entry(connection: Connection) -> AuditEntry | None:
    first = sa.select(schema.audit.c.content).where(schema.audit.c.number == 1)
    content = connection.execute(first).scalar()
    # Read only where it may matter: a torn entry is for `audit verify` to name.
    if content is None or happened.DEMO_BEGAN not in content:
        return None
    return AUDIT_ENTRY.from_json(content, "audit 1")


def _key(grant: Grant) -> str:
    return digest_of(plain(grant)).hex


def _take_names(connection: Connection, person: Person) -> None:
    for name in (person.name, *person.aliases):
        _take_name(connection, name, person.id)
    for identity in person.identities:
        table = schema.identities
        mine = (table.c.means == identity.means.value) & (table.c.detail == identity.detail)
        row = connection.execute(sa.select(table.c.person).where(mine)).first()
        if row is not None:
            raise BadInput(
                f"{identity.detail} belongs to {row.person} already",
                fix="give it to one person: see `fleetcast people list`",
            )
        connection.execute(
            sa.insert(table).values(means=identity.means.value, detail=identity.detail, person=person.id)
        )


def _take_name(connection: Connection, name: str, owner: str) -> None:
    table = schema.people_names
    row = connection.execute(sa.select(table.c.owner).where(table.c.name == folded(name))).first()
    if row is not None:
        raise BadInput(f"the name {name} is taken", fix="choose another: see `fleetcast people list`")
    connection.execute(sa.insert(table).values(name=folded(name), owner=owner))


def _leave_names(connection: Connection, owner: str) -> None:
    connection.execute(sa.delete(schema.people_names).where(schema.people_names.c.owner == owner))
    connection.execute(sa.delete(schema.identities).where(schema.identities.c.person == owner))
