"""Whether a token, session, account or link is one that the audit log knows, and no row typed into a table."""

from __future__ import annotations

from fleetcast.domain.chronicle import NotBelieved
from fleetcast.domain.identity import Digest
from fleetcast.ports.approvals import AuditLog

_ENDS = frozenset({"token.revoked", "session.ended", "link.used"})


def vouched(audit: AuditLog, about: str, kept: Digest) -> bool:
    """Whether the last that a sealed log says of something is what the row holds, and it did not end since.

    Args:
        audit: The log.
        about: What it is: `token 3`, `session 17`, `link 2`, or `about_account(person)`.
        kept: Of what the row holds.
    """
    try:
        entries = audit.vouched([about])[about]
    except NotBelieved:  # the same answer as for one that never was
        return False
    if any(entry.event.action in _ENDS for entry in entries):
        return False
    said = [entry for entry in entries if "kept" in entry.event.detail]
    return bool(said) and said[-1].event.detail["kept"] == kept.hex
