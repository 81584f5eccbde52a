"""The rows a job trains on, as a Parquet file: `timestamp` (UTC, microseconds), then one float64 column a sensor."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.ports.readings import Readings
from fleetcast.stored.durable import make_folder, partial_beside, publish


def write_rows(readings: Readings, path: Path) -> None:
    """Write rows to the disk in one move: another process sees the whole file or none, whatever is cut.

    Raises:
        Unavailable: The disk is full or cannot be written; nothing is left behind.
    """
    import polars as pl

    columns = {"timestamp": pl.Series(readings.times).cast(pl.Datetime("us", "UTC"))}
    columns |= {name: pl.Series(readings.values[:, i]) for i, name in enumerate(readings.sensors)}
    partial = partial_beside(path)
    try:
        make_folder(path.parent)
        pl.DataFrame(columns).write_parquet(partial, compression="lz4", statistics=False)
        publish(partial, path)
    except (OSError, pl.exceptions.ComputeError) as error:  # polars hides a full disk in the latter
        partial.unlink(missing_ok=True)
        reason = str(error).rpartition(": ")[2]
        raise Unavailable(
            f"cannot write {path.name}: {reason}", fix="check the disk's space and rights"
        ) from error


def read_rows(path: Path, key: CircuitKey, fingerprint: Digest | None = None) -> Readings:
    """Read the rows that `write_rows` wrote.

    Raises:
        BadInput: There is no such file, it is not whole, or its rows are not those with the fingerprint.
    """
    import polars as pl

    if not path.is_file():
        raise BadInput(f"the rows of {key} are not in {path}", fix="run `fleetcast train` again")
    try:
        frame = pl.read_parquet(path, glob=False)
        sensors = tuple(name for name in frame.columns if name != "timestamp")
        times = frame["timestamp"].cast(pl.Int64).to_numpy()
        values = (
            np.column_stack([frame[name].to_numpy() for name in sensors])
            if sensors
            else np.empty((len(times), 0))
        )
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise BadInput(
            f"the rows of {key} in {path} are damaged: {error}",
            fix="delete that file, then run `fleetcast train --retry-failed`: the table still has them",
        ) from error
    readings = Readings(key, sensors, frozenset(), times, values)
    if fingerprint is not None and readings.fingerprint() != fingerprint:
        raise BadInput(
            f"the rows of {key} in {path} are damaged: they are not those that were frozen",
            fix="delete that file, then run `fleetcast train --retry-failed`: it is fetched or read anew",
        )
    return readings
