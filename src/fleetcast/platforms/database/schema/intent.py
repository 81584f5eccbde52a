"""What was decided about model versions, whatever the platform that holds them."""

from __future__ import annotations

import sqlalchemy as sa

from fleetcast.platforms.database.schema.metadata import digest, metadata

selected_models = sa.Table(
    "selected_models",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
)

champions = sa.Table(
    "champions",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
)

qa_passed = sa.Table(
    "qa_passed",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
)
"""Shared versions that somebody signed off after they were served in test."""

refused_models = sa.Table(
    "refused_models",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("refusal", sa.String(16), nullable=False),
)
"""Versions that may not be used, and why."""

removed_artifacts = sa.Table(
    "removed_artifacts",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    digest("artifact", index=True),
    sa.Column("removed_at", sa.String(32), nullable=False),
)
"""Versions whose files retention removed, or is about to: written before the first byte goes."""
