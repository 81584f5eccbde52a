"""A scoring server in a process of its own, and somebody who asks it over HTTP."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from tests.scenarios.repository import Repository

PATIENCE_SECONDS = 60.0


@contextmanager
def serving(fleet: Repository, environment: str = "test") -> Iterator[str]:
    """Serve, and end in good order; gives the address."""
    process, url = started(fleet.start("serve", environment, "--port", "0"))
    try:
        yield url
        process.terminate()
        out, err = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 0, (out, err)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def started(process: subprocess.Popen[str]) -> tuple[subprocess.Popen[str], str]:
    """A server that has said where it answers, and where that is."""
    assert process.stdout is not None
    said = process.stdout.readline()
    assert " at http://" in said, said
    return process, said.rpartition(" ")[2].strip()


class Client:
    """Somebody who wants forecasts."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self.headers = {"authorization": f"Bearer {key}"}

    def asks(self, circuit: str = "CIRCUIT01", plant: str = "PLANT001", **more: Any) -> httpx.Response:
        at = f"{self.url}/endpoints/{plant}/score"
        return httpx.post(
            at, json={"circuit_id": circuit, **more}, headers=self.headers, timeout=PATIENCE_SECONDS
        )

    def version(self, circuit: str) -> int:
        answer = self.asks(circuit)
        assert answer.status_code == 200, answer.text
        version: int = answer.json()["version"]
        return version


def until(found: Callable[[], object], wanted: object) -> bool:
    """Ask again until the answer is as wanted: servers see what they are told within a moment."""
    return any(found() == wanted for _ in range(200))


def quick(fleet: Repository) -> None:
    """Judge releases after a second."""
    fleet.edit("fleetcast.yaml", "  # soak: 5min  ", "  soak: 1s  #")
    fleet.edit("fleetcast.yaml", "  # window: 30s  ", "  window: 1s  #")
