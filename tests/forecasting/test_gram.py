from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view

from fleetcast.forecasting.gram import DiagonalSteps, Stretch, centre, summed
from fleetcast.forecasting.products import LaggedProducts, Normalisation, centred, centring_weights
from fleetcast.forecasting.series import Floats


def plain_gram(windows: Floats, lookback: int) -> Floats:
    product: Floats = windows[:, :lookback].T @ windows
    return product


def whole_windows(readings: Floats, span: int) -> Floats:
    windows = sliding_window_view(readings, span)
    return windows[np.isfinite(windows).all(axis=1)]


@settings(deadline=None, max_examples=60)
@given(
    lookback=st.integers(2, 20),
    horizon=st.integers(1, 15),
    windows=st.integers(1, 400),
    begin=st.integers(0, 5),
    seed=st.integers(0, 1000),
)
def test_sums_along_the_diagonals_equal_the_product_of_the_windows(
    lookback: int, horizon: int, windows: int, begin: int, seed: int
) -> None:
    span = lookback + horizon
    readings = np.random.default_rng(seed).normal(size=begin + windows + span - 1).cumsum()
    every = sliding_window_view(readings, span)[begin:]
    whole = Stretch(readings, begin, begin + windows)
    halves = [replace(whole, stop=begin + windows // 2), replace(whole, begin=begin + windows // 2)]
    parts = [part for part in halves if part.stop > part.begin]
    plain = plain_gram(every, lookback)
    for stretches in ([whole], parts):
        steps = DiagonalSteps(lookback, span).over(stretches, np.full((lookback, span), 7.0))
        assert np.allclose(summed(steps), plain, rtol=0, atol=1e-9 * max(1.0, float(np.abs(plain).max())))


def test_no_windows_sum_to_nothing() -> None:
    assert not summed(DiagonalSteps(3, 5).over([], np.full((3, 5), 7.0))).any()


@pytest.mark.parametrize("normalisation", list(Normalisation))
@pytest.mark.parametrize("lookback", [12, 7])
def test_centring_the_matrix_equals_centring_every_window(
    normalisation: Normalisation, lookback: int
) -> None:
    readings = np.random.default_rng(3).normal(size=300).cumsum()
    windows = sliding_window_view(readings, 12 + 5)
    level = windows[:, 12 - lookback : 12] @ centring_weights(normalisation, lookback)
    plain = plain_gram(windows[:, 12 - lookback :] - level[:, None], lookback)
    found = centred(plain_gram(windows, 12), 5, lookback, normalisation)
    assert np.allclose(found, plain, rtol=0, atol=1e-9 * np.abs(plain).max())


def test_centring_in_place_gives_the_same() -> None:
    matrix = plain_gram(sliding_window_view(np.random.default_rng(3).normal(size=99), 9), 6)
    weights = centring_weights(Normalisation.MEAN, 6)
    apart = np.empty_like(matrix)
    centre(matrix, weights, out=apart)
    centre(matrix, weights, out=matrix)
    assert np.array_equal(apart, matrix)


@settings(deadline=None, max_examples=40)
@given(holes=st.lists(st.integers(0, 199), max_size=12), train_end=st.integers(20, 200))
def test_no_window_crosses_a_hole_or_the_end_of_training(holes: list[int], train_end: int) -> None:
    values = np.random.default_rng(5).normal(size=(200, 2))
    values[holes, 0] = np.nan
    products = LaggedProducts(values, reach=8, horizon=4, train_end=train_end)
    for sensor in range(2):
        whole = whole_windows(values[:, sensor], 12)
        past = whole_windows(values[:train_end, sensor], 12)
        assert np.allclose(products.whole(sensor), plain_gram(whole, 8), atol=1e-9)
        assert np.allclose(products.past(sensor), plain_gram(past, 8), atol=1e-9)
    assert np.allclose(products.whole_pooled(), products.whole(0) + products.whole(1), atol=1e-9)
    assert np.allclose(products.past_pooled(), products.past(0) + products.past(1), atol=1e-9)
