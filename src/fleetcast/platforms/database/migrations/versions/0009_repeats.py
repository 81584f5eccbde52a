"""Calls of the API that may be made again: none were made yet."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the table, empty."""
    op.create_table(
        "repeats",
        sa.Column("owner", sa.String(64), primary_key=True),
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("begun_at", sa.String(32), nullable=False, index=True),
        sa.Column("content", sa.Text, nullable=False),
    )
