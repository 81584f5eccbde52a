"""`fleetcast web` as a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Served:
    """A server that answers."""

    url: str
    process: subprocess.Popen[str]
    log: Path

    def end(self) -> int:
        """Ask it to end, and wait until it has."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


def command(folder: Path, *options: str) -> list[str]:
    """What somebody types."""
    return [sys.executable, "-m", "fleetcast.cli.main", "web", "--fleet", str(folder), *options]


@contextmanager
def served(
    folder: Path, options: Sequence[str] = ("--port", "0"), environment: Mapping[str, str] | None = None
) -> Iterator[Served]:
    """Start a server, and end it."""
    log = folder.parent / f"{folder.name}.log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            command(folder, *options),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, **(environment or {})},
        )
    assert process.stdout is not None
    said = process.stdout.readline()
    try:
        assert said.startswith("fleetcast web at "), log.read_text()
        yield Served(said.removeprefix("fleetcast web at ").strip(), process, log)
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()
