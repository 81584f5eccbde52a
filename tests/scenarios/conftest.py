"""Fleets in the states that stories begin with. Each is made once, and copied for every test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenarios.repository import Repository, write_fleet
from tests.servers.postgres import PostgresServer


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def server(request: pytest.FixtureRequest) -> PostgresServer | None:
    """Where the control database is: in a file, or on a server.

    Every story is told over both, but for those about one of them (`ON_SQLITE`, `ON_POSTGRES`).
    """
    if request.param == "sqlite":
        return None
    found: PostgresServer = request.getfixturevalue("postgres")
    return found


@pytest.fixture(scope="session")
def declared_once(server: PostgresServer | None, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return write_fleet(tmp_path_factory.mktemp("declared") / "fleet", server)


@pytest.fixture(scope="session")
def trained_once(declared_once: Repository, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    fleet = declared_once.copy_to(tmp_path_factory.mktemp("trained") / "fleet")
    assert fleet.type("train").code == 3
    return fleet


@pytest.fixture(scope="session")
def promoted_once(trained_once: Repository, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    fleet = trained_once.copy_to(tmp_path_factory.mktemp("promoted") / "fleet")
    fleet.approve_all()
    assert fleet.type("train").code == 0
    return fleet


@pytest.fixture
def declared(declared_once: Repository, tmp_path: Path) -> Repository:
    """Two circuits with readings; nothing ran yet."""
    return declared_once.copy_to(tmp_path / "declared")


@pytest.fixture
def trained(trained_once: Repository, tmp_path: Path) -> Repository:
    """Trained once; the environment and both models await approval."""
    return trained_once.copy_to(tmp_path / "trained")


@pytest.fixture
def promoted(promoted_once: Repository, tmp_path: Path) -> Repository:
    """Trained, approved and shared: nothing is left to do."""
    return promoted_once.copy_to(tmp_path / "promoted")
