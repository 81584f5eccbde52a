"""The linear family on public readings: ETTh1 and ETTh2, a year of hours each."""

from __future__ import annotations

import csv
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from fleetcast.forecasting.series import Series
from fleetcast.forecasting.training import TrainingTask, train

FOLDER = os.environ.get("FLEETCAST_REAL_DATA", "")
pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not FOLDER, reason="set FLEETCAST_REAL_DATA to the folder of the public data sets"),
]


@pytest.mark.parametrize("name", ["ETTh1", "ETTh2"])
def test_a_week_ahead_beats_seasonal_naive_with_honest_intervals(name: str) -> None:
    with (Path(FOLDER) / "etth" / f"{name}.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    values = np.array([[float(cell) for cell in row[1:]] for row in rows[:8_760]])
    series = Series(datetime(2016, 7, 1, tzinfo=UTC), timedelta(hours=1), tuple(header[1:]), values)
    mean = train(series, TrainingTask(series.sensors, 168, "linear")).mean
    assert mean.skill is not None
    assert mean.skill > 0.05
    assert mean.coverage_80 == pytest.approx(0.8, abs=0.1)
    assert mean.coverage_95 == pytest.approx(0.95, abs=0.05)
