from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter

from fleetcast.domain.drift import Observation, Outcome, Signal
from fleetcast.domain.quality import SensorLimits
from fleetcast.forecasting.resampling import Grid, micros
from fleetcast.forecasting.series import Floats
from fleetcast.pipeline.signals.changes import chances_at
from fleetcast.pipeline.signals.observing import learn, observe
from fleetcast.pipeline.signals.watched import Published, WatchedCircuit, Window
from tests.pipeline.signals.circuits import (
    DAY,
    HOUR,
    NOW,
    SENSORS,
    SINCE,
    TRAINED,
    circuit,
    readings,
    seen,
    with_current,
)


def drift(watched: WatchedCircuit, sensor: str | None = None) -> Observation:
    return seen(observe(watched, NOW), Signal.DATA_DRIFT, sensor)


def test_unchanged_readings_show_no_drift_and_no_fault() -> None:
    found = observe(circuit(), NOW)

    assert seen(found, Signal.DATA_DRIFT).p_value == pytest.approx(0.5, abs=0.49)
    assert all(seen(found, Signal.SENSOR_FAULT, name).outcome is Outcome.FINE for name in SENSORS)
    assert seen(found, Signal.FRESHNESS).outcome is Outcome.FINE
    assert seen(found, Signal.DATA_QUALITY).outcome is Outcome.FINE


def test_a_shift_of_all_sensors_is_beyond_chance_and_threshold() -> None:
    values = readings()
    values[-48:] += 1.5 * values[:TRAINED].std(axis=0) * [1, -1, 1]

    whole = drift(circuit(values))

    assert whole.outcome is Outcome.BREACHED
    assert whole.p_value is not None
    assert whole.p_value < 1e-4
    assert whole.impact > 0


def test_readings_that_become_restless_are_drift_though_their_level_stays() -> None:
    values = readings()
    values[-168:] += 1.5 * readings(seed=9, hours=168, weekly=0.0)

    whole = drift(circuit(values))

    assert whole.p_value is not None
    assert whole.p_value < 1e-4


def test_a_strong_weekly_rhythm_is_not_drift_on_any_day_of_the_week() -> None:
    values = readings(seed=5, weekly=6.0)
    learnt = learn(circuit(values), NOW)

    chances = []
    for day in range(7):
        now = NOW - day * DAY
        whole = seen(observe(circuit(values), now, learnt), Signal.DATA_DRIFT)
        assert whole.p_value is not None
        chances.append(whole.p_value)

    assert min(chances) > 1e-3


def test_one_heavy_shock_is_no_new_level() -> None:
    values = readings(memory=0.5)
    before = drift(circuit(values)).p_value
    values[-20] += 40.0
    after = drift(circuit(values)).p_value

    assert before is not None
    assert after is not None
    assert after > 1e-4


@settings(max_examples=25, deadline=None)
@given(scale=st.floats(1e-3, 1e6), offset=st.floats(-1e3, 1e3), seed=st.integers(0, 50))
def test_units_do_not_matter(scale: float, offset: float, seed: int) -> None:
    values = readings(seed, hours=40 * 24)
    moved = values * scale + offset * scale
    trained = 26 * 24

    plain, other = (observe(circuit(v, trained=trained), NOW) for v in (values, moved))

    for name in (*SENSORS, None):
        one, two = seen(plain, Signal.DATA_DRIFT, name), seen(other, Signal.DATA_DRIFT, name)
        assert two.outcome is one.outcome
        assert two.value == pytest.approx(one.value, abs=0.02)
        assert two.p_value == pytest.approx(one.p_value, rel=1e-3, abs=1e-9)


def test_the_order_of_rows_does_not_matter() -> None:
    plain = circuit()
    order = np.random.default_rng(1).permutation(SINCE)
    shuffled = replace(
        plain, current=Window(plain.current.times[order], plain.current.values[order], SENSORS)
    )

    assert drift(shuffled) == drift(plain)
    assert (
        seen(observe(shuffled, NOW), Signal.DATA_QUALITY).detail["disordered"] == (np.diff(order) < 0).sum()
    )


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_too_short_a_reference_is_not_enough_data(rows: int) -> None:
    plain = circuit()
    short = replace(
        plain, reference=Window(plain.reference.times[:rows], plain.reference.values[:rows], SENSORS)
    )

    found = observe(short, NOW)

    for name in (*SENSORS, None):
        one = seen(found, Signal.DATA_DRIFT, name)
        assert one.outcome is Outcome.NOT_ENOUGH_DATA
        assert one.p_value is None
        assert "training data" in str(one.detail["why"])


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_too_few_new_readings_are_not_enough_data(rows: int) -> None:
    plain = circuit()
    current = Window(plain.current.times[SINCE - rows :], plain.current.values[SINCE - rows :], SENSORS)

    found = observe(replace(plain, current=current), NOW)

    assert seen(found, Signal.DATA_DRIFT).outcome is Outcome.NOT_ENOUGH_DATA


