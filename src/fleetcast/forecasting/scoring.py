"""All metrics of one sensor's held-out forecasts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fleetcast.domain.scores import Scores
from fleetcast.forecasting import metrics
from fleetcast.forecasting.series import Floats


def score(actual: Floats, lines: Sequence[Floats], naive: Floats, scale: float | None) -> Scores:
    """Judge forecasts from several origins, on the origins where everything was observed.

    Args:
        actual: Readings of one sensor, shape (q, h), in its unit; NaN is a hole.
        lines: Forecasts of the five quantiles, from the lower end of the 95 % interval over the point to its
            upper end; same shape.
        naive: Forecasts of the baseline, shape (q, h).
        scale: In-sample error of repeating the baseline's season, for MASE; None if it cannot be measured.
    """
    point = lines[len(lines) // 2]
    good = np.isfinite(actual).all(axis=1) & np.isfinite(point).all(axis=1) & np.isfinite(naive).all(axis=1)
    if not good.all():
        actual, naive, lines = actual[good], naive[good], [line[good] for line in lines]
    lower_95, lower_80, point, upper_80, upper_95 = lines
    error, naive_error = metrics.mae(actual, point), metrics.mae(actual, naive)
    wape = metrics.wape(actual, point)
    return Scores(
        mae=error,
        rmse=metrics.rmse(actual, point),
        wape=wape,
        accuracy=metrics.accuracy(wape),
        mase=metrics.mase(error, scale),
        skill=metrics.skill(error, naive_error),
        r2=metrics.r2(actual, point),
        coverage_80=metrics.coverage(actual, lower_80, upper_80),
        coverage_95=metrics.coverage(actual, lower_95, upper_95),
        pinball=metrics.pinball(actual, zip(metrics.QUANTILES, lines, strict=True)),
        naive_mae=naive_error,
    )
