"""Training jobs and the components they run."""

from __future__ import annotations

import sqlalchemy as sa

from fleetcast.platforms.database.schema.metadata import content, digest, metadata

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", sa.String(128), primary_key=True),
    digest("training_hash", index=True),
    sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("family", sa.String(64), nullable=False),
    sa.Column("seconds", sa.Float),
    sa.Column("position", sa.Integer, nullable=False),
    digest("component"),
    content(),
)

components_run = sa.Table("components_run", metadata, digest("digest", primary_key=True), content())
"""The steps of each component that jobs were submitted with."""

handed_over = sa.Table(
    "handed_over",
    metadata,
    sa.Column("job", sa.String(128), primary_key=True),
    sa.Column("name", sa.String(64), nullable=False, index=True),
)
"""Under which name a platform elsewhere runs each job; several jobs share one."""
