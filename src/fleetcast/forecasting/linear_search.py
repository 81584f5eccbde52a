"""Choosing what a linear model leaves to `auto`: on the calibration origins, with a fixed amount of work."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fleetcast.domain.circuit import HyperparameterValue
from fleetcast.forecasting.baseline import LAST_READING, errors_before_the_test, judged_steps
from fleetcast.forecasting.chance import beyond_chance
from fleetcast.forecasting.far import Far
from fleetcast.forecasting.linear_setting import (
    Blend,
    Setting,
    Sharing,
    inputs_of,
    repeating,
    seasonal_places,
    solve,
)
from fleetcast.forecasting.model import Hyperparameters, Problem
from fleetcast.forecasting.products import (
    FarProducts,
    LaggedProducts,
    Normalisation,
    centred,
    centred_in_place,
)
from fleetcast.forecasting.ridge import Singles
from fleetcast.forecasting.series import Floats
from fleetcast.forecasting.split import Split
from fleetcast.forecasting.windows import Bools, Ints, cut, far_windows

RIDGES = (0.003, 0.03, 0.3)
"""Strengths to try, each ten times the last; a finer grid gains less than the held-out part can tell."""
STRONG_RIDGES = (0.3, 3.0, 30.0)
"""Strengths to try where weights shrink towards a season: there it pays to trust it."""
FAR_RIDGES = (0.001, 0.01, 0.1)
"""Strengths to try with far inputs, which are smoother than readings."""
LONGEST_SEASON = 1_024
"""Steps of the longest season that `auto` reaches over: a week of ten minutes. Solving takes the cube of it."""
MOST_BLENDED = 4
_SHORTEST_TO_HALVE = 16
_WORTH_IT = 0.995
"""What a set of weights per sensor, many times as large, must lower the error to."""
_CLEARLY = 0.95
"""What another setting must lower one sensor's error to, to be worth its storage."""
_NEARLY = 1.1
"""What a form's error may be at most, as a share of the best one's, to have a say in a blend."""
_ALONE = 0.98
"""What the best form alone must lower a blend's error to: a blend is what chance on few origins misleads less."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Windows to judge by: those without a hole, of one sensor after the other."""

    windows: Floats
    """Shape (q, reach + horizon)."""
    origins: Ints
    """Of each window, in steps; shape (q,)."""
    of_sensor: tuple[slice, ...]
    """Which windows are of each sensor; none at all where all have holes."""
    reach: int
    horizon: int

    @classmethod
    def of(cls, problem: Problem, split: Split, longest: int) -> HeldOut:
        """Cut the calibration origins' windows; what lies before the split's reach has its holes closed."""
        reach = max(split.reach, longest)
        before = far_windows(problem.values, split.calibration, reach, split.reach)
        after = cut(problem.values, split.calibration, problem.horizon)
        every = np.concatenate([before, after], axis=2)
        whole: Bools = np.asarray(np.isfinite(every).all(axis=2))
        ends = np.cumsum(whole.sum(axis=1))
        return cls(
            every[whole],
            np.broadcast_to(split.calibration, whole.shape)[whole],
            tuple(
                slice(int(end - count), int(end)) for end, count in zip(ends, whole.sum(axis=1), strict=True)
            ),
            reach,
            problem.horizon,
        )


