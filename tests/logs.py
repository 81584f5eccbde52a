"""Logs of tests, read as gates read them."""

from __future__ import annotations

from collections.abc import Sequence

from fleetcast.domain.audit import GENESIS, AuditEntry
from fleetcast.domain.chronicle import BrokenLog, Chronicle
from fleetcast.ports.approvals import AuditLog
from fleetcast.stored.audit import AUDIT_ENTRY
from fleetcast.stored.audit_pages import AuditPage, AuditRow, read_page


def is_whole(log: AuditLog) -> bool:
    """Whether a log is as it was written, and sealed at its end."""
    return isinstance(log.told(), Chronicle)


def row_of(entry: AuditEntry) -> AuditRow:
    """An entry as it is kept."""
    return AuditRow(entry.number, entry.digest.hex, entry.event.about, AUDIT_ENTRY.to_json(entry))


def broken_at(entries: Sequence[AuditEntry]) -> int | None:
    """The number of the first entry that does not fit, were the last one sealed by somebody trusted."""
    if not entries:
        return None
    found = read_page(AuditPage(tuple(map(row_of, entries)), 0, GENESIS.hex))
    return found.number if isinstance(found, BrokenLog) else None
