"""The model that peers serve: as much arithmetic as a linear model of fleetcast does for one sensor, and no more.

336 steps in; 168 steps with two intervals out.
"""

from __future__ import annotations

import numpy as np

LOOKBACK, HORIZON, MODELS = 336, 168, 200


class Model:
    """One of 200, all different."""

    def __init__(self, number: int) -> None:
        random = np.random.default_rng(number)
        self._weights = random.normal(size=(LOOKBACK, HORIZON)).astype(np.float32) / LOOKBACK
        self._offsets = np.abs(random.normal(size=(4, HORIZON))).astype(np.float32)

    def forecast(self, history: np.ndarray) -> np.ndarray:
        """Five lines of `HORIZON` steps: the point and the ends of two intervals."""
        level = history.mean()
        point = (history.astype(np.float32) - level) @ self._weights + level
        low_80, high_80, low_95, high_95 = self._offsets
        return np.stack([point, point - low_80, point + high_80, point - low_95, point + high_95])
