"""The tables of the control database.

Columns hold what is looked up, compared or unique; `content` holds the rest of a value as JSON. The same
tables serve SQLite and PostgreSQL.
"""

from __future__ import annotations

import sqlalchemy as sa

REVISION = "0003"
"""The newest migration in `migrations/versions`: what these tables are after it."""

metadata = sa.MetaData()


def _digest(name: str, *, primary_key: bool = False, index: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(64), primary_key=primary_key, index=index, nullable=False)


def _content() -> sa.Column[str]:
    return sa.Column("content", sa.Text, nullable=False)


schema_version = sa.Table(
    "alembic_version", metadata, sa.Column("version_num", sa.String(32), primary_key=True)
)
"""The newest migration that the database has been through; Alembic's own table."""

first_schema_version = sa.Table(
    "schema_version", metadata, sa.Column("version", sa.Integer, primary_key=True)
)
"""Where programs from before Alembic look: the number they find here makes them refuse this database."""
FIRST_SCHEMA_VERSION = 2

leases = sa.Table(
    "leases",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("token", sa.Integer, nullable=False),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("machine", sa.String(256), nullable=False),
    sa.Column("process", sa.String(64), nullable=False),
    sa.Column("expires_at", sa.Float(53), nullable=False),
)
"""Who may do what only one may do, until when by the database's time; `token` rises with each new holder."""

assets = sa.Table(
    "assets",
    metadata,
    sa.Column("kind", sa.String(16), primary_key=True),
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("version", sa.String(64), primary_key=True),
    _digest("digest"),
    sa.Column("registered_at", sa.String(32), nullable=False),
    _content(),
)

data_assets = sa.Table("data_assets", metadata, _digest("digest", primary_key=True), _content())

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", sa.String(128), primary_key=True),
    _digest("training_hash", index=True),
    sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("family", sa.String(64), nullable=False),
    sa.Column("seconds", sa.Float),
    sa.Column("position", sa.Integer, nullable=False),
    _digest("component"),
    _content(),
)

components_run = sa.Table("components_run", metadata, _digest("digest", primary_key=True), _content())
"""The steps of each component that jobs were submitted with."""

model_versions = sa.Table(
    "model_versions",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    _digest("training_hash", index=True),
    sa.Column("plant", sa.String(64), nullable=False),
    sa.Column("circuit", sa.String(64), nullable=False),
    sa.Column("job", sa.String(128), nullable=False, unique=True),
    sa.Column("inputs", sa.Text, nullable=False),
    sa.Column("registered_at", sa.String(32), nullable=False),
    _content(),
)

selected_models = sa.Table(
    "selected_models",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
)

refused_models = sa.Table(
    "refused_models",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("refusal", sa.String(16), nullable=False),
)
"""Versions that may not be used, and why."""

effects = sa.Table(
    "effects",
    metadata,
    sa.Column("key", sa.String(256), primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("recorded", sa.Boolean, nullable=False, index=True),
    sa.Column("by", sa.String(256), nullable=False),
    sa.Column("intended_at", sa.String(32), nullable=False),
    _content(),
)
"""Changes outside this database: intended, and recorded once they were seen to be done."""

shared_environments = sa.Table(
    "shared_environments",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("version", sa.String(64), primary_key=True),
    _digest("digest"),
    _content(),
)

shared_models = sa.Table(
    "shared_models",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    _digest("artifact"),
)

champions = sa.Table(
    "champions",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
)

requests = sa.Table(
    "requests",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    _digest("subject", index=True),
    sa.Column("gate", sa.String(32), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("version", sa.String(64), nullable=False),
    sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("decided", sa.Integer, nullable=False),
    sa.Column("outcome", sa.String(16), nullable=False),
    sa.Column("opened_at", sa.String(32), nullable=False),
    _content(),
    sa.Index("requests_by_name", "name"),
)

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("state", sa.String(32), nullable=False),
    _content(),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    _digest("digest"),
    _content(),
)

pending_subject = sa.Index(
    "one_pending_request_per_subject",
    requests.c.subject,
    unique=True,
    sqlite_where=requests.c.state == "pending",
    postgresql_where=requests.c.state == "pending",
)
