from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fleetcast.config.reader import load_fleet
from fleetcast.config.templates import init_fleet
from fleetcast.domain.errors import InvalidFleet
from fleetcast.domain.fleet import Fleet

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)

DEFAULTS = """\
defaults:
  frequency: 1h
  forecast_horizon: 7
  training_days: 365
  cutoff_date: 2025-11-30
  data_source: readings
  delta_version: 0
  pipeline_component_version: 1.0.0
  model: linear
  features: [temperature, pressure]
"""
"""Ten lines; what a test adds starts at line 11."""


class Repository:
    """A fleet repository on disk, one file of which a test replaces."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        init_fleet(directory)
        self.circuits(DEFAULTS + "plants: {PLANT001: {circuits: {CIRCUIT01: }}}\n")

    def write(self, file: str, content: str | bytes) -> None:
        path = self.directory / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def circuits(self, content: str) -> None:
        self.write("config/circuits.yaml", content)

    def load(self) -> Fleet:
        return load_fleet(self.directory, now=NOW)

    def complaints(self) -> list[str]:
        """Every complaint as people see it; fails if the fleet is valid."""
        with pytest.raises(InvalidFleet) as caught:
            self.load()
        return [str(complaint) for complaint in caught.value.complaints]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "fleet")


@pytest.fixture
def new_repository(tmp_path: Path) -> Callable[[], Repository]:
    made: list[int] = []

    def make() -> Repository:
        made.append(1)
        return Repository(tmp_path / f"fleet{len(made)}")

    return make
