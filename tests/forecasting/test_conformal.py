import math
from itertools import pairwise

import numpy as np
import pytest

from fleetcast.forecasting.conformal import Offsets, conformal_offsets


@pytest.mark.parametrize("count", [9, 19, 20, 39, 40, 99, 176])
def test_ends_are_the_order_statistics_of_the_finite_sample_rule(count: int) -> None:
    errors = np.random.default_rng(count).normal(size=(2, count, 3))
    offsets = conformal_offsets(errors)
    ordered = np.sort(errors, axis=1)
    for lower, upper, tail in (
        (offsets.lower_80, offsets.upper_80, 0.1),
        (offsets.lower_95, offsets.upper_95, 0.025),
    ):
        from_below = math.floor(round((count + 1) * tail, 9))
        from_above = math.ceil(round((count + 1) * (1 - tail), 9))
        if from_below:
            assert np.array_equal(lower, np.minimum(ordered[:, from_below - 1], 0))
            assert np.array_equal(upper, np.maximum(ordered[:, from_above - 1], 0))


@pytest.mark.parametrize(("count", "level"), [(1, 80), (8, 80), (8, 95), (38, 95)])
def test_with_too_few_origins_the_largest_error_bounds_both_sides(count: int, level: int) -> None:
    errors = np.random.default_rng(count).normal(loc=1, size=(2, count, 3))
    offsets, largest = conformal_offsets(errors), np.abs(errors).max(axis=1)
    assert np.array_equal(getattr(offsets, f"upper_{level}"), largest)
    assert np.array_equal(getattr(offsets, f"lower_{level}"), -largest)


@pytest.mark.parametrize("count", [1, 8, 9, 24, 38, 39, 176])
def test_the_point_lies_in_the_80_interval_and_that_in_the_95(count: int) -> None:
    """Even of a model that errs to one side only."""
    errors = np.random.default_rng(count).gamma(1.0, size=(2, count, 50)) + 0.5
    errors[1] = -errors[1]
    ends = conformal_offsets(errors).in_order
    for lower, upper in pairwise([*ends[:2], np.zeros((2, 50)), *ends[2:]]):
        assert (lower <= upper).all()


def test_intervals_lean_where_the_errors_do() -> None:
    errors = np.random.default_rng(2).exponential(size=(1, 400, 1)) - 0.1
    offsets = conformal_offsets(errors)
    assert offsets.upper_80[0, 0] > 10 * -offsets.lower_80[0, 0]


def test_unmeasured_origins_count_for_nothing() -> None:
    errors = np.random.default_rng(0).normal(size=(1, 50, 2))
    with_holes = np.concatenate([errors, np.full((1, 7, 2), np.nan)], axis=1)
    for holed, plain in zip(
        conformal_offsets(with_holes).in_order, conformal_offsets(errors).in_order, strict=True
    ):
        assert np.array_equal(holed, plain)


def test_a_sensor_that_was_never_measured_has_no_width() -> None:
    errors = np.stack([np.full((30, 2), np.nan), np.ones((30, 2))])
    assert conformal_offsets(errors).upper_80.tolist() == [[0, 0], [1, 1]]
    assert not np.any(conformal_offsets(np.full((1, 3, 2), np.nan)).in_order)
    assert not np.any(conformal_offsets(np.zeros((1, 0, 2))).in_order)


@pytest.mark.parametrize("skewed", [False, True])
def test_the_intervals_cover_new_errors_of_the_same_kind_as_promised(*, skewed: bool) -> None:
    random = np.random.default_rng(8)

    def drawn(count: int) -> np.ndarray:
        shape = (1, count, 400)
        return random.gamma(0.5, size=shape) - 0.3 if skewed else random.standard_t(3, size=shape)

    offsets, fresh = conformal_offsets(drawn(99)), drawn(500)
    for lower, upper, level in (
        (offsets.lower_80, offsets.upper_80, 0.80),
        (offsets.lower_95, offsets.upper_95, 0.96),
    ):
        below, above = fresh < lower[:, None], fresh > upper[:, None]
        assert np.mean(~below & ~above) == pytest.approx(level, abs=0.01)
        assert np.mean(above) == pytest.approx((1 - level) / 2, abs=0.01)


def test_half_widths_reach_as_far_down_as_up() -> None:
    half_80, half_95 = np.array([[1.0]]), np.array([[2.0]])
    assert [end.item() for end in Offsets.symmetric(half_80, half_95).in_order] == [-2.0, -1.0, 1.0, 2.0]


def test_stored_ends_never_make_an_interval_narrower() -> None:
    errors = np.random.default_rng(5).normal(size=(3, 60, 40)) * np.array([1.0, 1e-9, 1e9])[:, None, None]
    exact = conformal_offsets(errors)
    stored = exact.as_stored()
    assert (stored.lower_80 <= exact.lower_80)[:2].all()
    assert (stored.upper_95 >= exact.upper_95)[:2].all()
    assert np.isfinite(stored.in_order).all()
    np.testing.assert_allclose(stored.upper_80[0], exact.upper_80[0], rtol=2e-3)
    assert np.array_equal(stored.as_stored().in_order, stored.in_order)
