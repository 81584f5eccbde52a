"""The audit log as JSON."""

from __future__ import annotations

from collections.abc import Sequence

from fleetcast.domain.audit import AuditEntry, Proof
from fleetcast.domain.canonical import Json
from fleetcast.views.moments import iso


def as_json(entries: Sequence[AuditEntry]) -> Json:
    """Audit entries for programs; `detail` holds what was recorded, in the words of then."""
    return [
        {
            "entry": entry.number,
            "recorded_at": iso(entry.at),
            "by": entry.actor.name,
            "standing": entry.actor.standing.value,
            "proof": _proof(entry.actor.proof),
            "action": entry.event.action,
            "subject": entry.event.subject,
            "detail": entry.event.detail,
            "previous_digest": entry.previous.hex,
            "digest": entry.digest.hex,
        }
        for entry in entries
    ]


def _proof(proof: Proof | None) -> Json:
    return None if proof is None else {"means": proof.means.value, "detail": proof.detail}
