import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fleetcast.forecasting import metrics
from fleetcast.forecasting.metrics import SensorMetrics, mean_metrics
from fleetcast.forecasting.series import Floats

readings = arrays(np.float64, 12, elements=st.floats(-1e9, 1e9, allow_subnormal=False))
ACTUAL = np.array([1.0, 2.0, 4.0, 3.0])
FORECAST = np.array([1.0, 3.0, 2.0, 3.0])


def test_errors_of_a_worked_example() -> None:
    assert metrics.mae(ACTUAL, FORECAST) == 0.75
    assert metrics.rmse(ACTUAL, FORECAST) == pytest.approx(math.sqrt(5 / 4))
    assert metrics.wape(ACTUAL, FORECAST) == pytest.approx(0.3)
    assert metrics.accuracy(metrics.wape(ACTUAL, FORECAST)) == pytest.approx(0.7)
    assert metrics.r2(ACTUAL, FORECAST) == pytest.approx(0.0)


def test_mase_divides_by_the_seasonal_change_of_the_history() -> None:
    scale = metrics.naive_scale(np.array([1.0, 5.0, 2.0, np.nan, 4.0, 9.0]), 2)
    assert scale == pytest.approx((1 + 2) / 2)  # 1→2 and 2→4; the hole is left out
    assert metrics.mase(3.0, scale) == pytest.approx(2.0)


def test_skill_is_one_for_no_error_and_zero_for_that_of_naive() -> None:
    assert metrics.skill(0.0, 2.0) == 1.0
    assert metrics.skill(2.0, 2.0) == 0.0
    assert metrics.skill(3.0, 2.0) == -0.5


def test_coverage_counts_the_bounds_as_inside() -> None:
    assert metrics.coverage(ACTUAL, ACTUAL, ACTUAL + 1) == 1.0
    assert metrics.coverage(ACTUAL, np.full(4, 2.0), np.full(4, 3.0)) == 0.5


@given(readings, readings)
def test_pinball_equals_its_definition(actual: Floats, forecast: Floats) -> None:
    plain = []
    for level in metrics.QUANTILES:
        error = actual - forecast
        plain.append(np.mean(np.maximum(level * error, (level - 1) * error)))
    found = metrics.pinball(actual, [(level, forecast) for level in metrics.QUANTILES])
    assert found == pytest.approx(np.mean(plain), rel=1e-6, abs=1e-6)


@given(readings, readings, st.sampled_from([1e-9, 1e-3, 1e3, 1e9]))
def test_relative_metrics_do_not_depend_on_the_unit(actual: Floats, forecast: Floats, unit: float) -> None:
    for metric in (metrics.wape, metrics.r2):
        before, after = metric(actual, forecast), metric(actual * unit, forecast * unit)
        assert (before is None) == (after is None)
        if before is not None and after is not None and abs(before) < 1e6:
            assert after == pytest.approx(before, rel=1e-6, abs=1e-6)


def test_what_cannot_be_measured_is_none() -> None:
    empty, flat = np.array([]), np.zeros(3)
    assert metrics.mae(empty, empty) is None
    assert metrics.rmse(empty, empty) is None
    assert metrics.wape(flat, flat + 1) is None
    assert metrics.accuracy(metrics.wape(flat, flat + 1)) is None
    assert metrics.r2(flat + 5, flat) is None
    assert metrics.skill(1.0, 0.0) is None
    assert metrics.mase(1.0, None) is None
    assert metrics.coverage(empty, empty, empty) is None
    assert metrics.pinball(empty, [(0.5, empty)]) is None
    assert metrics.naive_scale(np.array([1.0, 2.0]), 5) is None


def test_the_mean_leaves_out_what_could_not_be_measured() -> None:
    def scores(mae: float | None, wape: float | None) -> SensorMetrics:
        return SensorMetrics(mae, None, wape, None, None, None, None, None, None, None, None)

    mean = mean_metrics([scores(1.0, None), scores(3.0, 0.5)])
    assert (mean.mae, mean.wape, mean.rmse) == (2.0, 0.5, None)
