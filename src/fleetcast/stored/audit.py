"""Audit entries, as they are written down."""

from __future__ import annotations

from fleetcast.domain.audit import AuditEntry
from fleetcast.stored.form import Stored

AUDIT_ENTRY = Stored(
    AuditEntry,
    fix="the log was changed outside fleetcast: compare with a backup of the control database",
)
