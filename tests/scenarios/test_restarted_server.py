"""A PostgreSQL server that is restarted again and again while a fleet trains."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.repository import FIT, ON_POSTGRES, Repository, write_fleet
from tests.servers.postgres import PostgresServer, postgres_server

pytestmark = [pytest.mark.slow, ON_POSTGRES]

CIRCUITS = 20
BETWEEN_RESTARTS_SECONDS = 1.5


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
        process = fleet.start("train", "--format", "json")
        assert process.stdout is not None
        restarts += restarted_until_over(process, own_server)
        said = process.communicate()
        assert process.returncode == code, said
        if code == 3:
            fleet.approve_all()
    assert restarts >= 3
    assert state(fleet) == state(clean)
    assert fleet.type("audit", "verify").code == 0
    assert fleet.type("plan", "--detailed-exitcode").code == 0
