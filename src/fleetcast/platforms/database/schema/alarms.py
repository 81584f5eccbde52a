"""Alarms, and the newest look at each environment."""

from __future__ import annotations

import sqlalchemy as sa

from fleetcast.platforms.database.schema.metadata import content, metadata

alarms = sa.Table(
    "alarms",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("environment", sa.String(8), nullable=False),
    sa.Column("open_cause", sa.String(64), nullable=True, unique=True),
    content(),
)
"""`open_cause`: the digest of the cause while the alarm is not over, so that none has two."""

last_looks = sa.Table(
    "last_looks",
    metadata,
    sa.Column("environment", sa.String(8), primary_key=True),
    content(),
)
