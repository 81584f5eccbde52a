"""Deployments, and how each plant's rollout stands."""

from __future__ import annotations

import sqlalchemy as sa

from fleetcast.platforms.database.schema.metadata import content, metadata

deployments = sa.Table(
    "deployments",
    metadata,
    sa.Column("environment", sa.String(8), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("state", sa.String(32), nullable=False),
    content(),
)

rollouts = sa.Table(
    "rollouts",
    metadata,
    sa.Column("environment", sa.String(8), primary_key=True),
    sa.Column("plant", sa.String(64), primary_key=True),
    content(),
)
"""The last one of each plant."""
