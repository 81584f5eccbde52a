"""Requests for approval; one at most is pending for each subject."""

from __future__ import annotations

import sqlalchemy as sa

from fleetcast.platforms.database.schema.metadata import content, digest, metadata

requests = sa.Table(
    "requests",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    digest("subject", index=True),
    sa.Column("gate", sa.String(32), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("version", sa.String(64), nullable=False),
    sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("decided", sa.Integer, nullable=False),
    sa.Column("outcome", sa.String(16), nullable=False),
    sa.Column("opened_at", sa.String(32), nullable=False),
    content(),
    sa.Index("requests_by_name", "name"),
    sa.Index("requests_by_state", "state", "id"),
)

pending_subject = sa.Index(
    "one_pending_request_per_subject",
    requests.c.subject,
    unique=True,
    sqlite_where=requests.c.state == "pending",
)
