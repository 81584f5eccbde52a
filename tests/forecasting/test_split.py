from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetcast.forecasting.errors import HistoryTooShort
from fleetcast.forecasting.split import split, steps_needed

HOUR = timedelta(hours=1)


@given(
    steps=st.integers(60, 900),
    reach=st.integers(1, 40),
    horizon=st.integers(1, 30),
    holes=st.lists(st.integers(0, 899), max_size=6),
)
def test_training_calibration_and_test_never_share_a_reading_to_forecast(
    steps: int, reach: int, horizon: int, holes: list[int]
) -> None:
    values = np.ones((steps, 1))
    values[[hole for hole in holes if hole < steps]] = np.nan
    try:
        parts = split(values, reach=reach, horizon=horizon, step=HOUR)
    except HistoryTooShort:
        return
    assert parts.train_end <= parts.calibration[0]
    assert parts.calibration[-1] + horizon <= parts.test[0]
    assert parts.test[-1] + horizon <= steps
    for origin in (*parts.calibration, *parts.test):
        assert np.isfinite(values[origin - reach : origin + horizon]).all()


@given(reach=st.integers(1, 60), horizon=st.integers(1, 60))
def test_the_needed_length_is_the_shortest_that_can_be_split(reach: int, horizon: int) -> None:
    need = steps_needed(reach, horizon)
    parts = split(np.ones((need, 1)), reach=reach, horizon=horizon, step=HOUR)
    assert parts.train_end >= reach + horizon  # at least one window to train on
    with pytest.raises(HistoryTooShort):
        split(np.ones((need - 1, 1)), reach=reach, horizon=horizon, step=HOUR)


def test_origins_fall_on_every_hour_of_the_day() -> None:
    parts = split(np.ones((8760, 1)), reach=336, horizon=168, step=HOUR)
    assert {int(origin) % 24 for origin in parts.test} == set(range(24))
    assert {int(origin) % 24 for origin in parts.calibration} == set(range(24))
