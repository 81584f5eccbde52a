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
from pathlib import Path

import numpy as np
import polars as pl
from written_fleet import write_readings, written_fleet

from fleetcast.domain.place import EnvironmentName

SENSORS = ("temperature", "pressure", "vibration", "current", "voltage", "flow_rate")


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
            opened, _ = written_fleet(fleet, asked.circuits, SENSORS, EnvironmentName.TEST)
            write_readings(fleet, [one.key for one in opened.fleet.circuits], SENSORS)
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
