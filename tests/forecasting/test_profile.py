from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from fleetcast.domain.quality import CircuitProfile, CleaningRules, SensorLimits, judge
from fleetcast.forecasting.profile import infer_frequency, measure, profile
from fleetcast.forecasting.resampling import micros, resample
from fleetcast.forecasting.series import Floats

START = datetime(2025, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
RULES = CleaningRules()
STEPS = 500


@pytest.fixture
def noise() -> Floats:
    return np.random.default_rng(3).normal(20.0, 1.0, (STEPS, 2))


def hours(count: int = STEPS) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return micros(START) + np.arange(count, dtype=np.int64) * 3_600_000_000


def profiled(values: Floats, *, keep: slice | np.ndarray[tuple[int], np.dtype[np.bool_]] | None = None,
             limits: SensorLimits | None = None, end: datetime | None = None) -> CircuitProfile:  # fmt: skip
    times = hours(len(values))
    if keep is not None:
        times, values = times[keep], values[keep]
    return profile(times, values, ("a", "b"), HOUR, {"a": limits or SensorLimits()}, RULES, None, end)


def test_good_readings_have_nothing_to_say(noise: Floats) -> None:
    verdict = judge(profiled(noise), RULES, targets=("a", "b"), needed_steps=STEPS)
    assert (verdict.usable, verdict.left_out, verdict.warnings, verdict.blocked) == (("a", "b"), (), (), "")


def test_a_silent_stretch_of_one_sensor_is_missing(noise: Floats) -> None:
    noise[100:350, 0] = np.nan
    found = profiled(noise)
    sensor, other = found.sensors
    assert (sensor.missing_steps, sensor.longest_gap_steps, sensor.missing_share) == (250, 250, 0.5)
    assert (other.missing_steps, found.gaps) == (0, 0)
    verdict = judge(found, RULES, targets=("a", "b"), needed_steps=100)
    assert verdict.usable == ("b",)
    assert "50% of its steps are missing (at most 40%)" in verdict.left_out[0].reason


def test_a_pause_of_the_whole_circuit_is_a_gap_and_no_fault_of_its_sensors(noise: Floats) -> None:
    keep = np.ones(STEPS, dtype=bool)
    keep[50:450] = False
    found = profiled(noise, keep=keep)
    assert (found.gaps, found.gap_steps, found.longest_run_steps) == (1, 400, 50)
    assert found.sensors[0].missing_share < 0.02
    verdict = judge(found, RULES, targets=("a",), needed_steps=50)
    assert verdict.usable == ("a", "b")
    assert "1 gap of 400 empty steps in all, not bridged" in verdict.warnings


def test_holes_short_enough_to_fill_break_no_run(noise: Floats) -> None:
    noise[100:103] = np.nan
    assert profiled(noise).longest_run_steps == STEPS
    noise[100:104] = np.nan
    assert profiled(noise).longest_run_steps == STEPS - 104


def test_a_short_history_names_what_there_is_and_what_is_needed(noise: Floats) -> None:
    verdict = judge(profiled(noise), RULES, targets=("a",), needed_steps=1_000)
    assert verdict.blocked == "history too short: have 500 unbroken steps of 1h, need 1000"


def test_one_sensor_with_a_short_history_stops_no_other(noise: Floats) -> None:
    noise[::10, 0] = np.nan
    noise[1::10, 0] = np.nan
    noise[2::10, 0] = np.nan
    noise[3::10, 0] = np.nan
    verdict = judge(
        profiled(noise), CleaningRules(max_missing_share=0.5), targets=("a", "b"), needed_steps=100
    )
    assert verdict.usable == ("b",)
    assert verdict.left_out[0].reason == "history too short: have 6 unbroken steps, need 100"


def test_a_stuck_sensor_is_measured_and_left_out_when_it_is_stuck_for_long(noise: Floats) -> None:
    noise[50:75, 0] = 21.0
    noise[100:125, 1] = 21.0
    noise[99, 1] = 0.0
    found = profiled(noise)
    assert (found.sensors[0].flat_steps, found.sensors[0].longest_flat_steps) == (25, 25)
    noise[100:450, 0] = 21.0
    verdict = judge(profiled(noise), RULES, targets=("a", "b"), needed_steps=100)
    assert verdict.usable == ("b",)
    assert verdict.left_out[0].reason == "stuck for 75% of its steps (at most 60%), once for 350 steps"


def test_as_many_equal_readings_as_allowed_are_no_flatline(noise: Floats) -> None:
    noise[50:74, 0] = 21.0
    assert profiled(noise).sensors[0].flat_steps == 0


def test_means_of_equal_readings_are_stuck_in_spite_of_rounding() -> None:
    counts = np.random.default_rng(1).integers(2, 7, 100)
    times = np.concatenate(
        [micros(START) + (i * 60 + np.arange(n)) * 60_000_000 for i, n in enumerate(counts)]
    )
    found = profile(times, np.full((len(times), 1), 0.1), ("a",), HOUR, {}, RULES)
    assert found.sensors[0].longest_flat_steps == 100


@pytest.mark.parametrize(
    ("readings", "reason"),
    [
        ([np.nan] * STEPS, "no usable reading in the training window"),
        ([7.0] * STEPS, "it never changes from 7"),
        ([7.0] + [np.nan] * (STEPS - 1), "100% of its steps are missing (at most 40%)"),
    ],
)
def test_an_empty_a_constant_and_a_single_value_sensor_are_left_out(
    noise: Floats, readings: list[float], reason: str
) -> None:
    noise[:, 0] = readings
    verdict = judge(profiled(noise), RULES, targets=("a", "b"), needed_steps=100)
    assert [(gone.sensor, gone.reason) for gone in verdict.left_out] == [("a", reason)]


def test_a_circuit_with_no_sensor_left_says_why_of_each(noise: Floats) -> None:
    noise[:] = 7.0
    verdict = judge(profiled(noise), RULES, targets=("a", "b"), needed_steps=100)
    assert verdict.blocked == (
        "no sensor is fit to train on: a: it never changes from 7; b: it never changes from 7"
    )


def test_a_sensor_without_a_column_blocks_its_circuit() -> None:
    values = np.full((STEPS, 1), np.nan)
    found = profile(hours(), values, ("ghost",), HOUR, {}, RULES, absent=frozenset({"ghost"}))
    verdict = judge(found, RULES, targets=("ghost",), needed_steps=1, columns=("a", "ghosts"))
    assert verdict.blocked == "there is no column `ghost`, did you mean `ghosts`?"


def test_no_rows_at_all_block_the_circuit() -> None:
    found = profile(hours(0), np.empty((0, 1)), ("a",), HOUR, {}, RULES)
    assert judge(found, RULES, targets=("a",), needed_steps=1).blocked == "no readings in the training window"


def test_readings_off_limits_and_infinite_are_counted_and_masked(noise: Floats) -> None:
    noise[3:7, 0] = 900.0
    noise[9, 1] = np.inf
    first, second = profiled(noise, limits=SensorLimits(-10, 100)).sensors
    assert (first.out_of_limits, first.maximum is not None and first.maximum < 100) == (4, True)
    assert (second.not_finite, second.missing_steps) == (1, 1)


def test_a_jump_off_and_back_is_a_spike_and_a_lasting_one_is_not(noise: Floats) -> None:
    noise[100, 0] += 100.0
    noise[200:, 1] += 100.0
    assert [sensor.spikes for sensor in profiled(noise).sensors] == [1, 0]


def test_mixed_frequencies_are_noticed() -> None:
    step = np.concatenate([np.full(300, 10), np.full(200, 60)])
    times = micros(START) + np.cumsum(step).astype(np.int64) * 60_000_000
    found = profile(times, np.random.default_rng(0).normal(size=(500, 1)), ("a",), HOUR, {}, RULES)
    assert found.other_steps_share == pytest.approx(0.4, abs=0.01)
    assert "mixed frequency" in " ".join(judge(found, RULES, targets=("a",), needed_steps=1).warnings)


def test_readings_slower_than_declared_are_noticed(noise: Floats) -> None:
    found = profiled(noise, keep=slice(None, None, 6))
    assert found.median_step == timedelta(hours=6)
    warnings = judge(found, RULES, targets=("a",), needed_steps=1).warnings
    assert "readings come every 6h, slower than the declared frequency 1h" in warnings


def test_readings_that_stop_before_the_window_ends_are_noticed(noise: Floats) -> None:
    found = profiled(noise, end=START + (STEPS + 30) * HOUR)
    assert found.silent_steps_at_end == 30
    warnings = judge(found, RULES, targets=("a",), needed_steps=1).warnings
    assert "the last reading is 30 steps before the window's end" in warnings


def test_measuring_gives_the_series_that_resampling_gives(noise: Floats) -> None:
    noise[40:60, 0] = np.nan
    arguments = (hours(), noise, ("a", "b"), HOUR, {"b": SensorLimits(19, 21)}, RULES)
    start, end = START + 10 * HOUR, START + 450 * HOUR
    both, alone = measure(*arguments, start, end), resample(*arguments, start, end)
    assert (both.series.start, len(both.series)) == (alone.start, len(alone))
    assert np.array_equal(both.series.values, alone.values, equal_nan=True)
    assert both.profile.rows == 440


def test_the_frequency_is_the_usual_step() -> None:
    seconds = np.array([0, 1, 2, 4, 5, 6, 300])
    assert infer_frequency(seconds * 1_000_000) == timedelta(seconds=1)
    assert infer_frequency(seconds[:1] * 1_000_000) == HOUR
