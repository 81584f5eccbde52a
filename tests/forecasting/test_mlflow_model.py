"""The artifact through the real MLflow."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.forecasting.artifact import ModelIdentity, load, save
from fleetcast.forecasting.series import Floats, Series
from fleetcast.forecasting.training import TrainingTask, train
from fleetcast.stored.plain_folder import read_plain

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # MLflow's, about its own dependencies
    mlflow = pytest.importorskip("mlflow", reason="the extra `mlflow` is not installed")
pd: Any = pytest.importorskip("pandas", reason="comes with the extra `mlflow`")

pytestmark = pytest.mark.filterwarnings("default")  # MLflow's own warnings are not ours to fix
Rhythm = Callable[..., Floats]
SeriesOf = Callable[..., Series]


@pytest.fixture(scope="module")
def series(rhythm: Rhythm, series_of: SeriesOf) -> Series:
    return series_of(rhythm(500))


@pytest.fixture(scope="module")
def folder(series: Series, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model")
    identity = ModelIdentity(CircuitKey("P", "C"), "p-c", Digest.of(b""), datetime(2025, 4, 1, tzinfo=UTC), 0)
    save(train(series, TrainingTask(series.sensors, 12, "linear")), path, identity=identity)
    return path


def frame_of(series: Series) -> Any:
    times = pd.date_range(series.start, periods=len(series), freq="h")
    return pd.DataFrame({"timestamp": times, "a": series.values[:, 0], "b": series.values[:, 1]})


def test_mlflow_forecasts_what_fleetcast_does(series: Series, folder: Path) -> None:
    found = mlflow.pyfunc.load_model(str(folder)).predict(frame_of(series))
    expected = load(read_plain(folder)).forecast(series)
    assert list(found.columns) == [
        "timestamp",
        "sensor",
        "point",
        "lower_80",
        "upper_80",
        "lower_95",
        "upper_95",
    ]
    assert found["timestamp"].iloc[0] == expected.start
    for number, sensor in enumerate(expected.sensors):
        rows = found[found["sensor"] == sensor]
        for name in ("point", "lower_80", "upper_80", "lower_95", "upper_95"):
            assert np.array_equal(rows[name].to_numpy(), getattr(expected, name)[:, number])


def test_naive_times_are_utc_and_rows_may_come_in_any_order_with_gaps(series: Series, folder: Path) -> None:
    model = mlflow.pyfunc.load_model(str(folder))
    frame = frame_of(series).drop(index=[490, 491])
    expected = model.predict(frame)
    shuffled = frame.sample(frac=1.0, random_state=1)
    shuffled["timestamp"] = shuffled["timestamp"].dt.tz_localize(None)
    assert model.predict(shuffled).equals(expected)
    assert np.isfinite(expected["point"]).all()


def test_times_off_the_grid_or_doubled_are_refused(series: Series, folder: Path) -> None:
    model = mlflow.pyfunc.load_model(str(folder))
    frame = frame_of(series)
    with pytest.raises(BadInput, match="not 1:00:00 apart"):
        model.predict(pd.concat([frame, frame.tail(1)]))
    frame.loc[5, "timestamp"] += pd.Timedelta("5min")
    with pytest.raises(BadInput, match="not 1:00:00 apart"):
        model.predict(frame)
    with pytest.raises(BadInput, match="no column b"):
        model.predict(frame_of(series).drop(columns="b"))
    with pytest.raises(BadInput, match="no rows"):
        model.predict(frame_of(series).head(0))
