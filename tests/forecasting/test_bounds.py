from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.quality import SensorLimits
from fleetcast.forecasting.artifact import ModelIdentity, load, save
from fleetcast.forecasting.bounds import Bounds
from fleetcast.forecasting.family import IMPLEMENTATIONS
from fleetcast.forecasting.forecast import Forecast
from fleetcast.forecasting.series import Floats, Series
from fleetcast.forecasting.training import Trained, TrainingTask, train
from fleetcast.stored.plain_folder import read_plain

START, HOUR = datetime(2025, 1, 1, tzinfo=UTC), timedelta(hours=1)
SENSORS = ("humidity", "temperature")
LIMITS = {"humidity": SensorLimits(0.0, 100.0)}


def humid(steps: int = 700) -> Series:
    """Humidity that rises to the point where the air can hold no more, and temperature without limits."""
    hours = np.arange(steps)
    random = np.random.default_rng(4)
    humidity = np.clip(90 + 25 * np.sin(2 * np.pi * hours / 24) + random.normal(size=steps) * 8, 0, 100)
    temperature = 20 + 5 * np.sin(2 * np.pi * hours / 24) + random.normal(size=steps)
    return Series(START, HOUR, SENSORS, np.stack([humidity, temperature], axis=1))


def fitted(family: str, limits: dict[str, SensorLimits]) -> Trained:
    return train(humid(), TrainingTask(SENSORS, 12, family, limits=limits))


def lines(forecast: Forecast) -> Floats:
    return np.stack(
        [forecast.lower_95, forecast.lower_80, forecast.point, forecast.upper_80, forecast.upper_95]
    )


@pytest.mark.parametrize("family", sorted(IMPLEMENTATIONS))
def test_no_forecast_leaves_the_physical_range_of_a_sensor(family: str) -> None:
    free, bounded = fitted(family, {}), fitted(family, LIMITS)
    before, after = lines(free.model.forecast(humid())), lines(bounded.model.forecast(humid()))
    assert before[..., 0].max() > 100
    assert after[..., 0].max() <= 100
    assert (np.diff(after, axis=0) >= 0).all()
    assert np.array_equal(before[..., 1], after[..., 1])


def test_the_backtest_judges_what_is_forecast() -> None:
    free, bounded = fitted("linear", {}), fitted("linear", LIMITS)
    origins = np.array([600, 650])
    assert bounded.model.points(humid().values, origins, 0).max() <= 100
    assert bounded.metrics["humidity"].mae is not None
    assert free.metrics["humidity"].mae is not None
    assert bounded.metrics["humidity"].mae < free.metrics["humidity"].mae
    assert bounded.metrics["temperature"] == free.metrics["temperature"]


def test_a_stored_model_keeps_its_range(tmp_path: Path) -> None:
    identity = ModelIdentity(CircuitKey("P", "C"), "p-c", Digest.of(b"x"), START, delta_version=0)
    save(fitted("linear", {"humidity": SensorLimits(maximum=97.5)}), tmp_path, identity=identity)
    bounds = load(read_plain(tmp_path)).bounds
    assert (bounds.lower.tolist(), bounds.upper.tolist()) == ([-np.inf, -np.inf], [97.5, np.inf])


def test_a_model_forecasts_within_the_range_that_is_declared_now() -> None:
    narrower = fitted("linear", LIMITS).model.within({"temperature": SensorLimits(maximum=19.0)})
    made = lines(narrower.forecast(humid()))
    assert made[..., 1].max() == 19.0
    assert made[..., 0].max() > 100


def test_sensors_that_are_not_named_have_no_bounds() -> None:
    values = np.array([[1e300, -5.0], [np.nan, 5.0]])
    bounds = Bounds.of(("a", "b"), {"b": SensorLimits(0.0)})
    np.testing.assert_array_equal(bounds.applied(values), [[1e300, 0.0], [np.nan, 5.0]])
