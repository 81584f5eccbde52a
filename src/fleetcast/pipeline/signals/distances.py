"""How far apart two distributions lie, for all sensors of a circuit at once, and what chance alone would show."""

from __future__ import annotations

import numpy as np

from fleetcast.forecasting.series import Floats

BINS = 10


def bin_edges(values: Floats) -> Floats:
    """The inner edges of ten bins that hold equally many of each sensor's values, shape (9, k); NaN without values.

    Where values repeat, several edges are one, and bins between them stay empty on both sides of a comparison.
    """
    edges = np.full((BINS - 1, values.shape[1]), np.nan)
    for column in range(values.shape[1]):
        known = values[~np.isnan(values[:, column]), column]
        if known.size:
            edges[:, column] = np.quantile(known, np.arange(1, BINS) / BINS)
    return edges


def counts_of(values: Floats, edges: Floats, block: int) -> Floats:
    """How many values fall into each bin, for each stretch of so many steps; holes fall into none.

    Args:
        values: Shape (n, k).
        edges: As of `bin_edges`.
        block: Steps; what is left at the end is not counted.

    Returns:
        Shape (n // block, k, 10).
    """
    blocks, k = len(values) // block, values.shape[1]
    found = np.zeros((blocks, k, BINS))
    stretch = np.arange(blocks * block) // block
    for column in range(k):
        reading = values[: blocks * block, column]
        known = ~np.isnan(reading)
        codes = stretch[known] * BINS + np.searchsorted(edges[:, column], reading[known], side="right")
        found[:, column] = np.bincount(codes, minlength=blocks * BINS).reshape(blocks, BINS)
    return found


def jensen_shannon(p: Floats, q: Floats) -> Floats:
    """The Jensen-Shannon distance between counts or shares in bins, 0 (the same) to 1 (nothing in common).

    The square root of the divergence with logarithms to base 2, which is a metric (Endres & Schindelin 2003, "A new
    metric for probability distributions").

    Args:
        p: Shape (…, bins); not negative.
        q: The same, or what fits it.

    Returns:
        Shape (…); NaN where either side has nothing at all.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        p = p / p.sum(axis=-1, keepdims=True)
        q = q / q.sum(axis=-1, keepdims=True)
        middle = (p + q) / 2
        terms = np.where(p > 0, p * np.log2(p / middle), 0.0) + np.where(q > 0, q * np.log2(q / middle), 0.0)
    divergence = np.where(np.isnan(p + q).any(axis=-1), np.nan, terms.sum(axis=-1) / 2)
    distance: Floats = np.sqrt(np.clip(divergence, 0.0, 1.0))
    return distance


def beyond_chance(distance: Floats, by_chance: Floats) -> Floats:
    """A distance without what unchanged readings show by chance: 0 for as much as they do, 1 stays 1.

    48 readings of an unchanged sensor in ten bins lie 0.19 from what they were drawn from, more if each resembles the
    one before. Adjusted as indices of agreement are (Hubert & Arabie 1985, "Comparing partitions").

    Args:
        distance: As measured.
        by_chance: The mean distance of unchanged windows of the same length.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        adjusted: Floats = np.clip((distance - by_chance) / (1.0 - by_chance), 0.0, 1.0)
    return adjusted


def kolmogorov_smirnov(sorted_reference: Floats, values: Floats) -> float:
    """The greatest difference between the shares below any value, 0 to 1, of one sensor; neither may be empty."""
    ordered = np.sort(values)
    n = len(ordered)
    below = np.searchsorted(sorted_reference, ordered, side="left") / len(sorted_reference)
    up_to = np.searchsorted(sorted_reference, ordered, side="right") / len(sorted_reference)
    # Between two values of one side, only the other side's share rises.
    first, last = (
        np.searchsorted(ordered, ordered, "left") / n,
        np.searchsorted(ordered, ordered, "right") / n,
    )
    return float(max(np.abs(last - up_to).max(), np.abs(below - first).max()))


def wasserstein(reference_quantiles: Floats, values: Floats) -> float:
    """How far readings moved on average, in their own unit: the distance between the two quantile functions.

    Args:
        reference_quantiles: At (i + ½) / m, ascending; shape (m,).
        values: Of one sensor, without holes; not empty.
    """
    m = len(reference_quantiles)
    return float(np.abs(np.quantile(values, (np.arange(m) + 0.5) / m) - reference_quantiles).mean())
