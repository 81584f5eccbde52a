"""People, groups, roles and tokens: nobody is on record yet."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables, empty."""
    op.create_table(
        "people",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("content", sa.Text, nullable=False),
    )
    op.create_table(
        "people_names",
        sa.Column("name", sa.String(256), primary_key=True),
        sa.Column("owner", sa.String(256), nullable=False, index=True),
    )
    op.create_table(
        "identities",
        sa.Column("means", sa.String(16), primary_key=True),
        sa.Column("detail", sa.String(512), primary_key=True),
        sa.Column("person", sa.String(64), nullable=False, index=True),
    )
    op.create_table(
        "people_groups",
        sa.Column("name", sa.String(256), primary_key=True),
        sa.Column("content", sa.Text, nullable=False),
    )
    op.create_table(
        "grants",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("content", sa.Text, nullable=False),
    )
    op.create_table(
        "tokens",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("person", sa.String(64), nullable=False, index=True),
        sa.Column("content", sa.Text, nullable=False),
    )
