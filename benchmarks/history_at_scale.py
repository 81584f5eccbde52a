"""What people type, in a fleet with years behind it: 10,000 circuits, 30,000 decided requests, 1,000,000 audit entries.

Each command is a process of its own on a SQLite control database: wall seconds and peak memory, median of five. One
circuit has readings and a model that was really trained, so that it can be forecast; the other models are rows of the
registry, and the audit log is a chain that `fleetcast audit verify` accepts. The last line is JSON.

    python benchmarks/history_at_scale.py [CIRCUITS] [--fleet FOLDER]

Without a folder, the fleet is built anew in a temporary one; one that is named is built once and kept.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from artifact_folders import write_artifacts
from history import SENSORS, asked, versions, write_past

from fleetcast.app import OpenFleet, open_fleet
from fleetcast.app.database import open_database_in
from fleetcast.config.templates import NewFleet, init_fleet
from fleetcast.domain.approval import RequestState
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.model import TrainedModel
from fleetcast.domain.settings import DATABASE_URL_VARIABLE
from fleetcast.pipeline.effects import CarryOut
from fleetcast.pipeline.sharing import Share

REPEATS = 5
FORECAST = CircuitKey("PLANT001", "CIRCUIT01")
COMMANDS: Mapping[str, Sequence[str]] = {
    "plan": ("plan",),
    "status": ("status",),
    "approvals": ("approvals", "list"),
    "audit": ("audit", "list"),
    "forecast": ("forecast", str(FORECAST), "--format", "json"),
    "verify": ("audit", "verify"),
}
ONCE: Mapping[str, int] = {"verify": 1}
"""How often what takes long is measured."""
PENDING = 40

# A child inherits the peak of whoever starts it, so the one that starts commands must be small.
STARTER = """
import json, os, subprocess, sys, time
started = time.perf_counter()
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(child.pid, 0)
seconds = time.perf_counter() - started
print(json.dumps({"s": seconds, "mib": usage.ru_maxrss / 1024, "code": os.waitstatus_to_exitcode(status)}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("circuits", type=int, nargs="?", default=10_000)
    parser.add_argument("--fleet", type=Path, help="build it there if nothing is there yet, and keep it")
    told = parser.parse_args()
    os.environ.pop(DATABASE_URL_VARIABLE, None)
    with tempfile.TemporaryDirectory() as folder:
        fleet = told.fleet or Path(folder) / "fleet"
        how = "as built before"
        if not fleet.exists():
            started = time.perf_counter()
            _build(fleet, told.circuits)
            how = f"built in {time.perf_counter() - started:.0f} s"
        print(f"{how}: {_counted(fleet)}")
        result: dict[str, object] = {"benchmark": "history_at_scale", "circuits": told.circuits}
        print(f"{'median of ' + str(REPEATS):<54}{'seconds':>9}{'MiB':>8}")
        for name, words in COMMANDS.items():
            repeats = ONCE.get(name, REPEATS)
            measured = [_measured([*words, "--fleet", str(fleet)]) for _ in range(repeats)]
            seconds, mib = (statistics.median(one[unit] for one in measured) for unit in ("s", "mib"))
            print(f"fleetcast {' '.join(words):<44}{seconds:9.2f}{mib:8.0f}", flush=True)
            result |= {f"{name}_s": round(seconds, 3), f"{name}_mib": round(mib)}
    print(json.dumps(result))


def _measured(words: Sequence[str]) -> Mapping[str, float]:
    command = [sys.executable, "-S", "-c", STARTER, sys.executable, "-m", "fleetcast.cli.main", *words]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    measured: Mapping[str, float] = json.loads(told.stdout)
    assert measured["code"] == 0, words
    return measured


def _build(fleet: Path, count: int) -> None:
    keys = [CircuitKey(f"PLANT{n // 100 + 1:03d}", f"CIRCUIT{n % 100 + 1:02d}") for n in range(count)]
    init_fleet(fleet, NewFleet(circuits=keys, features=SENSORS))
    _run(fleet, 0, "simulate", "--plants", "1", "--circuits", "3")
    opened = open_fleet(fleet)
    others = [circuit for circuit in opened.fleet.circuits if circuit.key != FORECAST]
    past = [model for circuit in others for model in versions(circuit)]
    database = open_database_in(opened.state, opened.clock, opened.fleet.settings.signing)
    write_past(database, opened.fleet.settings.gates, past, 3 * count, 100 * count)
    _run(fleet, 3, "train", "--circuits", str(FORECAST))
    opened = open_fleet(fleet)
    waiting = opened.platform.control.approvals.listed([RequestState.PENDING])
    _run(fleet, 0, "approve", *(str(request.id) for request in waiting))
    _run(fleet, 0, "train", "--circuits", str(FORECAST))
    opened = open_fleet(fleet)
    write_artifacts(opened.state, [model.artifact for model in past])
    _register(opened, past)
    with closing(sqlite3.connect(opened.state / "control.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert opened.planning(opened.fleet).count("up to date") == count


def _run(fleet: Path, expected: int, *words: str) -> None:
    command = [sys.executable, "-m", "fleetcast.cli.main", *words, "--fleet", str(fleet)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == expected, done.stderr


def _register(opened: OpenFleet, past: Sequence[TrainedModel]) -> None:
    """All versions; second ones rejected, others promoted, except that the last few circuits wait for people."""
    platform = opened.platform
    registered = platform.workspace.models.register(past)
    names = sorted({version.name for version in registered})
    policies = opened.fleet.settings.gates
    waiting = set(names[-PENDING:])
    promoted = [version for version in registered if version.version != 2 and version.name not in waiting]
    states = platform.control.states
    Share(platform.workspace.shared, CarryOut(platform.control.effects, opened.clock)).models(promoted)
    states.select({version.name: version.version for version in registered})
    states.crown({version.name: version.version for version in promoted})
    states.reject([(version.name, version.version) for version in registered if version.version == 2])
    newest = {version.name: version for version in registered if version.name in waiting}
    platform.control.approvals.open(
        [
            replace(
                asked(policies, version.model, version.version, 0),
                id=0,
                opened_at=opened.clock.now(),
                requested_by=platform.control.actor,
            )
            for version in newest.values()
        ]
    )


def _counted(fleet: Path) -> str:
    tables = ("model_versions", "requests", "audit")
    (database,) = fleet.glob(".fleetcast/control.db")
    with closing(sqlite3.connect(database)) as connection:
        counts = [
            f"{connection.execute(f'SELECT count(*) FROM {table}').fetchone()[0]:,} {table}"  # noqa: S608
            for table in tables
        ]
    return f"{', '.join(counts)}, {database.stat().st_size / 2**20:,.0f} MiB"


if __name__ == "__main__":
    main()
