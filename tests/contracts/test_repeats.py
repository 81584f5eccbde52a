"""Calls that are made again: what every control database promises."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fleetcast.domain.repeat import ABANDONED_AFTER, KEPT_FOR, Answer, Call, KeyTaken, StillAtWork
from fleetcast.ports.platform import Platform
from tests.clocks import FixedClock
from tests.contracts.samples import digest

CALL = Call(digest("ada"), "key-1", digest("approve 1"))
DONE = Answer(200, '{"state":"approved"}')
A_MOMENT = timedelta(seconds=1)


def test_a_call_that_was_answered_gets_the_same_answer(platform: Platform) -> None:
    book = platform.control.repeats
    begun = book.begin(CALL)
    assert begun.answer is None
    book.keep(begun, DONE)
    for _ in range(2):
        assert book.begin(CALL).answer == DONE


def test_a_key_is_its_owners_and_stands_for_one_call(platform: Platform) -> None:
    book = platform.control.repeats
    book.keep(book.begin(CALL), DONE)
    assert book.begin(Call(digest("grace"), "key-1", digest("approve 1"))).answer is None
    assert book.begin(Call(digest("ada"), "key-2", digest("approve 1"))).answer is None
    with pytest.raises(KeyTaken) as taken:
        book.begin(Call(digest("ada"), "key-1", digest("approve 2")))
    assert taken.value.fix


def test_a_call_that_goes_on_is_not_begun_twice(platform: Platform) -> None:
    book = platform.control.repeats
    book.begin(CALL)
    with pytest.raises(StillAtWork):
        book.begin(CALL)
    with pytest.raises(KeyTaken):
        book.begin(Call(digest("ada"), "key-1", digest("approve 2")))


def test_a_call_that_came_to_nothing_may_be_made_again(platform: Platform) -> None:
    book = platform.control.repeats
    book.forget(book.begin(CALL))
    begun = book.begin(Call(digest("ada"), "key-1", digest("approve 2")))
    assert begun.answer is None


def test_a_call_whose_process_died_is_begun_anew_and_the_dead_ones_answer_is_not_kept(
    platform: Platform, clock: FixedClock
) -> None:
    book = platform.control.repeats
    died = book.begin(CALL)
    clock.sleep(ABANDONED_AFTER - A_MOMENT)
    with pytest.raises(StillAtWork):
        book.begin(CALL)
    clock.sleep(A_MOMENT)
    begun = book.begin(CALL)
    assert begun.answer is None
    book.keep(died, Answer(500, "late"))
    book.forget(died)
    with pytest.raises(StillAtWork):
        book.begin(CALL)
    book.keep(begun, DONE)
    assert book.begin(CALL).answer == DONE


def test_answers_are_forgotten_after_a_day(platform: Platform, clock: FixedClock) -> None:
    book = platform.control.repeats
    book.keep(book.begin(CALL), DONE)
    clock.sleep(KEPT_FOR)
    assert book.begin(CALL).answer == DONE
    clock.sleep(A_MOMENT)
    assert book.begin(CALL).answer is None
