from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from fleetcast.domain.circuit import HyperparameterValue
from fleetcast.forecasting.linear import LONGEST_AUTO_LOOKBACK, Linear, LinearModel
from fleetcast.forecasting.model import Problem
from fleetcast.forecasting.series import Floats, Series
from fleetcast.forecasting.split import Split, split
from fleetcast.forecasting.training import TrainingTask, train

HOUR = timedelta(hours=1)
LOOKBACK, HORIZON = 10, 4
Rhythm = Callable[..., Floats]
SeriesOf = Callable[..., Series]


def fit(values: Floats, **hyperparameters: str | float) -> tuple[LinearModel, LinearModel, Split]:
    problem = Problem(values, HOUR, HORIZON, {"lookback": LOOKBACK, **hyperparameters})
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
    reaches = [Linear().reach(Problem(rhythm(steps), HOUR, 24, {})) for steps in (9_000, 1_500, 700, 200)]
    assert reaches[0] == LONGEST_AUTO_LOOKBACK
    assert reaches == sorted(reaches, reverse=True)
    assert reaches[-1] < 48


def test_a_linear_model_beats_seasonal_naive_on_a_noisy_rhythm(rhythm: Rhythm, series_of: SeriesOf) -> None:
    trained = train(series_of(rhythm(2_000)), TrainingTask(("a", "b"), 24, "linear"))
    assert trained.mean.skill is not None
    assert trained.mean.skill > 0.2
