"""Calls and their answers in the control database."""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from fleetcast.domain.repeat import KEPT_FOR, Answer, Call, KeptCall, met_again
from fleetcast.platforms.database import schema
from fleetcast.platforms.database.session import Kept, changes
from fleetcast.stored.repeats import KEPT_CALL

_repeats = schema.repeats


class ControlRepeatBook(Kept):
    """Keeps calls by owner and key."""

    @changes
    def begin(self, connection: Connection, call: Call) -> KeptCall:
        """Note that a call is begun; with an answer, where it was answered before."""
        now = self.session.clock.now()
        old = _repeats.c.begun_at < (now - KEPT_FOR).isoformat()
        connection.execute(sa.delete(_repeats).where(old))
        begun = KeptCall(call, now)
        row = connection.execute(sa.select(_repeats.c.content).where(_mine(call))).first()
        if row is None:
            connection.execute(
                sa.insert(_repeats).values(owner=call.owner.hex, key=call.key, **_written(begun))
            )
            return begun
        kept = KEPT_CALL.from_json(row.content, f"repeats {call.key}")
        answer = met_again(kept, call, now)
        if answer is not None:
            return replace(kept, answer=answer)
        connection.execute(sa.update(_repeats).where(_mine(call)).values(_written(begun)))
        return begun

    @changes
    def keep(self, connection: Connection, begun: KeptCall, answer: Answer) -> None:
        """Keep the answer of the call as it was begun."""
        done = replace(begun, answer=answer)
        connection.execute(sa.update(_repeats).where(_as_begun(begun)).values(_written(done)))

    @changes
    def forget(self, connection: Connection, begun: KeptCall) -> None:
        """Let the call be made again."""
        connection.execute(sa.delete(_repeats).where(_as_begun(begun)))


def _written(kept: KeptCall) -> dict[str, str]:
    return {"begun_at": kept.begun_at.isoformat(), "content": KEPT_CALL.to_json(kept)}


def _mine(call: Call) -> sa.ColumnElement[bool]:
    return sa.and_(_repeats.c.owner == call.owner.hex, _repeats.c.key == call.key)


def _as_begun(begun: KeptCall) -> sa.ColumnElement[bool]:
    return _mine(begun.call) & (_repeats.c.begun_at == begun.begun_at.isoformat())
