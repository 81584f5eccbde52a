"""Sums of products over all sliding windows of a series, without forming the windows.

The Gram matrix of the windows of one series is nearly Toeplitz: with windows x[t : t + span], t = a … b−1,

    C[i+1, j+1] = C[i, j] + x[b+i] x[b+j] − x[a+i] x[a+j]

so one row of correlations (by FFT) and running sums along the diagonals replace a product of two large
matrices. Sums are kept by diagonal, `D[i, d] = C[i, i+d]`, in which form they add up over runs, over
sensors and over time; `unskew` makes the matrix.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view

from fleetcast.forecasting.series import Floats


def diagonal_sums(readings: Floats, begin: int, stops: tuple[int, ...], lookback: int, span: int) -> list[Floats]:
    """Sum the products of all pairs of lags over the windows that begin in [begin, stop), for several stops.

    Args:
        readings: One sensor, shape (n,), without NaN where a window lies.
        begin: First step of the first window.
        stops: For each sum wanted, the step after its last window's begin; windows must end inside `readings`.
        lookback: Rows wanted: lags 0 … lookback − 1.
        span: Columns wanted: lags 0 … span − 1, the length of a window.

    Returns:
        For each stop an array of shape (lookback, span), of which row i holds `D[i, d]` for d < span − i;
        the rest of the row is undefined.
    """
    last = max(stops)
    padded = np.zeros(last - begin + span + lookback)
    piece = readings[begin : last + span - 1]
    padded[: len(piece)] = piece
    leaving = _outer(padded, 0, lookback, span)
    sums = []
    for stop in stops:
        count = stop - begin
        result = np.zeros((lookback, span))
        if count > 0:
            result[0] = _correlations(padded, count, span)
            np.subtract(_outer(padded, count, lookback, span), leaving, out=result[1:])
            np.cumsum(result, axis=0, out=result)
        sums.append(result)
    return sums


def unskew(sums: Floats) -> Floats:
    """Turn diagonal sums into a matrix C of the same shape (lookback, span), symmetric in its square part."""
    lookback, span = sums.shape
    flat = np.empty(lookback * span + span)
    item = flat.itemsize
    # row i lands i places to the right; what runs over falls below the diagonal of the next row
    as_strided(flat, shape=(lookback, span), strides=((span + 1) * item, item))[:] = sums
    matrix = flat[: lookback * span].reshape(lookback, span)
    square = matrix[:, :lookback]
    upper = np.triu(square)
    np.add(upper, np.triu(square, 1).T, out=square)
    return matrix


def centre(matrix: Floats, weights: Floats) -> Floats:
    """Gram matrix of windows from each of which a weighted mean of its own first part was subtracted.

    Args:
        matrix: Shape (lookback, span), as from `unskew`.
        weights: The mean's weights, which sum to 1; shape (lookback,).
    """
    pulled = weights @ matrix
    own = float(pulled[: len(weights)] @ weights)
    centred: Floats = matrix - (pulled - own)
    centred -= pulled[: len(weights), None]
    return centred


def _outer(padded: Floats, offset: int, lookback: int, span: int) -> Floats:
    """x[offset+i] x[offset+i+d] for i < lookback − 1 and d < span."""
    rows = padded[offset : offset + lookback + span - 2]
    return sliding_window_view(rows, span) * rows[: lookback - 1, None]


def _correlations(padded: Floats, count: int, span: int) -> Floats:
    """Sum over t < count of x[t] x[t+d], for d < span."""
    if count < 256:
        return padded[:count] @ sliding_window_view(padded[: count + span - 1], span)
    size = _smooth(count + span - 1)
    ahead = np.fft.rfft(padded[: count + span - 1], size)
    return np.fft.irfft(np.conj(np.fft.rfft(padded[:count], size)) * ahead, size)[:span]


def _smooth(least: int) -> int:
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
