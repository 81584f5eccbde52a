"""Environments, components and data as they were registered and shared."""

from __future__ import annotations

import sqlalchemy as sa

from fleetcast.platforms.database.schema.metadata import content, digest, metadata

assets = sa.Table(
    "assets",
    metadata,
    sa.Column("kind", sa.String(16), primary_key=True),
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("version", sa.String(64), primary_key=True),
    digest("digest"),
    sa.Column("registered_at", sa.String(32), nullable=False),
    content(),
)

data_assets = sa.Table("data_assets", metadata, digest("digest", primary_key=True), content())

shared_environments = sa.Table(
    "shared_environments",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("version", sa.String(64), primary_key=True),
    digest("digest"),
    content(),
)
