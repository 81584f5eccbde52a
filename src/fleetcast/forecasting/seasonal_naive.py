"""Seasonal naive: the forecast repeats the last season. What every other model has to beat."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from fleetcast.domain.errors import BadInput
from fleetcast.forecasting.model import Fitted, Hyperparameters, Problem, Tensors
from fleetcast.forecasting.series import Floats
from fleetcast.forecasting.split import Split, count_origins, steps_needed
from fleetcast.forecasting.windows import cut

PERSISTENCE = 1
_WORTH_IT = 0.99
"""A longer season must make the error at least 1 % smaller, or the shorter one stays."""


@dataclass(frozen=True, slots=True)
class SeasonalNaiveModel:
    """Repeats the last `season` steps of each sensor over the horizon."""

    season: int
    horizon: int

    @property
    def lookback(self) -> int:
        """One season."""
        return self.season

    @property
    def choices(self) -> Hyperparameters:
        """The season in steps."""
        return {"season": self.season}

    @property
    def tensors(self) -> Tensors:
        """None: nothing is learned but the season."""
        return {}

    def point(self, windows: Floats) -> Floats:
        """Repeat windows of shape (k, q, season) to (k, q, horizon)."""
        return windows[:, :, np.arange(self.horizon) % self.season]

    def at_half_precision(self) -> SeasonalNaiveModel:
        """The model itself: it holds no numbers."""
        return self


@dataclass(frozen=True, slots=True)
class SeasonalNaive:
    """The family of models that repeat a day, a week or a declared season."""

    def needed_steps(self, hyperparameters: Hyperparameters, horizon: int) -> int:
        """One season before the first origin; without a declared one, a single step."""
        return steps_needed(_declared(hyperparameters) or PERSISTENCE, horizon)

    def reach(self, problem: Problem) -> int:
        """The longest season that this history can judge."""
        return max(candidates(problem))

    def fit(self, problem: Problem, split: Split) -> Fitted:
        """Choose the season; there is nothing else to fit."""
        model = SeasonalNaiveModel(choose_season(problem, split), problem.horizon)
        return Fitted(backtest=model, final=model)

    def restore(self, choices: Hyperparameters, tensors: Tensors, horizon: int) -> SeasonalNaiveModel:
        """Bring back a model from its season."""
        season = choices.get("season")
        if tensors or not isinstance(season, int) or season < 1:
            raise BadInput(f"a seasonal naive model cannot have the season {season!r}", fix="train it again")
        return SeasonalNaiveModel(season, horizon)


def candidates(problem: Problem) -> tuple[int, ...]:
    """Seasons worth trying, in steps, shortest first.

    The declared one; else persistence, a day from three days of readings on, a week from three weeks on, as
    far as unbroken stretches are long enough to test them.
    """
    declared = _declared(problem.hyperparameters)
    if declared:
        return (declared,)
    seasons = [PERSISTENCE]
    for length in (timedelta(days=1), timedelta(days=7)):
        season = length // problem.step
        enough = 2 * (problem.horizon - 1) + max(24, season)
        fits = season > 1 and not length % problem.step and len(problem.values) >= 3 * season
        if fits and count_origins(problem.values, season, problem.horizon) >= enough:
            seasons.append(season)
    return tuple(seasons)


def choose_season(problem: Problem, split: Split) -> int:
    """The season with the smallest error on the calibration origins, the shorter one if they are about equal.

    Persistence stands in only where not even a day can be judged: it is the season of a series without one.
    """
    possible = [season for season in candidates(problem) if season <= split.train_end]
    if len(possible) == 1:
        return possible[0]
    best, *longer = [season for season in possible if season != PERSISTENCE]
    least = naive_error(problem.values, split.calibration, best, problem.horizon)
    for season in longer:
        error = naive_error(problem.values, split.calibration, season, problem.horizon)
        if error < least * _WORTH_IT:
            best, least = season, error
    return best


def naive_error(values: Floats, origins: np.typing.NDArray[np.int64], season: int, horizon: int) -> float:
    """Mean absolute error over all sensors and steps that can be measured; infinite if none can."""
    last = cut(values, origins - season, season)
    actual = cut(values, origins, horizon)
    error = np.abs(actual - SeasonalNaiveModel(season, horizon).point(last))
    measured = error[np.isfinite(error)]
    return float(np.mean(measured)) if measured.size else np.inf


def _declared(hyperparameters: Hyperparameters) -> int:
    season = hyperparameters.get("season", "auto")
    return season if isinstance(season, int) else 0
