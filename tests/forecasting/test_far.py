"""Far means and the calendar beside a near window: the sums, the inputs, and what comes of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view

from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.forecasting.artifact import ModelIdentity, load, save
from fleetcast.forecasting.far import Far, FarSums, absolute_step
from fleetcast.forecasting.gram import Stretch
from fleetcast.forecasting.linear import LinearModel
from fleetcast.forecasting.linear_setting import Setting, Sharing, inputs_of
from fleetcast.forecasting.products import FarProducts, Normalisation
from fleetcast.forecasting.series import Floats, Series
from fleetcast.forecasting.training import Trained, TrainingTask, train
from fleetcast.forecasting.windows import Ints, carried_forward, far_windows
from fleetcast.stored.plain_folder import read_plain

HOUR = timedelta(hours=1)
MONDAY = datetime(2024, 1, 1, tzinfo=UTC)
SeriesOf = Callable[..., Series]


@st.composite
def designs(draw: st.DrawFn) -> tuple[int, Far, int]:
    far = Far(
        means=draw(st.integers(1, 6)),
        block=draw(st.integers(1, 5)),
        phase=draw(st.sampled_from([0, 5, 7])),
        year=draw(st.sampled_from([0.0, 33.0, 50.25])),
    )
    return draw(st.integers(1, 12)), far, draw(st.integers(1, 15))


def all_inputs(readings: Floats, near: int, far: Far, origins: Ints, first: int) -> Floats:
    windows = sliding_window_view(readings, far.reach + near)[origins - far.reach - near]
    return np.hstack([windows[:, far.reach :], far.block_means(windows), far.calendar(origins + first)])


@settings(deadline=None, max_examples=60)
@given(design=designs(), first=st.integers(0, 99), seed=st.integers(0, 9), gap=st.integers(1, 30))
def test_sums_equal_the_products_of_the_inputs_themselves(
    design: tuple[int, Far, int], first: int, seed: int, gap: int
) -> None:
    near, far, horizon = design
    readings = 3 + np.random.default_rng(seed).normal(size=200)
    stretches = [
        Stretch(readings, far.reach, far.reach + gap),
        Stretch(readings, 120, 200 - near - horizon + 1),
    ]
    origins = near + np.concatenate([np.arange(each.begin, each.stop) for each in stretches])
    inputs = all_inputs(readings, near, far, origins, first)
    targets = sliding_window_view(readings, horizon)[origins]
    beside = inputs[:, near:]
    expected = beside.T @ np.hstack([inputs, targets])
    found = FarSums(readings[None], near, far, horizon, first).over([0], stretches)
    assert np.allclose(found, expected, rtol=0, atol=1e-9 * np.abs(expected).max())


@pytest.mark.parametrize("normalisation", list(Normalisation))
def test_centred_sums_equal_those_of_the_inputs_that_a_model_sees(normalisation: Normalisation) -> None:
    values = 3 + np.random.default_rng(2).normal(size=(400, 2))
    near, horizon, far = 9, 5, Far(4, 6, 7, 60.0)
    products = FarProducts(values, near=near, far=far, horizon=horizon, train_end=300, first=11)
    setting = Setting(near, 0.1, normalisation, Sharing.POOLED, far=far)
    total = np.zeros((near + far.size, near + far.size + horizon))
    for sensor, readings in enumerate(values.T):
        origins = np.arange(setting.reach, 300 - horizon + 1)
        windows = sliding_window_view(readings, setting.reach)[origins - setting.reach]
        level, inputs = inputs_of(windows, origins + 11, setting)
        targets = sliding_window_view(readings, horizon)[origins] - level[:, None]
        own = inputs.T.astype(float) @ np.hstack([inputs, targets])
        assert np.allclose(products.past(sensor, normalisation), own, atol=1e-3)
        total += own
    assert np.allclose(products.past_pooled(normalisation), total, atol=1e-3)


def test_no_near_window_crosses_a_hole_but_what_lies_far_back_may_have_had_one() -> None:
    values = np.random.default_rng(3).normal(size=(300, 1))
    values[150:160] = np.nan
    near, horizon, far = 8, 4, Far(5, 6, 0, 0.0)
    products = FarProducts(values, near=near, far=far, horizon=horizon, train_end=300, first=0)
    setting = Setting(near, 0.1, Normalisation.LAST, Sharing.POOLED, far=far)
    whole = np.isfinite(sliding_window_view(values[:, 0], near + horizon)).all(axis=1)
    origins = np.flatnonzero(whole) + near
    origins = origins[origins >= setting.reach]
    windows = sliding_window_view(carried_forward(values)[:, 0], setting.reach)[origins - setting.reach]
    level, inputs = inputs_of(windows, origins, setting)
    targets = sliding_window_view(values[:, 0], horizon)[origins] - level[:, None]
    assert np.allclose(
        products.whole(0, Normalisation.LAST),
        inputs.T.astype(float) @ np.hstack([inputs, targets]),
        atol=1e-3,
    )


def test_a_window_with_a_hole_that_must_have_been_read_is_none() -> None:
    values = np.arange(20.0)[:, None]
    values[[3, 12]] = np.nan
    windows = far_windows(values, np.array([10, 14]), length=8, observed=4)
    assert windows[0, 0].tolist() == [2, 2, 4, 5, 6, 7, 8, 9]
    assert np.isnan(windows[0, 1]).all()


def test_absolute_steps_count_from_1970() -> None:
    assert absolute_step(datetime(1970, 1, 2, tzinfo=UTC), HOUR) == 24
    assert absolute_step(MONDAY, timedelta(days=1)) == 19_723


# What comes of them


def office(years: float = 3) -> Series:
    """Load that follows a slow weather, the hour of the week and the time of the year."""
    random = np.random.default_rng(4)
    hours = np.arange(round(years * 8_766))
    week = np.where(hours // 24 % 7 >= 5, 0.0, 4.0) * np.exp(-(((hours % 24 - 12) / 4) ** 2))
    year = -3 * np.cos(2 * np.pi * hours / 8_766)
    weather = np.zeros(len(hours))
    for hour in range(1, len(hours)):
        weather[hour] = 0.999 * weather[hour - 1] + 0.06 * random.normal()
    values = 20 + week + year + weather + 0.3 * random.normal(size=len(hours))
    return Series(MONDAY, HOUR, ("load",), values[:, None])


@pytest.fixture(scope="module")
def with_far() -> tuple[Series, Trained, Trained]:
    series = office()
    without = TrainingTask(("load",), 168, "linear", {"far": "off"})
    return series, train(series, TrainingTask(("load",), 168, "linear")), train(series, without)


def test_far_means_and_the_calendar_lower_the_error_of_a_load(
    with_far: tuple[Series, Trained, Trained],
) -> None:
    _, grown, plain = with_far
    assert isinstance(grown.model.model, LinearModel)
    assert grown.model.model.choice.far is not None
    assert "far" in grown.model.model.blend or not grown.model.model.blend
    assert plain.mean.mae is not None
    assert grown.mean.mae is not None
    assert grown.mean.mae < 0.97 * plain.mean.mae


def test_a_model_with_far_inputs_survives_storage(
    with_far: tuple[Series, Trained, Trained], tmp_path: Path
) -> None:
    series, grown, _ = with_far
    identity = ModelIdentity(CircuitKey("P", "C"), "p-c", Digest.of(b"x"), series.end, delta_version=0)
    save(grown, tmp_path, identity=identity)
    restored = load(read_plain(tmp_path))
    assert restored.lookback == grown.model.lookback
    assert restored.model.choices == grown.model.model.choices
    assert np.array_equal(restored.forecast(series).point, grown.model.forecast(series).point)


def test_a_forecast_is_the_same_from_any_history_that_is_long_enough(
    with_far: tuple[Series, Trained, Trained],
) -> None:
    series, grown, _ = with_far
    begin = len(series) - grown.model.lookback
    newest = Series(series.start + begin * series.step, series.step, series.sensors, series.values[begin:])
    assert np.allclose(grown.model.forecast(newest).point, grown.model.forecast(series).point)


def test_training_learns_nothing_from_after_the_backtest_began(
    with_far: tuple[Series, Trained, Trained],
) -> None:
    series, grown, _ = with_far
    values = series.values.copy()
    first = round((grown.backtest.origins[0] - series.start) / series.step)
    values[first + 200 :] += 1_000
    impulse = train(Series(series.start, HOUR, ("load",), values), TrainingTask(("load",), 168, "linear"))
    assert grown.backtest.trained_before == impulse.backtest.trained_before
    assert grown.backtest.model_mae[0] == pytest.approx(impulse.backtest.model_mae[0], rel=1e-6)


def test_a_short_history_has_no_far_inputs(rhythm: Callable[..., Floats], series_of: SeriesOf) -> None:
    trained = train(series_of(rhythm(400)), TrainingTask(("a", "b"), 24, "linear"))
    assert isinstance(trained.model.model, LinearModel)
    assert trained.model.model.choice.far is None


def test_a_mean_of_forms_forecasts_their_mean(rhythm: Callable[..., Floats], series_of: SeriesOf) -> None:
    series = series_of(rhythm(2_000))
    model = train(series, TrainingTask(("a", "b"), 24, "linear")).model.model
    assert isinstance(model, LinearModel)
    assert " + " in model.blend
    shifted = model.point(np.full((2, 1, model.lookback), 7.0), np.array([0]))
    assert np.allclose(shifted, model.point(np.zeros((2, 1, model.lookback)), np.array([0])) + 7.0, atol=1e-3)


def test_what_only_repeats_a_season_longer_than_its_window_is_stored(
    series_of: SeriesOf, tmp_path: Path
) -> None:
    random = np.random.default_rng(8)
    week = np.repeat(3 * random.normal(size=84), 8)
    steps = 90 * 96
    values = 20 + week[np.arange(steps) % len(week)][:, None] + 0.2 * random.normal(size=(steps, 2))
    series = series_of(values, step=timedelta(minutes=15))
    trained = train(series, TrainingTask(series.sensors, 96, "linear"))
    identity = ModelIdentity(CircuitKey("P", "C"), "p-c", Digest.of(b"x"), series.end, delta_version=0)
    save(trained, tmp_path, identity=identity)
    restored = load(read_plain(tmp_path))
    assert np.array_equal(restored.forecast(series).point, trained.model.forecast(series).point)
    alone = LinearModel(Setting.repeating(672), np.zeros((1, 672, 96)))
    assert json.loads(json.dumps(alone.choices, allow_nan=False))["season"] == 672


def test_no_sensor_is_forecast_to_stand_still(series_of: SeriesOf) -> None:
    walk = np.cumsum(
        np.random.default_rng(6).normal(size=(3_000, 2)), axis=0
    )  # nothing beats its last reading
    series = series_of(20 + walk)
    forecast = train(series, TrainingTask(("a", "b"), 24, "linear")).model.forecast(series)
    assert (np.ptp(forecast.point, axis=0) > 0).all()


def test_one_form_alone_is_kept_on_request(rhythm: Callable[..., Floats], series_of: SeriesOf) -> None:
    declared = {"blend": "off", "far": "off"}
    model = train(series_of(rhythm(2_000)), TrainingTask(("a", "b"), 24, "linear", declared)).model.model
    assert isinstance(model, LinearModel)
    assert not model.blend
