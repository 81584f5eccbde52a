from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest

from fleetcast.domain.errors import BadInput
from fleetcast.forecasting import metrics
from fleetcast.forecasting.backtest import replay
from fleetcast.forecasting.series import Floats, Series
from fleetcast.forecasting.training import Trained, TrainingTask, train

Rhythm = Callable[..., Floats]
SeriesOf = Callable[..., Series]
HORIZON = 24


@pytest.fixture(scope="module")
def series(rhythm: Rhythm, series_of: SeriesOf) -> Series:
    return series_of(rhythm(1_500, 3))


@pytest.fixture(scope="module")
def trained(series: Series) -> Trained:
    return train(series, TrainingTask(series.sensors, HORIZON, "linear"))


def test_choices_and_intervals_are_made_before_the_first_test_origin(
    series: Series, trained: Trained, series_of: SeriesOf
) -> None:
    backtest = trained.backtest
    seen = (backtest.origins[0] - series.start) // series.step
    altered = series.values.copy()
    altered[seen:] = altered[seen - 1]
    again = train(series_of(altered), TrainingTask(series.sensors, HORIZON, "linear"))
    assert again.model.model.choices == trained.model.model.choices
    assert again.backtest.origins == backtest.origins
    assert again.backtest.trained_before == backtest.trained_before < backtest.origins[0]


def test_the_mean_of_the_backtest_is_the_reported_error(trained: Trained) -> None:
    backtest = trained.backtest
    for number, sensor in enumerate(backtest.sensors):
        assert trained.metrics[sensor].mae == pytest.approx(np.mean(backtest.model_mae[:, number]))
        assert trained.metrics[sensor].naive_mae == pytest.approx(np.mean(backtest.naive_mae[:, number]))


def test_naive_errors_are_those_of_repeating_a_season(series: Series, trained: Trained) -> None:
    backtest = trained.backtest
    for row, origin in enumerate(backtest.origins):
        at = (origin - series.start) // series.step
        repeated = np.stack(
            [
                series.values[at - season + np.arange(HORIZON) % season, number]
                for number, season in enumerate(backtest.seasons)
            ],
            axis=1,
        )
        plain = np.mean(np.abs(series.values[at : at + HORIZON] - repeated), axis=0)
        assert backtest.naive_mae[row] == pytest.approx(plain)


def test_intervals_cover_about_what_they_promise(trained: Trained) -> None:
    assert trained.mean.coverage_80 == pytest.approx(0.80, abs=0.07)
    assert trained.mean.coverage_95 == pytest.approx(0.95, abs=0.04)


def test_coverage_is_measured_on_origins_that_did_not_calibrate_the_intervals(
    series: Series, trained: Trained, series_of: SeriesOf
) -> None:
    """Noise that only the test origins see makes intervals of the calm before cover too little."""
    first = (trained.backtest.origins[0] - series.start) // series.step
    louder = series.values.copy()
    louder[first:] += 4 * np.random.default_rng(6).normal(size=louder[first:].shape)
    again = train(series_of(louder), TrainingTask(series.sensors, HORIZON, "linear"))
    assert again.mean.coverage_80 is not None
    assert again.mean.coverage_80 < 0.5


def test_a_model_and_its_twin_trained_on_less_err_alike_from_the_same_origins(
    series: Series, trained: Trained
) -> None:
    replayed = replay(trained.model, series, trained.backtest.origins)
    assert replayed.shape == trained.backtest.model_mae.shape
    assert np.mean(replayed) == pytest.approx(np.mean(trained.backtest.model_mae), rel=0.05)


def test_a_replay_equals_a_forecast_made_at_that_time(
    series: Series, trained: Trained, series_of: SeriesOf
) -> None:
    at = 1_000
    origin = series.start + at * series.step
    forecast = trained.model.forecast(series_of(series.values[:at]))
    plain = [metrics.mae(series.values[at : at + HORIZON, k], forecast.point[:, k]) for k in range(3)]
    assert replay(trained.model, series, [origin])[0] == pytest.approx(plain)


def test_a_replay_is_nan_where_it_cannot_be_measured(
    series: Series, trained: Trained, series_of: SeriesOf
) -> None:
    values = series.values.copy()
    values[1_010, 1] = np.nan
    hour = series.step
    origins = [
        series.start + 1_000 * hour,  # one sensor has a hole in its horizon
        series.start,  # nothing before it
        series.end,  # nothing to compare with
        series.end + 500 * hour,
        series.start - hour,
        series.start + 900 * hour + timedelta(minutes=5),  # not on the grid
    ]
    found = replay(trained.model, series_of(values), origins)
    assert np.isfinite(found).tolist() == [[True, False, True], *[[False] * 3] * 5]


def test_a_replay_fills_holes_in_the_window_as_a_forecast_does(
    series: Series, trained: Trained, series_of: SeriesOf
) -> None:
    values = series.values.copy()
    values[990:1_000, 0] = np.nan
    assert np.isfinite(replay(trained.model, series_of(values), [series.start + 1_000 * series.step])).all()


def test_an_origin_without_a_zone_is_refused(series: Series, trained: Trained) -> None:
    with pytest.raises(BadInput, match="no time zone"):
        replay(trained.model, series, [series.start.replace(tzinfo=None)])


def test_targets_may_be_fewer_than_the_sensors_and_in_their_own_order(series: Series) -> None:
    few = train(series, TrainingTask(("c", "a"), HORIZON, "linear"))
    assert few.model.forecast(series).sensors == ("c", "a")
    assert set(few.metrics) == {"a", "c"}


def test_many_short_segments_train_together(rhythm: Rhythm, series_of: SeriesOf) -> None:
    values = rhythm(2_400, 8)
    values[[240, 700, 1_150, 1_600, 2_000]] = np.nan
    series = series_of(values, step=timedelta(seconds=5))
    trained = train(series, TrainingTask(series.sensors, 60, "linear"))
    assert trained.mean.skill is not None
    assert np.isfinite(trained.model.forecast(series).point).all()


def test_infinities_are_holes(series: Series, series_of: SeriesOf) -> None:
    values, holes = series.values.copy(), series.values.copy()
    values[700, 0], holes[700, 0] = np.inf, np.nan
    task = TrainingTask(("a", "b"), HORIZON, "linear")
    assert train(series_of(values), task).metrics == train(series_of(holes), task).metrics


@pytest.mark.parametrize(
    ("task", "says"),
    [
        (TrainingTask(("a",), 0, "linear"), "a horizon of 0 steps"),
        (TrainingTask((), 5, "linear"), "targets none"),
        (TrainingTask(("a", "a"), 5, "linear"), "targets a, a"),
        (TrainingTask(("x",), 5, "linear"), "no sensor x"),
        (TrainingTask(("a",), 5, "linear", {"ridge": -1}), "ridge: must be a number from 0"),
    ],
)
def test_a_task_that_makes_no_sense_is_refused(series: Series, task: TrainingTask, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        train(series, task)


def test_a_history_on_another_grid_or_without_a_sensor_is_refused(
    trained: Trained, series_of: SeriesOf
) -> None:
    with pytest.raises(BadInput, match="step of 0:10:00"):
        trained.model.forecast(series_of(np.ones((50, 3)), step=timedelta(minutes=10)))
    with pytest.raises(BadInput, match="no sensor b, c"):
        trained.model.forecast(series_of(np.ones((50, 1))))
