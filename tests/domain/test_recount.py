"""A request's row against what the audit log says about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from fleetcast.domain import happened
from fleetcast.domain.approval import Choice, Decision, Request, RequestState
from fleetcast.domain.audit import GENESIS, Actor, AuditEntry, AuditEvent, Means, Proof, Standing, chained
from fleetcast.domain.gate import GatePolicy
from fleetcast.domain.identity import Digest
from fleetcast.domain.place import Gate
from fleetcast.domain.recount import (
    ChangedEntry,
    Disagreement,
    NeverOpened,
    OtherDecisions,
    OtherState,
    OtherSubject,
    disagreement,
)
from tests.clocks import NOON
from tests.contracts.samples import request

ADA = Actor("ada")
GRACE = Actor("grace", Standing.VERIFIED, Proof(Means.TOKEN, "token 3"), "p-2")
OPENED = replace(request(policy=GatePolicy(minimum=2)), id=17)


def decided(held: Request, *who: Actor) -> Request:
    for person in who:
        held = held.decide(Choice.APPROVE, by=person, comment=f"fine, says {person}", at=NOON)
    return held


def log(*events: tuple[Actor, AuditEvent]) -> list[AuditEntry]:
    entries: list[AuditEntry] = []
    for number, (actor, event) in enumerate(events, start=40):
        previous = entries[-1].digest if entries else GENESIS
        entries.append(chained(number, NOON, actor, event, previous))
    return entries


def of(*who: Actor) -> list[AuditEntry]:
    """The log of a request on which these people decided, in turn."""
    events = [(ADA, happened.request_opened(OPENED))]
    votes = [
        (person, happened.request_decided(decided(OPENED, *who[: number + 1])))
        for number, person in enumerate(who)
    ]
    return log(*events, *votes)


@pytest.mark.parametrize("who", [(), (ADA,), (ADA, GRACE)])
def test_what_the_log_holds_is_believed(who: Sequence[Actor]) -> None:
    assert disagreement(decided(OPENED, *who), of(*who)) is None


def test_a_refused_attempt_is_no_decision() -> None:
    refused = happened.decision_refused(OPENED, Choice.REJECT, "too late", "it is approved")
    entries = log((ADA, happened.request_opened(OPENED)), (GRACE, refused))
    assert disagreement(OPENED, entries) is None


FORGED = Decision(GRACE, Choice.APPROVE, "fine", NOON)


@pytest.mark.parametrize(
    ("row", "entries", "why"),
    [
        (OPENED, [], NeverOpened()),
        (replace(OPENED, gate=Gate.TEST_DEPLOYMENT), of(), OtherSubject("gate")),
        (replace(OPENED, requested_by=GRACE), of(), OtherSubject("requested_by")),
        (replace(OPENED, requested_by=replace(ADA, person="p-9")), of(), OtherSubject("requested_by")),
        (replace(OPENED, opened_at=NOON - timedelta(hours=2)), of(), OtherSubject("opened_at")),
        (
            replace(OPENED, subject=replace(OPENED.subject, artifact=Digest.of(b"other"))),
            of(),
            OtherSubject("subject_digest"),
        ),
        (replace(OPENED, policy=GatePolicy()), of(), OtherSubject("policy")),
        (replace(OPENED, decisions=(FORGED,)), of(), OtherDecisions(0, 1)),
        (OPENED, of(ADA), OtherDecisions(1, 0)),
        (decided(OPENED, GRACE), of(ADA), OtherDecisions(1, 1)),
        (
            replace(decided(OPENED, ADA), decisions=decided(OPENED, ADA).decisions * 2),
            of(ADA),
            OtherDecisions(1, 2),
        ),
    ],
)
def test_a_row_that_says_otherwise_is_not_believed(
    row: Request, entries: Sequence[AuditEntry], why: Disagreement
) -> None:
    assert disagreement(row, entries) == why


@pytest.mark.parametrize(
    "change",
    [
        lambda entry: replace(entry, actor=GRACE),
        lambda entry: replace(entry, at=NOON.replace(hour=13)),
        lambda entry: replace(entry, event=replace(entry.event, action="request.approved")),
        lambda entry: replace(entry, digest=Digest.of(b"other")),
        lambda entry: replace(entry, previous=Digest.of(b"other")),
    ],
    ids=["actor", "time", "action", "digest", "previous"],
)
def test_an_entry_that_was_changed_is_not_believed(change: object) -> None:
    first, second = of(ADA)
    changed = change(second)  # type: ignore[operator]  # a lambda in a table
    assert disagreement(decided(OPENED, ADA), [first, changed]) == ChangedEntry(second.number)


def test_a_state_that_no_entry_led_to_is_seen() -> None:
    assert disagreement(replace(OPENED, state=RequestState.APPROVED), of()) == OtherState(
        "pending", "approved"
    )
