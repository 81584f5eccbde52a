"""What clients send: 336 hours of one sensor, of each of 200 circuits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

HOURS = 336


def histories(count: int) -> Iterator[list[float]]:
    """Days with their rhythm and noise, two decimals."""
    random = np.random.default_rng(11)
    hour = np.arange(HOURS)
    for _ in range(count):
        values = 50 + 8 * np.sin(2 * np.pi * (hour / 24 + random.random())) + random.normal(size=HOURS)
        yield np.round(values, 2).tolist()
