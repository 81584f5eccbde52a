"""Many p-values: into one, or into a choice among thousands."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fleetcast.forecasting.series import Floats

_LEAST, _MOST = 1e-300, 0.99


def combined(chances: Floats) -> Floats:
    """One p-value out of several of the same question, however they depend on each other.

    The Cauchy combination (Liu & Xie 2020, "Cauchy combination test: a powerful test with analytic p-value calculation
    under arbitrary dependency structures"), exact for small values, which are those that matter.

    Args:
        chances: Along the last axis; NaN where a test was not made.

    Returns:
        Without the last axis; NaN where none was made.
    """
    known = ~np.isnan(chances)
    # A test that sees nothing at all must not outweigh one that is sure: at 1 its score would be minus infinity.
    p = np.clip(np.where(known, chances, 0.5), _LEAST, _MOST)
    # Near 0 the cotangent is 1 / (π p), and 0.5 − p would lose it.
    score = np.where(p < 1e-8, 1 / (np.pi * p), 1 / np.tan(np.pi * np.maximum(p, 1e-8)))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(known, score, 0.0).sum(axis=-1) / known.sum(axis=-1)
        found = np.where(mean > 1e8, 1 / (np.pi * mean), 0.5 - np.arctan(mean) / np.pi)
    result: Floats = np.where(known.any(axis=-1), np.minimum(found, 1.0), np.nan)
    return result


def discoveries(chances: Floats, share: float, among: int | None = None) -> npt.NDArray[np.bool_]:
    """Which of many findings to believe, so that on average at most such a share of them is none.

    Benjamini & Hochberg (1995), "Controlling the false discovery rate"; it holds for findings that depend on each other
    positively, as circuits of one plant do (Benjamini & Yekutieli 2001).

    Args:
        chances: P-values, none NaN; shape (n,).
        share: 0 to 1.
        among: How many were tested; None: these.
    """
    tested = max(among or len(chances), 1)
    order = np.argsort(chances, kind="stable")
    below = np.flatnonzero(chances[order] <= share * np.arange(1, len(chances) + 1) / tested)
    believed = np.zeros(len(chances), dtype=bool)
    if below.size:
        believed[order[: below[-1] + 1]] = True
    return believed
