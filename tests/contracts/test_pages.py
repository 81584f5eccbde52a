"""Lists page by page: nothing is shown twice, nothing is left out, in both directions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from fleetcast.domain.approval import Choice, RequestState, SubjectKind, WantedRequests
from fleetcast.domain.people import Denied, Person
from fleetcast.ports.platform import Platform
from fleetcast.workflows.browse import Browse, Page, Stretch, WantedEntries
from tests.clocks import FixedClock
from tests.contracts.samples import GRACE, digest, request
from tests.votes import vote

NAMES = "abcdefg"


@pytest.fixture
def browse(platform: Platform, clock: FixedClock) -> Browse:
    """Seven requests: the second approved, the third rejected."""
    platform.control.approvals.open([request(name) for name in NAMES])
    platform.control.approvals.decide([2], vote(Choice.APPROVE, GRACE))
    platform.control.approvals.decide([3], vote(Choice.REJECT, GRACE))
    return Browse(platform.control, clock)


def whole(page: Callable[[Stretch], Page[object]], count: int, *, newest_first: bool) -> list[object]:
    found: list[object] = []
    stretch = Stretch(count, None, newest_first)
    while True:
        shown = page(stretch)
        assert len(shown.items) <= count
        found += shown.items
        if shown.next is None:
            return found
        stretch = replace(stretch, after=shown.next)


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("count", [1, 2, 7, 100])
@pytest.mark.parametrize("wanted", [WantedRequests(), WantedRequests((RequestState.PENDING,))])
def test_pages_of_requests_are_the_whole_list(
    platform: Platform, browse: Browse, wanted: WantedRequests, count: int, *, newest_first: bool
) -> None:
    listed: Sequence[object] = platform.control.approvals.listed(wanted.states)
    pages = whole(lambda stretch: browse.requests(wanted, stretch), count, newest_first=newest_first)  # type: ignore[arg-type, return-value]
    assert pages == (list(reversed(listed)) if newest_first else list(listed))


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("count", [1, 3, 100])
def test_pages_of_the_log_are_the_whole_log(
    platform: Platform, browse: Browse, count: int, *, newest_first: bool
) -> None:
    entries = list(platform.control.audit.entries())
    pages = whole(
        lambda stretch: browse.audit(WantedEntries(), stretch),  # type: ignore[arg-type, return-value]
        count,
        newest_first=newest_first,
    )
    assert pages == (entries[::-1] if newest_first else entries)


def test_requests_are_found_by_gate_kind_and_name(browse: Browse) -> None:
    def found(wanted: WantedRequests) -> list[int]:
        return [one.id for one in browse.requests(wanted, Stretch(100)).items]

    one = browse.requests(WantedRequests(), Stretch(1)).items[0]
    assert found(WantedRequests(gate=one.gate, kind=one.subject.kind)) == list(range(1, 8))
    assert found(WantedRequests(name=one.subject.name))[0] == 1
    assert found(WantedRequests(kind=SubjectKind.POLICY)) == []
    assert found(WantedRequests((RequestState.APPROVED, RequestState.REJECTED))) == [2, 3]


def test_what_lapsed_with_time_is_shown_so_and_is_not_pending(browse: Browse, clock: FixedClock) -> None:
    clock.sleep(browse.requests(WantedRequests(), Stretch(1)).items[0].policy.lapses_after)
    assert browse.requests(WantedRequests((RequestState.PENDING,)), Stretch(2)).items == ()
    assert browse.requests(WantedRequests((RequestState.PENDING,)), Stretch(2)).next is not None
    states = [one.state for one in browse.requests(WantedRequests(), Stretch(3)).items]
    assert states == [RequestState.LAPSED, RequestState.APPROVED, RequestState.REJECTED]
    lapsed = browse.requests(WantedRequests((RequestState.LAPSED,)), Stretch(100)).items
    assert [one.id for one in lapsed] == [1, *range(4, 8)]


def test_entries_are_found_by_who_and_what(browse: Browse) -> None:
    def found(wanted: WantedEntries) -> list[str]:
        return [one.event.action for one in browse.audit(wanted, Stretch(100)).items]

    assert found(WantedEntries(action="request.rejected")) == ["request.rejected"]
    assert set(found(WantedEntries(action="request"))) == {
        "request.opened", "request.approved", "request.rejected"
    }  # fmt: skip
    assert found(WantedEntries(request=2)) == ["request.opened", "request.approved"]
    assert found(WantedEntries(by="nobody")) == []
    last = browse.audit(WantedEntries(), Stretch(1, None, newest_first=True)).items[0]
    assert found(WantedEntries(since=last.at)) == found(WantedEntries())
    assert found(WantedEntries(until=last.at)) == []


def test_pages_of_runs_go_from_the_newest_on(platform: Platform, browse: Browse) -> None:
    for number in range(5):
        platform.control.runs.begin(digest(f"fleet {number}"), "abc")
    pages = whole(browse.runs, 2, newest_first=True)  # type: ignore[arg-type]
    assert pages == list(platform.control.runs.listed())
    assert len(pages) == 5


def test_whoever_may_not_look_sees_no_page(platform: Platform, browse: Browse) -> None:
    platform.control.people.add([Person("p-1", "li")], first=True)
    for page in (
        lambda: browse.requests(WantedRequests(), Stretch(1)),
        lambda: browse.audit(WantedEntries(), Stretch(1)),
        lambda: browse.runs(Stretch(1)),
    ):
        with pytest.raises(Denied):
            page()
