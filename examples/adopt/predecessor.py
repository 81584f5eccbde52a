"""What a team has before fleetcast: a long Delta table of readings, and two models in an MLflow registry.

python predecessor.py table FOLDER       write the table: site, loop, tag, measured_at, reading
python predecessor.py models FOLDER URI  train two models on it, and register them with MLflow
"""

from __future__ import annotations

import logging
import shutil
import sys
import tempfile
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

START, DAYS = datetime(2025, 1, 1, tzinfo=UTC), 120
CUTOFF = datetime(2025, 4, 1, tzinfo=UTC)
LOOPS = ("CIRCUIT01", "CIRCUIT02")
TAGS = {"TT-01": "temperature", "PT-01": "pressure"}
HORIZON, LOOKBACK = 24, 168


def write_table(folder: str) -> None:
    """One row for each hour, loop and tag, as historians write them."""
    noise, hours = np.random.default_rng(7), np.arange(DAYS * 24)
    times = [START + timedelta(hours=int(hour)) for hour in hours]
    frames = []
    for number, loop in enumerate(LOOPS):
        daily = np.sin((hours + 3 * number) * 2 * np.pi / 24)
        weekend = (hours // 24) % 7 >= 5
        for tag, level, swing in (("TT-01", 60.0, 4.0), ("PT-01", 5.0, 0.5)):
            values = level + swing * daily - swing * weekend + noise.normal(0, swing / 10, len(hours))
            columns = {"site": "PLANT001", "loop": loop, "tag": tag, "measured_at": times, "reading": values}
            frames.append(pl.DataFrame(columns))
    table = pl.concat(frames).sample(fraction=1.0, shuffle=True, seed=1)
    then = pl.col("measured_at") < CUTOFF
    with tempfile.TemporaryDirectory() as plain:  # polars writes and reads no table below any odd name
        for rows in (table.filter(then), table.filter(~then)):  # version 0, and what came later: version 1
            rows.write_delta(plain, mode="append")
        shutil.copytree(plain, folder)
    print(f"{len(table):,} rows in {folder}")


def wide(folder: str, loop: str) -> pl.DataFrame:
    """The readings of one loop, a column for each sensor."""
    with tempfile.TemporaryDirectory() as plain:
        shutil.copytree(folder, plain, dirs_exist_ok=True)
        rows = pl.read_delta(plain).filter(pl.col("loop") == loop).sort("measured_at")
    return rows.with_columns(pl.col("tag").replace(TAGS)).pivot(
        on="tag", index="measured_at", values="reading"
    )


def register_models(folder: str, uri: str) -> None:
    """Fit a regression on the last day and the last week for each loop, and register it."""
    warnings.simplefilter("ignore")
    import mlflow
    from mlflow.models import infer_signature

    for chatty in ("mlflow", "alembic"):
        logging.getLogger(chatty).setLevel(logging.ERROR)

    class LastDayAndWeek(mlflow.pyfunc.PythonModel):  # type: ignore[misc, name-defined]
        """The coming day, from the last one and the same day a week ago."""

        def __init__(self, sensors: list[str], weights: np.ndarray) -> None:
            self.sensors, self.weights = sensors, weights

        def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]  # noqa: ARG002
            import pandas as pd  # type: ignore[import-untyped]

            recent = model_input[self.sensors].to_numpy()
            day, week = recent[-24:], recent[-168:-144]
            points = self.weights[:, 0] * day + self.weights[:, 1] * week + self.weights[:, 2]
            return pd.DataFrame(points, columns=self.sensors)

    mlflow.set_tracking_uri(uri)
    mlflow.create_experiment("predecessor", artifact_location=Path("mlruns").absolute().as_uri())
    mlflow.set_experiment("predecessor")
    for loop in LOOPS:
        past = wide(folder, loop).filter(pl.col("measured_at") < CUTOFF)
        sensors = list(TAGS.values())
        values = past.select(sensors).to_numpy()
        weights = np.stack([_fitted(values[:, column]) for column in range(len(sensors))])
        model = LastDayAndWeek(sensors, weights)
        frame = past.select(sensors).head(LOOKBACK).to_pandas(use_pyarrow_extension_array=False)
        name = f"plant001-{loop.lower()}"
        with mlflow.start_run(run_name=f"train {name}"):
            mlflow.log_metric("training_rows", len(values))
            mlflow.pyfunc.log_model(
                name="model",
                python_model=model,
                signature=infer_signature(frame),
                metadata={"lookback": LOOKBACK},
                pip_requirements=["mlflow", "numpy", "pandas"],
                registered_model_name=name,
            )
        mlflow.MlflowClient().set_registered_model_alias(name, "champion", "1")
        print(f"registered {name}, version 1")


def _fitted(readings: np.ndarray) -> np.ndarray:
    """Least squares of a reading on those 24 and 168 hours before; shape (3,)."""
    inputs = np.column_stack([readings[144:-24], readings[:-168], np.ones(len(readings) - 168)])
    weights: np.ndarray = np.linalg.lstsq(inputs, readings[168:], rcond=None)[0]
    return weights


if __name__ == "__main__":
    commands = {"table": write_table, "models": register_models}
    if len(sys.argv) < 3 or sys.argv[1] not in commands:
        raise SystemExit(__doc__)
    commands[sys.argv[1]](*sys.argv[2:])
