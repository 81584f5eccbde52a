"""What schedules start: due, missed, tried again, and never twice for one instant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetcast.config.cron import check_cron, instants_until, next_instant
from fleetcast.domain.errors import BadInput
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.schedule import (
    LATE,
    MOST_ATTEMPTS,
    REMEMBERED,
    Begin,
    Duty,
    Move,
    Note,
    Rest,
    Trouble,
    Turn,
    TurnState,
    duties,
    next_move,
    trouble,
)
from fleetcast.domain.settings.schedules import Routine, Schedule

PROD, TEST = EnvironmentName.PROD, EnvironmentName.TEST
SCORE = Duty(Routine.SCORE, PROD, "0 2 * * *")
MONITOR = Duty(Routine.MONITOR, PROD, "0 * * * *")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def at(day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


def noted(duty: Duty, moment: datetime) -> Turn:
    return Turn(duty.name, moment, duty.cron, TurnState.NOTED)


def done(duty: Duty, due: datetime) -> Turn:
    return Turn(duty.name, due, duty.cron, TurnState.DONE, attempts=1)


def moved(duty: Duty, held: Sequence[Turn], now: datetime) -> Move:
    return next_move(duty, held, now, partial(instants_until, duty.cron))


def begun(duty: Duty, held: Sequence[Turn], now: datetime) -> Turn:
    move = moved(duty, held, now)
    assert isinstance(move, Begin)
    return move.turn


def test_a_new_schedule_counts_from_now_on_and_misses_nothing_of_before() -> None:
    now = at(10, 12)
    assert moved(SCORE, [], now) == Note(noted(SCORE, now))
    assert moved(SCORE, [noted(SCORE, now)], now + HOUR) == Rest()
    turn = begun(SCORE, [noted(SCORE, now)], at(11, 2))
    assert (turn.due, turn.state, turn.attempts, turn.missed) == (at(11, 2), TurnState.RUNNING, 1, 0)


def test_a_schedule_that_was_changed_counts_anew() -> None:
    held = [done(SCORE, at(10, 2))]
    changed = Duty(Routine.SCORE, PROD, "0 3 * * *")
    now = at(10, 12)
    assert moved(changed, held, now) == Note(noted(changed, now))
    assert moved(changed, [*held, noted(changed, now)], at(11, 2)) == Rest()
    assert begun(changed, [*held, noted(changed, now)], at(11, 3)).due == at(11, 3)


def test_a_change_while_the_clock_was_set_back_is_noted_once() -> None:
    held = [done(SCORE, at(10, 2))]
    changed = Duty(Routine.SCORE, PROD, "0 3 * * *")
    move = moved(changed, held, at(9))
    assert isinstance(move, Note)
    assert move.turn.due > at(10, 2)
    assert moved(changed, [*held, move.turn], at(9)) == Rest()


def test_of_what_was_missed_the_last_one_is_made_up_for_and_the_others_are_counted() -> None:
    held = [done(MONITOR, at(10, 2))]
    turn = begun(MONITOR, held, at(10, 7, 30))
    assert (turn.due, turn.missed) == (at(10, 7), 4)
    assert moved(MONITOR, [*held, turn.ended(0, at(10, 7, 31))], at(10, 7, 59)) == Rest()


def test_each_missed_day_is_forecast_today_first() -> None:
    held, dues = [done(SCORE, at(10, 2))], []
    now = at(13, 12)
    while isinstance(move := moved(SCORE, held, now), Begin):
        dues.append(move.turn.due)
        held.append(move.turn.ended(0, now))
    assert dues == [at(13, 2), at(12, 2), at(11, 2)]


def test_days_that_are_older_than_a_week_are_given_up_and_counted() -> None:
    held = [done(SCORE, at(1, 2))]
    now = at(20, 12)
    turn = begun(SCORE, held, now)
    assert (turn.due, turn.missed) == (at(20, 2), 12)
    left = [turn.ended(0, now)]
    while isinstance(move := moved(SCORE, [*held, *left], now), Begin):
        left.append(move.turn.ended(0, now))
    assert [one.due.day for one in left] == [20, 19, 18, 17, 16, 15, 14]
    assert [one.missed for one in left[1:]] == [0] * 6


def test_a_forecast_of_several_times_a_day_is_made_at_each_and_once_for_a_day_that_was_missed() -> None:
    often = Duty(Routine.SCORE, PROD, "0 */6 * * *")
    held = [done(often, at(10, 6))]
    assert begun(often, held, at(10, 12)).due == at(10, 12)
    turn = begun(often, held, at(11, 7))
    assert (turn.due, turn.missed) == (at(11, 6), 1)
    again = begun(often, [*held, turn.ended(0, at(11, 7))], at(11, 7))
    assert (again.due, again.missed) == (at(10, 18), 1)


def test_what_runs_is_waited_for() -> None:
    running = begun(MONITOR, [noted(MONITOR, at(10))], at(10, 1))
    assert moved(MONITOR, [running], at(12)) == Rest()


def test_what_failed_is_tried_again_later_each_time_and_then_has_failed() -> None:
    turn = begun(MONITOR, [noted(MONITOR, at(10))], at(10, 1))
    now, pauses = at(10, 1), []
    while (turn := turn.ended(1, now)).state is TurnState.WAITING:
        assert turn.again_at is not None
        assert moved(MONITOR, [turn], turn.again_at - timedelta(seconds=1)) == Rest()
        pauses.append(turn.again_at - now)
        now = turn.again_at
        turn = begun(MONITOR, [turn], now)
    assert pauses == [MINUTE, 2 * MINUTE, 4 * MINUTE, 8 * MINUTE]
    assert (turn.state, turn.attempts, turn.exit_code) == (TurnState.FAILED, MOST_ATTEMPTS, 1)
    assert moved(MONITOR, [turn], at(10, 1, 59)) == Rest()
    assert begun(MONITOR, [turn], at(10, 2)).due == at(10, 2)


def test_what_was_left_by_a_process_that_died_counts_as_an_attempt() -> None:
    turn = begun(MONITOR, [noted(MONITOR, at(10))], at(10, 1)).left(at(10, 1, 5))
    assert (turn.state, turn.attempts, turn.again_at) == (TurnState.WAITING, 1, at(10, 1, 6))


def test_what_was_ended_in_good_order_has_lost_no_attempt() -> None:
    turn = begun(MONITOR, [noted(MONITOR, at(10))], at(10, 1)).put_off(at(10, 1, 5))
    assert begun(MONITOR, [turn], at(10, 1, 5)).attempts == 1


@settings(deadline=None)  # a week of every twenty minutes takes a moment
@given(
    routine=st.sampled_from([Routine.SCORE, Routine.MONITOR]),
    cron=st.sampled_from(["0 2 * * *", "*/20 * * * *", "0 4 * * 0", "30 1,13 * * *"]),
    steps=st.lists(
        st.tuples(
            st.timedeltas(min_value=timedelta(0), max_value=4 * DAY), st.sampled_from([0, 0, 1, None, "off"])
        ),
        max_size=40,
    ),
)
def test_no_instant_has_two_turns_and_none_begins_before_it_is_due(
    routine: Routine, cron: str, steps: list[tuple[timedelta, int | str | None]]
) -> None:
    duty = Duty(routine, PROD, cron)
    now, record = at(1), dict[datetime, Turn]()
    for passed, came_to in steps:
        now += passed
        for due, turn in record.items():
            if turn.state is TurnState.RUNNING:
                record[due] = _came_to(turn, came_to, now)
        held = [
            turn for turn in record.values() if turn.due >= now - REMEMBERED or turn.state is TurnState.NOTED
        ]
        held += [turn for turn in record.values() if not turn.state.is_final]
        held += [max(record.values(), key=lambda turn: turn.due)] if record else []
        move = moved(duty, held, now)
        if isinstance(move, Rest):
            continue
        before = record.get(move.turn.due)
        assert before is None or before.state is TurnState.WAITING
        assert move.turn.due <= now
        record[move.turn.due] = move.turn
        running = [turn for turn in record.values() if turn.state is TurnState.RUNNING]
        assert len(running) <= 1


def _came_to(turn: Turn, came_to: int | str | None, now: datetime) -> Turn:
    if isinstance(came_to, int):
        return turn.ended(came_to, now)
    return turn.left(now) if came_to is None else turn.put_off(now)


def test_every_environment_of_a_schedule_has_its_own_turns() -> None:
    found = duties(
        {
            Routine.TRAIN: Schedule(Routine.TRAIN, "0 1 * * *"),
            Routine.SCORE: Schedule(Routine.SCORE, "0 2 * * *", (TEST, PROD)),
        }
    )
    assert [duty.name for duty in found] == ["train", "score test", "score prod"]


@pytest.mark.parametrize(
    ("routine", "environments"),
    [
        (Routine.SCORE, ()),
        (Routine.TRAIN, (PROD,)),
        (Routine.SCORE, (EnvironmentName.DEV,)),
        (Routine.MONITOR, (PROD, PROD)),
    ],
)
def test_a_schedule_names_environments_where_there_are_some_to_name(
    routine: Routine, environments: tuple[EnvironmentName, ...]
) -> None:
    with pytest.raises(BadInput) as caught:
        Schedule(routine, "0 2 * * *", environments)
    assert caught.value.fix


# Cron


@pytest.mark.parametrize(
    "text",
    [
        "daily",
        "0 2 * *",
        "0 2 * * * *",
        "60 2 * * *",
        "0 2 * * MONTAG",
        "@daily",
        "0 2 30 2 *",
        "* " * 300,
        "",
        "0 0 L * *",
        "0 0 * * 1#2",
        "0 0 * * 7",
        "0 0 LW * *",
    ],
)
def test_what_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        check_cron(text)
    assert caught.value.fix


@pytest.mark.parametrize(
    "text", ["0 2 * * *", "*/10 * * * *", "0 4 * * SUN", "0 0 29 2 *", "0,30 8-18/2 * JAN,JUL MON-FRI"]
)
def test_what_cron_reads_everywhere_is_a_schedule(text: str) -> None:
    check_cron(text)


@pytest.mark.parametrize("fraction", [0, 1, 999_999])
def test_an_instant_counts_from_the_very_moment(fraction: int) -> None:
    moment = at(10, 2) + timedelta(microseconds=fraction)
    assert next(iter(instants_until("0 2 * * *", moment))) == at(10, 2)
    assert next(instants_until("0 2 * * *", at(10, 2) - timedelta(microseconds=1))) == at(9, 2)
    assert next_instant("0 2 * * *", moment) == at(11, 2)


@given(
    st.timedeltas(timedelta(0), timedelta(days=36_500)).map(
        lambda since: datetime(2000, 1, 1, tzinfo=UTC) + since
    )
)
def test_the_instants_of_a_minute_are_what_arithmetic_says(moment: datetime) -> None:
    def plainly() -> Iterator[datetime]:
        instant = moment.replace(minute=moment.minute - moment.minute % 15, second=0, microsecond=0)
        while True:
            yield instant
            instant -= timedelta(minutes=15)

    found, expected = instants_until("*/15 * * * *", moment), plainly()
    assert [next(found) for _ in range(5)] == [next(expected) for _ in range(5)]


def troubled(held: Sequence[Turn], now: datetime) -> Trouble | None:
    return trouble(MONITOR, held, now, partial(instants_until, MONITOR.cron))


def test_what_is_due_and_not_begun_is_late_after_a_while() -> None:
    held = [noted(MONITOR, at(10, 12))]
    assert troubled(held, at(10, 13) + LATE) is None
    assert troubled(held, at(10, 13, 11)) == Trouble("monitor prod", at(10, 13), failed=False)
    assert troubled([], at(10, 13, 11)) is None


def test_what_failed_too_often_is_told_until_it_is_done_again() -> None:
    failed = Turn(MONITOR.name, at(10, 12), MONITOR.cron, TurnState.FAILED, attempts=MOST_ATTEMPTS)
    assert troubled([failed], at(10, 12, 30)) == Trouble("monitor prod", at(10, 12), failed=True)
    assert troubled([failed, done(MONITOR, at(10, 13))], at(10, 13, 5)) is None


def test_an_attempt_that_is_due_again_and_not_begun_is_late() -> None:
    again = at(10, 12, 30)
    turn = Turn(MONITOR.name, at(10, 12), MONITOR.cron, TurnState.WAITING, attempts=1, again_at=again)
    assert troubled([turn], again + LATE) is None
    assert troubled([turn], again + LATE + MINUTE) == Trouble("monitor prod", at(10, 12), failed=False)
