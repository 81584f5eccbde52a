"""Model versions that exist: in the workspace, and in the shared registry."""

from __future__ import annotations

import sqlalchemy as sa

from fleetcast.platforms.database.schema.metadata import content, digest, metadata

model_versions = sa.Table(
    "model_versions",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    digest("training_hash", index=True),
    sa.Column("plant", sa.String(64), nullable=False),
    sa.Column("circuit", sa.String(64), nullable=False),
    sa.Column("job", sa.String(128), nullable=False, unique=True),
    sa.Column("inputs", sa.Text, nullable=False),
    sa.Column("registered_at", sa.String(32), nullable=False),
    digest("artifact"),
    sa.Column("artifact_bytes", sa.BigInteger, nullable=False),
    content(),
)

shared_models = sa.Table(
    "shared_models",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    digest("artifact"),
)
