"""Both databases in turn, for the tests that ask for one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers.postgres import PostgresServer

Address = str | Path


@pytest.fixture(params=["sqlite", "postgres"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Address:
    """An empty database."""
    if request.param == "sqlite":
        return tmp_path / "control.db"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.url(server.new_database())
