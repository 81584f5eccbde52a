"""Which policy is in force at each gate."""

from __future__ import annotations

import sqlalchemy as sa

from fleetcast.platforms.database.schema.metadata import content, metadata

gate_policies = sa.Table(
    "gate_policies", metadata, sa.Column("gate", sa.String(32), primary_key=True), content()
)
