"""From a circuit's series to a model with its intervals, its metrics and its backtest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np

from fleetcast.domain.errors import BadInput
from fleetcast.domain.quality import SensorLimits
from fleetcast.domain.scores import Baseline, ModelScores, Scores
from fleetcast.domain.sensor import LARGEST
from fleetcast.forecasting.backtest import Backtest
from fleetcast.forecasting.baseline import candidates, choose_baselines, repeated
from fleetcast.forecasting.bounds import Bounds
from fleetcast.forecasting.conformal import Offsets, conformal_offsets
from fleetcast.forecasting.errors import HistoryTooShort
from fleetcast.forecasting.family import family_named, needed_steps
from fleetcast.forecasting.far import absolute_step
from fleetcast.forecasting.fitted import FittedModel, Units
from fleetcast.forecasting.metrics import mean_metrics, naive_scale
from fleetcast.forecasting.model import Fitted, Hyperparameters, Model, Problem
from fleetcast.forecasting.scoring import score
from fleetcast.forecasting.series import Floats, Series
from fleetcast.forecasting.split import Split, split
from fleetcast.forecasting.windows import cut, far_windows, longest_run

_NOTICEABLE = 1e-4
"""Rounding to half precision may move no sensor's MAE by a larger share than this."""
_COMPARED = 4
"""Each how many-eth origin that is judged on: forecasting from all of them twice would take a tenth of a training."""


@dataclass(frozen=True, slots=True)
class TrainingTask:
    """What to train."""

    targets: tuple[str, ...]
    """Sensors to forecast, in the order of the forecast."""
    horizon: int
    """Steps to forecast."""
    family: str
    hyperparameters: Hyperparameters = field(default_factory=lambda: MappingProxyType({}))
    """As declared; what is missing is `auto`."""
    limits: Mapping[str, SensorLimits] = field(default_factory=lambda: MappingProxyType({}))
    """The physical range of sensors: no forecast leaves it."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained model with the evidence for it."""

    model: FittedModel
    """Fitted on everything; its intervals come from every held-out origin."""
    metrics: Mapping[str, Scores]
    """By sensor, of the backtest model on the test origins, rounded as it is stored."""
    mean: Scores
    backtest: Backtest

    @property
    def scores(self) -> ModelScores:
        """The metrics as the registry keeps them."""
        step = self.model.step.total_seconds()
        baselines = {
            sensor: Baseline(season, season * step)
            for sensor, season in zip(self.backtest.sensors, self.backtest.seasons, strict=True)
        }
        return ModelScores(self.mean, self.metrics, baselines)


def train(series: Series, task: TrainingTask) -> Trained:
    """Fit, calibrate, test and refit the model of one circuit.

    A model fitted on the past chooses what is `auto` and calibrates its intervals on later origins, is tested
    on origins later still, and is then fitted again on everything. No training window crosses a hole.

    Args:
        series: At least the task's targets; NaN and ±Inf are holes.
        task: What to train.

    Raises:
        HistoryTooShort: No unbroken run of a target is long enough.
        BadInput: Unknown family, wrong hyperparameter, a unknown target, or a horizon below one.
    """
    values = _targets(series, task)
    needed = needed_steps(task.family, task.hyperparameters, task.horizon)
    if (have := longest_run(values)) < needed:
        raise HistoryTooShort(have, needed)
    family = family_named(task.family)
    seasons = candidates(values, series.step, task.horizon)
    first = absolute_step(series.start, series.step)
    problem = Problem(values, series.step, task.horizon, task.hyperparameters, seasons, first)
    parts = split(values, reach=family.reach(problem), horizon=task.horizon, step=series.step)
    units = Units.of(values[: parts.train_end], values)
    standard = replace(problem, values=units.standardise(values))
    fitted = family.fit(standard, parts)
    bounds = Bounds.of(task.targets, task.limits)
    final, held_out = _as_stored(standard, fitted, parts, units.standard_bounds(bounds))
    known = len(parts.calibration)
    calibrated = conformal_offsets(held_out.residuals[:, :known]).times(units.scale)
    metrics, backtest = _evidence(
        series, standard, units, parts, held_out.since(known), calibrated, bounds, task.targets
    )
    offsets = conformal_offsets(held_out.residuals).as_stored()
    model = FittedModel(task.family, final, task.targets, series.step, task.horizon, units, offsets, bounds)
    return Trained(model, metrics, mean_metrics(metrics.values()), backtest)


