"""`fleetcast monitor prod` of 10,000 circuits × 6 sensors: the whole command, the first look and a later one.

    python benchmarks/monitoring_at_scale.py [CIRCUITS] [--folder FOLDER]

The fleet is `monitored_fleet.py`: hourly readings, 90 days that the models were trained on (a year would take four
times the disk, and as much longer to learn from at the first look), and two weeks since, with a forecast of 168 steps
each day. The first look learns what is normal of each circuit; later ones have kept it. Memory is that of all processes
at the same moment, what they share counted by each. Processor seconds say what it takes where other work runs beside
it. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from monitored_fleet import NOW, monitored_fleet

_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Taken:
    """What one command took."""

    seconds: float
    cpu_s: float
    peak_mib: float
    said: str


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
            monitored_fleet(fleet, asked.circuits)
        result: dict[str, object] = {"benchmark": "monitoring_at_scale"}
        hour = _next_hour(fleet)
        for name in ("first", "later"):
            at = NOW + hour * timedelta(hours=1)
            taken = _taken(["monitor", "prod", "--at", at.isoformat(), "--format", "json"], fleet)
            hour += 1
            said = json.loads(taken.said)
            result |= {
                "circuits": said["circuits"],
                "observations": sum(said["outcomes"].values()),
                "alarms": len(said["alarms"]),
                f"{name}_s": round(taken.seconds, 1),
                f"{name}_cpu_s": round(taken.cpu_s, 1),
                f"{name}_mib": round(taken.peak_mib),
                f"{name}_json_mib": round(len(taken.said) / 2**20, 2),
            }
            print(
                f"{name} look: {taken.seconds:.0f} s, {taken.cpu_s:.0f} s of processors, "
                f"{taken.peak_mib:,.0f} MiB, {len(said['alarms'])} alarms, JSON of {len(taken.said) / 2**20:.1f} MiB",
                flush=True,
            )
    print(json.dumps(result))


def _next_hour(fleet: Path) -> int:
    """After the looks that a fleet has seen, if any: a kept one is not learnt anew."""
    looks = fleet / ".fleetcast" / "observations" / "_delta_log"
    return len(list(looks.glob("*.json")))


def _taken(words: Sequence[str], fleet: Path) -> Taken:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    peaks, done = [0.0], threading.Event()
    with subprocess.Popen(
        [sys.executable, "-m", "fleetcast.cli.main", *words, "--fleet", str(fleet)],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        watcher = threading.Thread(target=_watch_memory, args=(process.pid, peaks, done))
        watcher.start()
        said, _ = process.communicate()
        done.set()
        watcher.join()
    if process.returncode:
        raise SystemExit(said[-2000:])
    seconds = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Taken(seconds, cpu, max(peaks), said)


def _watch_memory(pid: int, peaks: list[float], done: threading.Event) -> None:
    while not done.wait(0.25):
        peaks.append(sum(_resident(member) for member in (pid, *_children(pid))))


def _children(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(one) for task in tasks for one in (task / "children").read_text().split()]
    except OSError:
        return []


def _resident(pid: int) -> float:
    """Memory of one process in MiB."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE / 2**20
    except OSError:
        return 0.0


if __name__ == "__main__":
    main()
