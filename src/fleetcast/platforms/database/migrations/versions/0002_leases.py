"""Leases with fencing, in place of a lock file."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add leases, and raise the number at which programs without them refuse the database."""
    op.create_table(
        "leases",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("token", sa.Integer, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("machine", sa.String(256), nullable=False),
        sa.Column("process", sa.String(64), nullable=False),
        sa.Column("expires_at", sa.Float(53), nullable=False),
    )
    op.execute("UPDATE schema_version SET version = 2")
