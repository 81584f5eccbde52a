"""Who is on record, what they were given, and the tokens that act for them."""

from __future__ import annotations

import sqlalchemy as sa

from fleetcast.platforms.database.schema.metadata import content, digest, metadata

people = sa.Table(
    "people",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    content(),
)

people_names = sa.Table(
    "people_names",
    metadata,
    sa.Column("name", sa.String(256), primary_key=True),
    sa.Column("owner", sa.String(256), nullable=False, index=True),
)
"""Each name, alias and group name, folded, once; `owner` is a person's id or, for a group, its own name."""

identities = sa.Table(
    "identities",
    metadata,
    sa.Column("means", sa.String(16), primary_key=True),
    sa.Column("detail", sa.String(512), primary_key=True),
    sa.Column("person", sa.String(64), nullable=False, index=True),
)

people_groups = sa.Table(
    "people_groups",
    metadata,
    sa.Column("name", sa.String(256), primary_key=True),
    content(),
)

grants = sa.Table("grants", metadata, digest("digest", primary_key=True), content())

tokens = sa.Table(
    "tokens",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("person", sa.String(64), nullable=False, index=True),
    content(),
)
