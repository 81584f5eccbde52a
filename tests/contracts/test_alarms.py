"""Alarms: counted, never two of one cause, each change with its audit entry, and nothing that people said lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from fleetcast.domain import happened
from fleetcast.domain.alarm import (
    Alarm,
    AlarmState,
    Cause,
    CauseKind,
    Change,
    Finding,
    LastLook,
    Looked,
    Raise,
    Recover,
    next_alarms,
)
from fleetcast.domain.drift import Observation, Outcome, Signal
from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.place import EnvironmentName
from fleetcast.platforms.control.alarms import ControlAlarmBook
from fleetcast.ports.alarms import Decide
from fleetcast.ports.platform import Platform
from fleetcast.ports.runs import RunInProgress
from fleetcast.stored.form import Unreadable
from tests.clocks import NOON, FixedClock
from tests.contracts.samples import ADA
from tests.logs import is_whole

PROD, TEST = EnvironmentName.PROD, EnvironmentName.TEST
HOUR = timedelta(hours=1)


def observation(circuit: str, environment: EnvironmentName, outcome: Outcome) -> Observation:
    return Observation(
        Signal.DATA_DRIFT, environment, "LYON", circuit, "flow", NOON, outcome, detail={"why": "x"}
    )


def finding(circuit: str, environment: EnvironmentName = PROD, impact: float = 0.2) -> Finding:
    cause = Cause(CauseKind.PROCESS_CHANGED, environment, "LYON", circuit)
    return Finding(cause, NOON, (observation(circuit, environment, Outcome.BREACHED),), impact)


def look(hours: int, environment: EnvironmentName = PROD) -> LastLook:
    return LastLook(environment, NOON + hours * HOUR, 2, {Outcome.FINE: 1})


def decide(hours: int, *findings: Finding, environment: EnvironmentName = PROD) -> Decide:
    fine = [
        observation(circuit, environment, Outcome.FINE)
        for circuit in "AB"
        if circuit not in {one.cause.circuit for one in findings}
    ]
    circuits = [CircuitKey("LYON", "A"), CircuitKey("LYON", "B")]
    looked = Looked(environment, NOON + hours * HOUR, fine, circuits, whole=True)

    def decided(open_alarms: Sequence[Alarm]) -> Sequence[Change]:
        return next_alarms(open_alarms, findings, looked, lambda _cause: "Ada")

    return decided


def actions(platform: Platform) -> list[str]:
    log = platform.control.audit.latest(100)
    return [entry.event.action for entry in log if entry.event.action.startswith("alarm.")]


def test_alarms_are_counted_over_all_environments_and_come_back_as_they_were_raised(
    platform: Platform,
) -> None:
    book = platform.control.alarms
    first = book.settle(look(0), decide(0, finding("A"), finding("B", impact=0.5)))
    (other,) = book.settle(look(0, TEST), decide(0, finding("A", TEST), environment=TEST))
    assert [one.alarm.number for one in (*first, other)] == [1, 2, 3]
    assert [str(one) for one in book.open_ones()] == ["prod/LYON/B:2", "prod/LYON/A:1", "test/LYON/A:3"]
    assert book.open_ones(TEST) == [other.alarm]
    assert book.find(1) == first[0].alarm
    assert [one.number for one in book.listed(None, 2)] == [3, 2]
    assert [one.number for one in book.listed(PROD, 5)] == [2, 1]
    with pytest.raises(BadInput, match="no alarm 9"):
        book.find(9)
    assert actions(platform) == ["alarm.raised"] * 3
    assert is_whole(platform.control.audit)


def test_the_same_look_again_changes_nothing_and_writes_no_entry(platform: Platform) -> None:
    book = platform.control.alarms
    book.settle(look(0), decide(0, finding("A")))
    before = book.find(1)
    assert book.settle(look(0), decide(0, finding("A"))) == []
    assert book.find(1) == before
    assert actions(platform) == ["alarm.raised"]


def test_what_happened_is_in_the_log_as_it_was(platform: Platform, clock: FixedClock) -> None:
    book = platform.control.alarms
    (raised,) = book.settle(look(0), decide(0, finding("A")))
    taken = book.acknowledge(1, "mine")
    assert book.acknowledge(1, "mine") == taken
    quiet = book.snooze(1, clock.now() + HOUR)
    assert book.snooze(1, clock.now() + HOUR) == quiet
    book.settle(look(2), decide(2))
    (over,) = book.settle(look(3), decide(3))
    assert isinstance(over, Recover)
    log = [entry.event for entry in platform.control.audit.latest(4)]
    assert log == [
        happened.alarm_raised(raised.alarm),
        happened.alarm_acknowledged(taken),
        happened.alarm_snoozed(quiet),
        happened.alarm_recovered(over.alarm),
    ]
    assert log[0].detail["page"] is False
    assert taken.acknowledged is not None
    assert taken.acknowledged.by == ADA.name
    assert book.open_ones() == []
    with pytest.raises(BadInput, match="recovered at"):
        book.acknowledge(1, "too late")
    (again,) = book.settle(look(4), decide(4, finding("A")))
    assert again.alarm.number == 2


def test_what_somebody_says_while_others_look_is_kept(platform: Platform) -> None:
    book = platform.control.alarms
    book.settle(look(0), decide(0, finding("A")))
    book.acknowledge(1, "mine")
    (going_on,) = book.settle(look(1), decide(1, finding("A")))
    assert going_on.alarm.state is AlarmState.ACKNOWLEDGED
    assert book.find(1) == going_on.alarm


def test_a_cause_has_one_open_alarm_whatever_somebody_decides(platform: Platform) -> None:
    book = platform.control.alarms
    (raised,) = book.settle(look(0), decide(0, finding("A")))
    with pytest.raises(Unavailable):
        book.settle(look(1), lambda _alarms: [Raise(raised.alarm)])
    assert [one.number for one in book.listed(None, 9)] == [1]
    assert book.last_looks()[PROD].at == NOON


def test_the_newest_look_is_remembered(platform: Platform) -> None:
    book = platform.control.alarms
    assert book.last_looks() == {}
    book.settle(look(1), decide(1))
    book.settle(look(0), decide(0))
    book.settle(look(0, TEST), decide(0, environment=TEST))
    assert book.last_looks() == {PROD: look(1), TEST: look(0, TEST)}


def test_one_process_looks_at_a_time(platform: Platform) -> None:
    book = platform.control.alarms
    with book.exclusive(PROD, "here", timedelta(0)), book.exclusive(TEST, "here", timedelta(0)):
        pass
    with (
        book.exclusive(PROD, "here", timedelta(0)),
        pytest.raises(RunInProgress),
        book.exclusive(PROD, "there", timedelta(0)),
    ):
        pass


def test_a_row_that_somebody_changed_is_not_believed(platform: Platform) -> None:
    book = platform.control.alarms
    (raised,) = book.settle(look(0), decide(0, finding("A")))
    assert isinstance(book, ControlAlarmBook)
    assert replace(raised.alarm, number=1) == raised.alarm
    book.session.change(
        lambda connection: connection.exec_driver_sql("UPDATE alarms SET environment = 'test'")
    )
    with pytest.raises(Unreadable, match="alarms 1 cannot be read"):
        book.find(1)
