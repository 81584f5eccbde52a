"""What people are to be told, and what they were."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Make the tables, empty."""
    op.create_table(
        "letters",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("channel", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Index("letters_waiting", "state", "channel", "number"),
    )
    op.create_table(
        "pages",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("open", sa.Boolean, nullable=False, index=True),
        sa.Column("content", sa.Text, nullable=False),
    )
    op.create_table(
        "channel_states",
        sa.Column("channel", sa.String(64), primary_key=True),
        sa.Column("content", sa.Text, nullable=False),
    )
    op.create_table(
        "told",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("content", sa.Text, nullable=False),
    )
