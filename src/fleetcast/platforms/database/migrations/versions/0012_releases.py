"""Releases, deployments and what servers are told: nothing was served before."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make the tables, empty."""
    op.create_table(
        "releases",
        sa.Column("environment", sa.String(8), primary_key=True),
        sa.Column("plant", sa.String(64), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("digest", sa.String(64), nullable=False, index=True),
        sa.Column("content", sa.Text, nullable=False),
    )
    op.create_table(
        "live_releases",
        sa.Column("environment", sa.String(8), primary_key=True),
        sa.Column("plant", sa.String(64), primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
    )
    op.create_table(
        "traffic",
        sa.Column("environment", sa.String(8), primary_key=True),
        sa.Column("plant", sa.String(64), primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
    )
    op.create_table(
        "deployment_reports",
        sa.Column("environment", sa.String(8), primary_key=True),
        sa.Column("plant", sa.String(64), primary_key=True),
        sa.Column("green", sa.String(64), nullable=False),
        sa.Column("content", sa.Text, nullable=False),
    )
    op.create_table(
        "endpoint_keys",
        sa.Column("environment", sa.String(8), primary_key=True),
        sa.Column("plant", sa.String(64), primary_key=True),
        sa.Column("slot", sa.String(16), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("made_at", sa.String(32), nullable=False),
    )
    op.create_table(
        "deployments",
        sa.Column("environment", sa.String(8), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("content", sa.Text, nullable=False),
    )
    op.create_table(
        "rollouts",
        sa.Column("environment", sa.String(8), primary_key=True),
        sa.Column("plant", sa.String(64), primary_key=True),
        sa.Column("content", sa.Text, nullable=False),
    )
    op.create_table(
        "qa_passed",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    )
