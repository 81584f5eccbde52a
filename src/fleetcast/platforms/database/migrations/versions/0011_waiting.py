"""What waits is found by its state, in the order of numbers, without looking at all that was ever decided."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make the index."""
    op.create_index("requests_by_state", "requests", ["state", "id"])
