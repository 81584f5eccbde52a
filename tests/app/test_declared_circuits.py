"""What a server serves follows the files of the fleet, without a restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetcast.app.serving import DeclaredCircuits
from fleetcast.config.reader import read_fleet
from fleetcast.config.templates import NewFleet, init_fleet
from fleetcast.domain.errors import InvalidFleet
from fleetcast.domain.identity import CircuitKey
from tests.clocks import FixedClock


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    init_fleet(tmp_path, NewFleet(circuits=[CircuitKey("LYON", "C1"), CircuitKey("OSLO", "C1")]))
    return tmp_path


@pytest.fixture
def declared(folder: Path) -> DeclaredCircuits:
    clock = FixedClock()
    reading = read_fleet(folder, now=clock.now())
    return DeclaredCircuits(folder, clock, reading.fleet.circuits, reading.files)


def test_a_new_circuit_is_there_after_the_next_look(folder: Path, declared: DeclaredCircuits) -> None:
    assert (list(declared.of("LYON")), declared.of("NOWHERE")) == (["C1"], {})
    circuits = folder / "config" / "circuits.yaml"
    circuits.write_text(circuits.read_text().replace("      C1: {}\n", "      C1: {}\n      C2: {}\n", 1))
    assert list(declared.of("LYON")) == ["C1"]
    declared.refresh()
    assert list(declared.of("LYON")) == ["C1", "C2"]


def test_a_new_file_is_seen(folder: Path, declared: DeclaredCircuits) -> None:
    more = folder / "config" / "circuits"
    more.mkdir()
    (more / "rome.yaml").write_text("plants:\n  ROME:\n    circuits:\n      C1: {}\n")
    declared.refresh()
    assert list(declared.of("ROME")) == ["C1"]


def test_files_with_mistakes_change_nothing_until_they_are_mended(
    folder: Path, declared: DeclaredCircuits
) -> None:
    circuits = folder / "config" / "circuits.yaml"
    good = circuits.read_text()
    circuits.write_text(good.replace("frequency", "freqency", 1))
    for _ in range(2):
        with pytest.raises(InvalidFleet):
            declared.refresh()
        assert list(declared.of("LYON")) == ["C1"]
    circuits.write_text(good)
    declared.refresh()
    assert list(declared.of("LYON")) == ["C1"]