@dataclass(frozen=True, slots=True)
class _HeldOut:
    """Held-out readings and forecasts, standardised, of shape (k, q, h); NaN where a window has a hole."""

    actual: Floats
    point: Floats

    @property
    def residuals(self) -> Floats:
        residuals: Floats = self.actual - self.point
        return residuals

    def each(self, number: int) -> _HeldOut:
        """Every so many-eth origin."""
        return _HeldOut(self.actual[:, ::number], self.point[:, ::number])

    def since(self, origin: int) -> _HeldOut:
        return _HeldOut(self.actual[:, origin:], self.point[:, origin:])


def _as_stored(problem: Problem, fitted: Fitted, parts: Split, bounds: Bounds) -> tuple[Model, _HeldOut]:
    """Round to half precision where that moves no error noticeably, and forecast from every held-out origin.

    Returns:
        The final model as it will be stored, and the forecasts of the backtest model in the same precision.
    """
    origins = np.concatenate([parts.calibration, parts.test])
    windows = far_windows(problem.values, origins, fitted.backtest.lookback, parts.reach)
    actual = cut(problem.values, origins, problem.horizon)
    at = origins + problem.first

    def forecasts(model: Model, each: int = 1) -> _HeldOut:
        return _HeldOut(actual[:, ::each], bounds.applied(model.point(windows[:, ::each], at[::each]).T).T)

    half = forecasts(fitted.backtest.at_half_precision())
    before = _error_by_sensor(forecasts(fitted.backtest, _COMPARED))
    after = _error_by_sensor(half.each(_COMPARED))
    if np.all(np.abs(after - before) <= _NOTICEABLE * before):
        return fitted.final.at_half_precision(), half
    return fitted.final, forecasts(fitted.backtest)


def _error_by_sensor(held_out: _HeldOut) -> Floats:
    """Mean absolute error, shape (k,); 0 where nothing was measured."""
    errors = np.abs(held_out.residuals)
    measured = np.isfinite(errors)
    mean: Floats = np.sum(np.where(measured, errors, 0.0), axis=(1, 2)) / np.maximum(
        measured.sum(axis=(1, 2)), 1
    )
    return mean


def _evidence(
    series: Series,
    problem: Problem,
    units: Units,
    parts: Split,
    tested: _HeldOut,
    offsets: Offsets,
    bounds: Bounds,
    targets: tuple[str, ...],
) -> tuple[dict[str, Scores], Backtest]:
    """Judge the test origins, in the sensors' own units, next to its baseline."""
    seasons = choose_baselines(problem, parts)
    scores, model_mae, naive_mae = {}, [], []
    for number, target in enumerate(targets):
        scale, centre = units.scale[number], units.centre[number]
        naive = repeated(problem.values[:, [number]], parts.test, seasons[number], problem.horizon)
        actual, point, baseline = (
            each * scale + centre for each in (tested.actual[number], tested.point[number], naive[0])
        )
        ends = [point + end[number] for end in offsets.in_order]
        lines = np.clip([*ends[:2], point, *ends[2:]], bounds.lower[number], bounds.upper[number])
        history = problem.values[: parts.train_end, number] * scale
        scores[target] = score(actual, lines, baseline, naive_scale(history, seasons[number]))
        model_mae.append(np.mean(np.abs(actual - point), axis=1))
        naive_mae.append(np.mean(np.abs(actual - baseline), axis=1))
    backtest = Backtest(
        sensors=targets,
        origins=tuple(series.start + int(origin) * series.step for origin in parts.test),
        trained_before=series.start + parts.train_end * series.step,
        seasons=seasons,
        model_mae=np.stack(model_mae, axis=1),
        naive_mae=np.stack(naive_mae, axis=1),
    )
    return scores, backtest


def _targets(series: Series, task: TrainingTask) -> Floats:
    if task.horizon < 1:
        raise BadInput(f"a horizon of {task.horizon} steps", fix="forecast at least one step")
    if not task.targets or len(set(task.targets)) < len(task.targets):
        raise BadInput(
            f"targets {', '.join(task.targets) or 'none'}", fix="name each sensor to forecast once"
        )
    missing = [target for target in task.targets if target not in series.sensors]
    if missing:
        raise BadInput(
            f"the series has no sensor {', '.join(missing)}; it has {', '.join(series.sensors) or 'none'}",
            fix="name sensors of the data source",
        )
    values = series.values[:, [series.sensors.index(target) for target in task.targets]]
    return np.where(np.abs(values) <= LARGEST, values, np.nan)
