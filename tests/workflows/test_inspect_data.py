from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.quality import SensorLimits
from fleetcast.platforms.delta.table import DeltaReadingsTable
from fleetcast.workflows.inspect_data import CheckQuality, QualityCheck, ShowData
from fleetcast.workflows.simulate import Simulate, SimulatedFleet


@pytest.fixture
def table(tmp_path: Path) -> DeltaReadingsTable:
    table = DeltaReadingsTable(tmp_path / "readings")
    Simulate(table)(SimulatedFleet(2, 2, length=timedelta(days=20)))
    return table


def test_the_circuits_are_listed_with_their_rows_and_times(table: DeltaReadingsTable) -> None:
    holdings = ShowData(table)()
    assert holdings.version == 0
    assert len(holdings.circuits) == 4
    first = holdings.circuits[0]
    assert (str(first.key), first.rows, first.readings["voltage"]) == ("PLANT001/CIRCUIT01", 480, 480)
    assert (first.first, first.last) == (
        datetime(2025, 1, 1, tzinfo=UTC),
        datetime(2025, 1, 20, 23, tzinfo=UTC),
    )


def test_patterns_choose_circuits(table: DeltaReadingsTable) -> None:
    chosen = [str(circuit.key) for circuit in ShowData(table)(["PLANT002/*"]).circuits]
    assert chosen == ["PLANT002/CIRCUIT01", "PLANT002/CIRCUIT02"]


def test_a_pattern_that_matches_nothing_is_refused(table: DeltaReadingsTable) -> None:
    with pytest.raises(BadInput, match="'PLANT9/\\*'") as caught:
        ShowData(table)(["PLANT9/*"])
    assert "PLANT001/CIRCUIT01" in caught.value.fix


def test_a_table_that_is_not_there_yet_says_how_to_fill_it(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no readings yet") as caught:
        ShowData(DeltaReadingsTable(tmp_path / "readings"))()
    assert "fleetcast ingest" in caught.value.fix


def test_quality_is_judged_for_each_circuit_by_its_own_rules(table: DeltaReadingsTable) -> None:
    checks = [
        QualityCheck(CircuitKey("PLANT001", "CIRCUIT01"), ("current", "voltage")),
        QualityCheck(
            CircuitKey("PLANT002", "CIRCUIT01"),
            ("current", "vibration"),
            limits={"current": SensorLimits(maximum=-1.0), "vibration": SensorLimits(maximum=-1.0)},
        ),
    ]
    good, bad = CheckQuality(table)(checks, 0)
    assert (good.verdict.usable, good.profile.step) == (("current", "voltage"), timedelta(hours=1))
    assert bad.verdict.blocked.startswith("no sensor is fit to train on: current: no usable reading")


def test_a_sensor_that_the_table_does_not_have_is_asked_about(table: DeltaReadingsTable) -> None:
    (judged,) = CheckQuality(table)([QualityCheck(CircuitKey("PLANT001", "CIRCUIT01"), ("curent",))], 0)
    assert judged.verdict.blocked == "there is no column `curent`, did you mean `current`?"
