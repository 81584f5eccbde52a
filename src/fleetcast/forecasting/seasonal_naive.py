"""Seasonal naive: the forecast repeats the last season, as baselines do, but the same one for all sensors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fleetcast.domain.errors import BadInput
from fleetcast.forecasting.baseline import LAST_READING, errors_before_the_test
from fleetcast.forecasting.model import Fitted, Hyperparameters, Problem, Seasons, Tensors
from fleetcast.forecasting.series import Floats
from fleetcast.forecasting.split import Split, steps_needed
from fleetcast.forecasting.windows import Ints


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

    def point(self, windows: Floats, at: Ints) -> Floats:  # noqa: ARG002  # what is repeated knows no calendar
        """Repeat windows of shape (k, q, season) to (k, q, horizon)."""
        return windows[:, :, np.arange(self.horizon) % self.season]

    def at_half_precision(self) -> SeasonalNaiveModel:
        """The model itself: it holds no numbers."""
        return self


@dataclass(frozen=True, slots=True)
class SeasonalNaive:
    """The family of models that repeat a season: a declared one, or the strongest one that a baseline may have."""

    def needed_steps(self, hyperparameters: Hyperparameters, horizon: int) -> int:
        """One season before the first origin; without a declared one, a single step."""
        return steps_needed(_declared(hyperparameters) or LAST_READING, horizon)

    def reach(self, problem: Problem) -> int:
        """The longest season that this history can judge."""
        return max(season for own in _tried(problem) for season in own)

    def fit(self, problem: Problem, split: Split) -> Fitted:
        """Choose the season; there is nothing else to fit."""
        tried = errors_before_the_test(problem, split, _tried(problem), everywhere=True)
        model = SeasonalNaiveModel(tried.strongest(), problem.horizon)
        return Fitted(backtest=model, final=model)

    def restore(self, choices: Hyperparameters, tensors: Tensors, horizon: int) -> SeasonalNaiveModel:
        """Bring back a model from its season."""
        season = choices.get("season")
        if tensors or not isinstance(season, int) or season < 1:
            raise BadInput(f"a seasonal naive model cannot have the season {season!r}", fix="train it again")
        return SeasonalNaiveModel(season, horizon)


def _tried(problem: Problem) -> Seasons:
    declared = _declared(problem.hyperparameters)
    return ((declared,),) * problem.values.shape[1] if declared else problem.seasons


def _declared(hyperparameters: Hyperparameters) -> int:
    season = hyperparameters.get("season", "auto")
    return season if isinstance(season, int) else 0
