"""What schedules started."""

from __future__ import annotations

import sqlalchemy as sa

from fleetcast.platforms.database.schema.metadata import content, metadata

scheduled_runs = sa.Table(
    "scheduled_runs",
    metadata,
    sa.Column("duty", sa.String(32), primary_key=True),
    sa.Column("due_at", sa.String(32), primary_key=True),
    sa.Column("state", sa.String(16), nullable=False),
    content(),
)
"""One row for each due instant, there before its command starts; `due_at` in one length, so that it sorts."""
