from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest

from fleetcast.forecasting.seasonal_naive import SeasonalNaiveModel
from fleetcast.forecasting.series import Floats, Series
from fleetcast.forecasting.training import TrainingTask, train

Rhythm = Callable[..., Floats]
SeriesOf = Callable[..., Series]


def season_of(series: Series, horizon: int = 24, **hyperparameters: int) -> object:
    task = TrainingTask(series.sensors, horizon, "seasonal_naive", hyperparameters)
    return train(series, task).model.model.choices["season"]


def test_the_forecast_repeats_the_last_season() -> None:
    model = SeasonalNaiveModel(season=3, horizon=7)
    assert model.point(np.array([[[1.0, 2.0, 3.0]]]), np.array([0])).tolist() == [[[1, 2, 3, 1, 2, 3, 1]]]


def test_a_week_is_chosen_where_the_days_of_a_week_differ(series_of: SeriesOf) -> None:
    hours = np.arange(24 * 7 * 6)
    week = np.where((hours // 24) % 7 >= 5, 0.0, 10.0) + np.sin(2 * np.pi * hours / 24)
    assert season_of(series_of(week[:, None])) == 168


def test_a_day_is_chosen_where_all_days_are_alike(rhythm: Rhythm, series_of: SeriesOf) -> None:
    assert season_of(series_of(rhythm(24 * 7 * 20))) == 24


def test_a_history_shorter_than_three_days_repeats_its_last_reading(
    rhythm: Rhythm, series_of: SeriesOf
) -> None:
    assert season_of(series_of(rhythm(60)), horizon=4) == 1


def test_a_season_that_is_no_day_is_found_in_the_readings(rhythm: Rhythm, series_of: SeriesOf) -> None:
    assert season_of(series_of(rhythm(2_000), step=timedelta(seconds=5))) == 24


def test_the_last_reading_is_repeated_where_that_is_better_than_any_season(series_of: SeriesOf) -> None:
    wanders = np.cumsum(np.random.default_rng(4).normal(size=(1_500, 2)), axis=0)
    assert season_of(series_of(wanders)) == 1


def test_a_declared_season_is_kept(rhythm: Rhythm, series_of: SeriesOf) -> None:
    assert season_of(series_of(rhythm(24 * 7 * 6)), season=36) == 36


def test_its_skill_against_itself_is_nothing(rhythm: Rhythm, series_of: SeriesOf) -> None:
    trained = train(series_of(rhythm(900)), TrainingTask(("a", "b"), 24, "seasonal_naive"))
    assert trained.mean.skill == pytest.approx(0.0, abs=1e-9)
    assert trained.mean.mae == pytest.approx(trained.mean.naive_mae)
