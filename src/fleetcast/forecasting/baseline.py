"""The baseline: the strongest forecast that needs no model. Whatever it beats is not worth its machine.

It repeats the last reading, a day, a week, or a season that was found in the readings (`seasons.py`). What is tried is
fixed before the test part is looked at. Of these, each sensor's baseline is the one with the least error on origins
all over the history before the test part, as anybody would have chosen at that time. Where another one is better on
the test origins, by more than 2 % and more than chance explains (Diebold & Mariano 1995), it takes the place: skill is
measured there, and a rhythm that came or went must not flatter. To pick the luckiest would punish every model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from fleetcast.forecasting.chance import beyond_chance
from fleetcast.forecasting.fitted import Units
from fleetcast.forecasting.model import Problem, Seasons
from fleetcast.forecasting.seasons import find_seasons
from fleetcast.forecasting.series import Floats
from fleetcast.forecasting.split import Split, count_origins
from fleetcast.forecasting.windows import Ints, cut

LAST_READING = 1
"""The season of one step."""
_WORTH_IT = 0.97
"""A longer season must make the error at least 3 % smaller, or the shorter one stays."""
_WORTH_TELLING = 0.98
_CALENDAR = (timedelta(days=1), timedelta(days=7))
_MOST_STEPS = 24
_JUDGED = 96
"""Origins that seasons are compared on."""


def candidates(values: Floats, step: timedelta, horizon: int) -> Seasons:
    """What each sensor's baseline may repeat, in steps, shortest first.

    The last reading; the seasons found in the first two thirds of the history, which no split tests on; a day and a
    week. All as far as three of them and enough unbroken readings to test them on are there.

    Args:
        values: Shape (n, k); NaN is a hole.
        step: The grid.
        horizon: Steps to forecast.
    """
    found = find_seasons(values[: 2 * len(values) // 3])
    calendar = {length // step for length in _CALENDAR if not length % step}
    fit = {
        season
        for season in calendar.union(*found)
        if season > LAST_READING and _can_be_judged(values, season, horizon)
    }
    return tuple((LAST_READING, *sorted(fit & calendar.union(own))) for own in found)


def _can_be_judged(values: Floats, season: int, horizon: int) -> bool:
    enough = 2 * (horizon - 1) + max(24, season)
    return len(values) >= 3 * season and count_origins(values, season, horizon) >= enough


@dataclass(frozen=True, slots=True)
class NaiveErrors:
    """Mean absolute errors of repeating seasons, over the horizon, from each of some origins."""

    seasons: tuple[int, ...]
    """Ascending."""
    origins: Ints
    horizon: int
    by_origin: Floats
    """Shape (seasons, k, q); NaN where a reading is missing, and for seasons that are not tried on a sensor."""

    def means(self, sensor: int) -> Floats:
        """By season, over the origins where all can be measured; infinite where there are none."""
        errors = self.by_origin[:, sensor]
        tried = np.isfinite(errors).any(axis=1)
        whole = np.isfinite(errors[tried]).all(axis=0)
        means = np.full(len(errors), np.inf)
        if whole.any() and tried.any():
            means[tried] = errors[tried][:, whole].mean(axis=1)
        return means

    def best(self, sensor: int) -> int:
        """The season with the least error, a shorter one if they are about equal."""
        return self._least(self.means(sensor))

    def strongest(self) -> int:
        """The season with the least error over all sensors that can be measured; readings are standardised."""
        means = np.stack([self.means(sensor) for sensor in range(self.by_origin.shape[1])])
        measured = means[np.isfinite(means).all(axis=1)]
        return self._least(measured.mean(axis=0)) if len(measured) else self.seasons[0]

    def _least(self, means: Floats) -> int:
        best = 0
        for row, error in enumerate(means):
            if error < means[best] * _WORTH_IT:
                best = row
        return self.seasons[best]

    def is_better(self, sensor: int, season: int, than: int) -> bool:
        """Whether one season is better than another by more than 2 %, and by more than chance."""
        one, other = (self.by_origin[self.seasons.index(each), sensor] for each in (season, than))
        measured = np.isfinite(other - one)
        if not float(np.sum(one[measured])) < _WORTH_TELLING * float(np.sum(other[measured])):
            return False
        return beyond_chance(other - one, self.origins, max(self.horizon, season, than))


def naive_errors(
    values: Floats, origins: Ints, tried: Sequence[Sequence[int]], horizon: int, *, everywhere: bool = False
) -> NaiveErrors:
    """Measure what repeating each season would have given, on some steps of the horizon, evenly spread.

    Args:
        values: Shape (n, k); NaN is a hole.
        origins: Each with `horizon` steps to follow; seasons that reach beyond the first reading are left out.
        tried: Seasons for each sensor.
        horizon: Steps to forecast.
        everywhere: Try every season on every sensor.
    """
    seasons = tuple(sorted({season for own in tried for season in own if season <= int(origins[0])}))
    steps = judged_steps(horizon)
    by_sensor = np.ascontiguousarray(values.T)
    actual = by_sensor[:, origins[:, None] + steps]
    errors = np.empty((len(seasons), values.shape[1], len(origins)))
    for row, season in enumerate(seasons):
        points = by_sensor[:, origins[:, None] - season + steps % season]
        errors[row] = np.mean(np.abs(actual - points), axis=2)
        if not everywhere:
            errors[row, [season not in own for own in tried]] = np.nan
    return NaiveErrors(seasons, origins, horizon, errors)


def judged_steps(horizon: int) -> Ints:
    """Steps of the horizon, evenly spread, that candidates are judged by: fewer steps cost less."""
    return np.unique(np.linspace(0, horizon - 1, _MOST_STEPS).round().astype(np.int64))


def repeated(values: Floats, origins: Ints, season: int, horizon: int) -> Floats:
    """The forecasts that repeat the last `season` steps, of shape (k, q, horizon)."""
    return cut(values, origins - season, season)[:, :, np.arange(horizon) % season]


def choose_baselines(problem: Problem, split: Split) -> tuple[int, ...]:
    """The season, in steps, that each sensor's baseline repeats; see the module for how it is chosen."""
    tried = problem.seasons
    before = errors_before_the_test(problem, split, tried)
    allowed = [[season for season in own if season in before.seasons] for own in tried]
    tested = naive_errors(problem.values, split.test, allowed, problem.horizon)
    chosen = []
    for sensor in range(problem.values.shape[1]):
        known, later = before.best(sensor), tested.best(sensor)
        chosen.append(later if tested.is_better(sensor, later, than=known) else known)
    return tuple(chosen)


def errors_before_the_test(
    problem: Problem, split: Split, tried: Sequence[Sequence[int]], *, everywhere: bool = False
) -> NaiveErrors:
    """What repeating each season would have given from origins all over the history before the test origins."""
    first = max(season for own in tried for season in own)
    last = int(split.test[0]) - problem.horizon
    origins = _spread_over(first, last) if last > first else split.calibration
    return naive_errors(problem.values, origins, tried, problem.horizon, everywhere=everywhere)


def strongest_season(problem: Problem) -> int:
    """The season that is worth reaching over, in steps, judged before there is a split; 1 if it is none.

    Judged on origins spread over the first two thirds of the history, which no split tests on.
    """
    tried = problem.seasons
    first = max(season for own in tried for season in own)
    last = 2 * len(problem.values) // 3 - problem.horizon
    if first == LAST_READING or last <= first:
        return LAST_READING
    standard = Units.of(problem.values, problem.values).standardise(problem.values)
    return naive_errors(
        standard, _spread_over(first, last), tried, problem.horizon, everywhere=True
    ).strongest()


def _spread_over(first: int, last: int) -> Ints:
    return np.unique(np.linspace(first, last, _JUDGED).astype(np.int64))
