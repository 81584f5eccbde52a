"""What happened, in order, each entry chained to the one before."""

from __future__ import annotations

import sqlalchemy as sa

from fleetcast.platforms.database.schema.metadata import content, digest, metadata

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    digest("digest"),
    sa.Column("about", sa.String(32), nullable=False, server_default=""),
    content(),
    sa.Column("seal", sa.Text, nullable=True),
    sa.Index("audit_about", "about"),
)
"""`about` says which request or model an entry is about; empty for all else. The last entry of each transaction is
sealed, and vouches for those before it."""