class Search:
    """Weighs candidates against each other; the products and windows of each kind are prepared once."""

    def __init__(
        self, problem: Problem, split: Split, products: LaggedProducts, far: FarProducts | None = None
    ) -> None:
        self._products = products
        self._far = far
        strongest = errors_before_the_test(problem, split, problem.seasons, everywhere=True).strongest()
        longest = min(LONGEST_SEASON, int(split.calibration[0]))
        self.repeatable = strongest if LAST_READING < strongest <= longest else 0
        """The season, in steps, that is best repeated all over the history before the test part; 0: none fits.

        Never the last reading: a forecast that stands still while its sensor does not is what a broken model gives.
        """
        self._held_out = HeldOut.of(
            problem, split, max(self.repeatable, far.near + far.far.reach if far else 0)
        )
        self._first = problem.first
        self._reach = split.reach
        self._steps = judged_steps(problem.horizon)
        self._examples: dict[tuple[int, Normalisation, Far | None], tuple[Singles, Singles]] = {}
        self._misses: dict[Setting, Singles] = {}
        self._errors: dict[Blend, Floats] = {}
        self._means: dict[Blend, Floats] = {}
        self._pooled: Floats | None = None
        self._centred: dict[tuple[int | None, int, Normalisation, Far | None], Floats] = {}

    @property
    def tried(self) -> Sequence[Setting]:
        """Every setting that was judged."""
        return list(self._misses)

    def errors(self, *blend: Setting) -> Floats:
        """Mean absolute error of each sensor, in standard deviations; NaN if it cannot be measured."""
        if blend not in self._means:
            self._means[blend] = self._by_sensor(self._by_origin(blend))
        return self._means[blend]

    def is_better(self, sensor: int, blend: Blend, than: Blend) -> bool:
        """Whether one candidate is better than another for one sensor, by more than chance."""
        own = self._held_out.of_sensor[sensor]
        gains = self._by_origin(than)[own] - self._by_origin(blend)[own]
        return beyond_chance(gains, self._held_out.origins[own], self._held_out.horizon)

    def _by_sensor(self, by_origin: Floats) -> Floats:
        return np.array(
            [by_origin[own].mean() if own.stop > own.start else np.nan for own in self._held_out.of_sensor]
        )

    def _by_origin(self, blend: Blend) -> Floats:
        if blend not in self._errors:
            misses = sum(self._misses_of(setting) for setting in blend) / np.float32(len(blend))
            self._errors[blend] = np.abs(misses).mean(axis=1).astype(np.float64)
        return self._errors[blend]

    def _misses_of(self, choice: Setting) -> Singles:
        """Forecast less reading at each origin and judged step."""
        if choice not in self._misses:
            inputs, targets = self._prepared(choice)
            if choice.sharing is Sharing.POOLED:
                points = inputs @ self.weights(choice, None, self._steps)
            else:
                points = np.concatenate(
                    [
                        inputs[own] @ self.weights(choice, sensor, self._steps)
                        for sensor, own in enumerate(self._held_out.of_sensor)
                    ]
                )
            self._misses[choice] = points - targets
        return self._misses[choice]

    def error(self, *blend: Setting) -> float:
        """The mean over the sensors, of equal weight; infinite if none can be measured."""
        return _mean(self.errors(*blend))

    def seasonal_errors(self, season: int) -> Floats:
        """Of repeating the season that weights may shrink towards, as `errors`."""
        setting = Setting(self._reach, 0.0, Normalisation.LAST, Sharing.POOLED)
        inputs, targets = self._prepared(setting)
        back = seasonal_places(setting.lookback, season, self._steps)
        return self._by_sensor(np.abs(inputs[:, back] - targets).mean(axis=1).astype(np.float64))

    def best(self, choices: Iterable[Setting]) -> tuple[Setting, float]:
        """The first of the candidates with the least error."""
        judged = [(self.error(choice), number, choice) for number, choice in enumerate(choices)]
        least, _, choice = min(judged, key=lambda each: each[:2])
        return choice, least

    def weights(self, choice: Setting, sensor: int | None, steps: Ints) -> Singles:
        """Solve on the past, for some steps of the horizon; `sensor` None is the pool of all."""
        if choice.repeats:
            return repeating(choice, steps)
        key = (sensor, choice.lookback, choice.normalisation, choice.far)
        if key not in self._centred:
            self._centred[key] = self._past(choice, sensor)
        return solve(self._centred[key], choice, steps)

    def _past(self, choice: Setting, sensor: int | None) -> Floats:
        if choice.far is not None and self._far is not None:
            if sensor is None:
                return self._far.past_pooled(choice.normalisation)
            return self._far.past(sensor, choice.normalisation)
        setup = (self._products.horizon, choice.lookback, choice.normalisation)
        if sensor is None:
            return centred(self._pool(), *setup)
        return centred_in_place(self._products.past(sensor), *setup)

    def _pool(self) -> Floats:
        if self._pooled is None:
            self._pooled = self._products.past_pooled()
        return self._pooled

    def _prepared(self, choice: Setting) -> tuple[Singles, Singles]:
        key = (choice.lookback, choice.normalisation, choice.far)
        if key not in self._examples:
            windows, reach = self._held_out.windows, self._held_out.reach
            at = self._held_out.origins + self._first
            level, inputs = inputs_of(windows[:, reach - choice.reach : reach], at, choice)
            targets = windows[:, reach + self._steps] - level[:, None]
            self._examples[key] = inputs, targets.astype(np.float32)
        return self._examples[key]


