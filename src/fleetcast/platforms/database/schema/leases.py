"""Who may do what only one may do."""

from __future__ import annotations

import sqlalchemy as sa

from fleetcast.platforms.database.schema.metadata import metadata

leases = sa.Table(
    "leases",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("token", sa.Integer, nullable=False),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("machine", sa.String(256), nullable=False),
    sa.Column("process", sa.String(64), nullable=False),
    sa.Column("expires_at", sa.Float(53), nullable=False),
)
"""Who may do what only one may do, until when by the database's time; `token` rises with each new holder."""
