from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from fleetcast.domain.duration import EARLIEST, LATEST
from fleetcast.domain.errors import BadInput
from fleetcast.forecasting.simulation import Defects
from fleetcast.platforms.delta.table import DeltaReadingsTable
from fleetcast.ports.readings import ReadingsWanted
from fleetcast.workflows.simulate import Simulate, SimulatedFleet

DEFECTS = Defects(gaps=1, duplicates=4, late_rows=10, stuck=1)


def fleet(plants: int = 2, circuits: int = 2, defects: Defects | None = None) -> SimulatedFleet:
    return SimulatedFleet(plants, circuits, length=timedelta(days=30), defects=defects or Defects())


def fingerprints(table: DeltaReadingsTable) -> dict[str, str]:
    version = table.latest_version() or 0
    sensors = table.sensors(version)
    wanted = [ReadingsWanted(key, sensors, EARLIEST, LATEST) for key in table.circuits(version)]
    return {str(found.key): found.fingerprint().hex for found in table.read(wanted, version)}


def test_a_fleet_is_stored_in_one_version(tmp_path: Path) -> None:
    table = DeltaReadingsTable(tmp_path / "readings")
    report = Simulate(table)(fleet())
    assert (report.version, report.inserted, report.circuits) == (0, 4 * 720, 4)
    assert [str(key) for key in table.circuits(0)] == [
        "PLANT001/CIRCUIT01",
        "PLANT001/CIRCUIT02",
        "PLANT002/CIRCUIT01",
        "PLANT002/CIRCUIT02",
    ]


@pytest.mark.parametrize("defects", [Defects(), DEFECTS], ids=["whole", "with defects"])
def test_simulating_again_writes_nothing(tmp_path: Path, defects: Defects) -> None:
    table = DeltaReadingsTable(tmp_path / "readings")
    first = Simulate(table)(fleet(defects=defects))
    again = Simulate(table)(fleet(defects=defects))
    assert (again.version, again.inserted, again.updated) == (first.version, 0, 0)


def test_a_larger_fleet_changes_none_of_its_circuits(tmp_path: Path) -> None:
    small, large = DeltaReadingsTable(tmp_path / "small"), DeltaReadingsTable(tmp_path / "large")
    Simulate(small)(fleet(1, 1))
    Simulate(large)(fleet(3, 3))
    assert fingerprints(small).items() <= fingerprints(large).items()


def test_defects_are_reported_and_late_rows_come_in_a_second_version(tmp_path: Path) -> None:
    report = Simulate(DeltaReadingsTable(tmp_path / "readings"))(fleet(defects=DEFECTS))
    assert report.version == 1
    assert (report.gaps, report.stuck, report.late_rows) == (4, 4, 40)
    assert (
        report.exact_duplicates + report.conflicting_duplicates + report.inserted + report.updated
        <= report.rows
    )
    assert report.exact_duplicates + report.conflicting_duplicates >= 12


def test_an_absurd_fleet_is_refused() -> None:
    with pytest.raises(BadInput, match="0 plants"):
        SimulatedFleet(0, 1)
    with pytest.raises(BadInput, match="shorter than one step"):
        SimulatedFleet(1, 1, length=timedelta(minutes=5))
