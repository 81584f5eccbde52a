"""The table of what monitoring saw: each look once, all of it at once, readable by any tool for Delta tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from fleetcast.domain.drift import Observation, Outcome, Signal
from fleetcast.domain.errors import Unavailable
from fleetcast.domain.location import Location
from fleetcast.domain.place import EnvironmentName
from fleetcast.platforms.delta.observations import COLUMNS
from fleetcast.platforms.stores import Stores
from fleetcast.ports.observations import ObservationTable

PROD, TEST = EnvironmentName.PROD, EnvironmentName.TEST
AT = datetime(2025, 11, 30, 23, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


def seen(circuit: str | None, outcome: Outcome, at: datetime = AT, **more: float | str) -> Observation:
    sensor = None if circuit is None else "flow"
    return Observation(
        Signal.DATA_DRIFT,
        PROD,
        "LYON",
        circuit,
        sensor,
        at,
        outcome,
        0.3,
        0.15,
        "m/s",
        0.01,
        0.2,
        "m:1",
        more,
    )


def look(table: ObservationTable, at: datetime, *observations: Observation) -> bool:
    return table.publish(PROD, at, [table.write(PROD, at, observations)])


@pytest.fixture(params=["folder", "store"])
def table(request: pytest.FixtureRequest, tmp_path: Path) -> ObservationTable:
    storage = Location(f"file://{tmp_path}/shared") if request.param == "store" else None
    return Stores(tmp_path / "état 50%", storage).observations()


def test_what_was_breached_is_read_back_as_it_was_seen(table: ObservationTable) -> None:
    bad = seen("A", Outcome.BREACHED, wasserstein=1.5, since="2025-11-30")
    plant = seen(None, Outcome.BREACHED)
    assert look(table, AT, bad, seen("B", Outcome.FINE), plant)
    assert table.breached(PROD, AT, AT + HOUR) == [plant, bad]
    assert table.breached(PROD, AT - HOUR, AT) == []
    assert table.breached(TEST, AT, AT + HOUR) == []


def test_before_the_first_look_there_is_nothing(table: ObservationTable) -> None:
    assert table.newest(PROD) is None
    assert table.breached(PROD, AT, AT + HOUR) == []


def test_the_same_look_again_and_an_older_one_are_not_there_twice(table: ObservationTable) -> None:
    bad = seen("A", Outcome.BREACHED)
    assert look(table, AT, bad)
    assert not look(table, AT, bad)
    assert not look(table, AT - HOUR, bad)
    assert table.breached(PROD, AT - 2 * HOUR, AT + HOUR) == [bad]
    assert table.newest(PROD) == AT
    assert table.newest(TEST) is None


def test_looks_over_midnight_are_both_found(table: ObservationTable) -> None:
    first, second = (seen("A", Outcome.BREACHED, at) for at in (AT, AT + HOUR))
    assert look(table, AT, first)
    assert look(table, AT + HOUR, second)
    assert table.breached(PROD, AT, AT + 2 * HOUR) == [first, second]


def test_what_was_written_and_never_published_is_seen_by_nobody(table: ObservationTable) -> None:
    table.write(PROD, AT, [seen("A", Outcome.BREACHED)])
    assert table.breached(PROD, AT, AT + HOUR) == []
    assert look(table, AT + HOUR, seen("B", Outcome.BREACHED, AT + HOUR))
    assert [one.circuit for one in table.breached(PROD, AT, AT + 2 * HOUR)] == ["B"]


def test_any_tool_for_delta_tables_reads_it_by_environment_and_day(tmp_path: Path) -> None:
    table = Stores(tmp_path).observations()
    look(table, AT, seen("A", Outcome.BREACHED, wasserstein=1.5))
    rows = pl.read_delta(str(tmp_path / "observations"))
    assert set(rows.columns) == {*COLUMNS, "environment", "day"}
    row = rows.row(0, named=True)
    assert (row["environment"], row["day"], row["at"]) == ("prod", date(2025, 11, 30), AT)
    assert (row["signal"], row["outcome"], row["value"]) == ("data-drift", "breached", 0.3)
    assert row["detail"] == '{"wasserstein":1.5}'
    documented = ObservationTable.__doc__ or ""
    assert [name for name in rows.columns if f"`{name}`" not in documented] == []


def test_a_table_whose_log_is_torn_is_an_error_that_names_it(tmp_path: Path) -> None:
    table = Stores(tmp_path).observations()
    look(table, AT, seen("A", Outcome.BREACHED))
    part = table.write(PROD, AT + HOUR, [seen("A", Outcome.BREACHED, AT + HOUR)])
    log = tmp_path / "observations" / "_delta_log"
    (log / "00000000000000000000.json").write_text("torn")
    with pytest.raises(Unavailable, match="observations"):
        table.publish(PROD, AT + HOUR, [part])


def test_of_what_no_look_published_only_what_is_old_goes(table: ObservationTable) -> None:
    assert table.vacuum(timedelta(0), dry_run=False) == []
    bad = seen("A", Outcome.BREACHED)
    look(table, AT, bad)
    table.write(PROD, AT + HOUR, [seen("B", Outcome.BREACHED)])
    assert table.vacuum(timedelta(days=7), dry_run=False) == []
    (torn,) = table.vacuum(timedelta(0), dry_run=True)
    assert table.vacuum(timedelta(0), dry_run=False) == [torn]
    assert table.vacuum(timedelta(0), dry_run=True) == []
    assert table.breached(PROD, AT, AT + HOUR) == [bad]


def test_what_is_remembered_of_many_looks_is_the_first_the_last_and_the_surest(
    table: ObservationTable,
) -> None:
    chances = [0.01, 1e-9, 0.02, 1e-4, None, 0.03]
    looks = [
        replace(seen("A", Outcome.BREACHED, AT + hour * HOUR, why="long"), p_value=chance)
        for hour, chance in enumerate(chances)
    ]
    for one in looks:
        plant = replace(seen(None, Outcome.BREACHED, one.at), p_value=None)
        assert look(table, one.at, one, seen("B", Outcome.FINE, one.at), plant)
    found = table.remembered(PROD, AT, AT + 6 * HOUR, recent=AT + 2 * HOUR)
    assert [one for one in found if one.circuit == "A"] == [
        replace(looks[number], detail={}) for number in (0, 3, 5)
    ]
    assert [one.at for one in found if one.circuit is None] == [AT, AT + 5 * HOUR]
    assert len(found) == 5
    assert table.remembered(PROD, AT - HOUR, AT, recent=AT) == []
    assert table.remembered(TEST, AT, AT + HOUR, recent=AT) == []
