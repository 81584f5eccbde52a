"""Seals on the audit log: what is there is vouched for by whoever brings the database to this schema."""

from __future__ import annotations

import hashlib
import json

import sqlalchemy as sa
from alembic import context, op

from fleetcast.domain.errors import BadInput

revision = "0007"
down_revision = "0006"
_PAGE = 5_000


def upgrade() -> None:
    """Add the column, seal the last entry, and say which entries are about which model."""
    op.add_column("audit", sa.Column("seal", sa.Text, nullable=True))
    connection = op.get_bind()
    table = sa.table("audit", *(sa.column(name) for name in ("number", "about", "content", "digest", "seal")))
    last = connection.execute(
        sa.select(table.c.number, table.c.digest).order_by(table.c.number.desc()).limit(1)
    ).first()
    if last is None:
        return
    seal = context.config.attributes["seal"]
    sealing = sa.update(table).where(table.c.number == last.number)
    connection.execute(sealing.values(seal=seal(last.number, last.digest)))
    after, models = 0, table.c.content.like('%"action":"model.%')
    while True:
        query = sa.select(table.c.number, table.c.content).where(table.c.number > after, models)
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
        is_one, name = str(event["action"]).startswith("model."), str(event["subject"]).partition(":")[0]
    except (ValueError, LookupError, TypeError) as error:
        raise BadInput(
            f"audit entry {number} cannot be read",
            fix="the log was changed outside fleetcast: compare with a backup of the control database",
        ) from error
    return f"model {hashlib.sha256(name.encode()).hexdigest()[:24]}" if is_one else ""
