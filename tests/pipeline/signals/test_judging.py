from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetcast.domain.alarm import Cause, CauseKind, Finding
from fleetcast.domain.drift import Observation, Outcome, Signal
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.service import AVAILABILITY, ERROR_RATE, LATENCY, SERVING
from fleetcast.pipeline.signals.judging import judged
from fleetcast.pipeline.signals.observing import observe
from tests.pipeline.signals.circuits import HOUR, NOW, TRAINED, circuit, readings

PROD = EnvironmentName.PROD
CHANGED, BROKEN = CauseKind.PROCESS_CHANGED, CauseKind.SENSOR_BROKEN


def drifted(
    name: str,
    chance: float,
    *,
    sensor: str | None = None,
    outcome: Outcome = Outcome.BREACHED,
    impact: float = 1.0,
    signal: Signal = Signal.DATA_DRIFT,
    **detail: float | str,
) -> Observation:
    return Observation(
        signal, PROD, "P1", name, sensor, NOW, outcome, 0.5, 0.15, "", chance, impact, "m:1", detail
    )


def quiet(count: int) -> list[Observation]:
    """As many circuits of which nothing is to say."""
    return [drifted(f"Q{i}", 0.1 + 0.9 * i / count) for i in range(count)]


def causes(findings: Sequence[Finding]) -> set[tuple[CauseKind, str | None, str | None]]:
    return {(found.cause.kind, found.cause.circuit, found.cause.sensor) for found in findings}


def test_what_one_circuit_alone_would_be_sure_of_is_chance_in_a_large_fleet() -> None:
    one = drifted("C1", 0.0005)

    assert causes(judged([one], [], NOW)) == {(CHANGED, "C1", None)}
    assert judged([one, *quiet(1000)], [], NOW) == []


def test_significance_without_a_size_is_no_alarm() -> None:
    assert judged([drifted("C1", 1e-12, outcome=Outcome.FINE)], [], NOW) == []


def test_an_environment_without_a_threshold_raises_none() -> None:
    assert judged([drifted("C1", 1e-12, outcome=Outcome.NOT_MEASURED)], [], NOW) == []


def test_an_alarm_near_its_threshold_stays_and_keeps_its_beginning() -> None:
    before = replace(drifted("C1", 1e-9), at=NOW - timedelta(days=1))
    now = drifted("C1", 0.003)

    (found,) = judged([now, *quiet(1000)], [before], NOW)

    assert found.since == NOW - timedelta(days=1)
    assert judged([now, *quiet(1000)], [replace(before, p_value=1e-5)], NOW) == []


def test_what_was_beyond_its_threshold_by_chance_is_not_when_an_alarm_began() -> None:
    by_chance = replace(drifted("C1", 0.3), at=NOW - timedelta(days=2))
    sign = replace(drifted("C1", 0.004), at=NOW - timedelta(days=1))

    (found,) = judged([drifted("C1", 1e-9)], [by_chance, sign], NOW)

    assert found.since == NOW - timedelta(days=1)


def test_many_changed_circuits_make_no_alarm_of_the_others_at_the_next_look() -> None:
    changed = [drifted(f"C{i}", 1e-9) for i in range(50)]
    before = [replace(one, at=NOW - timedelta(days=1)) for one in changed]
    likely = drifted("NEXT", 4e-5)

    assert len(judged([*changed, likely, *quiet(950)], [], NOW)) == 51
    assert len(judged([*changed, likely, *quiet(950)], before, NOW)) == 50


def test_the_sensors_that_show_a_change_come_with_it() -> None:
    sensors = [
        drifted("C1", 1e-8, sensor="a"),
        drifted("C1", 1e-6, sensor="b"),
        drifted("C1", 0.6, sensor="c"),
    ]

    (found,) = judged([drifted("C1", 1e-10), *sensors], [], NOW)

    assert found.cause == Cause(CHANGED, PROD, "P1", "C1")
    assert {one.sensor for one in found.shown_by} == {None, "a", "b"}


def test_a_sensor_that_leaves_the_others_it_goes_with_is_broken() -> None:
    others = [drifted("C1", 0.4, sensor="b"), drifted("C1", 0.7, sensor="c")]
    alone = drifted("C1", 1e-10, sensor="a", apart=9.0, related=0.8)
    never_related = drifted("C1", 1e-10, sensor="a", apart=9.0, related=0.1)
    whole = drifted("C1", 1e-9)

    assert causes(judged([whole, alone, *others], [], NOW)) == {(BROKEN, "C1", "a")}
    assert causes(judged([whole, never_related, *others], [], NOW)) == {(CHANGED, "C1", None)}


def test_forecasts_that_suffer_from_a_change_are_one_alarm_with_it() -> None:
    worse = drifted("C1", 1e-9, sensor="a", signal=Signal.ACCURACY, impact=3.0)

    (found,) = judged([drifted("C1", 1e-10), worse], [], NOW)

    assert found.cause.kind is CHANGED
    assert found.shown_by[0] is worse
    assert found.impact == 3.0


def test_forecasts_that_are_worse_while_data_look_as_ever_are_the_models_fault() -> None:
    worse = drifted("C1", 1e-9, sensor="a", signal=Signal.ACCURACY)

    assert causes(judged([drifted("C1", 0.4), worse], [], NOW)) == {(CauseKind.MODEL_WORSE, "C1", None)}


