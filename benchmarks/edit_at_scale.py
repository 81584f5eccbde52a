"""Bumping all but one of 10,000 circuits, each of which must then state the value itself, and formatting them.

Next to it: reading and writing the same file with ruamel.yaml, and nothing else. The last line is JSON.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

from ruamel.yaml import YAML

from fleetcast.config.edit_circuits import edit
from fleetcast.config.format_files import format_fleet
from fleetcast.config.templates import NewFleet, init_fleet
from fleetcast.domain.identity import CircuitKey

REPEATS = 3


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as folder:
        fleet = Path(folder)
        keys = [CircuitKey(f"PLANT{n // 100:03d}", f"CIRCUIT{n % 100:02d}") for n in range(count)]
        init_fleet(fleet, NewFleet(circuits=keys, features=("temperature", "pressure")))
        now = datetime.now(UTC)
        versions = iter(range(1, 100))

        def bump() -> None:
            version = next(versions)
            wanted = {key: {"delta_version": version} for key in keys[1:]}
            edited = edit(fleet, lambda editor: editor.set_values(wanted), now=now)
            assert len(edited.circuits) == count - 1

        bumping = _median(bump)
        formatting = _median(lambda: format_fleet(fleet, now=now, write=False))
        bare = _median(lambda: _bare(fleet / "config" / "circuits.yaml"))
    print(f"{count} circuits: bump {bumping:.2f} s, fmt {formatting:.2f} s, ruamel.yaml alone {bare:.2f} s")
    result = {"bump_s": bumping, "format_s": formatting, "bare_s": bare, "ratio": bumping / bare}
    print(json.dumps({"benchmark": "edit_at_scale"} | {name: round(s, 2) for name, s in result.items()}))


def _bare(path: Path) -> None:
    yaml = YAML()
    yaml.dump(yaml.load(path.read_text()), StringIO())


def _median(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


if __name__ == "__main__":
    main()
