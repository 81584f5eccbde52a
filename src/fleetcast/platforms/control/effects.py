"""Intended and confirmed effects in the control database."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from fleetcast.domain.effect import Effect
from fleetcast.platforms.database import schema
from fleetcast.platforms.database.columns import last_position
from fleetcast.platforms.database.session import Kept, changes, chunks, met, reads
from fleetcast.stored.effects import EFFECT

_effects = schema.effects


class ControlEffectBook(Kept):
    """Keeps effects by their key."""

    @changes
    def intend(self, connection: Connection, effects: Sequence[Effect]) -> None:
        """Write down what is about to be done."""
        wanted = {effect.key: effect for effect in effects}
        known: set[str] = set()
        for some in chunks(list(wanted)):
            query = sa.select(_effects.c.key).where(_effects.c.key.in_(some))
            known |= set(connection.execute(query).scalars())
        new = [effect for key, effect in wanted.items() if key not in known]
        if new:
            begin = last_position(connection, _effects, _effects.c.key) + 1
            connection.execute(
                sa.insert(_effects),
                [
                    {
                        "key": effect.key,
                        "position": begin + number,
                        "recorded": False,
                        "by": self.session.actor.name,
                        "intended_at": self.session.clock.now().isoformat(),
                        "content": EFFECT.to_json(effect),
                    }
                    for number, effect in enumerate(new)
                ],
            )

    @reads
    def unconfirmed(self, connection: Connection) -> Sequence[Effect]:
        """What was intended and not recorded yet, oldest first."""
        query = sa.select(_effects.c.key, _effects.c.content).where(~_effects.c.recorded)
        return [
            _effect(row.key, row.content) for row in connection.execute(query.order_by(_effects.c.position))
        ]

    @changes
    def record(self, connection: Connection, effects: Sequence[Effect]) -> None:
        """Write down that effects were seen to be done, each with its audit entry."""
        done = {effect.key: effect for effect in effects}
        found: list[tuple[int, Effect]] = []
        for some in chunks(list(done)):
            query = sa.select(_effects.c.key, _effects.c.position)
            new = [
                (row.position, done[row.key])
                for row in connection.execute(query.where(_effects.c.key.in_(some) & ~_effects.c.recorded))
            ]
            keys_of_new = [effect.key for _, effect in new]
            recording = sa.update(_effects).where(_effects.c.key.in_(keys_of_new)).values(recorded=True)
            met(connection.execute(recording), len(new), "what was intended")
            found += new
        found.sort(key=lambda pair: pair[0])
        self.session.audit(connection, [effect.event for _, effect in found])

    @changes
    def drop(self, connection: Connection, effects: Sequence[Effect]) -> None:
        """Forget what was intended and never will be done."""
        for some in chunks([effect.key for effect in effects]):
            connection.execute(sa.delete(_effects).where(_effects.c.key.in_(some) & ~_effects.c.recorded))


def _effect(key: str, content: str) -> Effect:
    return EFFECT.from_json(content, f"effects {key!r}")
