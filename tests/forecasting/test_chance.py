"""Whether one forecast was better than another by more than chance."""

from __future__ import annotations

import numpy as np
import pytest

from fleetcast.forecasting.chance import beyond_chance, chance_of, holm


def gains_with(t: float, count: int) -> np.ndarray:
    """Numbers whose mean is `t` of its standard errors."""
    spread = np.linspace(-1, 1, count)
    found: np.ndarray = spread + t * float(np.std(spread, ddof=1)) / np.sqrt(count)
    return found


@pytest.mark.parametrize(
    ("t", "count", "chance"), [(2.132, 5, 0.05), (7.173, 5, 0.001), (3.852, 14, 0.001), (0.0, 9, 0.5)]
)
def test_chances_are_those_of_students_distribution(t: float, count: int, chance: float) -> None:
    """As printed in its tables, one-sided."""
    assert chance_of(gains_with(t, count), np.arange(count), 1) == pytest.approx(chance, rel=2e-3)


def test_origins_that_share_readings_count_as_fewer() -> None:
    gains, origins = gains_with(4.0, 20), np.arange(20)
    assert chance_of(gains, origins, 1) < 0.001 < chance_of(gains, origins, 5)
    assert chance_of(gains, origins, 20) == 1.0


def test_two_that_are_equal_are_told_apart_as_seldom_as_stated() -> None:
    random = np.random.default_rng(5)
    chances = [chance_of(random.normal(size=14), np.arange(14), 1) for _ in range(4_000)]
    assert np.mean(np.array(chances) < 0.05) == pytest.approx(0.05, abs=0.01)


def test_what_was_not_measured_says_nothing() -> None:
    nothing = np.full(5, np.nan)
    assert chance_of(nothing, np.arange(5), 1) == 1.0
    assert not beyond_chance(nothing, np.arange(5), 1)
    assert chance_of(np.array([1.0]), np.array([0]), 1) == 1.0
    assert (chance_of(np.ones(5), np.arange(5), 1), chance_of(-np.ones(5), np.arange(5), 1)) == (0.0, 1.0)


def test_of_many_differences_the_clear_ones_are_believed() -> None:
    """The numbers are those with which the procedure is usually shown."""
    assert holm([0.01, 0.04, 0.03, 0.005], 0.05) == [True, False, False, True]
    assert holm([], 0.05) == []
