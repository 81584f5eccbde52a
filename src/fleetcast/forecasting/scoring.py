"""All metrics of one sensor's held-out forecasts."""

from __future__ import annotations

import numpy as np

from fleetcast.domain.scores import Scores
from fleetcast.forecasting import metrics
from fleetcast.forecasting.series import Floats


def score(
    actual: Floats, point: Floats, halves: tuple[Floats, Floats], naive: Floats, scale: float | None
) -> Scores:
    """Judge forecasts from several origins, on the origins where everything was observed.

    Args:
        actual: Readings of one sensor, shape (q, h), in its unit; NaN is a hole.
        point: Point forecasts, same shape.
        halves: Half widths of the 80 % and the 95 % interval, each of shape (h,).
        naive: Forecasts of the baseline, shape (q, h).
        scale: In-sample error of repeating the baseline's season, for MASE; None if it cannot be measured.
    """
    good = np.isfinite(actual).all(axis=1) & np.isfinite(point).all(axis=1) & np.isfinite(naive).all(axis=1)
    if not good.all():
        actual, point, naive = actual[good], point[good], naive[good]
    half_80, half_95 = halves
    lines = zip(
        metrics.QUANTILES,
        (point - half_95, point - half_80, point, point + half_80, point + half_95),
        strict=True,
    )
    error, naive_error = metrics.mae(actual, point), metrics.mae(actual, naive)
    return Scores(
        mae=error,
        rmse=metrics.rmse(actual, point),
        wape=metrics.wape(actual, point),
        accuracy=metrics.accuracy(actual, point),
        mase=metrics.mase(error, scale),
        skill=metrics.skill(error, naive_error),
        r2=metrics.r2(actual, point),
        coverage_80=metrics.coverage(actual, point - half_80, point + half_80),
        coverage_95=metrics.coverage(actual, point - half_95, point + half_95),
        pinball=metrics.pinball(actual, lines),
        naive_mae=naive_error,
    )
