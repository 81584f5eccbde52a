"""By what people sign in, the sessions that this began, and how often somebody tried."""

from __future__ import annotations

import sqlalchemy as sa

from fleetcast.platforms.database.schema.metadata import content, metadata

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("person", sa.String(64), primary_key=True),
    content(),
)

one_time_links = sa.Table(
    "one_time_links",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("person", sa.String(64), nullable=False, index=True),
    content(),
)
"""`person` is empty for a first admin."""

sign_in_sessions = sa.Table(
    "sign_in_sessions",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("person", sa.String(64), nullable=False),
    sa.Column("open", sa.Boolean, nullable=False),
    content(),
    sa.Index("sign_in_sessions_open", "open", "person"),
)
"""`open` until its end is written down."""

sign_in_attempts = sa.Table(
    "sign_in_attempts",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    content(),
)

refused_sign_ins = sa.Table(
    "refused_sign_ins",
    metadata,
    sa.Column("person", sa.String(64), primary_key=True),
    content(),
)
"""How many the audit log shows; without a person's id those with a name that nobody has."""
