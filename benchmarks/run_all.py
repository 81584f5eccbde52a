"""Run every benchmark, one after another, and write what they print to RESULTS.md.

Run it as `make bench`, or `make bench ARGS="--data ../shared/data"` to include those on public data sets.
Nothing else should run on the machine meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
PACKAGES = ("numpy", "scipy", "polars", "deltalake", "sqlalchemy", "mlforecast", "lightgbm")

Result = Mapping[str, float]


@dataclass(frozen=True)
class Benchmark:
    script: str
    title: str
    promises: Callable[[Result], list[tuple[str, str, bool]]] = lambda _result: []
    """What was measured, what was promised, and whether it holds."""


BENCHMARKS = (
    Benchmark(
        "start_up.py",
        "Start-up",
        lambda r: [(f"`fleetcast --help` {r['help_s']:.2f} s", "at most 0.4 s", r["help_s"] <= 0.4)],
    ),
    Benchmark(
        "one_circuit.py",
        "One circuit: 6 sensors × 8,760 h, 168 steps ahead, intervals, one core",
        lambda r: [
            (f"{r['fleetcast_auto_ms']:.0f} ms", "at most 90 ms", r["fleetcast_auto_ms"] <= 90),
            (f"mlforecast + LightGBM takes {r['ratio']:.0f} × as long", "at least 70 ×", r["ratio"] >= 70),
        ],
    ),
    Benchmark(
        "pipeline.py",
        "200 circuits: all eight stages against a bare loop over the same fits, two processes",
        lambda r: [
            (f"{r['ratio']:.2f} × the bare loop", "at most 2 ×", r["ratio"] <= 2),
            (f"peak memory {r['peak_mib']:.0f} MiB", "under 2,048 MiB", r["peak_mib"] < 2048),
        ],
    ),
    Benchmark(
        "load_fleet.py",
        "Loading and validating 10,000 circuits",
        lambda r: [(f"{r['seconds']:.2f} s", "under 3 s", r["seconds"] < 3)],
    ),
    Benchmark(
        "plan_at_scale.py",
        "Planning 10,000 circuits against 10,000 registered models",
        lambda r: [
            (f"{what} on {name} {r[f'{short}_{key}_s']:.2f} s", said, r[f"{short}_{key}_s"] <= limit)
            for short, name in (("sqlite", "SQLite"), ("postgres", "PostgreSQL"))
            for key, what, said, limit in (
                ("plan", "plan", "at most 2 s", 2),
                ("nothing_to_do", "a run with nothing to do", "at most 5 s", 5),
                ("register", "registering 10,000 versions", "under 10 s", 10),
            )
        ],
    ),
    Benchmark(
        "foreign_table.py",
        "One pass over a long table of 10 M rows for 200 circuits that somebody else keeps",
        lambda r: [
            (f"{r['ratio']:.2f} × a bare polars scan", "at most 1.5 ×", r["ratio"] <= 1.5),
            (
                f"{r['ratio_same_work']:.2f} × polars doing the same work",
                "at most 1 ×",
                r["ratio_same_work"] <= 1,
            ),
            (
                f"peak memory {r['fleetcast_mib']:.0f} MiB, bare scan {r['bare_mib']:.0f} MiB",
                "at most 1.5 ×",
                r["fleetcast_mib"] <= 1.5 * r["bare_mib"],
            ),
        ],
    ),
    Benchmark(
        "edit_at_scale.py",
        "Bumping 9,999 of 10,000 circuits, comments kept",
        lambda r: [(f"{r['bump_s']:.2f} s", "under 10 s", r["bump_s"] < 10)],
    ),
    Benchmark("ett_accuracy.py", "Accuracy on ETT, the published protocol"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of the public data sets, for ett_accuracy.py")
    asked = parser.parse_args()
    rows, sections = [], []
    for benchmark in BENCHMARKS:
        arguments = []
        if benchmark.script == "ett_accuracy.py":
            if asked.data is None:
                print(f"left out: {benchmark.script} needs --data FOLDER")
                sections.append(f"## {benchmark.title}\n\nNot run: it needs `--data FOLDER`.\n")
                continue
            arguments = [str(asked.data / "etth")]
        output = _run(benchmark, arguments)
        *shown, last = output.rstrip().splitlines()
        for measured, promised, holds in benchmark.promises(json.loads(last)):
            rows.append(f"| {benchmark.title} | {measured} | {promised} | {'yes' if holds else '**no**'} |")
        sections.append(
            f"## {benchmark.title}\n\n`benchmarks/{benchmark.script}`\n\n```\n" + "\n".join(shown) + "\n```\n"
        )
    (HERE / "RESULTS.md").write_text(_page(rows, sections), encoding="utf-8")
    print("wrote benchmarks/RESULTS.md")


def _run(benchmark: Benchmark, arguments: list[str]) -> str:
    print(f"── {benchmark.script}", flush=True)
    done = subprocess.run(
        [sys.executable, str(HERE / benchmark.script), *arguments],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    print(done.stdout, flush=True)
    return done.stdout


def _page(rows: list[str], sections: list[str]) -> str:
    head = [
        "# Benchmark results",
        "",
        f"Written by `make bench` on {datetime.now(UTC):%Y-%m-%d}. {_machine()}",
        "",
        "| what | measured | promised | holds |",
        "|---|---|---|---|",
        *rows,
        "",
    ]
    return "\n".join(head) + "\n" + "\n".join(sections)


def _machine() -> str:
    cpu = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    cores = len(os.sched_getaffinity(0))
    return f"{cpu}, {cores} cores, {memory:.0f} GiB, Python {platform.python_version()}, {versions}."


if __name__ == "__main__":
    main()
