"""Readings from the table to the frozen rows: what is trained on is what a version of the table holds."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import polars as pl

from fleetcast.domain.identity import CircuitKey
from fleetcast.platforms.delta.table import DeltaReadingsTable
from fleetcast.ports.platform import Platform
from fleetcast.ports.readings import Readings, ReadingsWanted
from tests.contracts.samples import KEY, START

OTHER = CircuitKey("PLANT002", "CIRCUIT01")
DAY = timedelta(days=1)


def rows(key: CircuitKey, *values: float | None) -> pl.DataFrame:
    times = [START + timedelta(hours=hour) for hour in range(len(values))]
    return pl.DataFrame(
        {"plant_id": key.plant, "circuit_id": key.circuit, "timestamp": times, "t": list(values)},
        schema_overrides={"timestamp": pl.Datetime("us", "UTC"), "t": pl.Float64()},
    )


def read(table: DeltaReadingsTable, version: int, *keys: CircuitKey) -> dict[CircuitKey, Readings]:
    wanted = [ReadingsWanted(key, ("t", "absent"), START, START + DAY) for key in keys]
    return {found.key: found for found in table.read(wanted, version)}


def test_rows_of_a_version_survive_freezing(platform: Platform, tmp_path: Path) -> None:
    table = DeltaReadingsTable(tmp_path / "readings")
    version = table.merge(rows(KEY, 1.5, None, 0.1 + 0.2, -0.0)).version
    found = read(table, version, KEY)[KEY]
    assert found.absent == {"absent"}
    platform.workspace.frozen.freeze(found, found.fingerprint())
    assert platform.workspace.frozen.load(found.fingerprint(), KEY).fingerprint() == found.fingerprint()


def test_a_later_commit_changes_no_earlier_version(tmp_path: Path) -> None:
    table = DeltaReadingsTable(tmp_path / "readings")
    first = table.merge(rows(KEY, 1.0, 2.0)).version
    before = read(table, first, KEY)[KEY].fingerprint()
    second = table.merge(rows(KEY, 1.0, 3.0)).version
    assert read(table, first, KEY)[KEY].fingerprint() == before
    assert read(table, second, KEY)[KEY].fingerprint() != before


def test_every_circuit_wanted_is_given_even_without_rows(tmp_path: Path) -> None:
    table = DeltaReadingsTable(tmp_path / "readings")
    version = table.merge(rows(KEY, 1.0)).version
    found = read(table, version, KEY, OTHER)
    assert {key: len(readings.times) for key, readings in found.items()} == {KEY: 1, OTHER: 0}