def test_what_changes_most_circuits_of_a_plant_is_one_alarm() -> None:
    most = [drifted(f"C{i}", 1e-9) for i in range(6)]
    others = [drifted(f"D{i}", 0.5) for i in range(5)]

    (found,) = judged([*most, *others], [], NOW)

    assert found.cause == Cause(CHANGED, PROD, "P1")
    assert found.impact == 6.0
    assert len(judged([*most, *others, *quiet(1)], [], NOW)) == 6


def test_what_harms_most_comes_first() -> None:
    small, large = drifted("A", 1e-12, impact=0.2), drifted("B", 1e-12, impact=4.0)

    assert [found.cause.circuit for found in judged([small, large], [], NOW)] == ["B", "A"]


def test_the_same_thing_told_twice_counts_once() -> None:
    assert len(judged([drifted("A", 0.9), drifted("A", 1e-12)], [], NOW)) == 1


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_the_order_of_what_was_seen_changes_nothing(data: st.DataObject) -> None:
    chances = data.draw(st.lists(st.floats(0, 1), min_size=1, max_size=12))
    seen = [drifted(f"C{i}", chance) for i, chance in enumerate(chances)]
    seen += [drifted(f"C{i}", chance / 2, sensor="a") for i, chance in enumerate(chances)]

    assert judged(data.draw(st.permutations(seen)), [], NOW) == judged(seen, [], NOW)


def looks(silent: int, *, circuits: int = 8, hours: int = 15) -> list[Observation]:
    """What a look sees of circuits of three sensors, the first so many sensors of which are silent."""
    found = []
    for number in range(circuits):
        values = readings(seed=number)
        gone = min(3, max(0, silent - 3 * number))
        values[-hours:, :gone] = np.nan
        watched = circuit(values, name=f"LOOP{number}")
        newest = NOW - (hours + 1) * HOUR if gone == 3 else NOW - HOUR
        found += observe(replace(watched, newest=newest), NOW)
    return found


def test_a_dead_gateway_is_one_alarm_however_many_sensors_it_has() -> None:
    (found,) = judged(looks(silent=20), [], NOW)

    assert found.cause == Cause(CauseKind.GATEWAY_DOWN, PROD, "PLANT1")
    assert found.since == NOW - 16 * HOUR
    assert len({(one.circuit, one.sensor) for one in found.shown_by if one.sensor}) == 20


def test_one_silent_circuit_is_stale_and_one_silent_sensor_broken() -> None:
    assert causes(judged(looks(silent=3), [], NOW)) == {(CauseKind.DATA_STALE, "LOOP0", None)}
    assert causes(judged(looks(silent=1), [], NOW)) == {(BROKEN, "LOOP0", "temperature")}


def test_sensors_that_stop_days_apart_are_no_gateway() -> None:
    found = []
    for number in range(6):
        values = readings(seed=number)
        values[-20 - 24 * number :, 1] = np.nan
        found += observe(circuit(values, name=f"LOOP{number}"), NOW)

    assert {kind for kind, _, _ in causes(judged(found, [], NOW))} == {BROKEN}


def test_sensors_that_stick_at_once_are_a_gateway_that_repeats_itself() -> None:
    found = []
    for number in range(4):
        values = readings(seed=number)
        values[-24:] = values[-24]
        found += observe(circuit(values, name=f"LOOP{number}"), NOW)

    assert causes(judged(found, [], NOW)) == {(CauseKind.GATEWAY_DOWN, None, None)}


def test_a_shift_among_quiet_circuits_is_found_from_readings_to_cause() -> None:
    found = []
    for number in range(30):
        values = readings(seed=100 + number)
        if number == 7:
            values[-48:] += 2.0 * values[:TRAINED].std(axis=0)
        found += observe(circuit(values, name=f"LOOP{number}"), NOW)

    assert causes(judged(found, [], NOW)) == {(CHANGED, "LOOP7", None)}


def test_endpoints_jobs_and_age_are_believed_as_they_are() -> None:
    def plain(signal: Signal, name: str | None, measure: str | None = None) -> Observation:
        return Observation(signal, PROD, "P1", name, measure, NOW, Outcome.BREACHED, 1.0, 0.5)

    found = judged(
        [
            plain(Signal.ENDPOINT_HEALTH, None, LATENCY),
            plain(Signal.ENDPOINT_HEALTH, None, AVAILABILITY),
            plain(Signal.ENDPOINT_HEALTH, None, ERROR_RATE),
            plain(Signal.ENDPOINT_HEALTH, None, SERVING),
            plain(Signal.TRAINING_FAILURES, "C1"),
            plain(Signal.MODEL_AGE, "C2"),
            plain(Signal.DATA_QUALITY, "C3"),
        ],
        [],
        NOW,
    )

    assert causes(found) == {
        (CauseKind.ENDPOINT_SLOW, None, None),
        (CauseKind.ENDPOINT_UNSTEADY, None, None),
        (CauseKind.ENDPOINT_DOWN, None, None),
        (CauseKind.TRAINING_FAILS, "C1", None),
        (CauseKind.MODEL_OLD, "C2", None),
        (CauseKind.DATA_POOR, "C3", None),
    }


def test_nothing_seen_is_nothing_found() -> None:
    assert judged([], [], NOW) == []
