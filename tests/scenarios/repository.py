"""A fleet repository as a person has it: files to edit, and commands to type."""

from __future__ import annotations

import gc
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import sqlalchemy as sa

from fleetcast.cli.main import run
from fleetcast.config.templates import NewFleet, init_fleet
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.settings import DATABASE_URL_VARIABLE
from tests.servers.postgres import PostgresServer

CUTOFF = "2025-02-25"
DAYS = 60
CIRCUIT01, CIRCUIT02 = "PLANT001/CIRCUIT01", "PLANT001/CIRCUIT02"
CIRCUITS = "config/circuits.yaml"
ENVIRONMENT = "config/environment.yaml"
COMPONENT = "components/training-pipeline-component.yaml"
FIT = f'{sys.executable} -m fleetcast.cli.main fit --task "$1" --data "$2" --output "$3"\n'
"""fleetcast's own training, as a line of a shell script."""
ON_SQLITE = pytest.mark.parametrize("server", ["sqlite"], indirect=True, scope="session")
ON_POSTGRES = pytest.mark.parametrize("server", ["postgres"], indirect=True, scope="session")
STAGES = (
    "RegisterEnvironment",
    "PromoteEnvironment",
    "RegisterComponents",
    "RegisterData",
    "SubmitTraining",
    "MonitorTraining",
    "RegisterModels",
    "PromoteModels",
)


@dataclass(frozen=True, slots=True)
class Said:
    """What one command ended with and printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed for programs."""
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Repository:
    """The folder of a fleet."""

    folder: Path
    server: PostgresServer | None = None
    """Where the control database is; None: in the folder."""
    database: str = ""
    """Its name on the server."""

    @property
    def environment(self) -> Mapping[str, str]:
        """What the commands find in their environment."""
        return {DATABASE_URL_VARIABLE: self.server.url(self.database)} if self.server else {}

    @property
    def state(self) -> Path:
        return self.folder / ".fleetcast"

    def type(self, *words: str) -> Said:
        """Type `fleetcast …` in this process."""
        out, err = StringIO(), StringIO()
        with redirect_stdout(out), redirect_stderr(err), patch.dict(os.environ, self.environment):
            code = run([*words, "--fleet", str(self.folder)])
        return Said(code, out.getvalue(), err.getvalue())

    def command(self, *words: str) -> list[str]:
        """The same command for a process of its own."""
        return [sys.executable, "-m", "fleetcast.cli.main", *words, "--fleet", str(self.folder)]

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Type it in a process of its own, and go on."""
        return subprocess.Popen(
            self.command(*words),
            env={**os.environ, **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def spawn(self, *words: str) -> Said:
        """Type it in a process of its own, and wait for it."""
        process = self.start(*words)
        out, err = process.communicate(timeout=120)
        return Said(process.returncode, out, err)

    def edit(self, file: str, before: str, after: str) -> None:
        path = self.folder / file
        text = path.read_text()
        assert text.count(before) == 1, f"{before!r} is {text.count(before)} times in {file}"
        path.write_text(text.replace(before, after))

    def declare(self, circuit: str, settings: str) -> None:
        """Say something about one circuit: `declare("CIRCUIT01", "revision: 1")`."""
        path = self.folder / CIRCUITS
        lines = path.read_text().splitlines()
        place = next(i for i, line in enumerate(lines) if line.startswith(f"      {circuit}:"))
        lines[place] = f"      {circuit}: {{{settings}}}"
        path.write_text("\n".join(lines) + "\n")

    def declare_block(self, circuit: str, setting: str) -> None:
        """Say something more about a circuit that is written in lines of its own."""
        self.edit(CIRCUITS, f"      {circuit}:\n", f"      {circuit}:\n        {setting}\n")

    def bump_component(self, before: str, after: str) -> None:
        """Raise the component's version, and let every circuit train with it."""
        self.edit(COMPONENT, f"version: {before}", f"version: {after}")
        self.edit(CIRCUITS, f"pipeline_component_version: {before}", f"pipeline_component_version: {after}")

    def fit_with(self, script: str) -> Path:
        """Let a shell script train, with `$1 $2 $3` the task, the data and the model's folder."""
        path = self.folder / "fit.sh"
        path.write_text(script)
        component = self.folder / COMPONENT
        lines = component.read_text().splitlines()
        place = next(i for i, line in enumerate(lines) if line.strip().startswith("command:"))
        lines[place] = (
            f"    command: sh {path} ${{{{inputs.task}}}} ${{{{inputs.data}}}} ${{{{outputs.model}}}}"
        )
        component.write_text("\n".join(lines) + "\n")
        return path

    def plan(self) -> Mapping[str, tuple[str, str]]:
        """Action and reason of every circuit."""
        planned = self.type("plan", "--format", "json")
        assert planned.code == 0, planned.err
        return {
            f"{row['plant_id']}/{row['circuit_id']}": (row["action"], row["why"])
            for row in planned.json["circuits"]
        }

    def actions(self) -> dict[str, str]:
        return {key: action for key, (action, _why) in self.plan().items()}

    def requests(self, *options: str) -> list[dict[str, Any]]:
        listed = self.type("approvals", "list", "--format", "json", *options)
        assert listed.code == 0, listed.err
        found: list[dict[str, Any]] = listed.json["requests"]
        return found

    def approve_all(self) -> None:
        waiting = [str(request["request_id"]) for request in self.requests()]
        assert self.type("approve", *waiting).code == 0

    def promote(self) -> None:
        """Train, approve everything that waits, and train again."""
        assert self.type("train").code == 3
        self.approve_all()
        done = self.type("train")
        assert done.code == 0, done.out + done.err

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the control database, past fleetcast."""
        with self._past_fleetcast() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]

    def change(self, statement: str) -> None:
        """Tamper with the control database."""
        with self._past_fleetcast() as connection:
            connection.exec_driver_sql(statement)

    @contextmanager
    def _past_fleetcast(self) -> Iterator[sa.Connection]:
        url = f"sqlite:///{self.state / 'control.db'}"
        if self.server:
            url = self.server.url(self.database).replace("postgresql:", "postgresql+pg8000:")
        with sa.create_engine(url, poolclass=sa.NullPool).begin() as connection:
            yield connection

    def audited(self) -> list[str]:
        """What was done, oldest first."""
        rows = self.rows("SELECT content FROM audit ORDER BY number")
        return [json.loads(content)["event"]["action"] for (content,) in rows]

    def versions(self) -> list[tuple[str, int]]:
        return [
            (name, int(version))
            for name, version in self.rows("SELECT name, version FROM model_versions ORDER BY 1, 2")
        ]

    def models(self) -> list[dict[str, Any]]:
        """Everything that is stored with the model versions."""
        rows = self.rows("SELECT content FROM model_versions ORDER BY name, version")
        return [json.loads(content) for (content,) in rows]

    def shared(self) -> list[tuple[str, int]]:
        return [
            (name, int(version))
            for name, version in self.rows("SELECT name, version FROM shared_models ORDER BY 1, 2")
        ]

    def jobs(self) -> list[str]:
        return [row[0] for row in self.rows("SELECT id FROM jobs ORDER BY position")]

    def artifact(self, run: str, file: str) -> Any:
        """A stage's JSON artifact."""
        return json.loads((self.state / "runs" / run / file).read_text())

    def copy_to(self, folder: Path) -> Repository:
        shutil.copytree(self.folder, folder)
        if self.server is None:
            return Repository(folder)
        gc.collect()  # a database that is copied may have no connections
        return Repository(folder, self.server, self.server.new_database(self.database))


