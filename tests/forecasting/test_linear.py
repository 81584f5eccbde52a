from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from fleetcast.domain.circuit import HyperparameterValue
from fleetcast.forecasting.linear import LONGEST_AUTO_LOOKBACK, Linear, LinearModel
from fleetcast.forecasting.linear_search import Search
from fleetcast.forecasting.linear_setting import Setting, Sharing
from fleetcast.forecasting.model import Problem
from fleetcast.forecasting.products import LaggedProducts, Normalisation
from fleetcast.forecasting.series import Floats, Series
from fleetcast.forecasting.split import Split, split
from fleetcast.forecasting.training import Trained, TrainingTask, train

HOUR = timedelta(hours=1)
LAST_READING = ((1,),) * 8
LOOKBACK, HORIZON = 10, 4
Rhythm = Callable[..., Floats]
SeriesOf = Callable[..., Series]


def fit(values: Floats, **hyperparameters: str | float) -> tuple[LinearModel, LinearModel, Split]:
    problem = Problem(values, HOUR, HORIZON, {"lookback": LOOKBACK, **hyperparameters}, LAST_READING)
    parts = split(values, reach=LOOKBACK, horizon=HORIZON, step=HOUR)
    fitted = Linear().fit(problem, parts)
    assert isinstance(fitted.backtest, LinearModel)
    assert isinstance(fitted.final, LinearModel)
    return fitted.backtest, fitted.final, parts


def plain_weights(windows: Floats, normalisation: str, ridge: float) -> Floats:
    """Ridge by least squares on the windows themselves."""
    level = windows[:, LOOKBACK - 1] if normalisation == "last" else windows[:, :LOOKBACK].mean(axis=1)
    inputs, targets = np.hsplit(windows - level[:, None], [LOOKBACK])
    weight = np.sqrt(ridge * np.mean(np.sum(inputs**2, axis=0)))
    rows = np.vstack([inputs, weight * np.eye(LOOKBACK)])
    solution: Floats = np.linalg.lstsq(rows, np.vstack([targets, np.zeros((LOOKBACK, HORIZON))]))[0]
    return solution


def whole_windows(readings: Floats) -> Floats:
    windows = sliding_window_view(readings, LOOKBACK + HORIZON)
    return windows[np.isfinite(windows).all(axis=1)]


@pytest.mark.parametrize("normalisation", ["last", "mean"])
@pytest.mark.parametrize("ridge", [0.003, 0.3])
def test_weights_equal_plain_ridge_on_the_windows(rhythm: Rhythm, normalisation: str, ridge: float) -> None:
    values = rhythm(500) / 5
    values[300:320, 1] = np.nan
    backtest, final, parts = fit(values, normalisation=normalisation, ridge=ridge, sharing="per-sensor")
    for sensor in range(2):
        everything = plain_weights(whole_windows(values[:, sensor]), normalisation, ridge)
        past = plain_weights(whole_windows(values[: parts.train_end, sensor]), normalisation, ridge)
        assert np.allclose(final.weights[sensor], everything, atol=1e-4)
        assert np.allclose(backtest.weights[sensor], past, atol=1e-4)


@pytest.mark.parametrize("sharing", ["per-sensor", "pooled"])
def test_the_backtest_model_has_seen_nothing_from_the_first_test_origin_on(
    rhythm: Rhythm, sharing: str
) -> None:
    values = rhythm(500)
    before, _, parts = fit(values, sharing=sharing)
    altered = values.copy()
    altered[parts.test[0] :] = np.random.default_rng(9).normal(size=altered[parts.test[0] :].shape)
    after, final, _ = fit(altered, sharing=sharing)
    assert after.choice == before.choice
    assert np.array_equal(after.weights, before.weights)
    assert not np.array_equal(after.weights, final.weights)


