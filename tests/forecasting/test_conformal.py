import math

import numpy as np
import pytest

from fleetcast.forecasting.conformal import conformal_widths


@pytest.mark.parametrize("count", [1, 4, 5, 19, 20, 40, 99])
def test_widths_are_the_order_statistics_of_the_finite_sample_rule(count: int) -> None:
    errors = np.abs(np.random.default_rng(count).normal(size=(2, count, 3)))
    widths = conformal_widths(errors)
    for half, level in ((widths.half_80, 80), (widths.half_95, 95)):
        rank = min(count, math.ceil((count + 1) * level / 100))
        assert np.array_equal(half, np.sort(errors, axis=1)[:, rank - 1])


def test_unmeasured_origins_count_for_nothing() -> None:
    errors = np.abs(np.random.default_rng(0).normal(size=(1, 30, 2)))
    with_holes = np.concatenate([errors, np.full((1, 7, 2), np.nan)], axis=1)
    assert np.array_equal(conformal_widths(with_holes).half_95, conformal_widths(errors).half_95)


def test_a_sensor_that_was_never_measured_has_no_width() -> None:
    errors = np.stack([np.full((30, 2), np.nan), np.ones((30, 2))])
    assert conformal_widths(errors).half_80.tolist() == [[0, 0], [1, 1]]
    assert conformal_widths(np.full((1, 3, 2), np.nan)).half_95.tolist() == [[0, 0]]


def test_the_intervals_cover_new_errors_of_the_same_kind_as_promised() -> None:
    random = np.random.default_rng(8)
    widths = conformal_widths(np.abs(random.standard_t(3, size=(1, 96, 400))))
    fresh = np.abs(random.standard_t(3, size=(1, 500, 400)))
    assert np.mean(fresh <= widths.half_80[:, None]) == pytest.approx(0.804, abs=0.01)
    assert np.mean(fresh <= widths.half_95[:, None]) == pytest.approx(0.959, abs=0.01)
