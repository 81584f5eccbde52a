"""Forecasts as rows of the table that they are published in; see `ForecastTable` for its columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from fleetcast.domain.circuit import Circuit
from fleetcast.domain.fallback import Source
from fleetcast.domain.release import ServedModel
from fleetcast.forecasting.forecast import Forecast
from fleetcast.forecasting.resampling import micros
from fleetcast.forecasting.series import Floats
from fleetcast.pipeline.forecasters.chain import Quarantined
from fleetcast.pipeline.scoring import Scored

_LINES = ("point", "lower_80", "upper_80", "lower_95", "upper_95")
_Types = Mapping[str, pl.DataType | type[pl.DataType]]
_MOMENT = pl.Datetime("us", "UTC")
_KEY: _Types = {"plant_id": pl.String, "circuit_id": pl.String, "sensor": pl.String}
_SOURCE: _Types = {"source": pl.String, "reason": pl.String}
_MADE_FROM: _Types = {
    "model": pl.String,
    "version": pl.Int32,
    "training_hash": pl.String,
    "artifact": pl.String,
    "release": pl.Int32,
    "override": pl.String,
    "data_source": pl.String,
    "delta_version": pl.Int64,
    "newest_reading": _MOMENT,
}
COLUMNS: _Types = {
    **_KEY,
    "step": pl.Int16,
    "timestamp": _MOMENT,
    **dict.fromkeys(_LINES, pl.Float64),
    **_SOURCE,
    "quarantined": pl.Float64,
    **_MADE_FROM,
    "commit": pl.String,
    "issue": pl.Int32,
    "made_at": _MOMENT,
}
"""Of the table; see `ForecastTable`."""
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class ScoredCircuit:
    """One circuit's forecast, and what it was made from."""

    circuit: Circuit
    scored: Scored
    models: Mapping[Source, ServedModel]
    """By source, what forecast it."""
    release: int
    override: str
    delta_version: int
    newest: datetime


@dataclass(frozen=True, slots=True)
class MadeBy:
    """What all rows of an issue share."""

    commit: str
    issue: int
    made_at: datetime


def forecast_rows(circuits: Sequence[ScoredCircuit], made_by: MadeBy) -> pl.DataFrame:
    """All rows of some circuits, by circuit, sensor and step.

    Args:
        circuits: One at least.
        made_by: What they share.
    """
    heads = pl.DataFrame(
        [head for one in circuits for head in _heads(one)],
        schema={**_KEY, **_SOURCE, **_MADE_FROM},
        orient="row",
        infer_schema_length=0,
    )
    forecasts = [one.scored.forecast for one in circuits]
    steps = np.concatenate([np.full(len(one.sensors), len(one)) for one in forecasts])
    rows = heads[np.repeat(np.arange(len(heads)), steps)]
    lines = [
        pl.Series(name, np.concatenate([getattr(one, name).T.ravel() for one in forecasts]))
        for name in _LINES
    ]
    times = np.concatenate([np.tile(_times(one), len(one.sensors)) for one in forecasts])
    numbers = np.concatenate([np.tile(np.arange(1, len(one) + 1), len(one.sensors)) for one in forecasts])
    kept_back = np.concatenate([_kept_back(one.scored) for one in circuits])
    return rows.with_columns(
        *lines,
        pl.Series("step", numbers, dtype=pl.Int16),
        pl.Series("timestamp", times).cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
        pl.Series("quarantined", kept_back[:, 0]).set(pl.Series(kept_back[:, 1] == 0), None),
        pl.lit(made_by.commit).alias("commit"),
        pl.lit(made_by.issue, dtype=pl.Int32).alias("issue"),
        pl.lit(made_by.made_at, dtype=_MOMENT).alias("made_at"),
    ).select(*COLUMNS)


def _heads(one: ScoredCircuit) -> Iterator[tuple[object, ...]]:
    circuit = one.circuit
    for sensor in one.scored.forecast.sensors:
        origin = one.scored.origins[sensor]
        model = one.models.get(origin.source)
        yield (
            circuit.key.plant,
            circuit.key.circuit,
            sensor,
            origin.source.value,
            origin.code,
            None if model is None else model.name,
            None if model is None else model.version,
            None if model is None else model.training_hash.hex,
            None if model is None else model.artifact.hex,
            one.release,
            one.override,
            circuit.data_source,
            one.delta_version,
            one.newest,
        )


def _times(forecast: Forecast) -> npt.NDArray[np.int64]:
    """Of each step, in microseconds."""
    return micros(forecast.start) + np.arange(len(forecast)) * (forecast.step // _MICROSECOND)


def _kept_back(scored: Scored) -> Floats:
    """For each row what the first source gave that was quarantined, and whether there is such a number."""
    forecast = scored.forecast
    found = np.zeros((len(forecast.sensors), len(forecast), 2))
    first: dict[str, Quarantined] = {}
    for one in scored.quarantined:
        first.setdefault(one.sensor, one)
    for number, sensor in enumerate(forecast.sensors):
        if sensor in first:
            given = first[sensor].point[: len(forecast)]
            found[number, : len(given), 0] = given
            found[number, : len(given), 1] = 1
    return found.reshape(-1, 2)
