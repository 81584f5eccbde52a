"""A foreign model put to use: what it is given, what its intervals rest on, how it is replayed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from fleetcast.domain.errors import BadInput
from fleetcast.domain.quality import SensorLimits
from fleetcast.forecasting.bounds import Bounds
from fleetcast.forecasting.series import Floats, Series
from fleetcast.pipeline.forecasters.foreign import ForeignForecaster
from fleetcast.ports.foreign_models import ForeignTask
from tests.foreign_models import HoldsLast

START, HOUR = datetime(2025, 1, 1, tzinfo=UTC), timedelta(hours=1)
LOOKBACK, HORIZON = 6, 3
TASK = ForeignTask("m:1", lambda _folder: None, ("a", "b"), ("b",), HOUR, HORIZON)


def series(values: Floats) -> Series:
    return Series(START, HOUR, ("a", "b"), values)


def opened(model: HoldsLast, limits: dict[str, SensorLimits] | None = None) -> ForeignForecaster:
    return ForeignForecaster(TASK, LOOKBACK, model, Bounds.of(TASK.targets, limits or {}))


def walk(length: int = 40) -> Floats:
    return np.random.default_rng(3).normal(size=(length, 2)).cumsum(axis=0)


def test_a_forecast_begins_where_the_history_ends_and_covers_the_targets() -> None:
    values = walk()
    made = opened(HoldsLast()).forecast(series(values))
    forecast = made.forecast
    assert (forecast.start, forecast.sensors) == (START + 40 * HOUR, ("b",))
    assert forecast.point.tolist() == [[values[-1, 1]]] * HORIZON
    (note,) = made.notes
    assert note.startswith("the intervals come from the model's errors from 24 recent origins, some of which")


def test_intervals_are_as_wide_as_its_errors_were() -> None:
    values = walk(34)  # origins 6 to 31: more than 24, so some are left out
    model = HoldsLast()
    forecast = opened(model).forecast(series(values)).forecast
    ends = [round((end - START) / HOUR) for end in model.asked[0][1]][:-1]
    assert len(ends) == 24
    assert (ends[0], ends[-1]) == (6, 31)
    for step in range(HORIZON):
        errors = sorted(values[end + step, 1] - values[end - 1, 1] for end in ends)
        assert forecast.lower_80[step, 0] - forecast.point[step, 0] == pytest.approx(min(errors[1], 0))
        assert forecast.upper_80[step, 0] - forecast.point[step, 0] == pytest.approx(max(errors[22], 0))
        largest = max(map(abs, errors))
        assert forecast.upper_95[step, 0] - forecast.point[step, 0] == pytest.approx(largest)
    assert (forecast.lower_95 <= forecast.lower_80).all()


def test_neither_points_nor_intervals_nor_replays_leave_the_range_of_a_target() -> None:
    values, limits = walk(34), {"b": SensorLimits(-1.0, 0.5)}
    values[-1, 1] = 3.0
    free, bounded = opened(HoldsLast()), opened(HoldsLast(), limits)
    forecast = bounded.forecast(series(values)).forecast
    assert forecast.point.tolist() == [[0.5]] * HORIZON
    assert forecast.upper_95.max() <= 0.5
    assert forecast.lower_95.min() >= -1.0
    origins = [START + step * HOUR for step in range(10, 30)]
    assert not np.array_equal(bounded.replay(series(values), origins), free.replay(series(values), origins))


def test_a_short_history_is_filled_up_and_gives_no_intervals() -> None:
    model = HoldsLast()
    short = series(np.array([[1.0, 2.0], [3.0, 4.0]]))
    made = opened(model).forecast(short)
    assert made.notes == ("too few readings to measure the model's errors: there are no intervals",)
    assert model.asked[0][0][0, :, 1].tolist() == [3.0, 3.0, 3.0, 3.0, 2.0, 4.0]
    assert made.forecast.upper_95.tolist() == made.forecast.point.tolist()


def test_holes_take_the_last_reading_before_them() -> None:
    values = walk(12)
    values[9:, 1] = np.nan
    model = HoldsLast()
    opened(model).forecast(series(values))
    assert np.isfinite(model.asked[0][0]).all()
    assert model.asked[0][0][-1, -1, 1] == values[8, 1]


def test_a_feature_without_any_reading_is_named() -> None:
    values = walk(12)
    values[:, 0] = np.nan
    with pytest.raises(BadInput, match="m:1 cannot forecast: no recent reading of a"):
        opened(HoldsLast()).forecast(series(values))


def test_a_history_on_another_grid_is_refused() -> None:
    other = Series(START, 2 * HOUR, ("a", "b"), walk(12))
    with pytest.raises(BadInput, match="m:1 needs a, b every 1:00:00"):
        opened(HoldsLast()).forecast(other)


def test_a_replay_measures_what_a_plain_loop_measures() -> None:
    values = walk(30)
    values[20, 1] = np.nan
    origins = [START + step * HOUR for step in (0, 3, 10, 18, 27, 28)] + [START + HOUR / 2]
    found = opened(HoldsLast()).replay(series(values), origins)
    expected = [
        np.nan,  # nothing before it
        np.mean([abs(values[3 + step, 1] - values[2, 1]) for step in range(HORIZON)]),
        np.mean([abs(values[10 + step, 1] - values[9, 1]) for step in range(HORIZON)]),
        np.nan,  # a hole in its horizon
        np.mean([abs(values[27 + step, 1] - values[26, 1]) for step in range(HORIZON)]),
        np.nan,  # reaches past the series
        np.nan,  # not on the grid
    ]
    np.testing.assert_allclose(found[:, 0], expected)


def test_a_replay_from_nowhere_measures_nothing_and_asks_nothing() -> None:
    model = HoldsLast()
    found = opened(model).replay(series(walk(30)), [START - HOUR, START + 99 * HOUR])
    assert np.isnan(found).all()
    assert found.shape == (2, 1)
    assert model.asked == []
