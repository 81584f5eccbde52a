"""Which migrations the database has been through."""

from __future__ import annotations

import sqlalchemy as sa

from fleetcast.platforms.database.schema.metadata import metadata

NUMBER = "0018"
"""The newest migration in `migrations/versions`: what these tables are after it."""

schema_version = sa.Table(
    "alembic_version", metadata, sa.Column("version_num", sa.String(32), primary_key=True)
)
"""The newest migration that the database has been through; Alembic's own table."""

first_schema_version = sa.Table(
    "schema_version", metadata, sa.Column("version", sa.Integer, primary_key=True)
)
"""Where programs from before Alembic look: the number they find here makes them refuse this database."""
FIRST_SCHEMA_VERSION = 2
