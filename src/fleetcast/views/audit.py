"""The audit log as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from fleetcast.domain.audit import AuditEntry, Proof
from fleetcast.domain.canonical import Json
from fleetcast.domain.checkpoint import CheckpointVerdict, Held, Unsound
from fleetcast.domain.chronicle import BrokenLog
from fleetcast.domain.recount import Disagreement
from fleetcast.views.moments import iso
from fleetcast.views.names import asset_names
from fleetcast.workflows.audit import AuditVerified

_WHY = {
    "changed entry": "entry {number} of the log is not what its digest says",
    "never opened": "the log does not know it",
    "other subject": "the log knows it with another {what}",
    "other state": "the log says that it is {in_log}, and not {in_row}",
    "other decisions": "the log holds {in_log} decisions on it, and not these {in_row}",
}


def disagreement_in_words(why: Disagreement) -> str:
    """What the log says otherwise about a request."""
    return _WHY[why.kind].format(**{field.name: getattr(why, field.name) for field in fields(why)})


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


def verified_as_json(verified: AuditVerified) -> Json:
    """What verifying found: the first entry that does not fit, or all rows that the log says otherwise about."""
    log = verified.log
    broken = log if isinstance(log, BrokenLog) else None
    return {
        "unbroken": broken is None,
        "entry_count": None if isinstance(log, BrokenLog) else log.entries,
        "head_digest": None if isinstance(log, BrokenLog) else log.head.hex,
        "broken_at_entry": None if broken is None else broken.number,
        "says": None if broken is None else str(broken),
        "distrusted_requests": [
            {
                "request_id": one.request.id,
                **asset_names(
                    one.request.subject.kind.value, one.request.subject.name, one.request.subject.version
                ),
                "says": disagreement_in_words(one.why),
            }
            for one in verified.distrusted
        ],
        "distrusted_rows": [
            {"what": row.what, "in_row": row.in_row, "in_log": row.in_log} for row in verified.others
        ],
        "checkpoint": _checkpoint(verified.checkpoint),
    }


def _checkpoint(verdict: CheckpointVerdict | None) -> Json:
    if verdict is None:
        return None
    if isinstance(verdict, Unsound):
        return {"holds": False, "entry": None, "made_at": None, "independent": None, "says": str(verdict)}
    held = isinstance(verdict, Held)
    return {
        "holds": held,
        "entry": verdict.entry,
        "made_at": iso(verdict.at),
        "independent": verdict.independent if isinstance(verdict, Held) else None,
        "says": None if held else str(verdict),
    }


def _proof(proof: Proof | None) -> Json:
    return None if proof is None else {"means": proof.means.value, "detail": proof.detail}
