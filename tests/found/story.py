"""A story is told with real processes on real files: it prints what it did, what it saw and what it expected.

A story knows fleetcast by its command line alone, so that an earlier version can be told the same one.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

CIRCUITS = "config/circuits.yaml"
LINES = 12
"""How much of what a command printed is shown."""


class StoryEnded(Exception):
    """A command did not end as the rest of the story needs."""


@dataclass(frozen=True, slots=True)
class Said:
    """What one command ended with and printed."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """Everything that it printed, with each run of blanks and line breaks as one blank."""
        return re.sub(r"\s+", " ", self.out + self.err)

    @property
    def json(self) -> Any:
        """What it printed for programs; empty where that is no JSON."""
        try:
            return json.loads(self.out)
        except ValueError:
            return {}


@dataclass(slots=True)
class Story:
    """One story: what it does, and what did not come out as it should."""

    folder: Path
    """A new folder, which is the story's own."""
    sources: Path
    """The sources of the fleetcast that it is told about."""
    wrong: list[str] = field(default_factory=list)

    def fleet(
        self,
        name: str = "fleet",
        *,
        circuits: int = 1,
        days: int = 40,
        features: Sequence[str] = ("temperature", "pressure"),
        settings: str = "",
    ) -> Fleet:
        """A fleet of one plant that forecasts twelve hours, with hourly readings until 2025-01-01 + `days`.

        Args:
            name: Its folder, below the story's own.
            circuits: How many, CIRCUIT01 and so on, all of PLANT001.
            days: Days of made-up readings; 0 for none.
            features: Sensor columns.
            settings: More lines for the fleet's `defaults:`, separated by line breaks.
        """
        fleet = Fleet(self, self.folder / name)
        if (done := self.fleetcast("init", str(fleet.folder))).code:
            raise StoryEnded(done.text)
        lines = [
            "defaults:",
            f"  features: [{', '.join(features)}]",
            "  frequency: 1h",
            "  forecast_horizon: 12h",
            f"  training_days: {max((days or 40) - 5, 10)}",
            f"  cutoff_date: {_day(max((days or 40) - 3, 10))}",
            "  data_source: readings",
            "  delta_version: 0",
            "  pipeline_component_version: 1.0.0",
            "  model: linear",
            *(f"  {line}" for line in settings.splitlines()),
            "plants:",
            "  PLANT001:",
            "    circuits:",
            *(f"      CIRCUIT{number:02d}: {{}}" for number in range(1, circuits + 1)),
        ]
        (fleet.folder / CIRCUITS).write_text("\n".join(lines) + "\n", encoding="utf-8")
        if days:
            fleet.type(
                "simulate", "--plants", "1", "--circuits", str(circuits), "--length", f"{days}d", code=0
            )
        return fleet

    def fleetcast(
        self, *words: str, cwd: Path | None = None, environment: Mapping[str, str] | None = None
    ) -> Said:
        """Type `fleetcast …`, in a process of its own."""
        return self.run(
            [sys.executable, "-m", "fleetcast.cli.main", *words],
            shown=f"fleetcast {' '.join(words)}",
            cwd=cwd,
            environment=environment,
        )

    def run(
        self,
        command: Sequence[str],
        *,
        shown: str | None = None,
        cwd: Path | None = None,
        environment: Mapping[str, str] | None = None,
        seconds: int = 300,
    ) -> Said:
        """Run any command, for so long at most, with this story's fleetcast as the one that Python finds."""
        typed = (shown or " ".join(command)).replace(str(self.folder), "…")
        print(f"\n$ {typed.encode(errors='backslashreplace').decode()}", flush=True)
        done = subprocess.run(
            list(command),
            cwd=cwd or self.folder,
            env={**self.environment, **(environment or {})},
            capture_output=True,
            encoding="utf-8",
            timeout=seconds,
            check=False,
        )
        said = Said(done.returncode, done.stdout, done.stderr)
        lines = (said.out + said.err).replace(str(self.folder), "…").splitlines()
        hidden = len(lines) - LINES
        for line in (
            [*lines[: LINES // 2], f"[{hidden} more lines]", *lines[-LINES // 2 :]] if hidden > 0 else lines
        ):
            print(f"  {line}")
        print(f"  exit code {said.code}", flush=True)
        if "Traceback" in said.err:
            self.expect("no command ends with a traceback", holds=False, saw=said.err.splitlines()[-1])
        return said

    @property
    def environment(self) -> dict[str, str]:
        """What its commands find in their environment."""
        return {
            **os.environ,
            "PYTHONPATH": str(self.sources),
            "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", ""))),
            "COLUMNS": "200",
            "NO_COLOR": "1",
        }

    def expect(self, what: str, *, holds: bool, saw: object = "") -> None:
        """Note whether something came out as it should, and go on."""
        print(
            f"{'✓' if holds else '✗'} expected: {what}" + (f"; saw: {saw}" if saw != "" else ""), flush=True
        )
        if not holds:
            self.wrong.append(what)

    def says(self, said: Said, *words: str) -> None:
        """Expect that a command said this, wherever its lines break."""
        for one in words:
            self.expect(f"it says “{one}”", holds=one in said.text)


@dataclass(frozen=True, slots=True)
class Fleet:
    """The folder of a fleet, in a story."""

    story: Story
    folder: Path

    @property
    def state(self) -> Path:
        return self.folder / ".fleetcast"

    def type(
        self, *words: str, code: int | None = None, environment: Mapping[str, str] | None = None
    ) -> Said:
        """Type `fleetcast … --fleet FOLDER`.

        Args:
            words: The command.
            code: The exit code without which the story cannot go on; None: any.
            environment: More for the command's environment.
        """
        said = self.story.fleetcast(*words, "--fleet", str(self.folder), environment=environment)
        if code is not None and said.code != code:
            raise StoryEnded(f"fleetcast {words[0]} ended with {said.code} instead of {code}")
        return said

    def edit(self, file: str, before: str, after: str) -> None:
        """Change one place of one of its files."""
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        if text.count(before) != 1:
            raise StoryEnded(f"{before!r} is {text.count(before)} times in {file}")
        path.write_text(text.replace(before, after), encoding="utf-8")
        print(f"\nin {file}: {before.strip()} → {after.strip()}")

    def plan(self) -> dict[str, tuple[str, str]]:
        """What `plan` would do with each circuit, and why."""
        rows = self.type("plan", "--format", "json").json.get("circuits", [])
        return {row["circuit_id"]: (row["action"], row["why"]) for row in rows}

    def requests(self) -> list[dict[str, Any]]:
        """What waits for a decision."""
        found: list[dict[str, Any]] = self.type("approvals", "list", "--format", "json").json.get(
            "requests", []
        )
        return found

    def approve_all(self) -> None:
        self.type("approve", *(str(request["request_id"]) for request in self.requests()), code=0)

    def promote(self) -> None:
        """Train, approve everything that waits, and train again."""
        self.type("train", code=3)
        self.approve_all()
        self.type("train", code=0)


def _day(number: int) -> str:
    """The date so many days after the first of January 2025."""
    return (date(2025, 1, 1) + timedelta(days=number)).isoformat()
