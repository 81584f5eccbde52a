"""How long 10,000 circuits take to load, against PyYAML and Pydantic without lines or inheritance.

Run from the project: `python benchmarks/load_fleet.py [CIRCUITS]`. Best of three in one process; the last
line is JSON. The plain way is timed with the garbage collector, as it is usually written, and without.
"""

from __future__ import annotations

import gc
import json
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import yaml
from pydantic import BaseModel

from fleetcast.config.reader import load_fleet
from fleetcast.config.templates import init_fleet

CIRCUITS_PER_PLANT = 20


class PlainCircuit(BaseModel):
    cutoff_date: object = None
    delta_version: int = 0
    features: list[str] = []
    description: str = ""


class PlainPlant(BaseModel):
    circuits: dict[str, PlainCircuit]


class PlainFile(BaseModel):
    defaults: dict[str, object]
    plants: dict[str, PlainPlant]


def write_fleet(directory: Path, circuits: int) -> Path:
    init_fleet(directory)
    file = directory / "config/circuits.yaml"
    lines = [file.read_text(encoding="utf-8").split("plants:")[0] + "plants:"]
    for number in range(circuits):
        plant, circuit = divmod(number, CIRCUITS_PER_PLANT)
        if circuit == 0:
            lines += [f"  PLANT{plant:04}:", "    circuits:"]
        lines += [
            f"      CIRCUIT{circuit:02}:",
            "        cutoff_date: 2025-11-01",
            "        delta_version: 4",
            "        features: [temperature, pressure, flow]",
            f"        description: cooling loop {circuit}",
        ]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def best(run: Callable[[], object], repeats: int = 3) -> float:
    seconds = []
    for _ in range(repeats):
        gc.collect()
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def main() -> None:
    circuits = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    now = datetime(2026, 1, 1, tzinfo=UTC)
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        file = write_fleet(directory, circuits)

        def plain() -> object:
            text = file.read_text(encoding="utf-8")
            # The fast safe loader: the comparison is with what most projects do.
            return PlainFile.model_validate(yaml.load(text, Loader=yaml.CSafeLoader))

        ours = best(lambda: load_fleet(directory, now=now))
        theirs = best(plain)
        gc.disable()
        uncollected = best(plain)
        gc.enable()
        fleet = load_fleet(directory, now=now)
        digest = best(lambda: fleet.digest)
    print(f"{circuits} circuits: load and validate {ours:.2f} s, digest {digest:.2f} s")
    print(f"plain YAML and Pydantic: {theirs:.2f} s, without garbage collection {uncollected:.2f} s")
    result = {
        "benchmark": "load_fleet",
        "circuits": circuits,
        "seconds": round(ours, 3),
        "plain_seconds": round(theirs, 3),
        "plain_seconds_without_gc": round(uncollected, 3),
        "ratio": round(ours / theirs, 2),
        "ratio_without_gc": round(ours / uncollected, 2),
        "digest_seconds": round(digest, 3),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
