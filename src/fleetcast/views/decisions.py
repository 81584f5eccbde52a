"""What people decided, and what really comes next, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from fleetcast.domain.approval import Request, RequestState, Subject, SubjectKind
from fleetcast.domain.wording import counted, some_of
from fleetcast.views.approvals import awaited_in_words
from fleetcast.views.moments import shown
from fleetcast.workflows.decide import Decided

_REFUSED: Mapping[SubjectKind, str] = {
    SubjectKind.MODEL: (
        "stays a candidate and is not asked for again; "
        "its circuit is trained anew once its configuration changes or `revision` is raised"
    ),
    SubjectKind.ENVIRONMENT: "is not asked for again; declare another version of it",
    SubjectKind.POLICY: "is not asked for again until it is written differently; the policy in force stays",
    SubjectKind.DEPLOYMENT: "is not asked for again until it would deploy something else; nothing moves",
}
"""What a rejection means, by what was asked."""


def decided_in_words(decided: Sequence[Decided]) -> Iterator[str]:
    """What became of each request, with whose approval it still needs."""
    for one in decided:
        more = "" if one.awaited is None else f", {awaited_in_words(one.awaited)}"
        yield f"request {one.number}: {one.subject.kind.value} {one.subject} {one.state.value}{more}"


def next_in_words(
    decided: Sequence[Decided], left: Sequence[Request], trains_at: datetime | None
) -> Iterator[str]:
    """What really comes next, a line each.

    Args:
        decided: What became of the requests.
        left: What waits for a decision now.
        trains_at: When training starts by itself next; None: somebody has to start it.
    """
    rejected = [one.subject for one in decided if one.state is RequestState.REJECTED]
    for kind in SubjectKind:
        some = [subject for subject in rejected if subject.kind is kind]
        if some:
            yield f"{some_of(some)} {_REFUSED[kind] if len(some) == 1 else _plural(_REFUSED[kind])}"
    through = [one.subject for one in decided if one.state.lets_through]
    for environment in sorted({one.name for one in through if one.kind is SubjectKind.DEPLOYMENT}):
        yield f"next: fleetcast deploy {environment}"
    trained = [one for one in through if one.kind is not SubjectKind.DEPLOYMENT]
    taken_back = [one for one in rejected if one.kind is SubjectKind.MODEL]
    if trained or taken_back:
        itself = "" if trains_at is None else f" (or by itself at {shown(trains_at)})"
        why = "; ".join([*_acts(trained, taken_back), *_waits(trained, left)])
        yield f"next: fleetcast train{itself}  # {why}"


def _acts(trained: Sequence[Subject], taken_back: Sequence[Subject]) -> Iterator[str]:
    """What the next run does with what was decided."""
    shared = [one for one in trained if one.kind is not SubjectKind.POLICY]
    if shared:
        yield "shares what was approved"
    if len(shared) < len(trained):
        yield "puts the policy in force"
    if taken_back:
        yield "takes what was rejected out of use"


def _waits(trained: Sequence[Subject], left: Sequence[Request]) -> Iterator[str]:
    """What still keeps that back, or waits beside it."""
    environments = [one for one in left if one.subject.kind is SubjectKind.ENVIRONMENT]
    if environments and any(one.kind is SubjectKind.MODEL for one in trained):
        yield f"a model waits for its environment, request {environments[0].id}, to be approved too"
    if left:
        yield f"{counted(len(left), 'request still waits', 'requests still wait')}: fleetcast approvals list"


def _plural(said: str) -> str:
    """The same of several."""
    singular = (
        ("stays a candidate and is not", "stay candidates and are not"),
        ("is not asked", "are not asked"),
        (
            "its circuit is trained anew once its configuration",
            "a circuit is trained anew once its configuration",
        ),
        ("of it", "of each"),
        ("it is written", "they are written"),
        ("it would deploy", "they would deploy"),
    )
    for one, many in singular:
        said = said.replace(one, many)
    return said
