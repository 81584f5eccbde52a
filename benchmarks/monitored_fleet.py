"""A fleet that can be looked at without training it: readings, training rows and published forecasts are written down.

Readings are those of `simulated_plants.py`, 90 days of which the models were trained on; two weeks came since, with a
forecast of a week ahead each day. Some circuits shift, and one gateway is silent, so that there are alarms.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import polars as pl
from simulated_plants import HOUR, SENSORS, readings
from written_fleet import CUTOFF, HORIZON, PER_PLANT, written_fleet

from fleetcast.app import OpenFleet, open_fleet, open_own_table
from fleetcast.domain.fallback import Source
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.quality import QualityVerdict
from fleetcast.domain.snapshot import DataAsset
from fleetcast.forecasting.resampling import micros
from fleetcast.forecasting.series import Floats
from fleetcast.pipeline.forecast_rows import COLUMNS
from fleetcast.pipeline.signals.watched import LOOK_BACK
from fleetcast.platforms.delta.forecasts import DeltaForecastTable
from fleetcast.platforms.files.frozen_rows import FileFrozenRows
from fleetcast.ports.forecasts import WrittenPart
from fleetcast.ports.readings import Readings

PROD = EnvironmentName.PROD
TRAINED = timedelta(days=90)
DAY = timedelta(days=1)
BEGIN = CUTOFF - TRAINED
NOW = CUTOFF + LOOK_BACK
CHANGED_EVERY = 500
"""Of so many circuits one shifts, three days before the end."""
SILENT_PLANT, SILENT_HOURS, SILENT_CIRCUITS = 1, 15, 7
_PLANTS_AT_ONCE = 10


@dataclass(frozen=True)
class Spread:
    """Of one sensor's forecasts."""

    sensor: str
    deviation: float


def monitored_fleet(folder: Path, count: int) -> OpenFleet:
    """Write it down; seconds for hundreds of circuits, minutes for ten thousand."""
    opened, _ = written_fleet(folder, count, SENSORS, PROD, one_artifact=True)
    workspace = opened.platform.workspace
    keys = [circuit.key for circuit in opened.fleet.circuits]
    names = [circuit.model_name for circuit in opened.fleet.circuits]
    versions = workspace.models.versions(names)
    table = open_own_table(folder)
    for start in range(0, count, PER_PLANT * _PLANTS_AT_ONCE):
        numbers = range(start, min(start + PER_PLANT * _PLANTS_AT_ONCE, count))
        frames = [_rows(keys[number], values_of(number)) for number in numbers]
        # As they came: what was trained on first, then the weeks since.
        whole = pl.concat(frames)
        table.merge(whole.filter(pl.col("timestamp") < CUTOFF))
        table.merge(
            whole.filter(pl.col("timestamp") >= CUTOFF, pl.any_horizontal(pl.col(SENSORS).is_not_null()))
        )
    read = table.latest_version()
    assert read is not None
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        plants = [range(start, min(start + PER_PLANT, count)) for start in range(0, count, PER_PLANT)]
        wanted = [
            [(keys[n], names[n], versions[names[n]][-1].model.lineage.training_hash) for n in one]
            for one in plants
        ]
        scores = versions[names[0]][-1].model.scores.sensors
        spreads = [Spread(name, (scores[name].mae or 1.0) / np.sqrt(2 / np.pi) * 0.97) for name in SENSORS]
        assets: list[DataAsset] = []
        parts: dict[int, list[WrittenPart]] = {}
        work = partial(_plant, opened.state, spreads, read)
        for made, written in pool.map(work, plants, wanted):
            assets += made
            for day, part in enumerate(written):
                parts.setdefault(day, []).append(part)
    workspace.data.register(assets)
    forecasts = workspace.forecasts(PROD)
    for day, written in parts.items():
        forecasts.publish((CUTOFF + day * DAY).date(), 1, written, [])
    return open_fleet(folder)


def values_of(number: int) -> Floats:
    """What a circuit reads from `BEGIN` to `NOW`; NaN where it is silent."""
    hours = (NOW - BEGIN) // HOUR
    values = readings(np.random.default_rng([7, number]), hours, 0.9)
    if number % CHANGED_EVERY == CHANGED_EVERY // 2:
        values[-72:] += 4.0
    if number // PER_PLANT == SILENT_PLANT and number % PER_PLANT < SILENT_CIRCUITS:
        values[-SILENT_HOURS:] = np.nan
    return values


