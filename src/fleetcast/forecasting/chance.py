"""Whether one forecast was better than another by more than chance (Diebold & Mariano 1995)."""

from __future__ import annotations

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
    known = np.isfinite(gains)
    gains, origins = gains[known], origins[known]
    if not gains.size:
        return False
    span = int(origins[-1] - origins[0]) + apart
    independent = min(float(len(gains)), max(1.0, span / apart))
    return bool(np.mean(gains) > _STANDARD_ERRORS * np.std(gains) / np.sqrt(independent))
