import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetcast.forecasting.windows import Stretch, cut, fill_causally, longest_run, runs, whole_origins

HOLE = np.nan


def test_runs_lie_between_holes() -> None:
    found = runs(np.array([HOLE, 1, 2, HOLE, HOLE, 3, 4, 5]))
    assert found == (Stretch(1, 3), Stretch(5, 8))
    assert [len(run) for run in found] == [2, 3]


def test_the_longest_run_is_that_of_the_best_sensor() -> None:
    assert longest_run(np.array([[1, HOLE], [HOLE, 1], [1, 1], [1, 1]])) == 3
    assert longest_run(np.full((4, 2), HOLE)) == 0


@given(st.lists(st.booleans(), max_size=30), st.integers(1, 5), st.integers(1, 5))
def test_an_origin_is_whole_if_no_step_around_it_is_missing(
    seen: list[bool], lookback: int, horizon: int
) -> None:
    values = np.where(np.array(seen, dtype=bool), 1.0, HOLE)[:, None]
    found = whole_origins(values, lookback, horizon)[:, 0]
    for origin in range(len(seen) + 1):
        inside = origin >= lookback and origin + horizon <= len(seen)
        assert found[origin] == (inside and all(seen[origin - lookback : origin + horizon]))


def test_windows_are_cut_sensor_first() -> None:
    values = np.arange(10.0).reshape(5, 2)
    assert cut(values, np.array([0, 2]), 3).tolist() == [[[0, 2, 4], [4, 6, 8]], [[1, 3, 5], [5, 7, 9]]]


@pytest.mark.parametrize(
    ("window", "filled"),
    [
        ([1.0, HOLE, 3.0, HOLE], [1.0, 1.0, 3.0, 3.0]),
        ([HOLE, HOLE, 2.0, 4.0], [3.0, 3.0, 2.0, 4.0]),
        ([HOLE, HOLE, HOLE, HOLE], [7.0, 7.0, 7.0, 7.0]),
    ],
)
def test_holes_take_the_last_reading_else_the_mean_else_what_is_usual(
    window: list[float], filled: list[float]
) -> None:
    assert fill_causally(np.array([[window]]), np.array([7.0])).tolist() == [[filled]]
