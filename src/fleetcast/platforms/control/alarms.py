"""Alarms in the control database."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from fleetcast.domain import happened
from fleetcast.domain.alarm import Alarm, AlarmState, Cause, Change, LastLook, Raise, Recover, Wake, Worsen
from fleetcast.domain.audit import AuditEvent
from fleetcast.domain.canonical import digest_of, plain
from fleetcast.domain.errors import BadInput
from fleetcast.domain.place import EnvironmentName
from fleetcast.platforms.database import schema
from fleetcast.platforms.database.leases import Lease
from fleetcast.platforms.database.session import Kept, Session, changes, met, reads
from fleetcast.ports.alarms import Decide
from fleetcast.stored.alarms import ALARM, LAST_LOOK
from fleetcast.stored.form import unreadable

_alarms, _looks = schema.alarms, schema.last_looks
_EVENTS: Mapping[type[Change], Callable[[Alarm], AuditEvent]] = {
    Raise: happened.alarm_raised,
    Recover: happened.alarm_recovered,
    Worsen: happened.alarm_worsened,
    Wake: happened.alarm_woke,
}
"""That an alarm goes on is no event."""


class ControlAlarmBook(Kept):
    """Keeps alarms by number, counted over all environments."""

    def __init__(self, session: Session, lease: timedelta) -> None:
        super().__init__(session)
        self._lease = lease

    def exclusive(
        self, environment: EnvironmentName, holder: str, timeout: timedelta
    ) -> AbstractContextManager[None]:
        """Be the only one who looks there."""
        return Lease(self.session, f"monitoring of {environment}", self._lease).held(holder, timeout)

    @changes
    def settle(self, connection: Connection, look: LastLook, decide: Decide) -> Sequence[Change]:
        """Write down what a look makes of the alarms."""
        decided = decide(_open(connection, look.environment))
        newest = connection.execute(sa.select(sa.func.coalesce(sa.func.max(_alarms.c.number), 0)))
        number = int(newest.scalar_one())
        made: list[Change] = []
        new: list[dict[str, object]] = []
        # Those that are over go first: what they held is free for others then.
        for change in sorted(decided, key=lambda one: isinstance(one, Raise)):
            if isinstance(change, Raise):
                number += 1
                numbered = Raise(replace(change.alarm, number=number))
                made.append(numbered)
                new.append({"number": number, **_columns(numbered.alarm)})
            else:
                _write(connection, change.alarm)
                made.append(change)
        if new:
            connection.execute(sa.insert(_alarms), new)
        events = [_EVENTS[type(change)](change.alarm) for change in made if type(change) in _EVENTS]
        self.session.audit(connection, events)
        _note(connection, look)
        return made

    @changes
    def acknowledge(self, connection: Connection, number: int, comment: str) -> Alarm:
        """Write down that the actor has it in hand."""
        alarm = _one(connection, number)
        actor = self.session.actor.name
        taken = alarm.acknowledge(actor, self.session.clock.now(), comment)
        held = alarm.acknowledged
        if (
            alarm.state is AlarmState.ACKNOWLEDGED
            and held is not None
            and (held.by, held.comment) == (actor, comment)
        ):
            return alarm
        _write(connection, taken)
        self.session.audit(connection, [happened.alarm_acknowledged(taken)])
        return taken

    @changes
    def snooze(self, connection: Connection, number: int, until: datetime) -> Alarm:
        """Have nobody told of it for a while."""
        alarm = _one(connection, number)
        quiet = alarm.snooze(until, self.session.clock.now())
        if quiet != alarm:
            _write(connection, quiet)
            self.session.audit(connection, [happened.alarm_snoozed(quiet)])
        return quiet

    @reads
    def find(self, connection: Connection, number: int) -> Alarm:
        """One alarm."""
        return _one(connection, number)

    @reads
    def open_ones(
        self, connection: Connection, environment: EnvironmentName | None = None
    ) -> Sequence[Alarm]:
        """Those that are not over, the most harmful first."""
        return sorted(_open(connection, environment), key=lambda one: (-one.impact, one.number))

    @reads
    def listed(
        self, connection: Connection, environment: EnvironmentName | None, count: int
    ) -> Sequence[Alarm]:
        """The last that were raised, newest first."""
        query = _of(environment).order_by(_alarms.c.number.desc()).limit(count)
        return [_alarm(row) for row in connection.execute(query)]

    @reads
    def last_looks(self, connection: Connection) -> Mapping[EnvironmentName, LastLook]:
        """The newest look at each environment."""
        found: dict[EnvironmentName, LastLook] = {}
        for row in connection.execute(sa.select(_looks).order_by(_looks.c.environment)):
            look = LAST_LOOK.from_json(row.content, f"last_looks {row.environment}")
            if look.environment.value != row.environment:
                raise unreadable(f"last_looks {row.environment}")
            found[look.environment] = look
        return found


def _of(environment: EnvironmentName | None) -> sa.Select[tuple[int, str, str | None, str]]:
    query = sa.select(_alarms)
    return query if environment is None else query.where(_alarms.c.environment == environment.value)


def _open(connection: Connection, environment: EnvironmentName | None) -> list[Alarm]:
    query = _of(environment).where(_alarms.c.open_cause.is_not(None)).order_by(_alarms.c.number)
    return [_alarm(row) for row in connection.execute(query)]


def _one(connection: Connection, number: int) -> Alarm:
    row = connection.execute(sa.select(_alarms).where(_alarms.c.number == number)).first()
    if row is None:
        raise BadInput(f"there is no alarm {number}", fix="see those there are with `fleetcast alarms list`")
    return _alarm(row)


def _write(connection: Connection, alarm: Alarm) -> None:
    changed = sa.update(_alarms).where(_alarms.c.number == alarm.number).values(**_columns(alarm))
    met(connection.execute(changed), 1, f"alarm {alarm.number}")


def _note(connection: Connection, look: LastLook) -> None:
    mine = _looks.c.environment == look.environment.value
    row = connection.execute(sa.select(_looks.c.content).where(mine)).first()
    if row is not None:
        before = LAST_LOOK.from_json(row.content, f"last_looks {look.environment}")
        if before.at > look.at:
            return
    connection.execute(sa.delete(_looks).where(mine))
    content = LAST_LOOK.to_json(look)
    connection.execute(sa.insert(_looks).values(environment=look.environment.value, content=content))


def _columns(alarm: Alarm) -> dict[str, object]:
    return {
        "environment": alarm.cause.environment.value,
        "open_cause": None if alarm.is_over else _digest(alarm.cause),
        "content": ALARM.to_json(alarm),
    }


def _digest(cause: Cause) -> str:
    return digest_of({"cause": plain(cause)}).hex


def _alarm(row: sa.Row[tuple[int, str, str | None, str]]) -> Alarm:
    """An alarm as its row holds it, if that is what its content makes it."""
    where = f"alarms {row.number}"
    alarm = ALARM.from_json(row.content, where)
    held = {"environment": row.environment, "open_cause": row.open_cause, "content": row.content}
    expected = _columns(alarm) | {"content": row.content}
    if alarm.number != row.number or held != expected:
        raise unreadable(where)
    return alarm
