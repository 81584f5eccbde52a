"""What is said to whoever decided: nothing that does not happen."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from fleetcast.domain.approval import Request, RequestState, Subject, SubjectKind
from fleetcast.views.approvals import awaited_as_json, awaited_in_words
from fleetcast.views.decisions import decided_in_words, next_in_words
from fleetcast.workflows.decide import Awaited, Decided
from tests.clocks import NOON
from tests.views.examples import ENVIRONMENT, PENDING

MODEL = PENDING.subject


def of(kind: SubjectKind, name: str = "thing") -> Subject:
    return replace(MODEL, kind=kind, name=name)


def said(*decided: Decided, left: list[Request] | None = None) -> list[str]:
    return list(next_in_words(decided, left or [], None))


@pytest.mark.parametrize(
    ("awaited", "words"),
    [
        (Awaited(1), "1 more to go: somebody else"),
        (Awaited(1, ("edsger", "grace")), "1 more to go: one of edsger, grace"),
        (Awaited(2, ("edsger", "grace")), "2 more to go: 2 of edsger, grace"),
        (Awaited(1, turn="quality"), "1 more to go: somebody of quality next"),
        (Awaited(0, until=NOON), "it opens at 2025-12-01 12:00 UTC at the earliest"),
        (
            Awaited(1, ("grace",), until=NOON),
            "1 more to go: one of grace; it opens at 2025-12-01 12:00 UTC at the earliest",
        ),
        (
            Awaited(2, is_stuck=True),
            "2 more to go, and nobody on record may: see `fleetcast approvals show`",
        ),
        (Awaited(0), "the next run counts the votes again"),
    ],
)
def test_who_is_needed_yet_is_named(awaited: Awaited, words: str) -> None:
    assert awaited_in_words(awaited) == words
    decided = Decided(7, MODEL, RequestState.PENDING, awaited)
    assert list(decided_in_words([decided])) == [f"request 7: model {MODEL} pending, {words}"]
    assert awaited_as_json(7, awaited)["missing"] == awaited.missing


def test_an_approval_that_lets_nothing_through_promises_nothing() -> None:
    assert said(Decided(7, MODEL, RequestState.PENDING, Awaited(1))) == []


def test_what_was_approved_is_shared_by_the_next_run_and_who_waits_yet_is_said() -> None:
    approved = Decided(7, MODEL, RequestState.APPROVED, None)
    assert said(approved) == ["next: fleetcast train  # shares what was approved"]
    environment = replace(PENDING, id=1, subject=ENVIRONMENT)
    (line,) = said(approved, left=[environment])
    assert line == (
        "next: fleetcast train  # shares what was approved; "
        "a model waits for its environment, request 1, to be approved too; "
        "1 request still waits: fleetcast approvals list"
    )


def test_where_training_starts_by_itself_its_time_is_said() -> None:
    approved = Decided(7, MODEL, RequestState.APPROVED, None)
    (line,) = next_in_words([approved], [], NOON + timedelta(hours=1))
    assert line == (
        "next: fleetcast train (or by itself at 2025-12-01 13:00 UTC)  # shares what was approved"
    )


def test_a_deployment_that_was_let_through_is_deployed() -> None:
    approved = Decided(7, of(SubjectKind.DEPLOYMENT, "prod"), RequestState.APPROVED, None)
    assert said(approved) == ["next: fleetcast deploy prod"]


def test_a_policy_that_was_approved_is_put_in_force_by_the_next_run() -> None:
    approved = Decided(7, of(SubjectKind.POLICY), RequestState.BROKEN_GLASS, None)
    assert said(approved) == ["next: fleetcast train  # puts the policy in force"]


def test_a_rejected_model_stays_a_candidate_and_the_next_run_stops_using_it() -> None:
    first, then = said(Decided(7, MODEL, RequestState.REJECTED, None))
    assert first == (
        f"{MODEL} stays a candidate and is not asked for again; "
        "its circuit is trained anew once its configuration changes or `revision` is raised"
    )
    assert then == "next: fleetcast train  # takes what was rejected out of use"


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (SubjectKind.ENVIRONMENT, "thing:1 is not asked for again; declare another version of it"),
        (
            SubjectKind.POLICY,
            "thing:1 is not asked for again until it is written differently; the policy in force stays",
        ),
        (
            SubjectKind.DEPLOYMENT,
            "thing:1 is not asked for again until it would deploy something else; nothing moves",
        ),
    ],
)
def test_a_rejection_of_anything_else_has_no_next_run(kind: SubjectKind, words: str) -> None:
    subject = replace(of(kind), version="1")
    assert said(Decided(7, subject, RequestState.REJECTED, None)) == [words]


def test_several_rejections_are_said_in_one_line() -> None:
    one, two = (
        Decided(number, of(SubjectKind.MODEL, f"m{number}"), RequestState.REJECTED, None) for number in (1, 2)
    )
    first = said(one, two)[0]
    assert first.startswith(
        f"m1:{MODEL.version}, m2:{MODEL.version} stay candidates and are not asked for again; a circuit"
    )
