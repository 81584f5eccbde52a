from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetcast.domain.errors import BadInput
from fleetcast.domain.quality import CleaningRules, SensorLimits
from fleetcast.forecasting.resampling import mask, micros, resample
from fleetcast.forecasting.series import Floats, Series

START = datetime(2025, 1, 1, tzinfo=UTC)
NEVER = CleaningRules(fill_steps=0)
HOUR = timedelta(hours=1)


def on_grid(
    minutes: list[int],
    readings: list[float],
    frequency: timedelta = HOUR,
    rules: CleaningRules = NEVER,
    *,
    limits: SensorLimits | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
) -> Series:
    times = micros(START) + np.array(minutes, dtype=np.int64) * 60_000_000
    values: Floats = np.array(readings, dtype=np.float64).reshape(-1, 1)
    return resample(times, values, ("t",), frequency, {"t": limits or SensorLimits()}, rules, start, end)


def column(series: Series) -> list[float | None]:
    return [None if math.isnan(cell) else float(cell) for cell in series.values[:, 0]]


def test_a_step_holds_the_mean_of_its_readings() -> None:
    series = on_grid([0, 30, 59, 60], [1.0, 2.0, 6.0, 5.0])
    assert series.start == START
    assert column(series) == [3.0, 5.0]


def test_steps_are_aligned_to_1970_whatever_the_first_reading() -> None:
    series = on_grid([37, 61], [1.0, 2.0])
    assert series.start == START
    assert on_grid([37], [1.0], timedelta(minutes=7)).start == datetime(2025, 1, 1, 0, 33, tzinfo=UTC)


def test_a_hole_takes_the_last_reading_before_it() -> None:
    series = on_grid([0, 180], [1.0, 9.0], rules=CleaningRules(fill_steps=2))
    assert column(series) == [1.0, 1.0, 1.0, 9.0]


def test_a_hole_longer_than_the_rule_is_not_filled_at_all() -> None:
    series = on_grid([0, 240], [1.0, 9.0], rules=CleaningRules(fill_steps=2))
    assert column(series) == [1.0, None, None, None, 9.0]


def test_a_hole_before_the_first_reading_stays() -> None:
    series = on_grid([60], [1.0], rules=CleaningRules(fill_steps=5), start=START, end=START + 3 * HOUR)
    assert column(series) == [None, 1.0, 1.0]


@pytest.mark.parametrize("huge", [1e308, -1.7e308, 1.1e30])
def test_readings_that_no_sensor_can_have_do_not_count(huge: float) -> None:
    masked = mask(np.array([[1.0], [huge], [-1e30]]), ("a",), {})
    assert masked.values[:, 0].tolist() == pytest.approx([1.0, math.nan, -1e30], nan_ok=True)
    assert masked.infinite.tolist() == [1]


def test_readings_outside_the_limits_or_infinite_do_not_count() -> None:
    readings = [1.0, 500.0, math.inf, -math.inf, math.nan, 3.0]
    series = on_grid([0, 1, 2, 3, 4, 5], readings, limits=SensorLimits(0.0, 100.0))
    assert column(series) == [2.0]


def test_the_window_is_filled_even_where_readings_are_not() -> None:
    series = on_grid([60], [1.0], start=START, end=START + 4 * HOUR)
    assert (series.start, series.end) == (START, START + 4 * HOUR)
    assert column(series) == [None, 1.0, None, None]


def test_a_step_that_the_window_cuts_is_left_out() -> None:
    begin, end = START + timedelta(minutes=30), START + timedelta(minutes=150)
    series = on_grid([30, 60, 120], [1.0, 2.0, 3.0], start=begin, end=end)
    assert (series.start, column(series)) == (START + HOUR, [2.0])


def test_no_readings_and_no_window_make_an_empty_series() -> None:
    assert len(on_grid([], [])) == 0


def test_no_readings_in_a_window_make_a_series_of_holes() -> None:
    assert column(on_grid([], [], start=START, end=START + 2 * HOUR)) == [None, None]


def test_a_stray_year_is_an_error_and_not_a_full_memory() -> None:
    with pytest.raises(BadInput, match="2025-01-01 to 2034-12-30 is 315360001 steps") as caught:
        on_grid([0, 60 * 24 * 3650], [1.0, 2.0], timedelta(seconds=1))
    assert "stray date" in caught.value.fix


raw = st.lists(
    st.tuples(st.integers(0, 2_000), st.floats(-1e9, 1e9) | st.sampled_from([math.nan, math.inf, -5e8])),
    min_size=1,
    max_size=60,
    unique_by=lambda row: row[0],
).map(lambda rows: sorted(rows, key=lambda row: row[0]))


def plainly(rows: list[tuple[int, float]], step: int, fill: int) -> list[float | None]:
    """The same by loops over single readings, minutes since `START` on a grid aligned to it."""
    first = rows[0][0] // step
    cells: list[list[float]] = [[] for _ in range(rows[-1][0] // step - first + 1)]
    for minute, reading in rows:
        if math.isfinite(reading) and -1e8 <= reading <= 1e8:
            cells[minute // step - first].append(reading)
    means = [sum(cell) / len(cell) if cell else None for cell in cells]
    filled = list(means)
    at = 0
    while at < len(means):
        if means[at] is None:
            after = next((i for i in range(at, len(means)) if means[i] is not None), len(means))
            if at > 0 and after - at <= fill:
                filled[at:after] = [means[at - 1]] * (after - at)
            at = after
        else:
            at += 1
    return filled


@settings(max_examples=200, deadline=None)
@given(rows=raw, step=st.sampled_from([1, 10, 60]), fill=st.integers(0, 6))
def test_it_agrees_with_a_second_plainer_computation(
    rows: list[tuple[int, float]], step: int, fill: int
) -> None:
    series = on_grid(
        [minute for minute, _ in rows],
        [reading for _, reading in rows],
        timedelta(minutes=step),
        CleaningRules(fill_steps=fill),
        limits=SensorLimits(-1e8, 1e8),
    )
    expected = plainly(rows, step, fill)
    assert len(series) == len(expected)
    for found, wanted in zip(column(series), expected, strict=True):
        assert (found is None) == (wanted is None)
        if found is not None and wanted is not None:
            assert found == pytest.approx(wanted, rel=1e-9, abs=1e-6)


@settings(max_examples=100, deadline=None)
@given(rows=raw, cut=st.integers(0, 2_000), fill=st.integers(0, 6))
def test_no_value_comes_from_the_future(rows: list[tuple[int, float]], cut: int, fill: int) -> None:
    """Readings after a moment can turn a step before it into a hole, or not, but never into another value."""
    until = START + timedelta(minutes=cut)
    rules = CleaningRules(fill_steps=fill)
    minutes, readings = [minute for minute, _ in rows], [reading for _, reading in rows]
    then = [r if minute < cut else -r for minute, r in rows]
    frequency = timedelta(minutes=10)
    known = column(on_grid(minutes, readings, frequency, rules, start=START, end=until))
    changed = column(on_grid(minutes, then, frequency, rules, start=START, end=until + timedelta(days=2)))
    for before, after in zip(known, changed, strict=False):
        assert before == after or before is None or after is None