def test_a_circuit_without_any_reading_is_neither_fine_nor_bad() -> None:
    nothing = replace(circuit(), reference=Window.empty(), current=Window.empty(), newest=None)

    found = observe(nothing, NOW)

    assert {one.outcome for one in found} == {Outcome.NOT_ENOUGH_DATA, Outcome.NOT_MEASURED}


def test_a_sensor_that_never_changed_is_not_held_against_anybody() -> None:
    values = readings()
    values[:, 1] = 7.0

    found = observe(circuit(values), NOW)

    assert seen(found, Signal.DATA_DRIFT, "pressure").outcome is Outcome.NOT_ENOUGH_DATA
    assert seen(found, Signal.SENSOR_FAULT, "pressure").outcome is Outcome.FINE
    assert seen(found, Signal.DATA_DRIFT).p_value is not None


def test_a_new_sensor_is_not_enough_data_and_a_missing_one_a_fault() -> None:
    plain = circuit()
    new = replace(plain, reference=Window(plain.reference.times, plain.reference.values[:, :2], SENSORS[:2]))
    gone = replace(plain, current=Window(plain.current.times, plain.current.values[:, :2], SENSORS[:2]))

    one = drift(new, "flow")
    fault = seen(observe(gone, NOW), Signal.SENSOR_FAULT, "flow")

    assert one.outcome is Outcome.NOT_ENOUGH_DATA
    assert one.detail["why"] == "the deployed version was not trained on it"
    assert fault.outcome is Outcome.BREACHED
    assert fault.detail["fault"] == "absent"


def test_doubled_rows_and_rows_from_the_future_are_counted_and_not_believed() -> None:
    plain = circuit()
    times, values = plain.current.times, plain.current.values
    ahead = times[-40:] + micros(NOW + 400 * DAY) - micros(NOW)
    wild = Window(
        np.concatenate([times, times[-40:], ahead]),
        np.concatenate([values, values[-40:], np.full((40, 3), 1e6)]),
        SENSORS,
    )

    found = observe(replace(plain, current=wild, newest=NOW + 400 * DAY), NOW)

    quality = seen(found, Signal.DATA_QUALITY)
    assert quality.outcome is Outcome.BREACHED
    assert (quality.detail["doubled"], quality.detail["future"]) == (40.0, 40.0)
    assert seen(found, Signal.DATA_DRIFT).p_value == drift(plain).p_value
    assert seen(found, Signal.FRESHNESS).value == 3600.0


def test_of_doubled_rows_the_correction_counts() -> None:
    plain = circuit()
    wrong = plain.current.values + 50.0
    both = Window(
        np.concatenate([plain.current.times, plain.current.times]),
        np.concatenate([wrong, plain.current.values]),
        SENSORS,
    )

    assert drift(replace(plain, current=both)).p_value == drift(plain).p_value


@pytest.mark.parametrize("large", [1e308, -1.7e308])
def test_readings_near_the_largest_number_there_is_are_looked_at_without_a_warning(large: float) -> None:
    plain = circuit()
    values = plain.current.values.copy()
    values[-5:, 0] = large
    huge = replace(
        plain,
        reference=replace(plain.reference, values=plain.reference.values * 1e27),
        current=replace(plain.current, values=plain.current.values * 1e27),
    )

    found = observe(with_current(plain, values), NOW)
    all_huge = observe(huge, NOW)

    for one in (*found, *all_huge):
        assert one.value is None or np.isfinite(one.value)
        assert np.isfinite(one.impact)
    assert seen(all_huge, Signal.DATA_DRIFT).p_value == pytest.approx(drift(plain).p_value, rel=1e-6)


def test_holes_leave_what_can_be_measured() -> None:
    plain = circuit()
    values = plain.current.values.copy()
    values[np.random.default_rng(2).random(values.shape) < 0.15] = np.nan
    values[-1] = plain.current.values[-1]

    whole = drift(with_current(plain, values))

    assert whole.p_value is not None
    assert whole.p_value > 1e-3


def test_a_silence_of_the_whole_circuit_that_is_over_is_no_poor_data_but_one_of_a_sensor_is() -> None:
    whole, sensor = readings(), readings()
    whole[-40:-10] = np.nan
    sensor[-40:-10, 1] = np.nan

    quiet, poor = (
        [
            one.sensor
            for one in observe(circuit(values), NOW)
            if one.outcome is Outcome.BREACHED and one.p_value is None
        ]
        for values in (whole, sensor)
    )

    assert quiet == []
    assert poor == ["pressure"]


