"""What every model family promises, for each family in the table."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetcast.domain.circuit import HyperparameterValue
from fleetcast.domain.errors import BadInput
from fleetcast.domain.family import FAMILIES
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.forecasting.artifact import ModelIdentity, load, save
from fleetcast.forecasting.errors import HistoryTooShort
from fleetcast.forecasting.family import IMPLEMENTATIONS, family_named, needed_steps
from fleetcast.forecasting.forecast import Forecast
from fleetcast.forecasting.series import Floats, Series
from fleetcast.forecasting.training import TrainingTask, train
from fleetcast.forecasting.windows import longest_run
from fleetcast.stored.plain_folder import read_plain

IDENTITY = ModelIdentity(
    CircuitKey("PLANT001", "CIRCUIT01"),
    "plant001-circuit01",
    Digest.of(b"inputs"),
    datetime(2025, 4, 1, tzinfo=UTC),
    3,
)
HORIZON = 12
every_family = pytest.mark.parametrize("family", sorted(IMPLEMENTATIONS))
Rhythm = Callable[..., Floats]
SeriesOf = Callable[..., Series]


def assert_whole_and_ordered(forecast: Forecast, steps: int, sensors: int) -> None:
    lines = (forecast.lower_95, forecast.lower_80, forecast.point, forecast.upper_80, forecast.upper_95)
    for line in lines:
        assert line.shape == (steps, sensors)
        assert np.isfinite(line).all()
    for lower, upper in pairwise(lines):
        assert (lower <= upper).all()


def test_declared_and_implemented_families_are_the_same() -> None:
    assert set(IMPLEMENTATIONS) == set(FAMILIES)


def test_an_unknown_family_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BadInput, match=r"did you mean 'linear'.*seasonal_naive, linear"):
        family_named("lineal")


@every_family
def test_a_forecast_covers_the_whole_horizon_after_the_history(
    family: str, rhythm: Rhythm, series_of: SeriesOf
) -> None:
    series = series_of(rhythm(600))
    forecast = train(series, TrainingTask(series.sensors, HORIZON, family)).model.forecast(series)
    assert_whole_and_ordered(forecast, HORIZON, 2)
    assert (forecast.start, forecast.step, forecast.sensors) == (series.end, timedelta(hours=1), ("a", "b"))


@every_family
def test_a_model_survives_storage_with_the_same_forecast(
    family: str, rhythm: Rhythm, series_of: SeriesOf, tmp_path: Path
) -> None:
    series = series_of(rhythm(600))
    trained = train(series, TrainingTask(series.sensors, HORIZON, family))
    save(trained, tmp_path, identity=IDENTITY)
    before, after = trained.model.forecast(series), load(read_plain(tmp_path)).forecast(series)
    for name in ("point", "lower_80", "upper_80", "lower_95", "upper_95"):
        assert np.array_equal(getattr(before, name), getattr(after, name))
    assert load(read_plain(tmp_path)).lookback == trained.model.lookback


@every_family
def test_training_again_gives_the_same_bytes(
    family: str, rhythm: Rhythm, series_of: SeriesOf, tmp_path: Path
) -> None:
    series = series_of(rhythm(600))
    for folder in ("first", "second"):
        trained = train(series, TrainingTask(series.sensors, HORIZON, family))
        save(trained, tmp_path / folder, identity=IDENTITY)
    names = sorted(path.name for path in (tmp_path / "first").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "second").iterdir())
    for name in names:
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes(), name


@every_family
@settings(deadline=None, max_examples=12)
@given(data=st.data())
def test_any_series_that_is_long_enough_trains_and_never_forecasts_a_hole(
    family: str, rhythm: Rhythm, series_of: SeriesOf, data: st.DataObject
) -> None:
    values = rhythm(400, 3, seed=data.draw(st.integers(0, 99)))
    for begin, length in data.draw(st.lists(st.tuples(st.integers(0, 399), st.integers(1, 40)), max_size=5)):
        values[begin : begin + length, data.draw(st.sampled_from([slice(0, 3), slice(1, 2)]))] = np.nan
    values[:, 2] *= data.draw(st.sampled_from([1e-9, 0.0, 1.0, 1e9]))
    series = series_of(values)
    task = TrainingTask(series.sensors, 6, family)
    if longest_run(values) < needed_steps(family, {}, 6):
        with pytest.raises(HistoryTooShort):
            train(series, task)
        return
    trained = train(series, task)
    assert_whole_and_ordered(trained.model.forecast(series), 6, 3)


@every_family
def test_a_forecast_follows_the_unit_of_its_sensor(family: str, rhythm: Rhythm, series_of: SeriesOf) -> None:
    values = rhythm(500)
    task = TrainingTask(("a", "b"), HORIZON, family)
    plain = train(series_of(values), task)
    expected = plain.model.forecast(series_of(values))
    for unit in (1e-9, 1e9):
        scaled = train(series_of(values * unit), task)
        found = scaled.model.forecast(series_of(values * unit))
        assert np.allclose(found.point / unit, expected.point, rtol=1e-3)
        assert np.allclose(found.upper_95 / unit, expected.upper_95, rtol=1e-3)
        assert scaled.mean.skill == pytest.approx(plain.mean.skill, abs=1e-3)


@every_family
def test_a_constant_sensor_is_forecast_as_it_is(family: str, rhythm: Rhythm, series_of: SeriesOf) -> None:
    values = rhythm(500, 3)
    values[:, 1], values[:, 2] = 7.5, 0.0
    series = series_of(values)
    trained = train(series, TrainingTask(series.sensors, HORIZON, family))
    forecast = trained.model.forecast(series)
    assert np.allclose(forecast.point[:, 1], 7.5)
    assert np.allclose(forecast.upper_95[:, 1:], [7.5, 0.0])
    assert (trained.metrics["b"].r2, trained.metrics["c"].wape) == (None, None)


@every_family
@pytest.mark.parametrize("normalisation", ["last", "mean"])
def test_a_sensor_that_wakes_up_only_on_the_held_out_part_trains(
    family: str, normalisation: str, rhythm: Rhythm, series_of: SeriesOf
) -> None:
    values = rhythm(700)
    values[:500, 1] = 5.0
    declared: dict[str, HyperparameterValue] = {"normalisation": normalisation, "sharing": "per-sensor"}
    task = TrainingTask(("a", "b"), HORIZON, family, declared if family == "linear" else {})
    series = series_of(values)
    assert_whole_and_ordered(train(series, task).model.forecast(series), HORIZON, 2)


@every_family
def test_a_history_of_just_the_needed_length_trains_and_one_step_less_does_not(
    family: str, rhythm: Rhythm, series_of: SeriesOf
) -> None:
    need = needed_steps(family, {}, HORIZON)
    task = TrainingTask(("a", "b"), HORIZON, family)
    enough = series_of(rhythm(need))
    assert_whole_and_ordered(train(enough, task).model.forecast(enough), HORIZON, 2)
    with pytest.raises(HistoryTooShort, match=f"have {need - 1} unbroken steps, need {need}") as refused:
        train(series_of(rhythm(need - 1)), task)
    assert refused.value.fix


@every_family
def test_an_unknown_hyperparameter_is_refused(family: str, rhythm: Rhythm, series_of: SeriesOf) -> None:
    with pytest.raises(BadInput, match="unknown hyperparameter"):
        train(series_of(rhythm(400)), TrainingTask(("a",), HORIZON, family, {"depth": 3}))


@every_family
def test_a_sensor_without_readings_at_forecast_time_falls_back_to_its_mean(
    family: str, rhythm: Rhythm, series_of: SeriesOf
) -> None:
    values = rhythm(500)
    model = train(series_of(values), TrainingTask(("a", "b"), HORIZON, family)).model
    silent = values.copy()
    silent[:, 1] = np.nan
    forecast = model.forecast(series_of(silent))
    assert_whole_and_ordered(forecast, HORIZON, 2)
    assert np.allclose(forecast.point[:, 1], np.mean(values[:, 1]), atol=0.5)
    assert_whole_and_ordered(model.forecast(series_of(values[:3])), HORIZON, 2)
    assert_whole_and_ordered(model.forecast(series_of(values[:0])), HORIZON, 2)
