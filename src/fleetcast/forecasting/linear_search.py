"""Choosing what a linear model leaves to `auto`: on the calibration origins, with a fixed amount of work."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from fleetcast.domain.circuit import HyperparameterValue
from fleetcast.forecasting.baseline import judged_steps
from fleetcast.forecasting.chance import beyond_chance
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
from fleetcast.forecasting.windows import Bools, Ints, cut

RIDGES = (0.003, 0.03, 0.3)
"""Strengths to try, each ten times the last; a finer grid gains less than the held-out part can tell."""
STRONG_RIDGES = (0.3, 3.0, 30.0)
"""Strengths to try where weights shrink towards a season: there it pays to trust it."""
_SHORTEST_TO_HALVE = 16
_WORTH_IT = 0.995
"""What a set of weights per sensor, many times as large, must lower the error to."""
_CLEARLY = 0.95
"""What another setting must lower one sensor's error to, to be worth its storage."""


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
    season: int = 0
    """Steps after which the forecast repeats that the weights shrink towards; 0: the window's level."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Windows to judge by: for each sensor those without a hole, shape (q, reach + horizon)."""

    windows: tuple[Floats, ...]
    origins: tuple[Ints, ...]
    """Of each sensor's windows, in steps."""
    reach: int
    horizon: int

    @classmethod
    def of(cls, problem: Problem, split: Split) -> HeldOut:
        """Cut the calibration origins' windows."""
        every = cut(problem.values, split.calibration - split.reach, split.reach + problem.horizon)
        whole: Bools = np.asarray(np.isfinite(every).all(axis=2))
        return cls(
            tuple(windows[kept] for windows, kept in zip(every, whole, strict=True)),
            tuple(split.calibration[kept] for kept in whole),
            split.reach,
            problem.horizon,
        )


class Search:
    """Weighs candidates against each other; the products and windows of each kind are prepared once."""

    def __init__(self, problem: Problem, split: Split, products: LaggedProducts) -> None:
        self._products = products
        self._held_out = HeldOut.of(problem, split)
        self._steps = judged_steps(problem.horizon)
        self._examples: dict[tuple[int, Normalisation], list[tuple[Singles, Singles]]] = {}
        self._errors: dict[Setting, list[Floats]] = {}
        self._means: dict[Setting, Floats] = {}
        self._pooled: Floats | None = None
        self._centred: dict[tuple[int | None, int, Normalisation], Floats] = {}

    def errors(self, choice: Setting) -> Floats:
        """Mean absolute error of each sensor, in standard deviations; NaN if it cannot be measured."""
        if choice not in self._means:
            errors = self._by_origin(choice)
            self._means[choice] = np.array([np.mean(each) if len(each) else np.nan for each in errors])
        return self._means[choice]

    def is_better(self, sensor: int, choice: Setting, than: Setting) -> bool:
        """Whether one candidate is better than another for one sensor, by more than chance."""
        gains = self._by_origin(than)[sensor] - self._by_origin(choice)[sensor]
        return beyond_chance(gains, self._held_out.origins[sensor], self._held_out.horizon)

    def _by_origin(self, choice: Setting) -> list[Floats]:
        if choice not in self._errors:
            errors: list[Floats] = []
            shared = self.weights(choice, None, self._steps) if choice.sharing is Sharing.POOLED else None
            for sensor, (inputs, targets) in enumerate(self._prepared(choice)):
                weights = self.weights(choice, sensor, self._steps) if shared is None else shared
                errors.append(np.asarray(np.mean(np.abs(inputs @ weights - targets), axis=1), np.float64))
            self._errors[choice] = errors
        return self._errors[choice]

    def error(self, choice: Setting) -> float:
        """The mean over the sensors, of equal weight; infinite if none can be measured."""
        return _mean(self.errors(choice))

    def seasonal_errors(self, season: int) -> Floats:
        """Of repeating the season that weights may shrink towards, as `errors`."""
        setting = Setting(self._held_out.reach, 0.0, Normalisation.LAST, Sharing.POOLED)
        back = seasonal_places(setting.lookback, season, self._steps)
        errors = np.full(self._products.sensors, np.nan)
        for sensor, (inputs, targets) in enumerate(self._prepared(setting)):
            if len(inputs):
                errors[sensor] = np.mean(np.abs(inputs[:, back] - targets))
        return errors

    def best(self, choices: Iterable[Setting]) -> tuple[Setting, float]:
        """The first of the candidates with the least error."""
        judged = [(self.error(choice), number, choice) for number, choice in enumerate(choices)]
        least, _, choice = min(judged, key=lambda each: each[:2])
        return choice, least

    def weights(self, choice: Setting, sensor: int | None, steps: Ints) -> Singles:
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
        return solve(sums, choice, steps)

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


def seasonal_places(lookback: int, season: int, steps: Ints) -> Ints:
    """Where in the window the readings stand that a seasonal forecast repeats at some steps of the horizon."""
    return lookback - season + steps % season