def _rows(key: CircuitKey, values: Floats) -> pl.DataFrame:
    times = micros(BEGIN) + np.arange(len(values)) * (HOUR // timedelta(microseconds=1))
    return pl.DataFrame(
        {
            "plant_id": np.repeat(key.plant, len(values)),
            "circuit_id": np.repeat(key.circuit, len(values)),
            "timestamp": pl.Series(times).cast(pl.Datetime("us", "UTC")),
            **{name: pl.Series(values[:, column], nan_to_null=True) for column, name in enumerate(SENSORS)},
        }
    )


def _plant(
    state: Path,
    spreads: Sequence[Spread],
    read: int,
    numbers: range,
    wanted: Sequence[tuple[CircuitKey, str, Digest]],
) -> tuple[list[DataAsset], list[WrittenPart]]:
    """Freeze the training rows of a plant, and write what was forecast of it, a part for each day."""
    frozen = FileFrozenRows(state / "frozen")
    assets, all_values = [], []
    for number, (key, name, digest) in zip(numbers, wanted, strict=True):
        values = values_of(number)
        all_values.append(values)
        hours = TRAINED // HOUR
        times = micros(BEGIN) + np.arange(hours) * (HOUR // timedelta(microseconds=1))
        rows = Readings(key, SENSORS, frozenset(), times, np.ascontiguousarray(values[:hours]))
        fingerprint = rows.fingerprint()
        frozen.freeze(rows, fingerprint)
        assets.append(
            DataAsset(
                digest, f"{name}-data", key, "readings", read, BEGIN, CUTOFF, SENSORS, hours, BEGIN, CUTOFF - HOUR,
                fingerprint, QualityVerdict(SENSORS, (), ()),
            )
        )  # fmt: skip
    folder = state / "forecasts" / PROD.value
    table = DeltaForecastTable(folder, partial(_put, folder), lambda _path: None)
    return assets, [
        table.write(day.date(), rows) for day, rows in _forecasts(wanted, all_values, spreads, numbers[0])
    ]


def _put(folder: Path, path: str, content: bytes) -> None:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


def _forecasts(
    wanted: Sequence[tuple[CircuitKey, str, Digest]],
    values: Sequence[Floats],
    spreads: Sequence[Spread],
    seed: int,
) -> Iterator[tuple[datetime, pl.DataFrame]]:
    """What was forecast each day since, as far from what came as the backtest was."""
    rng = np.random.default_rng([8, seed])
    count, k = len(wanted), len(SENSORS)
    deviations = np.array([one.deviation for one in spreads])
    heads = pl.DataFrame(
        {
            "plant_id": np.repeat([key.plant for key, _, _ in wanted], k * HORIZON),
            "circuit_id": np.repeat([key.circuit for key, _, _ in wanted], k * HORIZON),
            "sensor": np.tile(np.repeat(SENSORS, HORIZON), count),
            "step": pl.Series(np.tile(np.arange(1, HORIZON + 1), count * k), dtype=pl.Int16),
            "model": np.repeat([name for _, name, _ in wanted], k * HORIZON),
        }
    )
    for day in range(LOOK_BACK // DAY):
        start = (TRAINED + day * DAY) // HOUR
        origin = BEGIN + start * HOUR
        actual = np.zeros((count, HORIZON, k))
        for place, one in enumerate(values):
            known = one[start : start + HORIZON]
            actual[place, : len(known)] = np.nan_to_num(known)
        point = actual + rng.normal(size=actual.shape) * deviations
        lines = {
            name: (point + side * deviations).transpose(0, 2, 1).ravel()
            for name, side in (
                ("point", 0.0), ("lower_80", -1.28), ("upper_80", 1.28), ("lower_95", -1.96), ("upper_95", 1.96)
            )
        }  # fmt: skip
        times = micros(origin) + np.arange(HORIZON) * (HOUR // timedelta(microseconds=1))
        moment = pl.Datetime("us", "UTC")
        yield (
            origin,
            heads.with_columns(
                pl.Series("timestamp", np.tile(times, count * k)).cast(moment),
                *(pl.Series(name, line) for name, line in lines.items()),
                pl.lit(Source.MODEL.value).alias("source"),
                pl.lit("").alias("reason"),
                pl.lit(None, dtype=pl.Float64).alias("quarantined"),
                pl.lit(1, dtype=pl.Int32).alias("version"),
                *(pl.lit("0" * 64).alias(name) for name in ("training_hash", "artifact")),
                pl.lit(1, dtype=pl.Int32).alias("release"),
                pl.lit("").alias("override"),
                pl.lit("readings").alias("data_source"),
                pl.lit(1, dtype=pl.Int64).alias("delta_version"),
                *(pl.lit(origin, dtype=moment).alias(name) for name in ("newest_reading", "made_at")),
                pl.lit("0" * 40).alias("commit"),
                pl.lit(1, dtype=pl.Int32).alias("issue"),
            ).select(*COLUMNS),
        )
