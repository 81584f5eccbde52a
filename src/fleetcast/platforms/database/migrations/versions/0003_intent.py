"""What was decided about models, apart from what exists; and effects outside the database."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from fleetcast.domain.errors import BadInput
from fleetcast.stored.form import RESTORE

revision = "0003"
down_revision = "0002"


_PAGE = 1_000


def upgrade() -> None:
    """Move refusals out of the versions, add effects and policies, and what lists need to know of requests."""
    _models()
    _requests()
    op.create_table(
        "gate_policies",
        sa.Column("gate", sa.String(32), primary_key=True),
        sa.Column("content", sa.Text, nullable=False),
    )


def _requests() -> None:
    """Add columns in steps that both databases can take, and fill them from the requests' content."""
    op.add_column("requests", sa.Column("gate", sa.String(32), nullable=False, server_default=""))
    op.add_column("requests", sa.Column("outcome", sa.String(16), nullable=False, server_default=""))
    op.add_column("requests", sa.Column("opened_at", sa.String(32), nullable=False, server_default=""))
    op.create_index("requests_by_name", "requests", ["name"])
    table = sa.table(
        "requests",
        *(sa.column(name) for name in ("id", "gate", "outcome", "opened_at", "content")),
    )
    connection, after = op.get_bind(), 0
    while True:
        query = sa.select(table.c.id, table.c.content).where(table.c.id > after).order_by(table.c.id)
        rows = connection.execute(query.limit(_PAGE)).all()
        if not rows:
            return
        for row in rows:
            connection.execute(
                sa.update(table).where(table.c.id == row.id).values(_listed(row.id, row.content))
            )
        after = rows[-1].id


def _listed(number: int, content: str) -> dict[str, str]:
    try:
        request = json.loads(content)
        opened_at = datetime.fromisoformat(request["opened_at"]).isoformat()
        return {"gate": request["gate"], "outcome": _outcome(request), "opened_at": opened_at}
    except (ValueError, LookupError, TypeError) as error:
        raise BadInput(f"requests {number} cannot be read", fix=RESTORE) from error


def _outcome(request: dict[str, Any]) -> str:
    verdicts = {check["verdict"] for check in request["evidence"]["checks"]}
    if "failed" in verdicts:
        return "failing"
    return "not comparable" if verdicts == {"not comparable"} else "passing"


def _models() -> None:
    op.create_table(
        "refused_models",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("refusal", sa.String(16), nullable=False),
    )
    op.execute(
        "INSERT INTO refused_models (name, version, refusal) "
        "SELECT name, version, state FROM model_versions WHERE state <> 'registered'"
    )
    op.drop_column("model_versions", "state")
    op.create_table(
        "effects",
        sa.Column("key", sa.String(256), primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("recorded", sa.Boolean, nullable=False, index=True),
        sa.Column("by", sa.String(256), nullable=False),
        sa.Column("intended_at", sa.String(32), nullable=False),
        sa.Column("content", sa.Text, nullable=False),
    )
