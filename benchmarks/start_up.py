"""How long `fleetcast --help` takes, next to a Python that imports nothing; the last line is JSON."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time

REPEATS = 15


def seconds(*arguments: str) -> float:
    """Median wall time of one command."""
    taken = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def main() -> None:
    ours, bare = seconds("-m", "fleetcast.cli.main", "--help"), seconds("-c", "pass")
    print(f"fleetcast --help {ours:.3f} s, bare Python {bare:.3f} s")
    print(json.dumps({"benchmark": "start_up", "help_s": round(ours, 3), "bare_s": round(bare, 3)}))


if __name__ == "__main__":
    main()
