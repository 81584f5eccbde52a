"""Calls of the API that changed something, and what was answered, for as long as they may be made again."""

from __future__ import annotations

import sqlalchemy as sa

from fleetcast.platforms.database.schema.metadata import content, digest, metadata

repeats = sa.Table(
    "repeats",
    metadata,
    digest("owner", primary_key=True),
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("begun_at", sa.String(32), nullable=False, index=True),
    content(),
)
