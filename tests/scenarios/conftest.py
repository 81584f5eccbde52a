"""Fleets in the states that stories begin with. Each is made once, and copied for every test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenarios.repository import Repository, write_fleet


@pytest.fixture(scope="session")
def declared_once(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return write_fleet(tmp_path_factory.mktemp("declared") / "fleet")


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
