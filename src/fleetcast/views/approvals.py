"""Requests and their evidence as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fleetcast.domain.approval import Request, passing, set_digest
from fleetcast.domain.audit import Actor
from fleetcast.domain.canonical import Json
from fleetcast.domain.commit import Writer
from fleetcast.domain.evidence import Outcome
from fleetcast.domain.wording import some_of
from fleetcast.views.evidence import evidence_as_json
from fleetcast.views.moments import iso, iso_or_null, shown
from fleetcast.views.names import asset_names, decisions_as_json
from fleetcast.views.remembered import shown_again
from fleetcast.workflows.decide import Awaited


def as_json(requests: Sequence[Request]) -> dict[str, Json]:
    """Requests for programs, with the digest of those that pass every check."""
    return {
        "passing_set": set_digest(passing(requests)).hex,
        "requests": [request_as_json(request) for request in requests],
    }


def behind_in_words(request: Request) -> Iterator[str]:
    """Who wrote the commits and made the version, where the gate bars them; a gate that does not know stays shut."""
    policy = request.policy
    barred = (
        ("wrote the commit", request.committed_by, policy.own_commit_allowed),
        ("made the version", request.made_by, policy.own_version_allowed),
    )
    for sense, people, allowed in barred:
        if people:
            yield f"{sense}: {', '.join(_named(people))}"
        elif not allowed:
            yield f"{sense}: nobody knows, and {request.gate.value} stays shut until that is known"


def _named(people: Sequence[Writer | Actor]) -> list[str]:
    """As they are called, each once: somebody may have shown who they are in two ways."""
    return list(dict.fromkeys(map(str, people)))


def awaited_as_json(number: int, awaited: Awaited) -> dict[str, Json]:
    """What a request still waits for, for programs."""
    return {
        "request_id": number,
        "missing": awaited.missing,
        "may": list(awaited.may),
        "turn": awaited.turn or None,
        "until": iso_or_null(awaited.until),
        "is_stuck": awaited.is_stuck,
    }


def awaited_in_words(awaited: Awaited) -> str:
    """What a request still waits for: how many people, who they may be, and when it opens."""
    until = "" if awaited.until is None else f"it opens at {shown(awaited.until)} at the earliest"
    if awaited.is_stuck:
        return f"{awaited.missing} more to go, and nobody on record may: see `fleetcast approvals show`"
    if not awaited.missing:
        return until or "the next run counts the votes again"
    who = f"somebody of {awaited.turn} next" if awaited.turn else "somebody else"
    if awaited.may:
        who = f"{'one' if awaited.missing == 1 else awaited.missing} of {some_of(awaited.may)}"
    return f"{awaited.missing} more to go: {who}" + (f"; {until}" if until else "")


@shown_again(500)
def request_as_json(request: Request) -> Json:
    """One request for programs."""
    subject = request.subject
    return {
        "request_id": request.id,
        "gate": request.gate.value,
        "state": request.state.value,
        "missing": request.missing,
        **asset_names(subject.kind.value, subject.name, subject.version),
        "subject_digest": subject.digest.hex,
        "artifact": subject.artifact.hex,
        "outcome": request.evidence.outcome.value,
        "passing": request.evidence.outcome is Outcome.PASSING,
        **evidence_as_json(request.evidence),
        "requested_by": request.requested_by.name,
        "committed_by": [*_named(request.committed_by)],
        "made_by": [*_named(request.made_by)],
        "opened_at": iso(request.opened_at),
        "lapses_at": iso(request.lapses_at),
        "decisions": decisions_as_json(request.decisions),
    }
