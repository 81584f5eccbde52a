"""A trained model, ready to forecast: a family's model with its units and its intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

import numpy as np

from fleetcast.domain.errors import BadInput
from fleetcast.domain.quality import SensorLimits
from fleetcast.domain.sensor import LARGEST
from fleetcast.forecasting.bounds import Bounds
from fleetcast.forecasting.conformal import Offsets
from fleetcast.forecasting.far import absolute_step
from fleetcast.forecasting.forecast import Forecast
from fleetcast.forecasting.model import Model
from fleetcast.forecasting.series import Floats, Series
from fleetcast.forecasting.windows import Ints, cut, fill_causally


@dataclass(frozen=True, slots=True)
class Units:
    """Where each sensor's readings lie and how far they spread, to standardise them; each of shape (k,)."""

    centre: Floats
    scale: Floats
    """Positive; 1 for a sensor that never changed."""

    @classmethod
    def of(cls, values: Floats, fallback: Floats) -> Units:
        """Measure mean and standard deviation over observed readings.

        Args:
            values: Shape (n, k); NaN is a hole.
            fallback: More of the same sensors, shape (m, k), for those that `values` shows nothing of.
        """
        measured = [
            _mean_and_spread(column) or _mean_and_spread(more) or (_some(more), 1.0)
            for column, more in zip(values.T, fallback.T, strict=True)
        ]
        return cls(np.array([mean for mean, _ in measured]), np.array([spread for _, spread in measured]))

    def standard_bounds(self, bounds: Bounds) -> Bounds:
        """Bounds in the sensors' units, for standardised readings."""
        return Bounds(self.standardise(bounds.lower), self.standardise(bounds.upper))

    def standardise(self, values: Floats) -> Floats:
        """Readings with the sensors along the last axis, to mean 0 and spread 1."""
        return (values - self.centre) / self.scale


def _mean_and_spread(column: Floats) -> tuple[float, float] | None:
    known = column[np.isfinite(column)]
    if not known.size:
        return None
    unit = float(np.max(np.abs(known)))
    if not unit:
        return None
    mean = float(np.mean(known / unit))
    spread = float(np.std(known / unit))
    return (mean * unit, spread * unit) if spread > 1e-12 * max(1.0, abs(mean)) else None


def _some(column: Floats) -> float:
    known = column[np.isfinite(column)]
    return float(known[0]) if known.size else 0.0


@dataclass(frozen=True, slots=True)
class FittedModel:
    """A model of one circuit that forecasts all its target sensors over the whole horizon."""

    family: str
    model: Model
    sensors: tuple[str, ...]
    step: timedelta
    horizon: int
    units: Units
    offsets: Offsets
    """Of the intervals' ends, in standard deviations; shape (k, h)."""
    bounds: Bounds
    """What the sensors can read: neither points nor intervals leave it."""
    reach: Offsets = field(init=False, repr=False, compare=False)
    """The offsets in the sensors' units."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "reach", self.offsets.times(self.units.scale))

    @property
    def lookback(self) -> int:
        """Steps of history that one forecast is made from; a shorter one is filled up."""
        return self.model.lookback

    def within(self, limits: Mapping[str, SensorLimits]) -> FittedModel:
        """The same model for sensors of another physical range."""
        return replace(self, bounds=Bounds.of(self.sensors, limits))

    def forecast(self, history: Series) -> Forecast:
        """Forecast the horizon that begins where the history ends.

        Args:
            history: At least this model's sensors, in any order, on its grid. Holes take the last reading
                before them; a sensor without any reading is forecast from its mean in training, so that
                a forecast is never empty.

        Raises:
            BadInput: A sensor is missing, or the grid is another.
        """
        values = self.columns(history)
        at = absolute_step(history.end, self.step)
        point = (
            self._point(values[len(values) - self.lookback :], at) if len(values) >= self.lookback else None
        )
        if point is None:
            point = self.points(values, np.array([len(values)]), at - len(values))[:, 0].T.copy()
        return Forecast.around(
            history.end,
            self.step,
            self.sensors,
            point,
            self.reach,
            self.bounds,
        )

    def _point(self, window: Floats, at: int) -> Floats | None:
        """The same as `points` from the end of one window of the right length, shape (h, k); None: it has a hole."""
        if not np.isfinite(window).all():
            return None
        standard = np.ascontiguousarray(self.units.standardise(window).T)
        standard_point = self.model.point(standard[:, None], np.array([at]))[:, 0].T
        point: Floats = standard_point * self.units.scale + self.units.centre
        return np.ascontiguousarray(point if self.bounds.is_open else self.bounds.applied(point))

    def points(self, values: Floats, origins: Ints, first: int) -> Floats:
        """Point forecasts from several origins of one series.

        Args:
            values: Shape (n, k), in this model's sensors, in their units; NaN is a hole.
            origins: First step of each forecast, 0 to n; shape (q,).
            first: The absolute step of the first reading.

        Returns:
            Shape (k, q, horizon), in the sensors' units, within their bounds.
        """
        begins = origins - self.lookback
        ahead = max(0, -int(begins.min(initial=0)))
        if ahead:
            values = np.vstack([np.full((ahead, values.shape[1]), np.nan), values])
        finite = np.where(np.abs(values) <= LARGEST, values, np.nan)
        standard = self.units.standardise(finite)
        windows = fill_causally(cut(standard, begins + ahead, self.lookback), np.zeros(len(self.sensors)))
        point = self.model.point(windows, origins + first)
        in_units = point * self.units.scale[:, None, None] + self.units.centre[:, None, None]
        return self.bounds.applied(in_units.T).T

    def columns(self, series: Series) -> Floats:
        """Pick the model's sensors out of a series, shape (n, k).

        Raises:
            BadInput: A sensor is missing, or the grid is another.
        """
        missing = [sensor for sensor in self.sensors if sensor not in series.sensors]
        if missing:
            raise BadInput(
                f"the history has no sensor {', '.join(missing)}, only {', '.join(series.sensors) or 'none'}",
                fix="give readings of every sensor that the model was trained on",
            )
        if series.step != self.step:
            raise BadInput(
                f"the history has a step of {series.step}, the model one of {self.step}",
                fix="resample the readings to the model's frequency",
            )
        if series.sensors == self.sensors:
            return series.values
        return series.values[:, [series.sensors.index(sensor) for sensor in self.sensors]]
