"""Which artifact each model version has, in columns of its own: a plan asks for all of them at once."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

from fleetcast.domain.errors import BadInput
from fleetcast.stored.form import RESTORE

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the columns in steps that both databases can take, and fill them from the versions' content."""
    op.add_column("model_versions", sa.Column("artifact", sa.String(64), nullable=False, server_default=""))
    op.add_column(
        "model_versions", sa.Column("artifact_bytes", sa.BigInteger, nullable=False, server_default="0")
    )
    names = ("name", "version", "artifact", "artifact_bytes", "content")
    table = sa.table("model_versions", *(sa.column(name) for name in names))
    connection = op.get_bind()
    for row in connection.execute(sa.select(table.c.name, table.c.version, table.c.content)).all():
        mine = (table.c.name == row.name, table.c.version == row.version)
        connection.execute(
            sa.update(table).where(*mine).values(_artifact(row.name, row.version, row.content))
        )


def _artifact(name: str, version: int, content: str) -> dict[str, object]:
    try:
        model = json.loads(content)
        return {"artifact": str(model["artifact"]["hex"]), "artifact_bytes": int(model["artifact_bytes"])}
    except (ValueError, LookupError, TypeError) as error:
        raise BadInput(f"model_versions {name}:{version} cannot be read", fix=RESTORE) from error
