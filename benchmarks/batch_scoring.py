"""`fleetcast score` of 10,000 circuits × 6 sensors × 168 steps into a Delta table, two processes.

    python benchmarks/batch_scoring.py [CIRCUITS] [--folder FOLDER]

One model is trained, and written down for each circuit as its own: files, manifest, version and release. Four weeks of
readings are made up. Next to it, polars writes as many rows of as many columns. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from one_circuit import circuit as made_up

from fleetcast.app import open_fleet, open_own_table
from fleetcast.config.templates import NewFleet, init_fleet
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.model import TrainedLineage, TrainedModel
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.release import Release, ServedModel
from fleetcast.domain.training_hash import HASH_SCHEMA, training_hash, training_inputs
from fleetcast.forecasting.artifact import ModelIdentity, save
from fleetcast.forecasting.training import TrainingTask, train
from fleetcast.pipeline.manifests import Manifests

SENSORS = ("temperature", "pressure", "vibration", "current", "voltage", "flow_rate")
PER_PLANT, HORIZON, DAYS = 100, 168, 28
BEGIN = datetime(2025, 11, 2, tzinfo=UTC)
CUTOFF = BEGIN + timedelta(days=DAYS)
TEST = EnvironmentName.TEST


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("circuits", nargs="?", type=int, default=10_000)
    parser.add_argument("--folder", type=Path, help="keep the fleet there, or take the one that is there")
    asked = parser.parse_args()
    with ExitStack() as stack:
        folder = asked.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        fleet = folder / "fleet"
        if not fleet.exists():
            print(f"a fleet of {asked.circuits:,} circuits …", flush=True)
            _write(fleet, asked.circuits)
        words = [
            sys.executable,
            "-m",
            "fleetcast.cli.main",
            "score",
            "test",
            "--supersede",
            "--format",
            "json",
        ]
        began = time.perf_counter()
        done = subprocess.run([*words, "--fleet", str(fleet)], capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - began
        if done.returncode:
            raise SystemExit(done.stdout[-2000:] + done.stderr)
        said = json.loads(done.stdout)
        mib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        plain = _plain(folder / "plain.parquet", said["rows"])
    result = {
        "benchmark": "batch_scoring",
        "circuits": said["circuits"],
        "rows": said["rows"],
        "by_model": said["sensors_by_source"]["model"],
        "seconds": round(seconds, 1),
        "largest_process_mib": round(mib),
        "plain_write_s": round(plain, 1),
    }
    print(
        f"{said['rows']:,} rows in {seconds:.1f} s, largest process {mib:.0f} MiB; only writing: {plain:.1f} s"
    )
    print(json.dumps(result))


def _write(folder: Path, count: int) -> None:
    keys = [CircuitKey(f"PLANT{n // PER_PLANT:03d}", f"CIRCUIT{n % PER_PLANT:02d}") for n in range(count)]
    init_fleet(
        folder, NewFleet(circuits=keys, features=SENSORS, cutoff=f"{CUTOFF - timedelta(days=1):%Y-%m-%d}")
    )
    _readings(folder, keys)
    opened = open_fleet(folder)
    workspace, control = opened.platform.workspace, opened.platform.control
    series = made_up(24 * 120)
    series = replace(series, sensors=SENSORS)
    trained = train(series, TrainingTask(SENSORS, HORIZON, "linear", {"lookback": 336}))
    models = []
    with tempfile.TemporaryDirectory() as scratch:
        for number, circuit in enumerate(opened.fleet.circuits):
            inputs = training_inputs(circuit)
            wanted = training_hash(inputs)
            place = Path(scratch) / str(number)
            save(
                trained,
                place,
                identity=ModelIdentity(circuit.key, circuit.model_name, wanted, circuit.cutoff.end, 0),
            )
            artifact = workspace.artifacts.keep(place)
            lineage = TrainedLineage(
                wanted, HASH_SCHEMA, inputs, circuit.key, "training-pipeline", "1.0.0", wanted, "1.0.0",
                "0" * 40, "run-0001", f"{circuit.model_name}.1", wanted, wanted,
            )  # fmt: skip
            size = sum(file.stat().st_size for file in place.iterdir())
            models.append(TrainedModel(circuit.model_name, lineage, artifact, size, trained.scores, 0.1))
    versions = workspace.models.register(models)
    Manifests.of(opened.platform).sign(versions)
    workspace.shared.share_models(versions)
    releases = {}
    for one in versions:
        key = one.model.lineage.key
        served = ServedModel(one.name, one.version, one.model.artifact, one.training_hash)
        releases.setdefault(key.plant, {})[key.circuit] = served
    kept = control.releases.keep([Release(TEST, plant, "1.0.0", held) for plant, held in releases.items()])
    control.releases.make_live(kept)


def _readings(folder: Path, keys: list[CircuitKey]) -> None:
    """Four weeks of hours of everybody, plant by plant."""
    table = open_own_table(folder)
    base = made_up(24 * DAYS).values
    hours = [BEGIN + timedelta(hours=hour) for hour in range(24 * DAYS)]
    random = np.random.default_rng(3)
    for start in range(0, len(keys), PER_PLANT * 10):
        some = keys[start : start + PER_PLANT * 10]
        values = [base + random.normal(size=base.shape) for _ in some]
        rows = pl.DataFrame(
            {
                "plant_id": np.repeat([key.plant for key in some], len(hours)),
                "circuit_id": np.repeat([key.circuit for key in some], len(hours)),
                "timestamp": hours * len(some),
                **{
                    name: np.concatenate([one[:, column] for one in values])
                    for column, name in enumerate(SENSORS)
                },
            }
        ).with_columns(pl.col("timestamp").cast(pl.Datetime("us", "UTC")))
        table.merge(rows)


def _plain(file: Path, rows: int) -> float:
    """Seconds that writing numbers alone takes: as many rows of five floats and a time."""
    frame = pl.DataFrame(
        {
            "timestamp": np.arange(rows),
            **{f"line_{number}": np.random.default_rng(number).normal(size=rows) for number in range(5)},
        }
    )
    began = time.perf_counter()
    frame.write_parquet(file, compression="zstd")
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
