"""Turns of schedules: each due instant once, what is over stays, and one process at a time starts them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from fleetcast.domain.errors import BadInput
from fleetcast.domain.schedule import MOST_ATTEMPTS, Turn, TurnState
from fleetcast.platforms.control.schedules import ControlScheduleBook
from fleetcast.ports.platform import Platform
from fleetcast.ports.runs import RunInProgress
from fleetcast.stored.form import Unreadable
from tests.clocks import NOON
from tests.logs import is_whole

AT_ONCE, HOUR, DAY = timedelta(0), timedelta(hours=1), timedelta(days=1)
TURN = Turn("score prod", NOON, "0 12 * * *", TurnState.WAITING)


def actions(platform: Platform) -> list[str]:
    return [entry.event.action for entry in platform.control.audit.entries()]


def test_a_turn_is_kept_as_it_stands(platform: Platform) -> None:
    book = platform.control.schedules
    assert list(book.held(NOON)) == []
    begun = TURN.begun(NOON)
    book.save(begun)
    assert list(book.held(NOON)) == [begun]
    done = begun.ended(0, NOON + HOUR)
    book.save(done)
    assert list(book.held(NOON)) == [done]
    assert "schedule.failed" not in actions(platform)


@pytest.mark.parametrize("code", [0, 1])
def test_what_is_over_stays_as_it_is(platform: Platform, code: int) -> None:
    book = platform.control.schedules
    over = replace(TURN, attempts=MOST_ATTEMPTS - 1).begun(NOON).ended(code, NOON)
    book.save(over)
    for again in (over, over.begun(NOON)):
        with pytest.raises(BadInput, match="is over already"):
            book.save(again)
    assert list(book.held(NOON)) == [over]


def test_what_failed_for_good_is_in_the_audit_log_once(platform: Platform) -> None:
    book, turn = platform.control.schedules, TURN
    for _ in range(MOST_ATTEMPTS):
        turn = turn.begun(NOON)
        book.save(turn)
        turn = turn.ended(3, NOON)
        book.save(turn)
    assert turn.state is TurnState.FAILED
    (entry,) = (one for one in platform.control.audit.entries() if one.event.action == "schedule.failed")
    assert entry.event.subject == "score prod"
    assert entry.event.detail == {"due": NOON.isoformat(), "attempts": MOST_ATTEMPTS, "exit_code": 3}
    assert is_whole(platform.control.audit)


def test_the_newest_of_each_duty_the_notes_and_what_is_not_over_are_given_however_old(
    platform: Platform,
) -> None:
    book = platform.control.schedules
    note = Turn("train", NOON - 30 * DAY, "0 12 * * *", TurnState.NOTED)
    old = replace(TURN, due=NOON - 20 * DAY).begun(NOON).ended(0, NOON)
    waiting = replace(TURN, due=NOON - 19 * DAY).begun(NOON).ended(1, NOON)
    newest = replace(TURN, due=NOON - 10 * DAY).begun(NOON).ended(0, NOON)
    for turn in (newest, waiting, note, old):
        book.save(turn)
    assert list(book.held(NOON)) == [note, waiting, newest]
    assert list(book.held(old.due)) == [note, old, waiting, newest]


def test_of_old_turns_stays_what_a_decision_looks_at(platform: Platform) -> None:
    book = platform.control.schedules
    first, second = (Turn("train", NOON - days * DAY, "0 12 * * *", TurnState.NOTED) for days in (40, 30))
    old, newest = (replace(TURN, due=NOON - days * DAY).begun(NOON).ended(0, NOON) for days in (25, 10))
    failed = replace(TURN, due=NOON - 24 * DAY, attempts=MOST_ATTEMPTS - 1).begun(NOON).ended(1, NOON)
    waiting = replace(TURN, due=NOON - 19 * DAY).begun(NOON).ended(1, NOON)
    for turn in (first, second, old, failed, waiting, newest):
        book.save(turn)
    before = NOON - 9 * DAY
    assert book.old(before) == 3
    book.forget(before)
    assert list(book.held(NOON - 50 * DAY)) == [second, waiting, newest]
    assert book.old(before) == 0


def test_one_process_at_a_time_starts_them(platform: Platform) -> None:
    book = platform.control.schedules
    assert book.keeper() is None
    with book.exclusive("ada on a machine", AT_ONCE):
        assert book.keeper() == "ada on a machine"
        book.save(TURN)
        with pytest.raises(RunInProgress, match="ada on a machine"), book.exclusive("grace", AT_ONCE):
            raise AssertionError("two at once")
    assert book.keeper() is None


def test_a_row_that_was_changed_by_hand_is_named(platform: Platform) -> None:
    book = platform.control.schedules
    book.save(TURN)
    assert isinstance(book, ControlScheduleBook)
    book.session.change(
        lambda connection: connection.exec_driver_sql("UPDATE scheduled_runs SET state = 'done'")
    )
    with pytest.raises(Unreadable, match=r"scheduled_runs score prod 2025-12-01T12"):
        book.held(NOON)
