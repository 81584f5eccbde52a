"""Releases, and which of them serve."""

from __future__ import annotations

import sqlalchemy as sa

from fleetcast.platforms.database.schema.metadata import content, digest, metadata

releases = sa.Table(
    "releases",
    metadata,
    sa.Column("environment", sa.String(8), primary_key=True),
    sa.Column("plant", sa.String(64), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    digest("digest", index=True),
    content(),
)
"""The content says where a release is to be served, so that one digest stands at one endpoint."""

live_releases = sa.Table(
    "live_releases",
    metadata,
    sa.Column("environment", sa.String(8), primary_key=True),
    sa.Column("plant", sa.String(64), primary_key=True),
    sa.Column("number", sa.Integer, nullable=False),
)
