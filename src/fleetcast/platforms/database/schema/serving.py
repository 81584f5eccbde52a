"""What servers of the local platform are told, what they say, and the keys by which clients ask."""

from __future__ import annotations

import sqlalchemy as sa

from fleetcast.platforms.database.schema.metadata import content, digest, metadata

traffic = sa.Table(
    "traffic",
    metadata,
    sa.Column("environment", sa.String(8), primary_key=True),
    sa.Column("plant", sa.String(64), primary_key=True),
    sa.Column("revision", sa.Integer, nullable=False),
    content(),
)

deployment_reports = sa.Table(
    "deployment_reports",
    metadata,
    sa.Column("environment", sa.String(8), primary_key=True),
    sa.Column("plant", sa.String(64), primary_key=True),
    digest("green"),
    content(),
)
"""Of the green that a server saw last."""

endpoint_keys = sa.Table(
    "endpoint_keys",
    metadata,
    sa.Column("environment", sa.String(8), primary_key=True),
    sa.Column("plant", sa.String(64), primary_key=True),
    sa.Column("slot", sa.String(16), primary_key=True),
    digest("digest"),
    sa.Column("made_at", sa.String(32), nullable=False),
)

endpoint_stretches = sa.Table(
    "endpoint_stretches",
    metadata,
    sa.Column("environment", sa.String(8), primary_key=True),
    sa.Column("server", sa.String(32), primary_key=True),
    sa.Column("since", sa.String(32), primary_key=True),
    sa.Column("until", sa.String(32), nullable=False, index=True),
    content(),
)
"""For how long a server served which plants: one row for all of them, raised as it goes on serving."""