def test_pooled_weights_equal_plain_ridge_on_the_windows_of_all_sensors(rhythm: Rhythm) -> None:
    values = rhythm(500, 3) / 5
    _, final, _ = fit(values, normalisation="mean", ridge=0.03, sharing="pooled")
    windows = np.concatenate([whole_windows(column) for column in values.T])
    assert final.weights.shape == (1, LOOKBACK, HORIZON)
    assert np.allclose(final.weights[0], plain_weights(windows, "mean", 0.03), atol=1e-4)


def test_sensors_with_rhythms_of_their_own_get_weights_of_their_own() -> None:
    hours = np.arange(800)
    noise = 0.05 * np.random.default_rng(0).normal(size=(800, 2))
    values = np.stack([np.sin(2 * np.pi * hours / 11), np.sin(2 * np.pi * hours / 5)], axis=1) + noise
    assert fit(values)[0].choice.sharing == "per-sensor"


def test_sensors_of_one_kind_share_their_weights(rhythm: Rhythm) -> None:
    assert fit(rhythm(120, 8))[0].choice.sharing == "pooled"


def test_declared_hyperparameters_are_kept(rhythm: Rhythm, series_of: SeriesOf) -> None:
    declared: dict[str, HyperparameterValue] = {
        "lookback": 20,
        "ridge": 0.7,
        "normalisation": "mean",
        "sharing": "pooled",
    }
    trained = train(series_of(rhythm(500)), TrainingTask(("a", "b"), 12, "linear", declared))
    assert trained.model.model.choices == declared


def test_the_lookback_shrinks_with_the_history(rhythm: Rhythm) -> None:
    reaches = [
        Linear().reach(Problem(rhythm(steps), HOUR, 24, {}, LAST_READING))
        for steps in (9_000, 1_500, 700, 200)
    ]
    assert reaches[0] == LONGEST_AUTO_LOOKBACK
    assert reaches == sorted(reaches, reverse=True)
    assert reaches[-1] < 48


def test_a_linear_model_beats_seasonal_naive_on_a_noisy_rhythm(rhythm: Rhythm, series_of: SeriesOf) -> None:
    trained = train(series_of(rhythm(2_000)), TrainingTask(("a", "b"), 24, "linear"))
    assert trained.mean.skill is not None
    assert trained.mean.skill > 0.2


# What `auto` finds out


def auto(series: Series, horizon: int) -> tuple[LinearModel, Trained]:
    trained = train(series, TrainingTask(series.sensors, horizon, "linear"))
    assert isinstance(trained.model.model, LinearModel)
    return trained.model.model, trained


