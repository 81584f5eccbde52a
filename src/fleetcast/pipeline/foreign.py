"""A model that was trained elsewhere, put to the same uses as one of ours: forecasting, and being held against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from fleetcast.domain.circuit import Circuit
from fleetcast.domain.duration import parse_duration
from fleetcast.domain.errors import BadInput
from fleetcast.domain.model import AdoptedLineage, ModelVersion
from fleetcast.forecasting.conformal import conformal_widths
from fleetcast.forecasting.forecast import Forecast
from fleetcast.forecasting.series import Floats, Series
from fleetcast.forecasting.windows import cut, fill_causally
from fleetcast.ports.artifacts import ArtifactStore
from fleetcast.ports.foreign_models import ForeignModels, ForeignTask

HORIZONS_REPLAYED = 4
"""How far back, in horizons, a foreign model is replayed to learn how wide its intervals must be."""
_REPLAYS = 24
"""From so many origins at most."""
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ForeignModel:
    """One adopted version of a circuit's model.

    It has no say on intervals: they are the conformal widths of its errors from recent origins, replayed in the
    same process as the forecast.
    """

    task: ForeignTask
    lookback: int
    """Steps of history that each forecast is given."""
    models: ForeignModels

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

    def forecast(self, history: Series) -> tuple[Forecast, int]:
        """Forecast the horizon that begins where the history ends, and say how many origins its intervals rest on.

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
            errors = np.abs(actual - points[:-1].transpose(2, 0, 1))
        widths = conformal_widths(errors)
        point, half_80, half_95 = points[-1], widths.half_80.T, widths.half_95.T
        forecast = Forecast(
            history.end,
            self.step,
            self.sensors,
            point,
            lower_80=point - half_80,
            upper_80=point + half_80,
            lower_95=point - half_95,
            upper_95=point + half_95,
        )
        return forecast, len(past)

    def replay(self, series: Series, origins: Sequence[datetime]) -> Floats:
        """How the model would have fared from given origins: its MAE over the horizon, as of a fitted model.

        Returns:
            Shape (origins, targets), in the targets' units; NaN where it cannot be measured.
        """
        values = self._columns(series)
        steps = [(origin.astimezone(UTC) - series.start) / series.step for origin in origins]
        known = [
            (row, int(step))
            for row, step in enumerate(steps)
            if step == int(step)
            and 0 < step <= len(values) - self.horizon
            and np.isfinite(values[max(0, int(step) - self.lookback) : int(step)]).any(axis=0).all()
        ]
        result = np.full((len(origins), len(self.sensors)), np.nan)
        if known:
            rows, positions = np.array(known, dtype=np.int64).T
            points = self._points(series, values, positions)
            actual = cut(values[:, self._target_columns()], positions, self.horizon)
            result[rows] = np.abs(actual - points.transpose(2, 0, 1)).mean(axis=2).T
        return result

    def _points(self, series: Series, values: Floats, origins: Ints) -> Floats:
        """Shape (origins, horizon, targets)."""
        begins = origins - self.lookback
        ahead = max(0, -int(begins.min(initial=0)))
        padded = np.vstack([np.full((ahead, values.shape[1]), np.nan), values]) if ahead else values
        windows = fill_causally(cut(padded, begins + ahead, self.lookback), np.zeros(len(self.reads)))
        ends = [series.start + int(origin) * series.step for origin in origins]
        return self.models.points(self.task, np.ascontiguousarray(windows.transpose(1, 2, 0)), ends)

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


def foreign_model(
    circuit: Circuit, version: ModelVersion, artifacts: ArtifactStore, models: ForeignModels
) -> ForeignModel | None:
    """The foreign model that a version is; None if it was trained here.

    The model is asked for what its circuit declared when it was adopted, not for what it declares now.

    Raises:
        ArtifactMissing: Its files are lost or damaged.
    """
    lineage = version.model.lineage
    if not isinstance(lineage, AdoptedLineage):
        return None
    task = ForeignTask(
        name=str(version),
        folder=artifacts.folder(version.model.artifact),
        features=_names(lineage, "features") or circuit.features,
        targets=_names(lineage, "targets") or circuit.targets,
        step=_length(lineage, "frequency") or circuit.frequency,
        horizon=(_length(lineage, "forecast_horizon") or circuit.horizon)
        // (_length(lineage, "frequency") or circuit.frequency),
    )
    return ForeignModel(task, lineage.lookback, models)


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
