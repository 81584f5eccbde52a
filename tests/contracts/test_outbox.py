"""Letters, pages and channels: what every control database promises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from fleetcast.domain.errors import BadInput
from fleetcast.domain.letter import ChannelState, Letter, LetterState
from fleetcast.domain.notice import EventKind, Notice
from fleetcast.domain.page import Page
from fleetcast.domain.telling import Told
from fleetcast.ports.outbox import Change
from fleetcast.ports.platform import Platform
from fleetcast.ports.runs import RunInProgress
from tests.clocks import NOON

AT_ONCE = timedelta(0)
NOTICE = Notice("n1", EventKind.ENDPOINT_DOWN, NOON, "endpoint down: P1")
TOLD = Told(7, "run-0001", NOON)


def letter(channel: str = "ops", name: str = "a", **more: object) -> Letter:
    made = Letter(0, channel, name, "", (NOTICE,), NOON, NOON)
    return replace(made, **more)  # type: ignore[arg-type]


def names(letters: Sequence[Letter]) -> list[str]:
    return [one.id for one in letters]


def test_nothing_is_kept_at_first(platform: Platform) -> None:
    box = platform.control.outbox
    assert (box.told(), box.channels(), list(box.waiting()), list(box.ended(9))) == (None, {}, [], [])
    assert (list(box.open_pages()), box.last_page()) == ([], 0)


def test_letters_wait_in_the_order_in_which_they_were_made(platform: Platform) -> None:
    box = platform.control.outbox
    box.keep(Change(told=TOLD, letters=[letter(name="a"), letter("other", "b")]))
    box.keep(Change(letters=[letter(name="c")]))
    assert box.told() == TOLD
    assert names(box.waiting()) == ["a", "b", "c"]
    assert names(box.waiting("ops")) == ["a", "c"]
    (first, *_) = box.waiting()
    assert first == letter(name="a", number=first.number)
    assert box.find(first.number) == first


def test_what_waits_no_more_is_changed_by_nobody_and_listed_newest_first(platform: Platform) -> None:
    box = platform.control.outbox
    box.keep(Change(letters=[letter(name="a"), letter(name="b")]))
    first, second = box.waiting()
    box.keep(Change(letters=[replace(first, state=LetterState.SENT, sent_at=NOON)]))
    box.keep(Change(letters=[replace(first, why="late"), replace(second, state=LetterState.REFUSED)]))
    assert [(one.id, one.state.value, one.why) for one in box.ended(9)] == [
        ("b", "refused", ""),
        ("a", "sent", ""),
    ]
    assert len(box.ended(1)) == 1


def test_a_change_is_whole_or_not_at_all(platform: Platform) -> None:
    box = platform.control.outbox
    twice = ChannelState("ops", 0)
    with pytest.raises(Exception, match=r"(?i)unique|primary"):
        box.keep(Change(told=TOLD, letters=[letter()], channels=[twice, twice]))
    assert (box.told(), list(box.waiting()), box.channels()) == (None, [], {})


def test_letters_that_became_part_of_another_are_gone_if_they_still_waited(platform: Platform) -> None:
    box = platform.control.outbox
    box.keep(Change(letters=[letter(name="a"), letter(name="b")]))
    first, second = box.waiting()
    box.keep(Change(letters=[replace(second, state=LetterState.SENT)]))
    box.keep(Change(dropped=[first, second]))
    assert (names(box.waiting()), names(box.ended(9))) == ([], ["b"])


def test_channels_stand_as_they_were_left(platform: Platform) -> None:
    box = platform.control.outbox
    box.keep(Change(channels=[ChannelState("ops", 3), ChannelState("old", 0)]))
    failing = ChannelState("ops", 3, 2, NOON, "410")
    box.keep(Change(channels=[failing], gone=["old"]))
    assert box.channels() == {"ops": failing}


def test_a_page_is_acknowledged_once_by_whoever_is_first(platform: Platform) -> None:
    box = platform.control.outbox
    box.keep(Change(pages=[Page(1, NOTICE, NOON), Page(2, NOTICE, NOON)]))
    page = box.acknowledge(1)
    assert (page.ended_by, [one.number for one in box.open_pages()], box.last_page()) == ("ada", [2], 2)
    box.keep(Change(pages=[Page(1, NOTICE, NOON, escalations=1)]))
    assert [one.number for one in box.open_pages()] == [2]
    with pytest.raises(BadInput, match="already: ada"):
        box.acknowledge(1)
    with pytest.raises(BadInput, match="no page 9"):
        box.acknowledge(9)
    last = platform.control.audit.latest(1)[0].event
    assert (last.action, last.subject, last.detail) == ("page.acknowledged", "page 1", {"notice": "n1"})


def test_only_what_was_given_up_is_tried_again(platform: Platform) -> None:
    box = platform.control.outbox
    states = (LetterState.REFUSED, LetterState.EXPIRED, LetterState.SENT)
    box.keep(Change(letters=[letter(name=state.value) for state in states]))
    box.keep(
        Change(
            letters=[replace(one, state=LetterState(one.id), tries=3, why="no") for one in box.waiting()],
            channels=[ChannelState("ops", 0, 4, NOON, "410")],
        )
    )
    sent, _, refused = (one.number for one in box.ended(9))
    with pytest.raises(BadInput, match="is sent"):
        box.retry([refused, sent], None)
    assert list(box.waiting()) == []
    assert box.retry([refused], None) == 1
    assert box.channels()["ops"].disabled == "410"
    assert box.retry([], "ops") == 1
    assert [(one.id, one.tries, one.why) for one in box.waiting()] == [("refused", 0, ""), ("expired", 0, "")]
    assert box.channels()["ops"] == ChannelState("ops", 0)
    assert [entry.event.action for entry in platform.control.audit.latest(9)] == ["channel.enabled"]
    with pytest.raises(BadInput, match="no letter 99"):
        box.retry([99], None)


def test_of_what_waits_no_more_the_newest_are_kept_of_each_channel(platform: Platform) -> None:
    box = platform.control.outbox
    box.keep(Change(letters=[letter(channel, f"{channel}{n}") for n in range(4) for channel in ("a", "b")]))
    box.keep(
        Change(letters=[replace(one, state=LetterState.SENT) for one in box.waiting() if one.id != "a0"])
    )
    pages = [Page(number, NOTICE, NOON) for number in range(1, 5)]
    box.keep(Change(pages=pages))
    box.keep(Change(pages=[page.ended(NOON, "ada") for page in pages[1:]]))
    box.forget(2)
    assert sorted(names(box.ended(99))) == ["a2", "a3", "b2", "b3"]
    assert names(box.waiting()) == ["a0"]
    assert [page.number for page in box.open_pages()] == [1]
    with pytest.raises(BadInput, match="no page 2"):
        box.acknowledge(2)
    assert box.last_page() == 4


def test_one_delivers_at_a_time(platform: Platform) -> None:
    box = platform.control.outbox
    with box.exclusive("ada", AT_ONCE):
        with pytest.raises(RunInProgress, match="ada"), box.exclusive("grace", AT_ONCE):
            pass
        box.keep(Change(letters=[letter()]))
    with box.exclusive("grace", AT_ONCE):
        assert len(box.waiting()) == 1


def test_what_was_told_long_ago_goes_but_for_what_waits_and_the_newest(platform: Platform) -> None:
    box = platform.control.outbox
    late = NOON + timedelta(days=9)
    sent = [letter(name=name, state=LetterState.SENT, sent_at=NOON) for name in ("a", "b")]
    ended = Page(1, NOTICE, NOON).ended(NOON, "ada")
    box.keep(
        Change(
            letters=[*sent, letter(name="waits"), letter(name="late", made_at=late, state=LetterState.SENT)],
            pages=[ended, Page(2, NOTICE, NOON), replace(ended, number=3)],
        )
    )
    assert box.old(NOON) == 0
    assert box.old(late) == 3
    box.forget_old(late)
    assert (names(box.waiting()), names(box.ended(9))) == (["waits"], ["late"])
    assert ([page.number for page in box.open_pages()], box.last_page()) == ([2], 3)
    box.forget_old(late + timedelta(days=9))
    box.keep(Change(letters=[letter(name="next")]))
    assert [one.number for one in box.waiting()] == [3, 5]
