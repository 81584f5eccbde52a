"""Requests and their evidence as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fleetcast.domain.approval import Request, passing, set_digest
from fleetcast.domain.audit import Actor
from fleetcast.domain.canonical import Json
from fleetcast.domain.commit import Writer
from fleetcast.domain.evidence import Outcome
from fleetcast.views.evidence import evidence_as_json
from fleetcast.views.moments import iso
from fleetcast.views.names import asset_names, decisions_as_json
from fleetcast.views.remembered import shown_again


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