def weekly(days: int, per_day: int) -> Floats:
    """Each week like the last: levels that change every two hours, with noise."""
    random = np.random.default_rng(8)
    week = np.repeat(3 * random.normal(size=84), per_day * 7 // 84)
    steps = days * per_day
    values: Floats = 20 + week[np.arange(steps) % len(week)][:, None] + 0.5 * random.normal(size=(steps, 2))
    return values


@pytest.mark.parametrize(("per_day", "days"), [(48, 28), (96, 28), (96, 60), (144, 35)])
def test_auto_looks_back_over_a_strong_week_whatever_the_step(
    per_day: int, days: int, series_of: SeriesOf
) -> None:
    series = series_of(weekly(days, per_day), step=timedelta(days=1) / per_day)
    model, trained = auto(series, per_day)
    assert model.lookback >= 7 * per_day
    assert trained.mean.skill is not None
    assert trained.mean.skill > -0.02  # of independent noise there is nothing to win


def test_auto_does_not_look_back_over_a_season_that_needs_too_much_memory(series_of: SeriesOf) -> None:
    values = np.repeat(weekly(28, 96), 2, axis=0)  # a week of 1,344 steps
    model, _ = auto(series_of(values, step=timedelta(minutes=7.5)), 24)
    assert model.choice.lookback <= LONGEST_AUTO_LOOKBACK
    wide = np.repeat(weekly(35, 144)[:, :1], 20, axis=1)
    problem = Problem(wide, timedelta(minutes=10), 144, {}, ((1, 1008),) * 20)
    assert Linear().reach(problem) <= LONGEST_AUTO_LOOKBACK


def test_a_rig_with_a_cycle_of_its_own_is_as_good_as_repeating_it(series_of: SeriesOf) -> None:
    random = np.random.default_rng(1)
    cycle, size = random.normal(size=(12, 2)), np.cumsum(random.normal(size=(400, 2)), axis=0)
    steps = np.arange(1_200)
    values = 20 + cycle[steps % 12] * (5 + 0.3 * size[steps // 12]) + 0.05 * random.normal(size=(1_200, 2))
    _, trained = auto(series_of(values, step=timedelta(seconds=5)), 36)
    assert trained.backtest.seasons == (12, 12)
    assert trained.mean.skill is not None
    assert trained.mean.skill > -0.05


def test_much_shrinkage_towards_a_season_repeats_it(rhythm: Rhythm) -> None:
    values = rhythm(500) / 5
    parts = split(values, reach=LOOKBACK, horizon=HORIZON, step=HOUR)
    products = LaggedProducts(values, reach=LOOKBACK, horizon=HORIZON, train_end=parts.train_end)
    search = Search(Problem(values, HOUR, HORIZON, {}, LAST_READING), parts, products)
    setting = Setting(LOOKBACK, 1e9, Normalisation.LAST, Sharing.PER_SENSOR, season=3)
    model = LinearModel(setting, search.weights(setting, 0, np.arange(HORIZON))[None])
    window = values[100 : 100 + LOOKBACK, 0]
    assert np.allclose(
        model.point(window[None, None], np.array([0]))[0, 0], window[[-3, -2, -1, -3]], atol=1e-5
    )


@pytest.mark.parametrize("ridge", [0.003, 0.3])
def test_weights_shrunk_towards_a_season_equal_plain_ridge_on_what_it_leaves(
    rhythm: Rhythm, ridge: float
) -> None:
    values = rhythm(500)[:, :1] / 5
    parts = split(values, reach=LOOKBACK, horizon=HORIZON, step=HOUR)
    products = LaggedProducts(values, reach=LOOKBACK, horizon=HORIZON, train_end=parts.train_end)
    search = Search(Problem(values, HOUR, HORIZON, {}, LAST_READING), parts, products)
    setting = Setting(LOOKBACK, ridge, Normalisation.LAST, Sharing.PER_SENSOR, season=3)
    windows = whole_windows(values[: parts.train_end, 0])
    inputs, targets = np.hsplit(windows - windows[:, [LOOKBACK - 1]], [LOOKBACK])
    left = targets - inputs[:, [-3, -2, -1, -3]]
    weight = np.sqrt(ridge * np.mean(np.sum(inputs**2, axis=0)))
    rows = np.vstack([inputs, weight * np.eye(LOOKBACK)])
    plain = np.linalg.lstsq(rows, np.vstack([left, np.zeros((LOOKBACK, HORIZON))]))[0]
    plain[[-3, -2, -1, -3], np.arange(HORIZON)] += 1.0
    assert np.allclose(search.weights(setting, 0, np.arange(HORIZON)), plain, atol=1e-4)


def test_one_sensor_of_its_own_kind_gets_weights_of_its_own(series_of: SeriesOf) -> None:
    random = np.random.default_rng(2)
    hours = np.arange(700)
    alike = np.sin(2 * np.pi * hours[:, None] / 24 + random.uniform(0, 6, 7)) + random.normal(size=(700, 7))
    other = np.sin(2 * np.pi * hours / 7.3) * np.sin(2 * np.pi * hours / 5) + 0.02 * random.normal(size=700)
    series = series_of(np.column_stack([alike, other]))
    model, trained = auto(series, 24)
    pooled = train(series, TrainingTask(series.sensors, 24, "linear", {"sharing": "pooled"}))
    mine, shared = trained.metrics["h"].mae, pooled.metrics["h"].mae
    assert mine is not None
    assert shared is not None
    assert mine < 0.5 * shared
    assert model.choices["sharing"] == "per-sensor"
    assert len(model.weights) == 8
