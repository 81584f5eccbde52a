"""A model that was trained elsewhere, as a forecaster: each call is a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fleetcast.domain.circuit import Circuit
from fleetcast.domain.duration import parse_duration
from fleetcast.domain.errors import BadInput
from fleetcast.domain.model import AdoptedLineage, ModelVersion
from fleetcast.domain.wording import counted
from fleetcast.forecasting.bounds import Bounds
from fleetcast.forecasting.conformal import conformal_offsets
from fleetcast.forecasting.forecast import Forecast
from fleetcast.forecasting.forecaster import NotedForecast
from fleetcast.forecasting.series import Floats, Series
from fleetcast.forecasting.windows import cut, fill_causally
from fleetcast.ports.foreign_models import ForeignModels, ForeignTask

_HORIZONS_REPLAYED = 4
"""How far back, in horizons, a foreign model is replayed to learn how wide its intervals must be."""
_REPLAYS = 24
"""From so many origins at most."""
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ForeignForecaster:
    """One adopted version of a circuit's model.

    It has no say on intervals: they are conformal, from its errors from recent origins, replayed in the
    same process as the forecast.
    """

    task: ForeignTask
    lookback: int
    """Steps of history that each forecast is given."""
    models: ForeignModels
    bounds: Bounds
    """What its targets can read: neither points nor intervals leave it."""
    waits = True
    memory_bytes = 10_000
    """Its numbers are in processes of their own."""
    repeated_decimals = 3
    """Other libraries need not repeat themselves to the last digit."""

    @property
    def reads(self) -> tuple[str, ...]:
        """The sensors it is given."""
        return self.task.features

    @property
    def sensors(self) -> tuple[str, ...]:
        """The sensors it forecasts."""
        return self.task.targets

    @property
    def step(self) -> timedelta:
        """Of its grid."""
        return self.task.step

    @property
    def horizon(self) -> int:
        """Steps it forecasts."""
        return self.task.horizon

    @property
    def more_history(self) -> int:
        """Steps that hold the recent origins which its intervals are measured from."""
        return _HORIZONS_REPLAYED * self.horizon

    def forecast(self, history: Series) -> NotedForecast:
        """Forecast, and say how many origins the intervals rest on.

        Raises:
            ForeignModelFailed: The model did not answer within its limits, or not with a forecast.
            BadInput: A feature has no reading at all in the history, or the grid is another.
        """
        values = self._columns(history)
        end = len(values)
        seen = np.isfinite(values)
        silent = [name for column, name in enumerate(self.reads) if not seen[:, column].any()]
        if silent:
            raise BadInput(
                f"{self.task.name} cannot forecast: no recent reading of {', '.join(silent)}",
                fix="see `fleetcast data quality`; a model that was trained elsewhere needs every feature",
            )
        past = _spread(self.lookback, end - self.horizon)
        points = self._points(history, values, np.append(past, end))
        actual = cut(values[:, self._target_columns()], past, self.horizon) if len(past) else None
        errors = np.full((len(self.sensors), 0, self.horizon), np.nan)
        if actual is not None:
            errors = actual - points[:-1].transpose(2, 0, 1)
        forecast = Forecast.around(
            history.end, self.step, self.sensors, points[-1], conformal_offsets(errors), self.bounds
        )
        return NotedForecast(forecast, (_rests_on(len(past)),))

    def replay(self, series: Series, origins: Sequence[datetime]) -> Floats:
        """Its errors; NaN from an origin in whose lookback a feature has no reading."""
        values = self._columns(series)
        steps = [series.step_at(origin) for origin in origins]
        known = [
            (row, step)
            for row, step in enumerate(steps)
            if step is not None
            and 0 < step <= len(values) - self.horizon
            and np.isfinite(values[max(0, step - self.lookback) : step]).any(axis=0).all()
        ]
        result = np.full((len(origins), len(self.sensors)), np.nan)
        if known:
            rows, positions = np.array(known, dtype=np.int64).T
            points = self._points(series, values, positions)
            actual = cut(values[:, self._target_columns()], positions, self.horizon)
            result[rows] = np.abs(actual - points.transpose(2, 0, 1)).mean(axis=2).T
        return result

    def _points(self, series: Series, values: Floats, origins: Ints) -> Floats:
        """Shape (origins, horizon, targets), within the bounds."""
        begins = origins - self.lookback
        ahead = max(0, -int(begins.min(initial=0)))
        padded = np.vstack([np.full((ahead, values.shape[1]), np.nan), values]) if ahead else values
        windows = fill_causally(cut(padded, begins + ahead, self.lookback), np.zeros(len(self.reads)))
        ends = [series.start + int(origin) * series.step for origin in origins]
        given = np.ascontiguousarray(windows.transpose(1, 2, 0))
        return self.bounds.applied(self.models.points(self.task, given, ends))

    def _target_columns(self) -> list[int]:
        return [self.reads.index(name) for name in self.sensors]

    def _columns(self, series: Series) -> Floats:
        missing = [name for name in self.reads if name not in series.sensors]
        if missing or series.step != self.step:
            raise BadInput(
                f"{self.task.name} needs {', '.join(self.reads)} every {self.step}; there is "
                f"{', '.join(series.sensors) or 'nothing'} every {series.step}",
                fix="give readings of every feature, at the circuit's frequency",
            )
        values = series.values[:, [series.sensors.index(name) for name in self.reads]]
        return np.where(np.isfinite(values), values, np.nan)


def adopted_task(
    circuit: Circuit, version: ModelVersion, lineage: AdoptedLineage, copy: Callable[[Path], object]
) -> ForeignTask:
    """What an adopted version is asked for: what its circuit declared then, not what it declares now."""
    step = _length(lineage, "frequency") or circuit.frequency
    return ForeignTask(
        name=str(version),
        copy=copy,
        features=_names(lineage, "features") or circuit.features,
        targets=_names(lineage, "targets") or circuit.targets,
        step=step,
        horizon=(_length(lineage, "forecast_horizon") or circuit.horizon) // step,
    )


def _rests_on(origins: int) -> str:
    if not origins:
        return "too few readings to measure the model's errors: there are no intervals"
    return (
        f"the intervals come from the model's errors from {counted(origins, 'recent origin')}, "
        "some of which it may have been trained on"
    )


def _names(lineage: AdoptedLineage, field: str) -> tuple[str, ...]:
    names = lineage.inputs.get(field, ())
    return tuple(map(str, names)) if isinstance(names, list | tuple) else ()


def _length(lineage: AdoptedLineage, field: str) -> timedelta | None:
    text = lineage.inputs.get(field)
    return parse_duration(text) if isinstance(text, str) else None


def _spread(first: int, last: int) -> Ints:
    """At most so many origins from `first` to `last`, evenly apart; none if there is no room."""
    if last < first:
        return np.array([], dtype=np.int64)
    return np.unique(np.linspace(first, last, min(_REPLAYS, last - first + 1)).astype(np.int64))
