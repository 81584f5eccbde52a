"""What schedules started, in the control database, and the lease that lets one process start it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from fleetcast.domain import happened
from fleetcast.domain.errors import BadInput
from fleetcast.domain.schedule import Turn, TurnState
from fleetcast.platforms.database import schema
from fleetcast.platforms.database.leases import Lease, holders
from fleetcast.platforms.database.session import Kept, Session, changes, met, reads
from fleetcast.stored.form import unreadable
from fleetcast.stored.schedules import TURN

_runs = schema.scheduled_runs
_ALWAYS = (TurnState.NOTED, TurnState.RUNNING, TurnState.WAITING)
_OVER = tuple(state.value for state in TurnState if state.is_final)


class ControlScheduleBook(Kept):
    """Keeps turns, and the lease on starting them."""

    def __init__(self, session: Session, lease: timedelta) -> None:
        super().__init__(session)
        self._lease = Lease(session, "schedules", lease)

    def exclusive(self, holder: str, timeout: timedelta) -> AbstractContextManager[None]:
        """Be the only one who starts what schedules say."""
        return self._lease.held(holder, timeout)

    def keeper(self) -> str | None:
        """Who starts what schedules say at this moment."""
        return holders(self.session.database).get(self._lease.name)

    @changes
    def save(self, connection: Connection, turn: Turn) -> None:
        """Write a turn down, new or as it stands now."""
        its = (_runs.c.duty == turn.duty, _runs.c.due_at == _key(turn.due))
        row = connection.execute(sa.select(_runs).where(*its)).first()
        values = {"state": turn.state.value, "content": TURN.to_json(turn)}
        if row is None:
            new = {"duty": turn.duty, "due_at": _key(turn.due), **values}
            connection.execute(sa.insert(_runs).values(**new))
        else:
            if _turn(row).state.is_final:
                raise BadInput(
                    f"{turn.duty}, due {turn.due}, is over already", fix="see `fleetcast schedules list`"
                )
            changed = connection.execute(sa.update(_runs).where(*its).values(**values))
            met(changed, 1, f"the turn of {turn.duty}")
        if turn.state is TurnState.FAILED:
            self.session.audit(connection, [happened.schedule_failed(turn)])

    @reads
    def held(self, connection: Connection, since: datetime) -> Sequence[Turn]:
        """Turns since a moment, with the newest and those that are not over."""
        newest = (
            sa.select(_runs.c.duty, sa.func.max(_runs.c.due_at).label("due_at"))
            .group_by(_runs.c.duty)
            .subquery()
        )
        query = (
            sa.select(_runs)
            .join(newest, newest.c.duty == _runs.c.duty)
            .where(
                (_runs.c.due_at >= _key(since))
                | (_runs.c.due_at == newest.c.due_at)
                | _runs.c.state.in_([state.value for state in _ALWAYS])
            )
            .order_by(_runs.c.due_at, _runs.c.duty)
        )
        return [_turn(row) for row in connection.execute(query)]

    @reads
    def old(self, connection: Connection, before: datetime) -> int:
        """How many turns `forget` would remove."""
        return len(_old(connection, before))

    @changes
    def forget(self, connection: Connection, before: datetime) -> None:
        """Remove turns that are over, and that no decision looks at."""
        going = [{"its_duty": duty, "its_due": due} for duty, due in _old(connection, before)]
        its = (_runs.c.duty == sa.bindparam("its_duty"), _runs.c.due_at == sa.bindparam("its_due"))
        if going:
            connection.execute(sa.delete(_runs).where(*its), going)


def _old(connection: Connection, before: datetime) -> list[tuple[str, str]]:
    newest = sa.select(_runs.c.duty, sa.func.max(_runs.c.due_at)).group_by(_runs.c.duty)
    noted = newest.where(_runs.c.state == TurnState.NOTED.value)
    stays = {(row[0], row[1]) for query in (newest, noted) for row in connection.execute(query)}
    old = sa.select(_runs.c.duty, _runs.c.due_at).where(
        _runs.c.due_at < _key(before), _runs.c.state.in_(_OVER)
    )
    return [(row.duty, row.due_at) for row in connection.execute(old) if (row.duty, row.due_at) not in stays]


def _key(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _turn(row: sa.Row[tuple[str, str, str, str]]) -> Turn:
    """A turn as its row holds it, if that is what its content makes it."""
    where = f"scheduled_runs {row.duty} {row.due_at}"
    turn = TURN.from_json(row.content, where)
    if (row.duty, row.due_at, row.state) != (turn.duty, _key(turn.due), turn.state.value):
        raise unreadable(where)
    return turn