def solve(sums: Floats, choice: Setting, steps: Ints) -> Singles:
    """Weights for some steps of the horizon, from the sums of products of centred windows.

    With a season the ridge shrinks the weights towards repeating it instead of towards the window's level: what is
    learned is the difference, so that much shrinkage gives seasonal naive.
    """
    gram, targets = sums[:, : choice.lookback], sums[:, choice.lookback + steps]
    if not choice.season:
        return solve_ridge(gram, targets, choice.ridge)
    places = seasonal_places(choice.lookback, choice.season, steps)
    weights = solve_ridge(gram, targets - gram[:, places], choice.ridge)
    weights[places, np.arange(len(steps))] += 1.0
    return weights


def choose(
    search: Search, hyperparameters: Hyperparameters, reach: int, seasons: Sequence[int]
) -> tuple[Setting, ...]:
    """Settle every `auto`, for each sensor; lookback and normalisation are the same for all.

    Normalisation, ridge and lookback are compared with pooled weights. Then each sensor gets what the calibration
    origins measure as better: pooled weights or its own, shrunk towards the level or towards a season.

    Args:
        search: Over the past alone.
        hyperparameters: As declared.
        reach: Steps of the longest window.
        seasons: What weights may shrink towards, in steps.
    """
    normalisation = hyperparameters.get("normalisation", "auto")
    ridge = hyperparameters.get("ridge", "auto")
    sharing = hyperparameters.get("sharing", "auto")
    centrings = list(Normalisation) if normalisation == "auto" else [Normalisation(str(normalisation))]
    ridges = RIDGES if isinstance(ridge, str) else (float(ridge),)
    middle = ridges[len(ridges) // 2]
    pooled, least = search.best(Setting(reach, middle, each, Sharing.POOLED) for each in centrings)
    weaker_or_stronger = [replace(pooled, ridge=each) for each in ridges if each != middle]
    pooled, least = _better(search, pooled, least, weaker_or_stronger)
    if hyperparameters.get("lookback", "auto") == "auto" and reach >= _SHORTEST_TO_HALVE:
        pooled, least = _better(search, pooled, least, [replace(pooled, lookback=reach // 2)])
    level, season = pooled, _worth_shrinking_to(search, seasons, search.errors(pooled), reach)
    strong = STRONG_RIDGES if ridge == "auto" else ridges
    if season:
        shrunk = [replace(pooled, lookback=reach, ridge=each, season=season) for each in strong]
        pooled, least = _better(search, pooled, least, shrunk)
    if sharing == Sharing.POOLED:
        return (pooled,) * len(search.errors(pooled))
    own = _own_weights(search, pooled, level, ridges, sharing)
    season = season or _worth_shrinking_to(search, seasons, search.errors(own[0]), pooled.lookback)
    if season and season <= pooled.lookback:
        own += [replace(own[0], ridge=each, season=season) for each in strong]
    single = min(own, key=search.error)
    if sharing != "auto":
        return _by_sensor(search, single, own)
    gains = search.errors(single) < search.errors(pooled) * _WORTH_IT
    usual = single if 2 * np.count_nonzero(gains) > len(gains) else pooled
    return _by_sensor(search, usual, [*own, pooled])


def _own_weights(
    search: Search, pooled: Setting, level: Setting, ridges: Sequence[float], sharing: HyperparameterValue
) -> list[Setting]:
    """Weights per sensor that shrink towards the level: fewer readings for each set want more shrinkage."""
    stronger = min((each for each in ridges if each > level.ridge), default=level.ridge)
    single = replace(pooled, sharing=Sharing.PER_SENSOR, ridge=stronger, season=0)
    if stronger == level.ridge or (
        sharing == "auto" and not np.any(search.errors(single) < search.errors(pooled))
    ):
        return [single]
    return [single, replace(single, ridge=level.ridge)]


def _by_sensor(search: Search, usual: Setting, others: Sequence[Setting]) -> tuple[Setting, ...]:
    """The usual setting for each sensor, but where another is better for that one, clearly and beyond chance."""
    chosen = []
    for sensor, error in enumerate(search.errors(usual)):
        measured = [float(search.errors(other)[sensor]) for other in others]
        best = int(np.argmin(measured)) if np.isfinite(measured).all() else 0
        is_clear = measured[best] < error * _CLEARLY and search.is_better(sensor, others[best], than=usual)
        chosen.append(others[best] if is_clear else usual)
    return tuple(chosen)


def _worth_shrinking_to(search: Search, seasons: Sequence[int], errors: Floats, reach: int) -> int:
    """The strongest of the seasons that beat the weights on some sensor when they are just repeated; 0 for none."""
    measured = {season: search.seasonal_errors(season) for season in seasons if season <= reach}
    better = {
        season: _mean(repeating) for season, repeating in measured.items() if np.any(repeating < errors)
    }
    return min(better, key=lambda season: better[season], default=0)


def _mean(errors: Floats) -> float:
    known = errors[np.isfinite(errors)]
    return float(np.mean(known)) if known.size else np.inf


def _better(search: Search, best: Setting, least: float, others: list[Setting]) -> tuple[Setting, float]:
    if not others:
        return best, least
    other, error = search.best(others)
    return (other, error) if error < least else (best, least)
