"""One pass over a long Delta table of 10 M rows for 200 circuits that somebody else keeps.

Next to it, each in a process of its own: a bare polars scan with the same filter, which leaves rows of text in the
order of the files; and polars doing the same work, which is to give each circuit its sensors side by side in the order
of time. The last line is JSON.

    python benchmarks/foreign_table.py [rows]
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

REPEATS = 5
WHO = ("bare", "polars", "fleetcast")
CIRCUITS, SENSORS = 200, 6
START = datetime(2025, 1, 1, tzinfo=UTC)


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    with tempfile.TemporaryDirectory() as folder:
        steps = _write(Path(folder), rows)
        seconds: dict[str, list[float]] = {who: [] for who in WHO}
        peaks: dict[str, list[float]] = {who: [] for who in WHO}
        for _ in range(REPEATS):
            for who in WHO:
                told = subprocess.run(
                    [sys.executable, __file__, who, folder, str(steps)],
                    check=True,
                    stdout=subprocess.PIPE,
                    text=True,
                )
                measured = json.loads(told.stdout)
                seconds[who].append(measured["seconds"])
                peaks[who].append(measured["peak_mib"])
    ratios = {
        who: statistics.median(o / b for o, b in zip(seconds["fleetcast"], seconds[who], strict=True))
        for who in WHO
    }
    took = {who: statistics.median(values) for who, values in seconds.items()}
    peak = {who: statistics.median(values) for who, values in peaks.items()}
    print(f"{rows:,} rows, {CIRCUITS} circuits of {SENSORS} sensors, long layout, median of {REPEATS}")
    for who in WHO:
        print(f"  {who:<10}{took[who]:7.2f} s {peak[who]:7.0f} MiB")
    print(
        json.dumps(
            {
                "benchmark": "foreign_table",
                "rows": rows,
                "fleetcast_s": round(took["fleetcast"], 2),
                "bare_s": round(took["bare"], 2),
                "polars_s": round(took["polars"], 2),
                "ratio": round(ratios["bare"], 2),
                "ratio_same_work": round(ratios["polars"], 2),
                "fleetcast_mib": round(peak["fleetcast"]),
                "bare_mib": round(peak["bare"]),
            }
        )
    )


def _write(folder: Path, rows: int) -> int:
    """A table as a historian writes it: in the order of time, one file for each stretch."""
    import numpy as np
    import polars as pl
    from deltalake import write_deltalake

    steps = rows // (CIRCUITS * SENSORS)
    keys = pl.DataFrame({"n": range(CIRCUITS)}).select(
        plant=pl.format("PLANT{}", pl.col("n") // 20), loop=pl.format("CIRCUIT{}", pl.col("n") % 20)
    )
    tags = keys.join(pl.DataFrame({"tag": [f"S{n}" for n in range(SENSORS)]}), how="cross")
    generator = np.random.default_rng(7)
    stretch = 1_000
    for first in range(0, steps, stretch):
        count = min(stretch, steps - first)
        times = pl.DataFrame(
            {"measured_at": [START + timedelta(minutes=10 * (first + step)) for step in range(count)]}
        ).with_columns(pl.col("measured_at").cast(pl.Datetime("us", "UTC")))
        frame = times.join(tags, how="cross").with_columns(
            reading=pl.Series(generator.normal(size=count * CIRCUITS * SENSORS))
        )
        write_deltalake(str(folder), frame, mode="append")
    return steps


def _measured(who: str, folder: str, steps: int) -> None:
    end = START + timedelta(minutes=10 * steps)
    work = {"bare": _bare, "polars": _polars, "fleetcast": _fleetcast}[who]
    import fleetcast.platforms.delta.external  # noqa: F401  # start-up, polars included, is not what is measured

    started = time.perf_counter()
    cells = work(folder, end)
    seconds = time.perf_counter() - started
    assert cells == steps * CIRCUITS * SENSORS, cells
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak_mib": peak}))


def _bare(folder: str, end: datetime) -> int:
    return len(_filtered(folder, end).collect())


def _polars(folder: str, end: datetime) -> int:
    """Each circuit as a frame: time, and a column for each sensor."""
    rows = _filtered(folder, end).collect()
    circuits = rows.partition_by("plant", "loop", as_dict=True)
    wide = [
        part.pivot(on="tag", index="measured_at", values="reading").sort("measured_at")
        for part in circuits.values()
    ]
    return sum(len(frame) * (frame.width - 1) for frame in wide)


def _filtered(folder: str, end: datetime) -> pl.LazyFrame:
    import polars as pl

    return pl.scan_delta(folder).filter(
        pl.col("measured_at") >= START,
        pl.col("measured_at") < end,
        pl.col("plant").is_in([f"PLANT{n}" for n in range(CIRCUITS // 20)]),
        pl.col("loop").is_in([f"CIRCUIT{n}" for n in range(20)]),
        pl.col("tag").is_in([f"S{n}" for n in range(SENSORS)]),
    )


def _fleetcast(folder: str, end: datetime) -> int:
    from fleetcast.domain.identity import CircuitKey
    from fleetcast.domain.table_mapping import Layout, TableMapping
    from fleetcast.platforms.delta.external import ExternalReadingsTable
    from fleetcast.ports.readings import ReadingsWanted

    columns = {
        "timestamp": "measured_at",
        "plant_id": "plant",
        "circuit_id": "loop",
        "sensor": "tag",
        "value": "reading",
    }
    table = ExternalReadingsTable(folder, TableMapping(Layout.LONG, columns))
    sensors = tuple(f"S{n}" for n in range(SENSORS))
    wanted = [
        ReadingsWanted(CircuitKey(f"PLANT{n // 20}", f"CIRCUIT{n % 20}"), sensors, START, end)
        for n in range(CIRCUITS)
    ]
    latest = table.latest_version()
    assert latest is not None
    return sum(readings.values.size for readings in table.read(wanted, latest))


if __name__ == "__main__":
    if len(sys.argv) > 3:
        _measured(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    else:
        main()