def fault(values: np.ndarray[tuple[int, int], np.dtype[np.float64]], sensor: str = "flow") -> Observation:
    return seen(observe(circuit(values), NOW), Signal.SENSOR_FAULT, sensor)


def test_a_stuck_sensor_is_found_and_not_held_against_the_process() -> None:
    values = readings()
    values[-20:, 2] = values[-20, 2]

    found = observe(circuit(values), NOW)

    assert seen(found, Signal.SENSOR_FAULT, "flow").detail["fault"] == "stuck"
    assert seen(found, Signal.SENSOR_FAULT, "flow").detail["since"] == (NOW - 20 * HOUR).isoformat()
    assert seen(found, Signal.DATA_DRIFT, "flow").outcome is Outcome.NOT_MEASURED
    assert seen(found, Signal.DATA_DRIFT).detail["sensors"] == 2.0


def test_a_sensor_that_often_repeats_itself_is_not_stuck() -> None:
    values = readings()
    values[:, 2] = np.repeat(values[::24, 2], 24)[: len(values)]

    assert fault(values).outcome is Outcome.FINE


def test_a_silent_sensor_is_gone_since_its_last_reading() -> None:
    values = readings()
    values[-30:, 2] = np.nan

    one = fault(values)

    assert one.detail["fault"] == "gone"
    assert one.detail["since"] == (NOW - 31 * HOUR).isoformat()


def test_jumps_are_a_fault_where_there_were_none() -> None:
    values = readings()
    values[-40::8, 2] += 60.0

    assert fault(values).detail["fault"] == "jumps"


def test_noise_that_drowns_a_sensor_is_a_fault() -> None:
    values = readings()
    values[-48:, 2] += np.random.default_rng(4).normal(0, 5, 48)

    assert fault(values).detail["fault"] == "noise"


def test_readings_outside_their_limits_are_poor_data() -> None:
    values = readings()
    values[-60:, 2] = 1e6 + np.arange(60)
    watched = replace(circuit(values), limits={"flow": SensorLimits(-100.0, 100.0)})

    one = seen(observe(watched, NOW), Signal.DATA_QUALITY, "flow")

    assert one.outcome is Outcome.BREACHED
    assert one.value == pytest.approx(60 / SINCE)


def published(watched: WatchedCircuit, error: float, horizon: int = 48, width: float = 2.0) -> WatchedCircuit:
    """Forecasts of each midnight that are off by so much, one way and the other in turn."""
    days = np.arange(-13, 0)
    origins = micros(NOW) + days * 86_400_000_000
    point = np.full((len(days), horizon, 3), np.nan)
    for row, day in enumerate(days):
        actual = watched.current.values[SINCE + day * 24 :][:horizon]
        point[row, : len(actual)] = actual + error * np.where(np.arange(len(actual)) % 2, 1, -1)[:, None]
    # What has not come yet was forecast too.
    point = np.where(np.isnan(point), 0.0, point)
    expected = dict.fromkeys(SENSORS, np.full(horizon, 0.5))
    return replace(
        watched,
        published=Published(origins, point, point - width, point + width, SENSORS),
        expected_error=expected,
    )


def test_errors_as_large_as_in_the_backtest_are_fine() -> None:
    one = seen(observe(published(circuit(), 0.5), NOW), Signal.ACCURACY, "flow")

    assert one.outcome is Outcome.FINE
    assert one.value == pytest.approx(0.0, abs=1e-9)
    assert one.detail["mae_then"] == pytest.approx(0.5)
    assert one.detail["mae_last_step"] == pytest.approx(0.5)


def test_larger_errors_are_a_rise_beyond_chance() -> None:
    one = seen(observe(published(circuit(), 1.0), NOW), Signal.ACCURACY, "flow")

    assert one.outcome is Outcome.BREACHED
    assert one.value == pytest.approx(1.0)
    assert one.p_value == pytest.approx(0.0, abs=1e-9)


def test_actual_values_that_come_late_or_are_corrected_count_as_they_are_now() -> None:
    watched = published(circuit(), 0.5)
    late = replace(
        watched, current=Window(watched.current.times[:-72], watched.current.values[:-72], SENSORS)
    )
    corrected = with_current(watched, watched.current.values + 3.0)

    assert seen(observe(late, NOW), Signal.ACCURACY, "flow").detail["origins"] == 10.0
    assert seen(observe(watched, NOW), Signal.ACCURACY, "flow").detail["origins"] == 13.0
    assert seen(observe(corrected, NOW), Signal.ACCURACY, "flow").outcome is Outcome.BREACHED


