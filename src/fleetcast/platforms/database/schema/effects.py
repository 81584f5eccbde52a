"""Changes outside the control database: intended, and recorded once they were seen to be done."""

from __future__ import annotations

import sqlalchemy as sa

from fleetcast.platforms.database.schema.metadata import content, metadata

effects = sa.Table(
    "effects",
    metadata,
    sa.Column("key", sa.String(256), primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("recorded", sa.Boolean, nullable=False, index=True),
    sa.Column("by", sa.String(256), nullable=False),
    sa.Column("intended_at", sa.String(32), nullable=False),
    content(),
)
