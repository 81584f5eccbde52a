"""Sums of products over all sliding windows of a series, without forming the windows.

The Gram matrix of the windows of one series is nearly Toeplitz. With windows x[t : t+span], t = a … b−1,

    C[i+1, j+1] = C[i, j] + x[b+i] x[b+j] − x[a+i] x[a+j]

so one row of correlations (by FFT) and running sums along the diagonals replace a product of two large
matrices. What each step along a diagonal adds is kept, `S[0, d] = C[0, d]` and `S[i, d] = C[i, i+d] − C[i−1, i−1+d]`:
in this form sums add up over runs, over sensors and over time, and only what is wanted is `summed` to a matrix.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view

from fleetcast.forecasting.series import Floats


@dataclass(frozen=True, slots=True)
class Stretch:
    """Windows of one series that begin one after the other."""

    readings: Floats
    """Shape (n,), finite everywhere, and without a hole where a window lies."""
    begin: int
    """First step of the first window."""
    stop: int
    """The step after the first step of the last window, which ends inside `readings`."""


class DiagonalSteps:
    """Adds up the products of all pairs of lags over windows, stretch by stretch.

    Args:
        lookback: Rows wanted: lags 0 … lookback − 1.
        span: Columns wanted: lags 0 … span − 1, the length of a window.
    """

    def __init__(self, lookback: int, span: int) -> None:
        self._lookback = lookback
        self._span = span
        self._products = np.empty((lookback - 1, span))  # used again: fresh pages cost as much as the sums

    def over(self, stretches: Iterable[Stretch], out: Floats) -> Floats:
        """The steps over all windows of some stretches.

        Args:
            stretches: None of them empty.
            out: Takes the steps, shape (lookback, span). Row i is right for d < span − i, the rest of it undefined.
        """
        is_first = True
        for each in stretches:
            count = each.stop - each.begin
            padded = np.zeros(count + self._span + self._lookback)
            piece = each.readings[each.begin : each.stop + self._span - 1]
            padded[: len(piece)] = piece
            if is_first:  # what is written need not be read: most series have one stretch
                out[0] = _correlations(padded, count, self._span)
                self._outer(padded[count:], out[1:])
            else:
                out[0] += _correlations(padded, count, self._span)
                out[1:] += self._outer(padded[count:], self._products)
            out[1:] -= self._outer(padded, self._products)
            is_first = False
        if is_first:
            out[:] = 0.0
        return out

    def _outer(self, padded: Floats, out: Floats) -> Floats:
        """x[i] x[i+d] for i < lookback − 1 and d < span."""
        rows = padded[: self._lookback + self._span - 2]
        return np.multiply(sliding_window_view(rows, self._span), rows[: self._lookback - 1, None], out=out)


def summed(steps: Floats) -> Floats:
    """Sum steps along the diagonals to a matrix C of the same shape (lookback, span), symmetric in its square part."""
    lookback, span = steps.shape
    flat = np.empty(lookback * span + span)
    item = flat.itemsize
    # row i lands i places to the right; what runs over falls below the diagonal of the next row
    rows = as_strided(flat, shape=(lookback, span), strides=((span + 1) * item, item))
    above = steps[0]
    rows[0] = above
    for row, step in zip(rows[1:], steps[1:], strict=True):  # np.cumsum would walk down columns
        above = np.add(above, step, out=row)
    flat[span :: span + 1] = 0.0  # the one place of each row that no sum lands on
    matrix = flat[: lookback * span].reshape(lookback, span)
    square = matrix[:, :lookback]
    square *= _upper(lookback)
    square += square.T
    return matrix


_ROUNDING = 1e-10
"""Share of the sums of squares below which a difference of sums is noise."""


@lru_cache(maxsize=8)
def _upper(size: int) -> Floats:
    """What keeps the upper triangle of a matrix and half its diagonal: adding the transpose mirrors it."""
    mask = np.triu(np.ones((size, size)))
    np.fill_diagonal(mask, 0.5)
    return mask


def centre(matrix: Floats, weights: Floats, out: Floats) -> None:
    """Gram matrix of windows from each of which a weighted mean of its own first part was subtracted.

    Args:
        matrix: Shape (lookback, span), as from `summed`.
        weights: The mean's weights, which sum to 1; shape (lookback,).
        out: Takes the result, in the shape of `matrix`, and may be `matrix` itself.
    """
    pulled = weights @ matrix
    own = float(pulled[: len(weights)] @ weights)
    level = pulled[: len(weights), None].copy()
    before = float(np.trace(matrix))
    np.subtract(matrix, pulled - own, out=out)
    out -= level
    if not float(np.trace(out)) > _ROUNDING * before:
        out[:] = 0.0  # the windows hold one value each, and what is left of them is rounding


def _correlations(padded: Floats, count: int, span: int) -> Floats:
    """Sum over t < count of x[t] x[t+d], for d < span."""
    if count < 256:
        return padded[:count] @ sliding_window_view(padded[: count + span - 1], span)
    size = smooth_size(count + span - 1)
    ahead = np.fft.rfft(padded[: count + span - 1], size)
    return np.fft.irfft(np.conj(np.fft.rfft(padded[:count], size)) * ahead, size)[:span]


@lru_cache(maxsize=256)
def smooth_size(least: int) -> int:
    """The smallest 2^a 3^b 5^c that is not below `least`: lengths for which an FFT is quick."""
    best = 1 << (least - 1).bit_length()
    five = 1
    while five < best:
        three = five
        while three < best:
            two = three << max(0, (-(-least // three) - 1).bit_length())
            best = min(best, two)
            three *= 3
        five *= 5
    return best
