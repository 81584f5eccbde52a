"""How far forecasts were from readings. Arrays in, a number out.

None means that a number could not be measured: nothing was observed, or there is no signal to compare the
errors with. That is neither a good nor a bad result.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields

import numpy as np

from fleetcast.domain.scores import Scores
from fleetcast.forecasting.series import Floats

SensorMetrics = Scores
"""The backtest metrics of one sensor, or their mean over a circuit's sensors."""

QUANTILES = (0.025, 0.1, 0.5, 0.9, 0.975)
"""Levels of the five forecast lines, from lower 95 % over the point to upper 95 %."""


def mae(actual: Floats, forecast: Floats) -> float | None:
    """Mean absolute error, in the sensor's unit. Arrays of one shape; None if they are empty."""
    return float(np.mean(np.abs(actual - forecast))) if actual.size else None


def rmse(actual: Floats, forecast: Floats) -> float | None:
    """Root of the mean squared error, in the sensor's unit. Arrays of one shape; None if they are empty."""
    if not actual.size:
        return None
    error = actual - forecast
    largest = float(np.max(np.abs(error)))
    return largest * float(np.sqrt(np.mean(np.square(error / largest)))) if largest else 0.0


def wape(actual: Floats, forecast: Floats) -> float | None:
    """Sum of absolute errors over the sum of absolute readings (Kolassa & Schütz 2007, the MAD/mean ratio).

    0.0 is perfect. None if there are no readings, or if all of them are zero.
    """
    weight = float(np.sum(np.abs(actual)))
    return float(np.sum(np.abs(actual - forecast))) / weight if weight > 0 else None


def accuracy(share: float | None) -> float | None:
    """1 − WAPE: 1.0 is perfect, negative if the errors outweigh the signal, None where WAPE is."""
    return None if share is None else 1.0 - share


def naive_scale(history: Floats, season: int) -> float | None:
    """Mean absolute change over one season of a sensor's history, the denominator of MASE.

    Args:
        history: Readings oldest first, shape (n,), in the sensor's unit; NaN is a hole and is left out.
        season: Steps of one season.
    """
    change = np.abs(history[season:] - history[:-season])
    change = change[np.isfinite(change)]
    return float(np.mean(change)) if change.size else None


def mase(error: float | None, scale: float | None) -> float | None:
    """MAE over the in-sample MAE of repeating the baseline's season (seasonal naive: Hyndman & Koehler 2006).

    Below 1 is better than repeating the last season one step ahead. None if the history never changes.
    """
    return error / scale if error is not None and scale else None


def skill(error: float | None, naive_error: float | None) -> float | None:
    """1 − MAE / MAE of the baseline on the same points: 0 is as good as the baseline, 1 perfect.

    None if the baseline makes no error, for then there is nothing to win.
    """
    return 1.0 - error / naive_error if error is not None and naive_error else None


def r2(actual: Floats, forecast: Floats) -> float | None:
    """Share of the readings' variance that the forecast explains; None if the readings never change.

    A change too small to be seen next to the forecast, by a factor of 10^12, is none.
    """
    if not actual.size:
        return None
    deviation = actual - np.mean(actual)
    largest = float(np.max(np.abs(deviation)))
    if largest <= 1e-12 * max(float(np.max(np.abs(actual))), float(np.max(np.abs(forecast)))):
        return None
    error = (actual - forecast) / largest
    return 1.0 - float(np.sum(np.square(error)) / np.sum(np.square(deviation / largest)))


def coverage(actual: Floats, lower: Floats, upper: Floats) -> float | None:
    """Share of readings inside their interval, bounds included, 0 to 1; None if there are no readings."""
    return float(np.mean((lower <= actual) & (actual <= upper))) if actual.size else None


def pinball(actual: Floats, lines: Iterable[tuple[float, Floats]]) -> float | None:
    """Mean quantile loss over several forecast lines, in the sensor's unit (Koenker & Bassett 1978).

    Args:
        actual: Readings.
        lines: Pairs of a level, 0 to 1, and the forecast of that quantile, in the shape of `actual`.
    """
    if not actual.size:
        return None
    levels, forecasts = zip(*lines, strict=True)
    errors = (actual - np.stack(forecasts)).reshape(len(levels), -1)
    # the mean of max(level e, (level - 1) e) is a half the mean of |e| plus (level - 1/2) e
    losses = 0.5 * np.abs(errors).mean(axis=1) + (np.array(levels) - 0.5) * errors.mean(axis=1)
    return float(np.mean(losses))


def mean_metrics(sensors: Iterable[Scores]) -> Scores:
    """Mean over a circuit's sensors, field by field, of those that could be measured; None if none could."""
    rows = list(sensors)
    means = {}
    for field in fields(Scores):
        known = [value for row in rows if (value := getattr(row, field.name)) is not None]
        means[field.name] = sum(known) / len(known) if known else None
    return Scores(**means)
