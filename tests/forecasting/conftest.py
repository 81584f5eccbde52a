"""Small made-up circuits for the tests of forecasting."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from fleetcast.forecasting.series import Floats, Series

Rhythm = Callable[..., Floats]
SeriesOf = Callable[..., Series]


@pytest.fixture(scope="session")
def rhythm() -> Rhythm:
    """Makes a daily rhythm with noise, shape (steps, sensors)."""

    def make(steps: int, sensors: int = 2, *, seed: int = 1) -> Floats:
        random = np.random.default_rng(seed)
        hours = np.arange(steps)[:, None]
        phase = random.uniform(0, 2 * np.pi, sensors)
        values: Floats = (
            20 + 5 * np.sin(2 * np.pi * hours / 24 + phase) + random.normal(size=(steps, sensors))
        )
        return values

    return make


@pytest.fixture(scope="session")
def series_of() -> SeriesOf:
    """Makes a series of sensors a, b, c … from the first of March on, hourly unless told."""

    def make(values: Floats, *, step: timedelta = timedelta(hours=1)) -> Series:
        start = datetime(2025, 3, 1, tzinfo=UTC)
        return Series(start, step, tuple("abcdefgh"[: values.shape[1]]), values)

    return make
