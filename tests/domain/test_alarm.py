"""The life of an alarm: what one look after the other makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from fleetcast.domain.alarm import (
    MOST_SHOWN,
    Alarm,
    AlarmState,
    Cause,
    CauseKind,
    Change,
    Finding,
    Gone,
    Looked,
    Raise,
    Recover,
    Still,
    Wake,
    Worsen,
    next_alarms,
)
from fleetcast.domain.drift import Observation, Outcome, Signal
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.place import EnvironmentName
from tests.clocks import NOON

PROD = EnvironmentName.PROD
HOUR = timedelta(hours=1)
A, B = CircuitKey("LYON", "A"), CircuitKey("LYON", "B")


def seen(
    circuit: str | None = "A",
    sensor: str | None = "flow",
    outcome: Outcome = Outcome.BREACHED,
    signal: Signal = Signal.DATA_DRIFT,
    plant: str = "LYON",
) -> Observation:
    return Observation(signal, PROD, plant, circuit, sensor, NOON, outcome)


def finding(
    *shown_by: Observation,
    kind: CauseKind = CauseKind.PROCESS_CHANGED,
    circuit: str | None = "A",
    sensor: str | None = None,
    impact: float = 0.2,
) -> Finding:
    return Finding(Cause(kind, PROD, "LYON", circuit, sensor), NOON, shown_by or (seen(),), impact)


def looked(
    hours: int, *observations: Observation, circuits: Sequence[CircuitKey] = (A, B), whole: bool = True
) -> Looked:
    return Looked(PROD, NOON + hours * HOUR, observations, circuits, whole)


def owner(cause: Cause) -> str | None:
    return None if cause.circuit is None else f"owner of {cause.circuit}"


def after(open_alarms: Sequence[Alarm], findings: Sequence[Finding], look: Looked) -> list[Change]:
    return next_alarms(open_alarms, findings, look, owner)


def raised(*findings: Finding) -> list[Alarm]:
    changes = after((), findings or (finding(),), looked(0))
    assert all(isinstance(change, Raise) for change in changes)
    return [replace(change.alarm, number=number) for number, change in enumerate(changes, 1)]


def only(changes: list[Change]) -> Change:
    (change,) = changes
    return change


def test_what_is_found_first_is_a_new_alarm_with_its_owner() -> None:
    (alarm,) = raised()
    assert alarm.state is AlarmState.OPEN
    assert alarm.owner == "owner of A"
    assert (alarm.raised_at, alarm.since, alarm.impact) == (NOON, NOON, 0.2)


def test_what_is_found_again_is_no_second_alarm() -> None:
    change = only(after(raised(), [finding()], looked(1, seen())))
    assert isinstance(change, Still)
    assert change.alarm.seen_at == NOON + HOUR
    assert change.alarm.raised_at == NOON


def test_two_findings_of_one_cause_are_one_alarm() -> None:
    (alarm,) = raised(finding(seen(sensor="flow")), finding(seen(sensor="heat"), impact=0.3))
    assert [one.sensor for one in alarm.shown_by] == ["flow", "heat"]
    assert alarm.impact == pytest.approx(0.5)


def test_it_is_over_once_two_looks_in_a_row_found_all_fine() -> None:
    fine = seen(outcome=Outcome.FINE)
    first = only(after(raised(), [], looked(1, fine)))
    assert isinstance(first, Still)
    assert first.alarm.fine_looks == 1
    second = only(after([first.alarm], [], looked(2, fine)))
    assert isinstance(second, Recover)
    assert (second.alarm.state, second.alarm.gone) == (AlarmState.RECOVERED, Gone.FINE)
    assert second.alarm.recovered_at == NOON + 2 * HOUR


def test_the_same_look_again_and_an_older_one_count_for_nothing() -> None:
    fine = seen(outcome=Outcome.FINE)
    first = only(after(raised(), [], looked(1, fine)))
    assert after([first.alarm], [], looked(1, fine)) == []
    assert after([first.alarm], [finding()], looked(0, seen())) == []


def test_a_breach_between_begins_the_count_anew() -> None:
    fine = seen(outcome=Outcome.FINE)
    first = only(after(raised(), [], looked(1, fine)))
    again = only(after([first.alarm], [finding()], looked(2, seen())))
    assert again.alarm.fine_looks == 0
    assert isinstance(only(after([again.alarm], [], looked(3, fine))), Still)


@pytest.mark.parametrize(
    ("observations", "says"),
    [
        ((seen(outcome=Outcome.NOT_ENOUGH_DATA),), "data-drift of LYON/A/flow: not enough data"),
        ((seen(outcome=Outcome.NOT_MEASURED),), "data-drift of LYON/A/flow: not measured"),
        ((), "data-drift of LYON/A/flow was not looked at"),
        ((seen(outcome=Outcome.BREACHED),), "data-drift of LYON/A/flow is still beyond its threshold"),
    ],
)
def test_what_cannot_be_measured_keeps_it_open_and_says_so(
    observations: tuple[Observation, ...], says: str
) -> None:
    alarms = raised()
    for hours in range(1, 6):
        change = only(after(alarms, [], looked(hours, *observations)))
        assert isinstance(change, Still)
        assert change.alarm.unclear == says
        alarms = [change.alarm]
    # An unclear look between two fine ones begins the count anew.
    fine = seen(outcome=Outcome.FINE)
    first = only(after(alarms, [], looked(6, fine)))
    assert (first.alarm.fine_looks, first.alarm.unclear) == (1, "")


@pytest.mark.parametrize(("p_value", "fine_looks"), [(0.3, 1), (0.01, 0), (None, 0)])
def test_what_is_beyond_its_threshold_by_chance_does_not_keep_it_open(
    p_value: float | None, fine_looks: int
) -> None:
    change = only(after(raised(), [], looked(1, replace(seen(), p_value=p_value))))
    assert change.alarm.fine_looks == fine_looks


def test_a_sensor_that_a_circuit_has_no_longer_does_not_keep_it_open() -> None:
    alarms = raised(finding(seen(sensor="flow"), seen(sensor="old")))
    fine = seen(sensor="flow", outcome=Outcome.FINE)
    first = only(after(alarms, [], looked(1, fine)))
    assert isinstance(only(after([first.alarm], [], looked(2, fine))), Recover)


def test_a_circuit_that_is_not_deployed_any_more_has_no_alarm() -> None:
    change = only(after(raised(), [], looked(1, circuits=[B])))
    assert isinstance(change, Recover)
    assert change.alarm.gone is Gone.NOT_WATCHED


def test_a_look_at_other_circuits_leaves_it_alone() -> None:
    look = looked(1, seen("B", outcome=Outcome.FINE), circuits=[B], whole=False)
    assert after(raised(), [], look) == []


def test_a_dead_gateway_takes_in_the_alarms_of_its_sensors_and_only_these() -> None:
    stuck = finding(kind=CauseKind.SENSOR_BROKEN, sensor="flow")
    stale = finding(kind=CauseKind.DATA_STALE, circuit="B")
    drift = finding(seen("B"), circuit="B")
    alarms = raised(stuck, stale, drift)
    gateway = finding(seen("A"), seen("B"), kind=CauseKind.GATEWAY_DOWN, circuit=None)
    changes = after(alarms, [gateway], looked(1, seen("A"), seen("B")))
    new, *others = changes
    assert isinstance(new, Raise)
    assert new.alarm.cause.kind is CauseKind.GATEWAY_DOWN
    assert new.alarm.owner is None
    assert [(type(one), one.alarm.number, one.alarm.gone) for one in others] == [
        (Recover, 1, Gone.TAKEN_IN),
        (Recover, 2, Gone.TAKEN_IN),
        (Still, 3, None),
    ]


def test_a_gateway_and_its_sensors_in_one_look_are_one_alarm() -> None:
    gateway = finding(seen("A"), seen("B"), kind=CauseKind.GATEWAY_DOWN, circuit=None)
    stuck = finding(kind=CauseKind.SENSOR_BROKEN, sensor="flow")
    assert [alarm.cause.kind for alarm in raised(stuck, gateway)] == [CauseKind.GATEWAY_DOWN]


def test_what_is_left_of_a_larger_alarm_stays_part_of_it() -> None:
    signal = Signal.SENSOR_FAULT
    shown = (seen("A", signal=signal), seen("B", signal=signal))
    alarms = raised(finding(*shown, kind=CauseKind.GATEWAY_DOWN, circuit=None))
    left = finding(shown[0], kind=CauseKind.SENSOR_BROKEN, sensor="flow", impact=0.1)
    change = only(after(alarms, [left], looked(1, *shown)))
    assert isinstance(change, Still)
    assert change.alarm.cause.kind is CauseKind.GATEWAY_DOWN
    assert change.alarm.impact == pytest.approx(0.1)
    other = seen("C", "heat", signal=signal)
    new = finding(other, kind=CauseKind.SENSOR_BROKEN, circuit="C", sensor="heat")
    first = after(alarms, [new], looked(1, *shown, other))[0]
    assert isinstance(first, Raise)


def test_of_what_shows_an_alarm_the_strongest_are_kept() -> None:
    shown = [seen(sensor=f"s{number}") for number in range(MOST_SHOWN + 5)]
    (alarm,) = raised(finding(*shown))
    assert (len(alarm.shown_by), alarm.shown_by_count) == (MOST_SHOWN, MOST_SHOWN + 5)


def test_who_has_it_in_hand_is_left_alone_until_it_harms_much_more() -> None:
    (alarm,) = raised()
    taken = alarm.acknowledge("ada", NOON, "looking")
    still = only(after([taken], [finding(impact=0.25)], looked(1, seen())))
    assert isinstance(still, Still)
    assert still.alarm.state is AlarmState.ACKNOWLEDGED
    worse = only(after([still.alarm], [finding(impact=0.4)], looked(2, seen())))
    assert isinstance(worse, Worsen)
    assert worse.alarm.state is AlarmState.ACKNOWLEDGED
    assert worse.alarm.acknowledged == taken.acknowledged
    # Told once: the same again is no news.
    assert isinstance(only(after([worse.alarm], [finding(impact=0.41)], looked(3, seen()))), Still)


def test_a_snoozed_one_is_quiet_until_its_time_and_then_wakes() -> None:
    (alarm,) = raised()
    quiet = alarm.snooze(NOON + 2 * HOUR, NOON)
    still = only(after([quiet], [finding(impact=5.0)], looked(1, seen())))
    assert isinstance(still, Still)
    assert still.alarm.state is AlarmState.SNOOZED
    woken = only(after([still.alarm], [finding(impact=5.0)], looked(2, seen())))
    assert isinstance(woken, Wake)
    assert (woken.alarm.state, woken.alarm.snoozed_until) == (AlarmState.OPEN, None)


def test_a_snoozed_one_wakes_too_where_nobody_can_tell_and_recovers_in_silence() -> None:
    (alarm,) = raised()
    quiet = alarm.snooze(NOON + 2 * HOUR, NOON)
    unclear = seen(outcome=Outcome.NOT_ENOUGH_DATA)
    assert isinstance(only(after([quiet], [], looked(2, unclear))), Wake)
    fine = seen(outcome=Outcome.FINE)
    first = only(after([quiet], [], looked(1, fine)))
    assert isinstance(only(after([first.alarm], [], looked(3, fine))), Recover)


def test_the_same_cause_later_is_a_new_alarm() -> None:
    change = only(after([], [finding()], looked(9, seen())))
    assert isinstance(change, Raise)
    assert change.alarm.raised_at == NOON + 9 * HOUR


@pytest.mark.parametrize("until", [NOON, NOON - HOUR])
def test_snoozing_until_what_has_passed_is_refused(until: datetime) -> None:
    (alarm,) = raised()
    with pytest.raises(BadInput, match="has passed"):
        alarm.snooze(until, NOON)


def test_what_is_over_cannot_be_acknowledged_or_snoozed() -> None:
    (alarm,) = raised()
    over = only(after([alarm], [], looked(1, circuits=[B]))).alarm
    with pytest.raises(BadInput, match="cannot be acknowledged"):
        over.acknowledge("ada", NOON, "")
    with pytest.raises(BadInput, match="cannot be snoozed"):
        over.snooze(NOON + HOUR, NOON)
