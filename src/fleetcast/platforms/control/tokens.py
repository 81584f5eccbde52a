"""Tokens without their secrets, in the control database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from fleetcast.domain import happened
from fleetcast.domain.errors import BadInput
from fleetcast.domain.token import Token
from fleetcast.platforms.database import schema
from fleetcast.platforms.database.session import Kept, changes, met, reads
from fleetcast.stored.people import TOKEN

_tokens = schema.tokens
_OF_NUMBER = sa.select(_tokens.c.content).where(_tokens.c.number == sa.bindparam("wanted"))


class ControlTokenBook(Kept):
    """Keeps tokens by their number."""

    @changes
    def issue(self, connection: Connection, token: Token) -> Token:
        """Keep a new token; gives it with its number."""
        query = sa.select(sa.func.coalesce(sa.func.max(_tokens.c.number), 0))
        numbered = replace(token, number=connection.execute(query).scalar_one() + 1)
        connection.execute(
            sa.insert(_tokens).values(
                number=numbered.number, person=token.person, content=TOKEN.to_json(numbered)
            )
        )
        self.session.audit(connection, [happened.token_created(numbered)])
        return numbered

    @reads
    def find(self, connection: Connection, number: int) -> Token | None:
        """The token of this number."""
        return _find(connection, number)

    @reads
    def listed(self, connection: Connection) -> Sequence[Token]:
        """All of them, oldest first."""
        rows = connection.execute(sa.select(_tokens).order_by(_tokens.c.number))
        return [TOKEN.from_json(row.content, f"tokens {row.number}") for row in rows]

    @changes
    def revoke(self, connection: Connection, number: int) -> Token:
        """End a token; one that has ended stays as it is."""
        token = _find(connection, number)
        if token is None:
            raise BadInput(f"there is no token {number}", fix="see `fleetcast token list`")
        if token.revoked_at is not None:
            return token
        ended = replace(token, revoked_at=self.session.clock.now())
        changed = sa.update(_tokens).where(_tokens.c.number == number).values(content=TOKEN.to_json(ended))
        met(connection.execute(changed), 1, f"token {number}")
        self.session.audit(connection, [happened.token_revoked(ended)])
        return ended


def _find(connection: Connection, number: int) -> Token | None:
    row = connection.execute(_OF_NUMBER, {"wanted": number}).first()
    return None if row is None else TOKEN.from_json(row.content, f"tokens {number}")