def choose(
    search: Search, hyperparameters: Hyperparameters, reach: int, seasons: Sequence[int], far: Setting | None
) -> tuple[Blend, ...]:
    """Settle every `auto`, for each sensor; lookback and normalisation are the same for all.

    Normalisation, ridge and lookback are compared with pooled weights. Then each sensor gets what the calibration
    origins measure as better: pooled weights or its own, shrunk towards the level or towards a season. At last forms
    that are nearly as good as the best one are blended.

    Args:
        search: Over the past alone.
        hyperparameters: As declared.
        reach: Steps of the longest near window.
        seasons: What weights may shrink towards, in steps.
        far: The form that has far inputs, if there is history enough for them.
    """
    chosen = _one_for_each_sensor(search, hyperparameters, reach, seasons)
    if far is not None:
        search.best([replace(far, ridge=ridge) for ridge in FAR_RIDGES])
    if hyperparameters.get("blend", "auto") != "auto":
        return tuple((choice,) for choice in chosen)
    if search.repeatable and {hyperparameters.get(name, "auto") for name in ("lookback", "ridge")} == {
        "auto"
    }:
        search.errors(Setting.repeating(search.repeatable))
    sharing = hyperparameters.get("sharing", "auto")
    allowed = [each for each in search.tried if sharing in ("auto", each.sharing) or each.repeats]
    blend = _blended(search, allowed)
    return tuple(_for_sensor(search, sensor, blend, allowed) for sensor in range(len(chosen)))


def _for_sensor(search: Search, sensor: int, blend: Blend, allowed: Sequence[Setting]) -> Blend:
    """The blend, but where one setting alone, that learns something, is better for this sensor, beyond chance."""
    measured = [(float(search.errors(choice)[sensor]), choice) for choice in allowed if not choice.repeats]
    least, best = min(measured, key=lambda each: each[0])
    is_clear = least < float(search.errors(*blend)[sensor]) * _CLEARLY
    return (best,) if is_clear and search.is_better(sensor, (best,), than=blend) else blend


def _blended(search: Search, allowed: Sequence[Setting]) -> Blend:
    """The best blend, of shared weights alone unless weights per sensor, many times as large, are worth it."""
    blend = _blend_of(search, allowed)
    shared = [choice for choice in allowed if choice.sharing is Sharing.POOLED]
    if len(shared) in (0, len(allowed)):
        return blend
    smaller = _blend_of(search, shared)
    return blend if search.error(*blend) < search.error(*smaller) * _WORTH_IT else smaller


def _blend_of(search: Search, allowed: Sequence[Setting]) -> Blend:
    """The best setting of each form that is nearly as good as the best of all; fewer where that is better."""
    best: dict[tuple[object, ...], Setting] = {}
    for choice in sorted(allowed, key=search.error):
        best.setdefault(choice.form, choice)
    forms = list(best.values())
    least = search.error(forms[0])
    near = [choice for choice in forms if search.error(choice) <= least * _NEARLY][:MOST_BLENDED]
    blends = [tuple(near[:count]) for count in range(len(near), 1, -1)]
    blend = min(blends, key=lambda each: search.error(*each), default=(forms[0],))
    return (forms[0],) if least < search.error(*blend) * _ALONE else blend


def _one_for_each_sensor(
    search: Search, hyperparameters: Hyperparameters, reach: int, seasons: Sequence[int]
) -> tuple[Setting, ...]:
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
        is_clear = measured[best] < error * _CLEARLY and search.is_better(
            sensor, (others[best],), than=(usual,)
        )
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
