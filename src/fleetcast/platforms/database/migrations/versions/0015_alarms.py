"""Alarms, and the newest look at each environment."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Make the tables, empty."""
    op.create_table(
        "alarms",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("environment", sa.String(8), nullable=False),
        sa.Column("open_cause", sa.String(64), nullable=True, unique=True),
        sa.Column("content", sa.Text, nullable=False),
    )
    op.create_table(
        "last_looks",
        sa.Column("environment", sa.String(8), primary_key=True),
        sa.Column("content", sa.Text, nullable=False),
    )
