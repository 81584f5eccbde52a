"""Choosing what a linear model leaves to `auto`: on the calibration origins, with a fixed amount of work."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from fleetcast.forecasting.model import Hyperparameters, Problem
from fleetcast.forecasting.products import (
    LaggedProducts,
    Normalisation,
    centred,
    centred_in_place,
    centring_weights,
)
from fleetcast.forecasting.ridge import Singles, solve_ridge
from fleetcast.forecasting.series import Floats
from fleetcast.forecasting.split import Split
from fleetcast.forecasting.windows import cut

RIDGES = (0.003, 0.03, 0.3)
"""Strengths to try, each ten times the last; a finer grid gains less than the held-out part can tell."""
_JUDGED_STEPS = 24
"""Steps of the horizon, evenly spread, that candidates are judged by: solving for fewer steps is cheaper."""
_SHORTEST_TO_HALVE = 16
_WORTH_IT = 0.995
"""What a set of weights per sensor, many times as large, must lower the error to."""


class Sharing(StrEnum):
    """Whose readings one set of weights is learned from."""

    PER_SENSOR = "per-sensor"
    POOLED = "pooled"


@dataclass(frozen=True, slots=True)
class Setting:
    """One way to set up a linear model."""

    lookback: int
    ridge: float
    normalisation: Normalisation
    sharing: Sharing


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Windows to judge by: for each sensor those without a hole, shape (q, reach + horizon)."""

    windows: tuple[Floats, ...]
    reach: int
    horizon: int

    @classmethod
    def of(cls, problem: Problem, split: Split) -> HeldOut:
        """Cut the calibration origins' windows."""
        every = cut(problem.values, split.calibration - split.reach, split.reach + problem.horizon)
        kept = tuple(sensor[np.isfinite(sensor).all(axis=1)] for sensor in every)
        return cls(kept, split.reach, problem.horizon)


class Search:
    """Weighs candidates against each other; the products and windows of each kind are prepared once."""

    def __init__(self, problem: Problem, split: Split, products: LaggedProducts) -> None:
        self._products = products
        self._held_out = HeldOut.of(problem, split)
        self._steps = np.unique(np.linspace(0, problem.horizon - 1, _JUDGED_STEPS).round().astype(np.int64))
        self._examples: dict[tuple[int, Normalisation], list[tuple[Singles, Singles]]] = {}
        self._pooled: Floats | None = None
        self._centred: dict[tuple[int | None, int, Normalisation], Floats] = {}

    def error(self, choice: Setting) -> float:
        """Mean absolute error in standard deviations, sensors of equal weight; infinite if unmeasurable."""
        errors = []
        shared = self.weights(choice, None, self._steps) if choice.sharing is Sharing.POOLED else None
        for sensor, (inputs, targets) in enumerate(self._prepared(choice)):
            if len(inputs):
                weights = self.weights(choice, sensor, self._steps) if shared is None else shared
                errors.append(float(np.mean(np.abs(inputs @ weights - targets))))
        return float(np.mean(errors)) if errors else np.inf

    def best(self, choices: Iterable[Setting]) -> tuple[Setting, float]:
        """The first of the candidates with the least error."""
        judged = [(self.error(choice), number, choice) for number, choice in enumerate(choices)]
        least, _, choice = min(judged, key=lambda each: each[:2])
        return choice, least

    def weights(self, choice: Setting, sensor: int | None, steps: np.typing.NDArray[np.int64]) -> Singles:
        """Solve on the past, for some steps of the horizon; `sensor` None is the pool of all."""
        key = (sensor, choice.lookback, choice.normalisation)
        if key not in self._centred:
            setup = (self._products.horizon, choice.lookback, choice.normalisation)
            self._centred[key] = (
                centred(self._pool(), *setup)
                if sensor is None
                else centred_in_place(self._products.past(sensor), *setup)
            )
        sums = self._centred[key]
        return solve_ridge(sums[:, : choice.lookback], sums[:, choice.lookback + steps], choice.ridge)

    def _pool(self) -> Floats:
        if self._pooled is None:
            self._pooled = self._products.past_pooled()
        return self._pooled

    def _prepared(self, choice: Setting) -> list[tuple[Singles, Singles]]:
        key = (choice.lookback, choice.normalisation)
        if key not in self._examples:
            self._examples[key] = [self._example(windows, choice) for windows in self._held_out.windows]
        return self._examples[key]

    def _example(self, windows: Floats, choice: Setting) -> tuple[Singles, Singles]:
        reach = self._held_out.reach
        inputs = windows[:, reach - choice.lookback : reach]
        level = inputs @ centring_weights(choice.normalisation, choice.lookback)
        targets = windows[:, reach + self._steps]
        return (inputs - level[:, None]).astype(np.float32), (targets - level[:, None]).astype(np.float32)


def choose(search: Search, hyperparameters: Hyperparameters, reach: int) -> Setting:
    """Settle every `auto`: normalisation, ridge and lookback with pooled weights, then the sharing."""
    normalisation = hyperparameters.get("normalisation", "auto")
    ridge = hyperparameters.get("ridge", "auto")
    sharing = hyperparameters.get("sharing", "auto")
    centrings = list(Normalisation) if normalisation == "auto" else [Normalisation(str(normalisation))]
    ridges = RIDGES if isinstance(ridge, str) else (float(ridge),)
    middle = ridges[len(ridges) // 2]
    best, least = search.best(Setting(reach, middle, each, Sharing.POOLED) for each in centrings)
    weaker_or_stronger = [replace(best, ridge=each) for each in ridges if each != middle]
    best, least = _better(search, best, least, weaker_or_stronger)
    if hyperparameters.get("lookback", "auto") == "auto" and reach >= _SHORTEST_TO_HALVE:
        best, least = _better(search, best, least, [replace(best, lookback=reach // 2)])
    if sharing == Sharing.POOLED:
        return best
    # fewer readings for each set of weights want more shrinkage
    stronger = min((each for each in ridges if each > best.ridge), default=best.ridge)
    single, error = search.best([replace(best, sharing=Sharing.PER_SENSOR, ridge=stronger)])
    if sharing == "auto" and not error < least * _WORTH_IT:
        return best
    single, _ = _better(search, single, error, [replace(single, ridge=best.ridge)])
    return single


def _better(search: Search, best: Setting, least: float, others: list[Setting]) -> tuple[Setting, float]:
    if not others:
        return best, least
    other, error = search.best(others)
    return (other, error) if error < least else (best, least)
