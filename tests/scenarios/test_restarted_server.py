"""A PostgreSQL server that is restarted again and again while a fleet trains."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.repository import FIT, ON_POSTGRES, Repository, write_fleet
from tests.servers.postgres import PostgresServer, postgres_server

pytestmark = [pytest.mark.slow, ON_POSTGRES]

CIRCUITS = 10
BETWEEN_RESTARTS_SECONDS = 1.5
NOT_TOLD = "the server was started anew in that moment"
"""Why a run ends that lost its server in the midst of a commit: what its transaction came to cannot be asked for."""


@pytest.fixture(scope="module")
def own_server(server: PostgresServer | None) -> Iterator[PostgresServer]:
    """Not the one that other tests use at the same time."""
    assert server is not None
    with postgres_server() as own:
        yield own


@pytest.fixture
def fleet(own_server: PostgresServer, tmp_path: Path) -> Repository:
    """Circuits that take about a second each, as each is trained by a process of its own."""
    fleet = write_fleet(tmp_path / "fleet", own_server, circuits=CIRCUITS)
    fleet.fit_with(FIT)
    return fleet


def restarted_until_over(process: subprocess.Popen[str], server: PostgresServer) -> int:
    """Restart the server every little while, at once and breaking all connections; gives how often."""
    restarts = 0
    while True:
        try:
            process.wait(BETWEEN_RESTARTS_SECONDS)
        except subprocess.TimeoutExpired:
            server.restart("immediate" if restarts % 2 else "fast")
            restarts += 1
        else:
            return restarts


def run_through_restarts(fleet: Repository, server: PostgresServer) -> tuple[int, str, int]:
    """Train; gives the exit code, what was said on standard error, and how often the server was restarted."""
    process = fleet.start("train", "--format", "json")
    restarts = restarted_until_over(process, server)
    _, said = process.communicate()
    return process.returncode, said, restarts


def state(fleet: Repository) -> dict[str, object]:
    """What is left when all is done, without what differs from run to run: moments, seconds, processes."""
    return {
        "versions": fleet.rows("SELECT name, version, training_hash FROM model_versions ORDER BY 1, 2"),
        "artifacts": [model["artifact"] for model in fleet.models()],
        "jobs": fleet.rows("SELECT id, training_hash, state FROM jobs ORDER BY position"),
        "shared": fleet.shared(),
        "champions": fleet.rows("SELECT name, version FROM champions ORDER BY 1"),
        "requests": fleet.rows("SELECT kind, name, version, state, decided FROM requests ORDER BY 1, 2, 3"),
        "runs": fleet.rows("SELECT number, state FROM runs ORDER BY 1"),
        "audit": sorted(fleet.audited()),
    }


def test_a_run_through_restarts_ends_as_a_clean_one(
    fleet: Repository, own_server: PostgresServer, tmp_path: Path
) -> None:
    clean = fleet.copy_to(tmp_path / "clean")
    clean.fit_with(FIT)
    clean.promote()
    restarts = 0
    for code in (3, 0):
        ended, said, more = run_through_restarts(fleet, own_server)
        restarts += more
        while ended == 1 and NOT_TOLD in said:  # and it says: run it again
            ended, said, more = run_through_restarts(fleet, own_server)
            restarts += more
        assert ended == code, said
        if code == 3:
            fleet.approve_all()
    assert restarts >= 3
    assert state(fleet) == state(clean)
    assert fleet.type("audit", "verify").code == 0
    assert fleet.type("plan", "--detailed-exitcode").code == 0
