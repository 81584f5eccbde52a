"""Sums of products over all sliding windows of a series, without forming the windows.

The Gram matrix of the windows of one series is nearly Toeplitz. With windows x[t : t+span], t = a … b−1,

    C[i+1, j+1] = C[i, j] + x[b+i] x[b+j] − x[a+i] x[a+j]

so one row of correlations (by FFT) and running sums along the diagonals replace a product of two large
matrices. Sums are kept by diagonal, `D[i, d] = C[i, i+d]`, in which form they add up over runs, over
sensors and over time; `unskew` makes the matrix.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view

from fleetcast.forecasting.series import Floats


class DiagonalSums:
    """Adds up the products of all pairs of lags over windows, run by run.

    Args:
        lookback: Rows wanted: lags 0 … lookback − 1.
        span: Columns wanted: lags 0 … span − 1, the length of a window.
        parts: How many sums are kept side by side for each sensor.
        sensors: How many sensors there are.
    """

    def __init__(self, lookback: int, span: int, *, parts: int, sensors: int) -> None:
        self._lookback = lookback
        self._span = span
        # one block of memory, and scratch that is used again: fresh pages cost as much as the sums
        self.totals = np.zeros((parts, sensors, lookback, span))
        self._leaving = np.empty((lookback - 1, span))
        self._sums = np.empty((lookback, span))

    def add(self, sensor: int, readings: Floats, begin: int, stops: tuple[int, ...]) -> None:
        """Add the windows of one sensor that begin in [begin, stop), for each part its own stop.

        Row i of `totals[part, sensor]` then holds `D[i, d]` for d < span − i; the rest of it is undefined.

        Args:
            sensor: Whose totals to add to.
            readings: Shape (n,), finite everywhere, and without a hole where a window lies.
            begin: First step of the first window.
            stops: For each part, the step after its last window's begin; windows end inside `readings`.
        """
        last = max(stops)
        padded = np.zeros(last - begin + self._span + self._lookback)
        piece = readings[begin : last + self._span - 1]
        padded[: len(piece)] = piece
        self._outer(padded, 0, self._leaving)
        for part, stop in enumerate(stops):
            count = stop - begin
            if count > 0:
                self._sums[0] = _correlations(padded, count, self._span)
                self._outer(padded, count, self._sums[1:])
                self._sums[1:] -= self._leaving
                for above, row in pairwise(self._sums):  # adds whole rows; np.cumsum would walk down columns
                    np.add(above, row, out=row)
                self.totals[part, sensor] += self._sums

    def _outer(self, padded: Floats, offset: int, out: Floats) -> None:
        """x[offset+i] x[offset+i+d] for i < lookback − 1 and d < span."""
        rows = padded[offset : offset + self._lookback + self._span - 2]
        np.multiply(sliding_window_view(rows, self._span), rows[: self._lookback - 1, None], out=out)


def unskew(sums: Floats) -> Floats:
    """Turn diagonal sums into a matrix C of the same shape (lookback, span), symmetric in its square part."""
    lookback, span = sums.shape
    flat = np.empty(lookback * span + span)
    item = flat.itemsize
    # row i lands i places to the right; what runs over falls below the diagonal of the next row
    as_strided(flat, shape=(lookback, span), strides=((span + 1) * item, item))[:] = sums
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
        matrix: Shape (lookback, span), as from `unskew`.
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
