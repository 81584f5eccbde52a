"""Rows that would be spread over many columns are stored in files of their own: the same table, in less memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from fleetcast.domain.duration import EARLIEST, LATEST
from fleetcast.domain.identity import CircuitKey
from fleetcast.platforms.delta import inserting
from fleetcast.platforms.delta.inserting import insert
from fleetcast.platforms.delta.merging import RETENTION
from fleetcast.platforms.delta.table import DeltaReadingsTable
from fleetcast.platforms.files.plainly_named import PlainlyNamed
from fleetcast.ports.readings import ReadingsWanted

START = datetime(2025, 1, 1, microsecond=1, tzinfo=UTC)


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DeltaReadingsTable:
    """One that holds two rows of circuit A, and takes every new row as one too wide to merge."""
    monkeypatch.setattr(inserting, "MOST_CELLS", 0)
    made = DeltaReadingsTable(tmp_path / "a table")
    made.merge(rows("A", a=[1.0, 2.0]))
    return made


def rows(circuit: str, plant: str = "P", /, **sensors: list[float | None]) -> pl.DataFrame:
    count = len(next(iter(sensors.values())))
    times = [START + timedelta(hours=hour) for hour in range(count)]
    keys = {"plant_id": [plant] * count, "circuit_id": [circuit] * count, "timestamp": times}
    return pl.DataFrame({**keys, **sensors}, schema_overrides={"timestamp": pl.Datetime("us", "UTC")})


def held(table: DeltaReadingsTable, circuit: str, sensor: str, plant: str = "P") -> list[float]:
    wanted = ReadingsWanted(CircuitKey(plant, circuit), (sensor,), EARLIEST, LATEST)
    (found,) = table.read([wanted], table.latest_version() or 0)
    return [float(value) for value in found.values[:, 0]]


def test_new_rows_with_new_sensors_become_one_commit(table: DeltaReadingsTable) -> None:
    outcome = table.merge(pl.concat([rows("B", b=[3.0, 4.0]), rows("B", "Q", b=[5.0])]))
    assert (outcome.version, outcome.inserted, outcome.updated) == (1, 3, 0)
    assert held(table, "A", "a") == [1, 2]
    assert held(table, "B", "b") == [3, 4]
    assert held(table, "B", "b", "Q") == [5]
    assert table.sensors(1) == ("a", "b")
    assert table.sensors(0) == ("a",)
    assert [version.rows_written for version in table.versions()] == [3, 2]


def test_the_file_holds_no_columns_that_its_rows_say_nothing_of(table: DeltaReadingsTable) -> None:
    before = set(Path(table.place).rglob("*.parquet"))
    table.merge(rows("B", b=[3.0], c=[None]))
    (new,) = set(Path(table.place).rglob("*.parquet")) - before
    assert pl.read_parquet(new, hive_partitioning=False).columns == ["circuit_id", "timestamp", "b"]
    assert table.sensors(1) == ("a", "b")


def test_the_same_again_writes_nothing_and_what_differs_is_merged(table: DeltaReadingsTable) -> None:
    table.merge(rows("B", b=[3.0, 4.0]))
    assert table.merge(rows("B", b=[3.0, 4.0])).version == 1
    corrected = table.merge(rows("B", b=[3.0, 9.0, 10.0]))
    assert (corrected.inserted, corrected.updated) == (1, 1)
    assert held(table, "B", "b") == [3, 9, 10]


def test_the_table_still_keeps_its_versions(table: DeltaReadingsTable) -> None:
    table.merge(rows("B", b=[3.0]))
    table.merge(rows("C", b=[3.0]))
    named = PlainlyNamed(Path(table.place))
    configured = DeltaTable(named.address()).metadata().configuration
    assert configured.items() >= RETENTION.items()


def test_rows_are_not_added_to_a_table_that_somebody_has_changed_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inserting, "MOST_CELLS", 0)
    folder = tmp_path / "readings"
    theirs = DeltaReadingsTable(folder)
    theirs.merge(rows("A", a=[1.0]))
    opened = DeltaTable(str(folder))
    theirs.merge(rows("B", a=[2.0]))
    for new in (rows("B", a=[3.0]), rows("B", b=[3.0])):
        with pytest.raises(DeltaError):
            insert(PlainlyNamed(folder), folder, opened, new)
    assert theirs.latest_version() == 1
    assert held(theirs, "B", "a") == [2]


def test_circuits_with_many_sensors_of_their_own_are_read_apart(table: DeltaReadingsTable) -> None:
    many: dict[str, list[float | None]] = {f"s{number}": [float(number)] for number in range(70)}
    table.merge(rows("B", **many))
    wanted = [
        ReadingsWanted(CircuitKey("P", circuit), sensors, EARLIEST, LATEST)
        for circuit, sensors in (("A", ("a",)), ("B", tuple(many)), ("C", ("a",)))
    ]
    found = {one.key.circuit: one.values.tolist() for one in table.read(wanted, 1)}
    assert found == {"A": [[1.0], [2.0]], "B": [[float(number) for number in range(70)]], "C": []}
