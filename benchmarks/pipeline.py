"""All eight stages over 200 circuits, against a bare loop over the same fits on the same two processes.

What it costs that nothing acknowledged is lost in a power cut is shown apart, from one more run below `strace`.
Run it as `python benchmarks/pipeline.py [circuits]`. Prints a table and, as its last line, one JSON object.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

WORKERS = 2
REPEATS = 3
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}
WAITED = re.compile(r"<([0-9.]+)>$", re.MULTILINE)
"""The seconds at the end of a line of `strace -T`."""
FLEETCAST = [sys.executable, "-m", "fleetcast.cli.main"]


def main() -> None:
    """Measure both, alternating, and print medians and the ratio."""
    circuits = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    os.environ.update(ONE_THREAD)
    with tempfile.TemporaryDirectory() as folder:
        fleet = Path(folder) / "fleet"
        _prepare(fleet, circuits)
        bare, ours, stages = [], [], []
        for repeat in range(REPEATS):
            _forget(fleet)
            seconds, breakdown = _all_stages(fleet)
            ours.append(seconds)
            stages.append(breakdown)
            bare.append(_bare_loop(fleet))
            print(f"run {repeat + 1}: stages {seconds:.2f} s, bare loop {bare[-1]:.2f} s", flush=True)
        _forget(fleet)
        peaks: list[float] = []
        _all_stages(fleet, peaks)  # apart from the timed runs: looking at memory takes time
        print(f"peak memory of all processes {max(peaks):.0f} MiB")
        _forget(fleet)
        syncing = _syncing(fleet)
    breakdown = {name: statistics.median(stage[name] for stage in stages) for name in stages[0]}
    result = {
        "benchmark": "pipeline",
        "circuits": circuits,
        "stages_s": round(statistics.median(ours), 2),
        "bare_loop_s": round(statistics.median(bare), 2),
        "ratio": round(statistics.median(o / b for o, b in zip(ours, bare, strict=True)), 2),
        "peak_mib": round(max(peaks)),
        **syncing,
        "breakdown_s": {name: round(seconds, 2) for name, seconds in breakdown.items()},
    }
    for name, seconds in breakdown.items():
        print(f"  {name:<22}{seconds:7.2f} s")
    print(f"  {'process start and end':<22}{statistics.median(ours) - sum(breakdown.values()):7.2f} s")
    print(json.dumps(result))


def _prepare(fleet: Path, circuits: int) -> None:
    from fleetcast.config.templates import NewFleet, init_fleet
    from fleetcast.domain.identity import CircuitKey
    from fleetcast.forecasting.simulation import SENSORS

    plants = max(1, circuits // 20)
    keys = [
        CircuitKey(f"PLANT{p:03d}", f"CIRCUIT{c:02d}")
        for p in range(1, plants + 1)
        for c in range(1, circuits // plants + 1)
    ]
    init_fleet(fleet, NewFleet(circuits=keys, features=SENSORS, cutoff="2025-12-31"))
    settings = fleet / "fleetcast.yaml"
    settings.write_text(settings.read_text().replace("  # workers: 2 ", f"  workers: {WORKERS} "))
    command = [
        "simulate",
        "--plants",
        str(plants),
        "--circuits",
        str(circuits // plants),
        "--fleet",
        str(fleet),
    ]
    subprocess.run([*FLEETCAST, *command], check=True, stdout=subprocess.DEVNULL)


def _forget(fleet: Path) -> None:
    """Back to a fleet that was never trained; the readings stay."""
    state = fleet / ".fleetcast"
    keep = state / "readings"
    for entry in state.iterdir():
        if entry != keep:
            subprocess.run(["rm", "-rf", str(entry)], check=True)


def _all_stages(fleet: Path, peaks: list[float] | None = None) -> tuple[float, dict[str, float]]:
    """Seconds of `fleetcast train`, whole and by stage; its memory in MiB is added to `peaks`, if given."""
    environment = {name: value for name, value in os.environ.items() if name not in ONE_THREAD}
    started = time.perf_counter()
    process = subprocess.Popen(
        [*FLEETCAST, "train", "--format", "json", "--fleet", str(fleet)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    )
    done = threading.Event()
    watcher = threading.Thread(target=_watch_memory, args=(process.pid, peaks, done))
    if peaks is not None:
        watcher.start()
    output, _ = process.communicate()
    seconds = time.perf_counter() - started
    done.set()
    if peaks is not None:
        watcher.join()
    assert process.returncode == 3, "a first run ends awaiting approval"
    return seconds, {stage["stage"]: stage["seconds"] for stage in json.loads(output)["stages"]}


def _syncing(fleet: Path) -> dict[str, float]:
    """How often and how long one run waits for the disk, in the run's own process and in each of its workers."""
    if shutil.which("strace") is None:
        print("what syncing costs was not measured: strace is missing")
        return {}
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace"
        watch = ["strace", "-f", "-ff", "-qq", "--seccomp-bpf", "-T", "-e", "trace=fsync,fdatasync", "-o"]
        process = subprocess.Popen(
            [*watch, str(trace), *FLEETCAST, "train", "--format", "json", "--fleet", str(fleet)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        assert process.wait() == 3, "a first run ends awaiting approval"
        waits = {
            int(file.suffix[1:]): [float(seconds) for seconds in WAITED.findall(file.read_text())]
            for file in Path(folder).iterdir()
        }
    own = waits.pop(min(waits), [])
    workers = [seconds for found in waits.values() for seconds in found]
    print(
        f"{len(own)} syncs of the run, {sum(own):.2f} s; {len(workers)} of its {WORKERS} workers, {sum(workers):.2f} s"
    )
    return {
        "syncs": len(own) + len(workers),
        "syncing_s": round(sum(own) + sum(workers) / WORKERS, 2),
    }


def _watch_memory(pid: int, peaks: list[float], done: threading.Event) -> None:
    while not done.wait(0.05):
        peaks.append(sum(_proportional_set(member) for member in _family(pid)))


def _family(pid: int) -> list[int]:
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    family = [pid]
    for member in family:
        family += [child for child, parent in parents.items() if parent == member]
    return family


def _proportional_set(pid: int) -> float:
    """Memory of one process in MiB, shared pages divided among those that share them."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def _bare_loop(fleet: Path) -> float:
    """Seconds of nothing but the fits: series in memory before the clock starts, results thrown away."""
    pool = ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn"))
    ready = list(pool.map(_load, [(str(fleet), part) for part in range(WORKERS)]))
    assert sum(ready) > 0
    started = time.perf_counter()
    list(pool.map(_fit_all, range(WORKERS)))
    seconds = time.perf_counter() - started
    pool.shutdown()
    return seconds


_PARTS: dict[int, list[tuple[object, object]]] = {}


def _load(argument: tuple[str, int]) -> int:
    from fleetcast.app import open_table
    from fleetcast.config.reader import load_fleet
    from fleetcast.forecasting.resampling import resample
    from fleetcast.forecasting.training import TrainingTask
    from fleetcast.pipeline.data import read_training_rows

    directory, part = Path(argument[0]), argument[1]
    fleet = load_fleet(directory, now=datetime.now(UTC))
    mine = fleet.circuits[part::WORKERS]
    loaded: list[tuple[object, object]] = []
    for circuit, readings in read_training_rows(mine, {"readings": open_table(directory)}):
        series = resample(
            readings.times,
            readings.values,
            readings.sensors,
            circuit.frequency,
            circuit.sensor_limits,
            circuit.cleaning,
        )
        loaded.append(
            (series, TrainingTask(circuit.targets, circuit.steps, circuit.family, circuit.hyperparameters))
        )
    _PARTS[len(_PARTS)] = loaded
    return len(loaded)


def _fit_all(_part: int) -> int:
    from fleetcast.forecasting.training import train

    pairs = [pair for part in _PARTS.values() for pair in part]
    for series, task in pairs:
        train(series, task)  # type: ignore[arg-type]  # stored as objects, to load nothing at import
    _PARTS.clear()
    return len(pairs)


if __name__ == "__main__":
    main()
