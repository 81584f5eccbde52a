"""A fleet that a benchmark serves: trained, promoted and deployed by the commands that a person types."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

SENSOR = "temperature"
ON_RELEASE = {"TF_BUILD": "True", "BUILD_SOURCEBRANCH": "refs/heads/release/1"}
_FLEETCAST = (sys.executable, "-m", "fleetcast.cli.main")
_PATIENCE_SECONDS = 1_200


@dataclass(frozen=True)
class ServedFleet:
    folder: Path
    plants: int
    circuits: int
    """Of each plant."""

    @property
    def keys(self) -> list[tuple[str, str]]:
        return [
            (f"PLANT{plant:03d}", f"CIRCUIT{circuit:02d}")
            for plant in range(1, self.plants + 1)
            for circuit in range(1, self.circuits + 1)
        ]

    def type(self, *words: str, code: int | None = 0) -> str:
        """Type a command; gives what it printed."""
        done = subprocess.run(
            [*_FLEETCAST, *words, "--fleet", str(self.folder)],
            env={**os.environ, **ON_RELEASE},
            capture_output=True,
            text=True,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
        if code is not None and done.returncode != code:
            raise SystemExit(f"{' '.join(words)} ended with {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def promote(self) -> None:
        self.type("train", code=3)
        self._approve_all()
        self.type("train", code=None)

    def deploy(self) -> None:
        self.type("deploy", "test", code=3)
        self._approve_all()
        self.type("deploy", "test", "--wait")

    def edit(self, file: str, before: str, after: str) -> None:
        path = self.folder / file
        text = path.read_text()
        assert before in text, f"{file} has no {before!r}"
        path.write_text(text.replace(before, after))

    def _approve_all(self) -> None:
        listed = json.loads(self.type("approvals", "list", "--format", "json"))
        numbers = [str(request["request_id"]) for request in listed["requests"]]
        for start in range(0, len(numbers), 500):
            self.type("approve", *numbers[start : start + 500])

    @contextmanager
    def server(self, *words: str) -> Iterator[Server]:
        """A server of what is in test."""
        began = time.perf_counter()
        process = subprocess.Popen(
            [*_FLEETCAST, "serve", "test", "--port", "0", *words, "--fleet", str(self.folder)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        try:
            said = process.stdout.readline()
            found = re.search(r" at http://127\.0\.0\.1:(\d+)", said)
            if found is None:
                raise SystemExit(f"the server did not start: {said}")
            yield Server(process.pid, int(found[1]), began)
        finally:
            process.terminate()
            process.wait()


@dataclass(frozen=True)
class Server:
    pid: int
    port: int
    began: float
    """By `time.perf_counter`, when its process was started."""

    @property
    def mib(self) -> float:
        """What it holds in memory now."""
        return _status(self.pid, "VmRSS")

    @property
    def peak_mib(self) -> float:
        return _status(self.pid, "VmHWM")


def _status(pid: int, name: str) -> float:
    text = Path(f"/proc/{pid}/status").read_text()
    found = re.search(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) / 1024 if found else float("nan")


def http_post(path: str, body: bytes, headers: Sequence[tuple[str, str]] = ()) -> bytes:
    """A whole request."""
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def ask(port: int, request: bytes) -> dict[str, Any]:
    """The answer to a whole request; one that is no 200 ends the benchmark."""
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines if not line.startswith(("Content-Length", "Host")))
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", first.split()[1], body, headers)
    answer = connection.getresponse()
    said: dict[str, Any] = json.loads(answer.read())
    connection.close()
    if answer.status != 200:
        raise SystemExit(f"{answer.status}: {said}")
    return said


def new_fleet(folder: Path, plants: int, circuits: int, days: int = 120) -> ServedFleet:
    """Declare it: one sensor, 168 hours ahead; and make its readings up."""
    fleet = ServedFleet(folder, plants, circuits)
    subprocess.run([*_FLEETCAST, "init", str(folder)], check=True, capture_output=True)
    lines = [
        "defaults:",
        f"  features: [{SENSOR}]",
        "  frequency: 1h",
        "  forecast_horizon: 168h",
        f"  training_days: {days - 10}",
        "  cutoff_date: 2025-04-20",
        "  data_source: readings",
        "  delta_version: 0",
        "  pipeline_component_version: 1.0.0",
        "  model: linear",
        "  hyperparameters: {lookback: 336}",
        "  thresholds: {min_skill: -10, min_coverage_80: 0, max_coverage_80: 1}",
        "plants:",
    ]
    for plant in range(1, plants + 1):
        lines += [f"  PLANT{plant:03d}:", "    circuits:"]
        lines += [f"      CIRCUIT{circuit:02d}: {{}}" for circuit in range(1, circuits + 1)]
    (folder / "config" / "circuits.yaml").write_text("\n".join(lines) + "\n")
    fleet.type("simulate", "--plants", str(plants), "--circuits", str(circuits), "--length", f"{days}d")
    for name, written in (("soak", "5min"), ("window", "30s")):
        fleet.edit("fleetcast.yaml", f"  # {name}: {written} ", f"  {name}: 1s  #")
    return fleet
