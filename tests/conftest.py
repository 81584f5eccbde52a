"""What holds for all tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers.postgres import MISSING, PostgresServer, binaries, postgres_server


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A real PostgreSQL server, for all tests of this process."""
    if binaries() is None:
        pytest.skip(MISSING)
    with postgres_server() as server:
        yield server


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run slow tests after the fast ones, so that most mistakes show at once."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None)
