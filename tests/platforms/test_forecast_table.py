"""The table of forecasts, in folders of any name and in an object store."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable

from fleetcast.domain.errors import BadInput, FleetcastError
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.location import Location, file_uri
from fleetcast.domain.place import EnvironmentName
from fleetcast.pipeline.forecast_rows import COLUMNS
from fleetcast.platforms.stores import Stores
from fleetcast.ports.forecasts import ForecastTable

DAY, NEXT = date(2025, 11, 30), date(2025, 12, 1)
AT = datetime(2025, 11, 30, tzinfo=UTC)
A, B, C = (CircuitKey("LYON", name) for name in "ABC")
STEPS = 3


def rows(*keys: CircuitKey, issue: int = 1, point: float = 1.0) -> pl.DataFrame:
    """Three steps of one sensor of each."""
    found = [
        {
            "plant_id": key.plant,
            "circuit_id": key.circuit,
            "sensor": "t",
            "step": step,
            "timestamp": AT + timedelta(hours=step - 1),
            **dict.fromkeys(("point", "lower_80", "upper_80", "lower_95", "upper_95"), point),
            "source": "model",
            "reason": "",
            "quarantined": None,
            "model": f"lyon-{key.circuit}",
            "version": 2,
            "training_hash": "0" * 64,
            "artifact": "1" * 64,
            "release": 3,
            "override": "",
            "data_source": "readings",
            "delta_version": 7,
            "newest_reading": AT,
            "commit": "0123abc",
            "issue": issue,
            "made_at": AT,
        }
        for key in keys
        for step in range(1, STEPS + 1)
    ]
    return pl.DataFrame(found, schema=COLUMNS)


@pytest.fixture(params=["folder", "a folder of any name", "store"])
def table(request: pytest.FixtureRequest, tmp_path: Path) -> ForecastTable:
    if request.param == "store":
        return Stores(tmp_path / "state", Location(file_uri(tmp_path / "store"))).forecasts(
            EnvironmentName.PROD
        )
    state = tmp_path / ("state" if request.param == "folder" else "größe #1 [x]%20y")
    return Stores(state).forecasts(EnvironmentName.PROD)


def publish(
    table: ForecastTable,
    number: int,
    *parts: pl.DataFrame,
    day: date = DAY,
    gone: tuple[CircuitKey, ...] = (),
) -> int:
    return table.publish(day, number, [table.write(day, part) for part in parts], gone)


def test_there_is_nothing_before_something_is_published(table: ForecastTable) -> None:
    assert (table.days(), table.issues(DAY), set(table.circuits(DAY)), table.made_from(DAY)) == (
        [],
        [],
        set(),
        [],
    )
    table.write(DAY, rows(A))
    assert table.read(DAY).is_empty()
    assert table.read(DAY).schema == pl.Schema(COLUMNS)


def test_readers_see_an_issue_all_at_once_and_each_day_for_itself(table: ForecastTable) -> None:
    version = publish(table, 1, rows(A, B), rows(C))
    assert set(table.circuits(DAY)) == {A, B, C}
    assert table.read(DAY).equals(rows(A, B, C))
    assert table.read(DAY, [B]).equals(rows(B))
    assert [(issue.number, issue.version) for issue in table.issues(DAY)] == [(1, version)]
    later = publish(table, 1, rows(A, point=2.0), day=NEXT)
    assert later == version + 1
    assert table.days() == [DAY, NEXT]
    assert set(table.circuits(NEXT)) == {A}
    assert [(issue.number, issue.version) for issue in table.issues(NEXT)] == [(1, later)]
    assert len(table.read(DAY)) == 3 * STEPS


def test_the_same_issue_twice_is_once(table: ForecastTable) -> None:
    parts = [table.write(DAY, rows(A))]
    publish(table, 1, rows(B), day=NEXT)
    first = table.publish(DAY, 1, parts, ())
    assert table.publish(DAY, 1, [table.write(DAY, rows(A))], ()) == first
    assert len(table.read(DAY)) == STEPS
    assert len(table.issues(DAY)) == 1


def test_a_correction_takes_rows_of_its_circuits_and_of_no_other(table: ForecastTable) -> None:
    first = publish(table, 1, rows(A, B), rows(C))
    publish(table, 1, rows(A, B, C), day=NEXT)
    second = publish(table, 2, rows(B, issue=2, point=9.0), gone=(B,))
    assert second == first + 2
    now = table.read(DAY)
    assert now.equals(pl.concat([rows(A), rows(B, issue=2, point=9.0), rows(C)]))
    assert table.read(DAY, version=first).equals(rows(A, B, C))
    assert table.read(NEXT).equals(rows(A, B, C))
    assert [(issue.number, issue.version) for issue in table.issues(DAY)] == [(1, first), (2, second)]
    with pytest.raises(BadInput, match="does not exist"):
        table.read(DAY, version=99)


def test_it_says_what_forecasts_were_made_from(table: ForecastTable) -> None:
    publish(table, 1, rows(A), rows(B).with_columns(model=None, version=None))
    found = {one.key: (one.data_source, one.delta_version, one.model) for one in table.made_from(DAY)}
    assert found == {A: ("readings", 7, "lyon-A:2"), B: ("readings", 7, None)}


def test_any_reader_of_delta_tables_sees_the_same(tmp_path: Path) -> None:
    table = Stores(tmp_path).forecasts(EnvironmentName.PROD)
    publish(table, 1, rows(A, B))
    publish(table, 2, rows(B, issue=2), gone=(B,))
    seen = DeltaTable(tmp_path / "forecasts" / "prod")
    found = pl.scan_delta(seen).filter(pl.col("timestamp") == AT).collect()
    assert sorted(zip(found["circuit_id"], found["issue"], found["day"], strict=True)) == [
        ("A", 1, DAY),
        ("B", 2, DAY),
    ]


def test_days_that_are_removed_are_gone_and_the_others_read_as_before(table: ForecastTable) -> None:
    first = publish(table, 1, rows(A))
    publish(table, 1, rows(B), day=NEXT)
    last = publish(table, 2, rows(A, issue=2, point=2.0), day=DAY, gone=(A,))
    for _ in range(2):
        table.remove([DAY, date(2020, 1, 1)])
        assert table.days() == [NEXT]
    assert table.read(DAY).is_empty()
    assert table.read(NEXT).equals(table.read(NEXT, version=last))
    assert len(table.read(DAY, version=first)) == STEPS  # until it is vacuumed


def test_a_vacuum_keeps_every_issue_of_the_days_that_stay(table: ForecastTable) -> None:
    at_once = timedelta(0)
    gone = publish(table, 1, rows(C))
    first = publish(table, 1, rows(A), day=NEXT)
    publish(table, 2, rows(A, issue=2, point=2.0), day=NEXT, gone=(A,))
    assert table.vacuum(at_once, dry_run=True) == []
    table.remove([DAY])
    named = table.vacuum(at_once, dry_run=True)
    assert [name.startswith(f"day={DAY}") for name in named] == [True]
    assert len(table.read(DAY, version=gone)) == STEPS
    assert table.vacuum(at_once, dry_run=False) == named
    assert table.read(NEXT, version=first)["point"].to_list() == [1.0] * STEPS
    assert table.read(NEXT)["point"].to_list() == [2.0] * STEPS
    with pytest.raises(BadInput, match="cleaned up"):
        table.read(DAY, version=gone)


def test_where_nothing_is_published_there_is_nothing_to_remove(table: ForecastTable) -> None:
    table.remove([DAY])
    assert table.vacuum(timedelta(0), dry_run=False) == []


def test_some_columns_of_some_circuits_are_read_day_by_day(table: ForecastTable) -> None:
    far = CircuitKey("OSLO", "A")
    publish(table, 1, rows(A, B), rows(far))
    publish(table, 1, rows(A, point=2.0), day=NEXT)
    found = list(table.by_day([NEXT, DAY], [A, far], ["point", "circuit_id", "plant_id"]))
    assert [one.columns for one in found] == [["point", "circuit_id", "plant_id"]] * 2
    assert [sorted(one.rows()) for one in found] == [
        sorted([(1.0, "A", "LYON"), (1.0, "A", "OSLO")] * STEPS),
        [(2.0, "A", "LYON")] * STEPS,
    ]
    assert list(table.by_day([date(2025, 12, 2)], [A], ["point"])) == []
    assert sum(len(one) for one in table.by_day([DAY], [CircuitKey("ROME", "A")], ["point"])) == 0


def test_before_anything_is_published_no_day_has_rows(table: ForecastTable) -> None:
    assert list(table.by_day([DAY], [A], ["point"])) == []


def test_files_of_other_plants_are_not_opened(tmp_path: Path) -> None:
    table = Stores(tmp_path).forecasts(EnvironmentName.PROD)
    mine, others = table.write(DAY, rows(A)), table.write(DAY, rows(CircuitKey("OSLO", "A")))
    table.publish(DAY, 1, [mine, others], ())
    (tmp_path / "forecasts" / "prod" / others.path).unlink()
    assert [len(one) for one in table.by_day([DAY], [A], ["point"])] == [STEPS]
    with pytest.raises(FleetcastError):
        list(table.by_day([DAY], [CircuitKey("OSLO", "A")], ["point"]))
