"""What a platform elsewhere was handed: under which name it runs each job."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Make the table, empty."""
    op.create_table(
        "handed_over",
        sa.Column("job", sa.String(128), primary_key=True),
        sa.Column("name", sa.String(64), nullable=False, index=True),
    )
