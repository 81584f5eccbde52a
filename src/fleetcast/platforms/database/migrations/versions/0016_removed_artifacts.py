"""Versions whose files retention removed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Make the table, empty."""
    op.create_table(
        "removed_artifacts",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("artifact", sa.String(64), nullable=False, index=True),
        sa.Column("removed_at", sa.String(32), nullable=False),
    )