def write_fleet(
    folder: Path,
    server: PostgresServer | None = None,
    *,
    plants: int = 1,
    circuits: int = 2,
    days: int = DAYS,
    family: str = "linear",
) -> Repository:
    """A repository whose circuits forecast twelve hours of two sensors, with readings for all of them."""
    keys = [
        CircuitKey(f"PLANT{plant:03d}", f"CIRCUIT{circuit:02d}")
        for plant in range(1, plants + 1)
        for circuit in range(1, circuits + 1)
    ]
    new = NewFleet(circuits=keys, features=("temperature", "vibration"), cutoff=CUTOFF, family=family)
    init_fleet(folder, new)
    fleet = Repository(folder, server, server.new_database() if server else "")
    fleet.edit(CIRCUITS, "forecast_horizon: 7 ", "forecast_horizon: 12h ")
    # intervals measured on twelve days of made-up readings may cover anything; that is another story
    any_coverage = "  thresholds: {min_coverage_80: 0, max_coverage_80: 1}"
    fleet.edit(CIRCUITS, "  data_source: readings\n", f"  data_source: readings\n{any_coverage}\n")
    size = ("--plants", str(plants), "--circuits", str(circuits), "--length", f"{days}d")
    assert fleet.type("simulate", *size).code == 0
    return fleet


def alive(marker: str) -> list[int]:
    """Processes whose command line or working environment names `marker`, this one left out."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            told = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            zombie = (entry / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            continue
        if marker.encode() in told and not zombie:
            found.append(int(entry.name))
    return found


def ids(requests: Sequence[dict[str, Any]]) -> list[str]:
    return [str(request["request_id"]) for request in requests]
