"""What schedules started: one row for each due instant."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Make the table, empty."""
    op.create_table(
        "scheduled_runs",
        sa.Column("duty", sa.String(32), primary_key=True),
        sa.Column("due_at", sa.String(32), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("content", sa.Text, nullable=False),
    )
