"""Whether one forecast was better than another by more than chance (Diebold & Mariano 1995)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fleetcast.forecasting.series import Floats
from fleetcast.forecasting.windows import Ints

_STANDARD_ERRORS = 2.0


def beyond_chance(gains: Floats, origins: Ints, apart: int) -> bool:
    """Whether errors went down by more than twice the standard error of their mean change.

    Args:
        gains: By how much the error from each origin is smaller; NaN where it was not measured.
        origins: In steps, ascending.
        apart: Steps from which on two origins have no reading in common. Nearer ones are not independent, so that only
            as many count as fit into their span.
    """
    gains, independent = _measured(gains, origins, apart)
    if not gains.size:
        return False
    return bool(np.mean(gains) > _STANDARD_ERRORS * np.std(gains) / np.sqrt(independent))


def chance_of(gains: Floats, origins: Ints, apart: int) -> float:
    """How likely a mean change as large as this is, or a larger one, if neither forecast is better than the other.

    By Student's distribution, as Harvey, Leybourne & Newbold (1997) propose where origins are few.

    Args:
        gains: As of `beyond_chance`.
        origins: As of `beyond_chance`.
        apart: As of `beyond_chance`.

    Returns:
        1.0 where there are less than two independent ones.
    """
    from scipy.special import stdtr  # commands that compare nothing do without

    gains, independent = _measured(gains, origins, apart)
    if len(gains) < 2 or independent < 2:
        return 1.0
    mean, deviation = float(np.mean(gains)), float(np.std(gains, ddof=1))
    if deviation == 0:
        return 0.0 if mean > 0 else 1.0
    return float(stdtr(independent - 1, -mean * np.sqrt(independent) / deviation))


def holm(chances: Sequence[float], significance: float) -> Sequence[bool]:
    """Which of many differences to believe, so that one of those that are none is believed as seldom as stated.

    Holm (1979), "A simple sequentially rejective multiple test procedure".

    Args:
        chances: Of each, as of `chance_of`.
        significance: Chance to believe any that is none.
    """
    believed = [False] * len(chances)
    for rank, place in enumerate(sorted(range(len(chances)), key=chances.__getitem__)):
        if chances[place] > significance / (len(chances) - rank):
            break
        believed[place] = True
    return believed


def _measured(gains: Floats, origins: Ints, apart: int) -> tuple[Floats, float]:
    """What was measured, and how many of these count as independent."""
    known = np.isfinite(gains)
    gains, origins = gains[known], origins[known]
    if not gains.size:
        return gains, 0.0
    span = int(origins[-1] - origins[0]) + apart
    return gains, min(float(len(gains)), max(1.0, span / apart))
