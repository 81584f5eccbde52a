"""What each entry of the audit log is about, so that those about one request are found without reading all."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

from fleetcast.domain.errors import BadInput

revision = "0006"
down_revision = "0005"
_PAGE = 5_000


def upgrade() -> None:
    """Add the column, and fill it for entries about requests."""
    op.add_column("audit", sa.Column("about", sa.String(32), nullable=False, server_default=""))
    op.create_index("audit_about", "audit", ["about"])
    table = sa.table("audit", *(sa.column(name) for name in ("number", "about", "content")))
    connection, after = op.get_bind(), 0
    asked = table.c.content.like('%"request":%')
    while True:
        query = sa.select(table.c.number, table.c.content).where(table.c.number > after, asked)
        rows = connection.execute(query.order_by(table.c.number).limit(_PAGE)).all()
        if not rows:
            return
        found = [{"entry": row.number, "what": _about(row.number, row.content)} for row in rows]
        filling = sa.update(table).where(table.c.number == sa.bindparam("entry"))
        connection.execute(filling.values(about=sa.bindparam("what")), found)
        after = rows[-1].number


def _about(number: int, content: str) -> str:
    try:
        request = json.loads(content)["event"]["detail"].get("request")
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise BadInput(
            f"audit entry {number} cannot be read",
            fix="the log was changed outside fleetcast: compare with a backup of the control database",
        ) from error
    return f"request {request}" if isinstance(request, int) else ""
