"""Audit entries, as they are written down."""

from __future__ import annotations

from fleetcast.domain.audit import AuditEntry
from fleetcast.stored.form import Fields, Stored


def _as_it_is(fields: Fields) -> Fields:
    return fields


AUDIT_ENTRY = Stored(
    AuditEntry,
    number=2,
    earlier={1: _as_it_is},
    fix="the log was changed outside fleetcast: compare with a backup of the control database",
)
"""Format 1 did not say how actors had shown who they are."""
