"""For how long servers served which plants, and what they answered meanwhile."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Make the table, empty."""
    op.create_table(
        "endpoint_stretches",
        sa.Column("environment", sa.String(8), primary_key=True),
        sa.Column("server", sa.String(32), primary_key=True),
        sa.Column("since", sa.String(32), primary_key=True),
        sa.Column("until", sa.String(32), nullable=False, index=True),
        sa.Column("content", sa.Text, nullable=False),
    )
