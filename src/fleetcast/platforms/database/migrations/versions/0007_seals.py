"""Seals on the audit log: what is there is vouched for by whoever brings the database to this schema."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import context, op

from fleetcast.domain.errors import BadInput

revision = "0007"
down_revision = "0006"
_PAGE = 5_000


def upgrade() -> None:
    """Add the column, seal the last entry, and say of which model an entry made a champion."""
    op.add_column("audit", sa.Column("seal", sa.Text, nullable=True))
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":  # which takes texts of any length
        op.alter_column("audit", "about", type_=sa.String(300), existing_type=sa.String(32))
    table = sa.table("audit", *(sa.column(name) for name in ("number", "about", "content", "digest", "seal")))
    last = connection.execute(
        sa.select(table.c.number, table.c.digest).order_by(table.c.number.desc()).limit(1)
    ).first()
    if last is None:
        return
    seal = context.config.attributes["seal"]
    sealing = sa.update(table).where(table.c.number == last.number)
    connection.execute(sealing.values(seal=seal(last.number, last.digest)))
    after, crowned = 0, table.c.content.like('%"model.crowned"%')
    while True:
        query = sa.select(table.c.number, table.c.content).where(table.c.number > after, crowned)
        rows = connection.execute(query.order_by(table.c.number).limit(_PAGE)).all()
        if not rows:
            return
        found = [{"entry": row.number, "what": _about(row.number, row.content)} for row in rows]
        filling = sa.update(table).where(table.c.number == sa.bindparam("entry"), table.c.about == "")
        connection.execute(filling.values(about=sa.bindparam("what")), found)
        after = rows[-1].number


def _about(number: int, content: str) -> str:
    try:
        event = json.loads(content)["event"]
        crowned, name = event["action"] == "model.crowned", str(event["subject"]).rpartition(":")[0]
    except (ValueError, LookupError, TypeError) as error:
        raise BadInput(
            f"audit entry {number} cannot be read",
            fix="the log was changed outside fleetcast: compare with a backup of the control database",
        ) from error
    return f"champion {name}" if crowned else ""
