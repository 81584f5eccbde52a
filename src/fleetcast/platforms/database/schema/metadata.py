"""What all tables are gathered in, and the columns that several of them have."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()


def digest(name: str, *, primary_key: bool = False, index: bool = False) -> sa.Column[str]:
    """A SHA-256 as 64 hex digits."""
    return sa.Column(name, sa.String(64), primary_key=primary_key, index=index, nullable=False)


def content() -> sa.Column[str]:
    """The rest of a value, as JSON."""
    return sa.Column("content", sa.Text, nullable=False)
