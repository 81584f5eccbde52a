"""A fleet whose models are written down and not trained: one that is trained once, as the model of each circuit."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from one_circuit import circuit as made_up

from fleetcast.app import OpenFleet, open_fleet, open_own_table
from fleetcast.config.templates import NewFleet, init_fleet
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.model import TrainedLineage, TrainedModel
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.release import NumberedRelease, Release, ServedModel
from fleetcast.domain.training_hash import HASH_SCHEMA, training_hash, training_inputs
from fleetcast.forecasting.artifact import ModelIdentity, save
from fleetcast.forecasting.training import TrainingTask, train
from fleetcast.pipeline.manifests import Manifests
from fleetcast.platforms.files.artifact_store import FileArtifactStore

PER_PLANT, HORIZON, LOOKBACK, DAYS = 100, 168, 336, 28
BEGIN = datetime(2025, 11, 2, tzinfo=UTC)
CUTOFF = BEGIN + timedelta(days=DAYS)


def written_fleet(
    folder: Path,
    count: int,
    sensors: Sequence[str],
    environment: EnvironmentName,
    *,
    one_artifact: bool = False,
) -> tuple[OpenFleet, Sequence[NumberedRelease]]:
    """Declare it, and write its models, manifests, versions and live releases down; there are no readings yet.

    With `one_artifact`, all versions name the files of the first: enough where no model is opened.
    """
    keys = [CircuitKey(f"PLANT{n // PER_PLANT:03d}", f"CIRCUIT{n % PER_PLANT:02d}") for n in range(count)]
    init_fleet(
        folder, NewFleet(circuits=keys, features=sensors, cutoff=f"{CUTOFF - timedelta(days=1):%Y-%m-%d}")
    )
    opened = open_fleet(folder)
    workspace, control = opened.platform.workspace, opened.platform.control
    series = made_up(24 * 120)
    series = replace(series, sensors=tuple(sensors), values=series.values[:, : len(sensors)])
    trained = train(series, TrainingTask(tuple(sensors), HORIZON, "linear", {"lookback": LOOKBACK}))
    store = FileArtifactStore(opened.state / "artifacts", durable=False)
    models: list[TrainedModel] = []
    with tempfile.TemporaryDirectory() as scratch:
        for number, circuit in enumerate(opened.fleet.circuits):
            inputs = training_inputs(circuit)
            wanted = training_hash(inputs)
            if not (models and one_artifact):
                place = Path(scratch) / str(number)
                save(
                    trained,
                    place,
                    identity=ModelIdentity(circuit.key, circuit.model_name, wanted, circuit.cutoff.end, 0),
                )
                size = sum(file.stat().st_size for file in place.iterdir())
                artifact = store.keep(place)
            lineage = TrainedLineage(
                wanted, HASH_SCHEMA, inputs, circuit.key, "training-pipeline", "1.0.0", wanted, "1.0.0",
                "0" * 40, "run-0001", f"{circuit.model_name}.1", wanted, wanted,
            )  # fmt: skip
            models.append(TrainedModel(circuit.model_name, lineage, artifact, size, trained.scores, 0.1))
    versions = workspace.models.register(models)
    Manifests.of(opened.platform).sign(versions)
    workspace.shared.share_models(versions)
    releases: dict[str, dict[str, ServedModel]] = {}
    for one in versions:
        key = one.model.lineage.key
        served = ServedModel(one.name, one.version, one.model.artifact, one.training_hash)
        releases.setdefault(key.plant, {})[key.circuit] = served
    kept = control.releases.keep(
        [Release(environment, plant, "1.0.0", held) for plant, held in releases.items()]
    )
    control.releases.make_live(kept)
    return opened, kept


def write_readings(folder: Path, keys: Sequence[CircuitKey], sensors: Sequence[str]) -> None:
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
                    for column, name in enumerate(sensors)
                },
            }
        ).with_columns(pl.col("timestamp").cast(pl.Datetime("us", "UTC")))
        table.merge(rows)
