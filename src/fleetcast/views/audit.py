"""The audit log as JSON and in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING

from fleetcast.domain.audit import AuditEntry, Proof
from fleetcast.domain.canonical import Json, canonical_json
from fleetcast.domain.checkpoint import CheckpointVerdict, Held, Unsound
from fleetcast.domain.chronicle import BrokenLog
from fleetcast.domain.identity import Digest
from fleetcast.domain.wording import counted
from fleetcast.views.moments import iso, shown
from fleetcast.views.names import asset_names

if TYPE_CHECKING:
    from fleetcast.domain.recount import Disagreement
    from fleetcast.workflows.audit import AuditVerified
    from fleetcast.workflows.audit_report import Reported

_DIGEST = re.compile(r"[0-9a-f]{64}")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:\d\d|Z)")
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
    return [entry_as_json(entry) for entry in entries]


def entry_as_json(entry: AuditEntry) -> Json:
    """One entry."""
    return {
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


def detail_in_words(detail: Mapping[str, Json]) -> str:
    """What an entry records besides its subject: names and values, digests as short as everywhere."""
    return ", ".join(
        f"{name} {_value_in_words(value)}" for name, value in detail.items() if value is not None
    )


def _value_in_words(value: Json) -> str:
    if isinstance(value, str):
        if _INSTANT.fullmatch(value):
            return shown(datetime.fromisoformat(value))
        return Digest(value).short if _DIGEST.fullmatch(value) else value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        if all(isinstance(one, str) for one in value):
            return " ".join(map(_value_in_words, value)) or "none"
        return counted(len(value), "entry", "entries")
    return canonical_json(value)


def amiss(verified: AuditVerified) -> Sequence[str]:
    """Everything that is not what the log says, for people."""
    found = []
    if verified.checkpoint is not None and not isinstance(verified.checkpoint, Held):
        found.append(str(verified.checkpoint))
    found += [
        f"request {one.request.id} ({one.request.subject}): {disagreement_in_words(one.why)}"
        for one in verified.distrusted
    ]
    return [*found, *map(str, verified.others)]


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


def report_as_json(reported: Iterable[Reported]) -> Json:
    """What auditors ask of each request, for programs."""
    return [
        {
            "request_id": one.request.id,
            **asset_names(
                one.request.subject.kind.value, one.request.subject.name, one.request.subject.version
            ),
            "gate": one.request.gate.value,
            "opened_at": iso(one.request.opened_at),
            "requested_by": one.request.requested_by.name,
            "state": one.request.state.value,
            "needed": one.request.policy.minimum,
            "verified_people_only": one.request.policy.verified,
            "could_approve": None if one.could is None else list(one.could),
            "decisions": [
                {
                    "by": decision.by.name,
                    "person": decision.by.person or None,
                    "standing": decision.by.standing.value,
                    "proof": _proof(decision.by.proof),
                    "choice": decision.choice.value,
                    "comment": decision.comment,
                    "decided_at": iso(decision.at),
                }
                for decision in one.request.decisions
            ],
            "override": one.override,
            "refused_attempts": as_json(one.refused),
            "says_otherwise": None if one.distrusted is None else disagreement_in_words(one.distrusted),
        }
        for one in reported
    ]


def reported_in_words(one: Reported) -> Iterator[str]:
    """The same of one request, line by line, for people."""
    request = one.request
    yield (
        f"request {request.id}: {request.subject.kind.value} {request.subject} at {request.gate.value}, "
        f"{request.state.value}" + (" · AN OVERRIDE, without approvals" if one.override else "")
    )
    yield f"  asked     {request.requested_by}, {_moment(request.opened_at)}"
    whom = "verified " if request.policy.verified else ""
    yield f"  needed    {counted(request.policy.minimum, f'{whom}person', f'different {whom}people')}"
    could = "whoever reaches the database: nobody is on record" if one.could is None else ", ".join(one.could)
    yield f"  could     {could or 'nobody'}"
    for decision in request.decisions:
        shown = f", {decision.by.proof.means.value}: {decision.by.proof.detail}" if decision.by.proof else ""
        comment = f" “{decision.comment}”" if decision.comment else ""
        yield (
            f"  {decision.choice.value:<9} {decision.by} ({decision.by.standing.value}{shown}), "
            f"{_moment(decision.at)}{comment}"
        )
    for entry in one.refused:
        detail = entry.event.detail
        yield f"  refused   {entry.actor}, {_moment(entry.at)}: {detail.get('why')}"
    if one.distrusted is not None:
        yield f"  NOT BELIEVED: {disagreement_in_words(one.distrusted)}"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