def test_before_readings_have_come_accuracy_is_not_enough_data() -> None:
    watched = published(circuit(), 0.5)
    early = replace(watched, current=Window(watched.current.times[:40], watched.current.values[:40], SENSORS))

    assert seen(observe(early, NOW), Signal.ACCURACY, "flow").outcome is Outcome.NOT_ENOUGH_DATA
    assert seen(observe(early, NOW), Signal.COVERAGE, "flow").outcome is Outcome.NOT_ENOUGH_DATA


def test_intervals_that_hold_too_little_are_told() -> None:
    one = seen(observe(published(circuit(), 1.0, width=0.5), NOW), Signal.COVERAGE, "flow")

    assert one.outcome is Outcome.BREACHED
    assert one.value == 0.0
    assert one.p_value == pytest.approx(0.0, abs=1e-9)


def test_forecasts_that_moved_are_told() -> None:
    watched = published(circuit(), 0.5)
    point = watched.published.point + np.random.default_rng(1).normal(0, 0.1, (13, 1, 3))
    point[7:] += 9.0
    moved = replace(watched, published=replace(watched.published, point=point))

    one = seen(observe(moved, NOW), Signal.PREDICTION_DRIFT, "flow")

    assert one.outcome is Outcome.BREACHED
    assert one.p_value is not None
    assert one.p_value < 0.01


def test_a_model_that_is_too_old_is_told() -> None:
    watched = replace(circuit(), old_after=timedelta(days=10))

    one = seen(observe(watched, NOW), Signal.MODEL_AGE)

    assert (one.outcome, one.value, one.threshold) == (Outcome.BREACHED, 14.0, 10.0)


@pytest.mark.parametrize("days", [30, 60])
def test_readings_to_come_are_no_more_restless_than_those_learnt_from(days: int) -> None:
    """What is usual is fitted to the reference, and so lies nearer to it than to anything new."""
    louder = []
    for seed in range(12):
        values = readings(seed, hours=days * 24 + SINCE)
        found = observe(circuit(values, trained=days * 24), NOW)
        louder += [float(seen(found, Signal.DATA_DRIFT, name).detail["louder"]) for name in SENSORS]

    assert abs(np.mean(louder)) < 0.5


def noise_with_two_memories(rng: np.random.Generator, hours: int, long: float, short: float) -> Floats:
    """Of variance 1: what lasts and what passes, as much of each."""
    parts = []
    for memory in (long, short):
        shocks = rng.standard_t(4, (hours + 1000, len(SENSORS))) * np.sqrt((1 - memory**2) / 2)
        parts.append(lfilter([1.0], [1.0, -memory], shocks, axis=0)[1000:])
    found: Floats = (parts[0] + parts[1]) / np.sqrt(2)
    return found


@pytest.mark.parametrize(("long", "short"), [(0.995, 0.6), (0.95, 0.0)])
def test_noise_whose_memory_is_none_of_the_models_is_no_drift(long: float, short: float) -> None:
    """Of 40 circuits × 60 looks no more say so than should by chance."""
    chances = []
    for seed in range(40):
        days = 180 + 60
        values = noise_with_two_memories(np.random.default_rng([seed, 3]), days * 24, long, short)
        watched = circuit(values, trained=180 * 24)
        learnt = learn(watched, NOW)
        grid = Grid(int(watched.reference.times[0]), micros(NOW) - micros(NOW - HOUR), days * 24)
        ends = np.arange(187 * 24, days * 24 + 1, 24)
        chances.append(
            chances_at(learnt.normal, grid, values, ends, np.ones(len(SENSORS), dtype=bool)).together
        )

    assert np.mean(np.concatenate(chances) < 0.01) < 0.015
    assert np.mean(np.concatenate(chances) < 0.001) < 0.003


def test_many_looks_at_once_say_what_each_says() -> None:
    values = readings(3)
    values[-60:, 1] += 2.0
    watched = circuit(values)
    learnt = learn(watched, NOW)
    grid = Grid(int(watched.reference.times[0]), micros(NOW) - micros(NOW - HOUR), len(values))
    ends = len(values) - np.arange(4) * 24

    at_once = chances_at(learnt.normal, grid, values, ends, np.ones(len(SENSORS), dtype=bool))

    for day in range(4):
        found = observe(watched, NOW - day * DAY, learnt)
        assert seen(found, Signal.DATA_DRIFT).p_value == pytest.approx(at_once.together[day], rel=1e-6)
        assert [seen(found, Signal.DATA_DRIFT, name).p_value for name in SENSORS] == pytest.approx(
            at_once.single[day], rel=1e-6
        )
