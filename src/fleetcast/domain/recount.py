"""Whether a request is what the audit log says about it: a row can be typed into a table, the log is a chain.

Before anything happens on the strength of a request, its decisions are read from the log again. A row is a cache of
that; one that disagrees is named, and opens nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from fleetcast.domain.approval import Request, RequestState
from fleetcast.domain.audit import Actor, AuditEntry, chained
from fleetcast.domain.canonical import Json, plain

OPENED, PINNED, DISTRUSTED = "request.opened", "request.pinned", "request.distrusted"
_VERBS = {
    state.value.replace(" ", "_"): state for state in RequestState if state is not RequestState.PENDING
} | {
    "reopened": RequestState.PENDING,
    "distrusted": RequestState.VOID,
}
"""In which state each kind of entry leaves a request; the others leave it as it is."""


@dataclass(frozen=True, slots=True)
class ChangedEntry:
    """An entry of the log that is not what its digest says."""

    number: int
    kind: Literal["changed entry"] = "changed entry"


@dataclass(frozen=True, slots=True)
class NeverOpened:
    """The log does not know that it was opened."""

    kind: Literal["never opened"] = "never opened"


@dataclass(frozen=True, slots=True)
class OtherSubject:
    """The log knows it as a request for something else, at another gate, or under another policy."""

    what: str
    """The field that differs: `gate`, `subject_digest`, `policy`, `requested_by`, `opened_at`, `committed_by` or
    `made_by`."""
    kind: Literal["other subject"] = "other subject"


@dataclass(frozen=True, slots=True)
class OtherDecisions:
    """The log holds other decisions than the row."""

    in_log: int
    in_row: int
    kind: Literal["other decisions"] = "other decisions"


@dataclass(frozen=True, slots=True)
class OtherState:
    """The log leaves it in another state than the row."""

    in_log: str
    in_row: str
    kind: Literal["other state"] = "other state"


Disagreement = ChangedEntry | NeverOpened | OtherSubject | OtherDecisions | OtherState


@dataclass(frozen=True, slots=True)
class Distrusted:
    """A request whose row is not what the log says."""

    request: Request
    why: Disagreement


def distrusted(request: Request, entries: Sequence[AuditEntry]) -> Disagreement | None:
    """As `disagreement`; None too for a request that was found before, and is void: it can open nothing any more."""
    why = disagreement(request, entries)
    void = request.state is RequestState.VOID
    return None if void and any(entry.event.action == DISTRUSTED for entry in entries) else why


def disagreement(request: Request, entries: Sequence[AuditEntry]) -> Disagreement | None:
    """What the log says otherwise about a request; None if nothing.

    Args:
        request: As the row holds it.
        entries: All of the log about it, oldest first.
    """
    for entry in entries:
        if chained(entry.number, entry.at, entry.actor, entry.event, entry.previous).digest != entry.digest:
            return ChangedEntry(entry.number)
    opened = next((entry for entry in entries if entry.event.action == OPENED), None)
    if opened is None:
        return NeverOpened()
    pinned = [entry for entry in entries if entry.event.action == PINNED]
    known = (pinned or [opened])[-1].event.detail
    row: dict[str, Json] = {
        "gate": request.gate.value,
        "subject_digest": request.subject.digest.hex,
        "policy": request.policy.digest.hex,
    }
    for what, value in row.items():
        if known.get(what, value) != value:
            return OtherSubject(what)
    if _person(opened.actor) != _person(request.requested_by):
        return OtherSubject("requested_by")
    if opened.event.detail.get("opened_at", plain(request.opened_at)) != plain(request.opened_at):
        return OtherSubject("opened_at")
    for what, value in behind_in_log(request).items():
        if opened.event.detail.get(what, []) != value:
            return OtherSubject(what)
    votes = [entry for entry in entries if "choice" in entry.event.detail and _counts(entry)]
    if [_vote(entry) for entry in votes] != _votes(request):
        return OtherDecisions(len(votes), len(request.decisions))
    state = _state(entries)
    return None if state is request.state else OtherState(state.value, request.state.value)


def behind_in_log(request: Request) -> dict[str, Json]:
    """Who is behind a request, as the log holds it: a row that names somebody else would let them decide."""
    return {
        "committed_by": [plain(writer) for writer in request.committed_by],
        "made_by": [plain(actor) for actor in request.made_by],
    }


def _person(actor: Actor) -> tuple[str, str]:
    return actor.name, actor.person


def _state(entries: Sequence[AuditEntry]) -> RequestState:
    """Where what was logged last leaves a request."""
    state = RequestState.PENDING
    for entry in entries:
        verb = entry.event.action.removeprefix("request.")
        if verb in _VERBS:
            state = _VERBS[verb]
    return state


def _counts(entry: AuditEntry) -> bool:
    return entry.event.action.startswith("request.")


def _vote(entry: AuditEntry) -> tuple[object, ...]:
    detail = entry.event.detail
    return entry.actor, detail["choice"], detail.get("comment"), detail.get("to")


def _votes(request: Request) -> list[tuple[object, ...]]:
    return [
        (each.by, each.choice.value, each.comment, None if each.to is None else each.to.name)
        for each in request.decisions
    ]
