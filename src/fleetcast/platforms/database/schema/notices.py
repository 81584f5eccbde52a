"""What people are to be told, and what they were."""

from __future__ import annotations

import sqlalchemy as sa

from fleetcast.platforms.database.schema.metadata import content, metadata

letters = sa.Table(
    "letters",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("channel", sa.String(64), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    content(),
    sa.Index("letters_waiting", "state", "channel", "number"),
)

pages = sa.Table(
    "pages",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("open", sa.Boolean, nullable=False, index=True),
    content(),
)
"""What somebody has to acknowledge, or had to."""

channel_states = sa.Table(
    "channel_states", metadata, sa.Column("channel", sa.String(64), primary_key=True), content()
)

told = sa.Table(
    "told", metadata, sa.Column("number", sa.Integer, primary_key=True, autoincrement=False), content()
)
"""How far the audit log was read: one row."""
