"""Prediction intervals by split conformal prediction (Vovk et al. 2005; Lei et al. 2018).

The errors on held-out origins say how wide an interval must be: of c absolute errors the
⌈(c+1)(1−α)⌉-th smallest, for each sensor and each step of the horizon on its own. Coverage is then at
least 1−α for a new error that is exchangeable with them; origins that overlap, and drift, make it
approximate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from fleetcast.forecasting.series import Floats


@dataclass(frozen=True, slots=True)
class Widths:
    """Half the width of the 80 % and of the 95 % interval; each of shape (k, h), 95 never below 80."""

    half_80: Floats
    half_95: Floats

    def as_stored(self) -> Widths:
        """The same widths in the precision they are stored in."""
        return Widths(*(half.astype(np.float32).astype(np.float64) for half in (self.half_80, self.half_95)))


def conformal_widths(errors: Floats) -> Widths:
    """Widths from the absolute errors on held-out origins.

    Args:
        errors: Absolute errors, shape (k, c, h); NaN where not measured. With fewer than 19 origins the 95 %
            interval takes the largest error, for a finite sample cannot promise more.

    Returns:
        Zero widths for a sensor and step without any measured error.
    """
    count = np.isfinite(errors).sum(axis=1)
    if errors.shape[1] and (count == errors.shape[1]).all():
        ranks = [_rank(errors.shape[1], level) for level in (0.8, 0.95)]
        ordered = np.partition(errors, ranks, axis=1)
        return Widths(ordered[:, ranks[0]], ordered[:, ranks[1]])
    ordered = np.sort(errors, axis=1)
    most = int(count.max(initial=0))
    halves = []
    for level in (0.8, 0.95):
        ranks_by_count = np.array([_rank(c, level) for c in range(most + 1)])
        rank = ranks_by_count[count]
        half = np.take_along_axis(ordered, rank[:, None], axis=1)[:, 0] if most else np.zeros(count.shape)
        halves.append(np.where(count > 0, half, 0.0))
    return Widths(*halves)


def _rank(count: int, level: float) -> int:
    """Index, from zero, of the error that bounds the interval."""
    return max(0, min(count, math.ceil((count + 1) * level - 1e-9)) - 1)
