"""How a model fared from many past origins, next to their baselines (rolling origins: Tashman 2000)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from fleetcast.forecasting.far import absolute_step
from fleetcast.forecasting.fitted import FittedModel
from fleetcast.forecasting.series import Floats, Series
from fleetcast.forecasting.windows import cut


@dataclass(frozen=True, slots=True)
class Backtest:
    """Errors from each test origin, of the model fitted on the past only.

    `model_mae` and `naive_mae` have shape (origins, sensors), in the sensors' units, averaged over the
    horizon; NaN where the readings have a hole.
    """

    sensors: tuple[str, ...]
    origins: tuple[datetime, ...]
    """Aware UTC, ascending: the first step that was forecast."""
    trained_before: datetime
    """Aware UTC: the backtest model was fitted on nothing from this moment on. Its settings were chosen, and
    its intervals calibrated, on readings between here and the first origin."""
    seasons: tuple[int, ...]
    """The season, in steps, that each sensor's baseline repeats."""
    model_mae: Floats
    naive_mae: Floats


def replay(model: FittedModel, series: Series, origins: Sequence[datetime]) -> Floats:
    """How a model would have fared from given origins: its MAE over the horizon.

    Args:
        model: Any trained model; a fair comparison chooses origins after its training data.
        series: Readings of at least the model's sensors, on its grid.
        origins: Aware times of the first step forecast.

    Returns:
        Shape (origins, the model's sensors), in the sensors' units. NaN where it cannot be measured: the
        origin is not on the grid or has no reading before it, or the horizon has a hole or reaches
        past the series.

    Raises:
        BadInput: A sensor is missing, the grid is another, or an origin has no time zone.
    """
    values = model.columns(series)
    steps = [series.step_at(origin) for origin in origins]
    known = [
        (row, step)
        for row, step in enumerate(steps)
        if step is not None and 0 < step <= len(values) - model.horizon
    ]
    result = np.full((len(origins), len(model.sensors)), np.nan)
    if not known:
        return result
    rows, positions = np.array(known).T
    actual = cut(values, positions, model.horizon)
    error = np.mean(
        np.abs(actual - model.points(values, positions, absolute_step(series.start, series.step))), axis=2
    ).T
    seen = np.cumsum(np.isfinite(values), axis=0)[positions - 1] > 0
    result[rows] = np.where(seen & np.isfinite(error), error, np.nan)
    return result
