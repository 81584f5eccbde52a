"""Logs of tests, read as gates read them."""

from __future__ import annotations

from collections.abc import Sequence

from fleetcast.domain.audit import AuditEntry
from fleetcast.domain.chronicle import BrokenLog, Chronicle, Logged, read_log
from fleetcast.domain.manifest import Signed
from fleetcast.domain.signing_key import KeyId
from fleetcast.ports.approvals import AuditLog

SEALED = Signed(KeyId("0" * 16))


def is_whole(log: AuditLog) -> bool:
    """Whether a log is as it was written, and sealed at its end."""
    return isinstance(read_log(log.logged()), Chronicle)


def broken_at(entries: Sequence[AuditEntry]) -> int | None:
    """The number of the first entry that does not fit, were the last one sealed by somebody trusted."""
    last = len(entries) - 1
    logged = (
        Logged(entry, entry.event.about, SEALED if place == last else None)
        for place, entry in enumerate(entries)
    )
    found = read_log(logged)
    return found.number if isinstance(found, BrokenLog) else None
