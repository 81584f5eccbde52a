from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest

from fleetcast.domain.scores import Baseline
from fleetcast.forecasting.baseline import candidates, choose_baselines, naive_errors, strongest_season
from fleetcast.forecasting.model import Problem
from fleetcast.forecasting.series import Floats, Series
from fleetcast.forecasting.split import split
from fleetcast.forecasting.training import Trained, TrainingTask, train

HOUR, FIVE_SECONDS = timedelta(hours=1), timedelta(seconds=5)
Rhythm = Callable[..., Floats]
SeriesOf = Callable[..., Series]


def noise(*shape: int, seed: int = 5) -> Floats:
    return np.random.default_rng(seed).normal(size=shape)


def minutes(steps: int) -> Floats:
    """A rig with a cycle of 60 seconds, read every five."""
    profile = noise(12, 2, seed=1) * 3
    return 20 + profile[np.arange(steps) % 12] + 0.1 * noise(steps, 2)


def baselines(values: Floats, step: timedelta, horizon: int) -> tuple[int, ...]:
    problem = Problem(values, step, horizon, {}, candidates(values, step, horizon))
    return choose_baselines(problem, split(values, reach=24, horizon=horizon, step=step))


def trained(series: Series, horizon: int, **hyperparameters: str | int) -> Trained:
    return train(series, TrainingTask(series.sensors, horizon, "linear", hyperparameters))


def test_a_cycle_of_sixty_seconds_is_the_baseline_of_a_rig(series_of: SeriesOf) -> None:
    model = trained(series_of(minutes(2_000), step=FIVE_SECONDS), 24)
    assert model.scores.baselines == {"a": Baseline(12, 60.0), "b": Baseline(12, 60.0)}
    assert model.backtest.seasons == (12, 12)


def test_the_last_reading_is_the_baseline_of_what_wanders() -> None:
    assert baselines(np.cumsum(noise(2_000, 3), axis=0), HOUR, 12) == (1, 1, 1)


def test_each_sensor_has_the_baseline_that_is_strongest_for_it() -> None:
    hours = np.arange(24 * 7 * 12)
    week = np.where((hours // 24) % 7 >= 5, -9.0, 0.0) + 0.1 * noise(len(hours))
    day = 5 * np.sin(2 * np.pi * hours / 24) + 0.1 * noise(len(hours), seed=6)
    wanders = np.cumsum(noise(len(hours), seed=7))
    assert baselines(np.stack([week, day, wanders], axis=1), HOUR, 24) == (168, 24, 1)


def test_skill_is_one_minus_the_error_over_that_of_the_strongest(series_of: SeriesOf) -> None:
    series = series_of(minutes(2_000), step=FIVE_SECONDS)
    model = trained(series, 24)
    for number, sensor in enumerate(series.sensors):
        errors = []
        for origin in model.backtest.origins:
            at = (origin - series.start) // series.step
            last = series.values[at - 12 : at, number]
            errors.append(np.mean(np.abs(series.values[at : at + 24, number] - np.tile(last, 2))))
        scores = model.metrics[sensor]
        assert scores.naive_mae == pytest.approx(np.mean(errors))
        assert scores.mae is not None
        assert scores.skill == pytest.approx(1 - scores.mae / np.mean(errors))


def test_no_other_candidate_is_clearly_better_on_the_test_origins(rhythm: Rhythm) -> None:
    values = rhythm(1_500, 3)
    values[900:, 0] = values[900:, 0] * 0 + np.cumsum(noise(600))  # its rhythm ends while it is calibrated
    seasons = candidates(values, HOUR, 24)
    problem = Problem(values, HOUR, 24, {}, seasons)
    parts = split(values, reach=168, horizon=24, step=HOUR)
    chosen = choose_baselines(problem, parts)
    assert chosen[0] == 1
    tested = naive_errors(values, parts.test, seasons, 24)
    for sensor, season in enumerate(chosen):
        assert not any(tested.is_better(sensor, other, than=season) for other in seasons[sensor])


def test_what_is_tried_is_fixed_before_the_test_part(rhythm: Rhythm) -> None:
    values = rhythm(1_500)
    altered = values.copy()
    altered[1_100:] = minutes(400)
    assert candidates(altered, HOUR, 24) == candidates(values, HOUR, 24)


def test_luck_on_the_test_origins_does_not_change_the_baseline() -> None:
    hours = np.arange(24 * 60)[:, None]
    chosen = []
    for seed in range(20):
        values = 5 * np.sin(2 * np.pi * hours / 24) + noise(len(hours), 1, seed=seed)
        problem = Problem(values, HOUR, 24, {}, ((1, 24, 168),))
        parts = split(values, reach=168, horizon=24, step=HOUR)
        tested = naive_errors(values, parts.test, problem.seasons, 24)
        (season,) = choose_baselines(problem, parts)
        chosen.append(season == tested.best(0))
    assert 0 < sum(chosen) < 20


def test_a_history_too_short_for_any_season_repeats_its_last_reading(rhythm: Rhythm) -> None:
    assert candidates(rhythm(60), HOUR, 4) == ((1,), (1,))
    assert candidates(np.full((300, 1), 5.0), timedelta(minutes=7), 4) == ((1,),)


def test_holes_leave_a_baseline_to_measure(rhythm: Rhythm, series_of: SeriesOf) -> None:
    values = rhythm(1_500)
    values[np.random.default_rng(2).random(1_500) < 0.004, 0] = np.nan
    values[:, 1] = np.where(np.arange(1_500) > 400, values[:, 1], np.nan)
    model = trained(series_of(values), 12)
    assert model.backtest.seasons == (24, 24)
    assert all(scores.skill is not None for scores in model.metrics.values())


def test_the_strongest_season_is_known_before_there_is_a_split() -> None:
    values = minutes(2_000)
    assert strongest_season(Problem(values, FIVE_SECONDS, 24, {}, candidates(values, FIVE_SECONDS, 24))) == 12
    wanders = np.cumsum(noise(2_000, 1), axis=0)
    assert strongest_season(Problem(wanders, HOUR, 24, {}, ((1, 24, 168),))) == 1
