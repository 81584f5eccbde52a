from __future__ import annotations

import resource
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from deltalake import write_deltalake
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.identity import CircuitKey
from fleetcast.platforms.delta.table import DeltaReadingsTable
from fleetcast.ports.readings import Readings, ReadingsWanted, Stored, StoredReadingsDiffer

START = datetime(2025, 1, 1, tzinfo=UTC)
SCHEMA = {"plant_id": pl.String(), "circuit_id": pl.String(), "timestamp": pl.Datetime("us", "UTC")}
Row = tuple[str, str, int, float | None]


def rows(*cells: Row, sensor: str = "t") -> pl.DataFrame:
    stamped = [
        (plant, circuit, START + timedelta(hours=hour), value) for plant, circuit, hour, value in cells
    ]
    return pl.DataFrame(stamped, schema=pl.Schema({**SCHEMA, sensor: pl.Float64()}), orient="row")


def read(
    table: DeltaReadingsTable, key: str, *sensors: str, version: int | None = None, hours: int = 1000
) -> Readings:
    latest = table.latest_version()
    assert latest is not None
    wanted = ReadingsWanted(CircuitKey.parse(key), sensors or ("t",), START, START + timedelta(hours=hours))
    (found,) = table.read([wanted], latest if version is None else version)
    return found


def values(table: DeltaReadingsTable, key: str, *sensors: str) -> list[list[float | None]]:
    found = read(table, key, *sensors).values
    return [[None if np.isnan(cell) else float(cell) for cell in row] for row in found]


@pytest.fixture
def table(tmp_path: Path) -> DeltaReadingsTable:
    return DeltaReadingsTable(tmp_path / "readings")


def test_a_table_that_was_never_written_has_no_version(table: DeltaReadingsTable) -> None:
    assert table.latest_version() is None
    assert table.versions() == []


def test_the_first_merge_makes_version_0(table: DeltaReadingsTable) -> None:
    outcome = table.merge(rows(("P1", "C1", 0, 1.0), ("P1", "C1", 1, 2.0)))
    assert (outcome.version, outcome.inserted, outcome.updated) == (0, 2, 0)


def test_merging_the_same_rows_again_makes_no_version(table: DeltaReadingsTable) -> None:
    same = rows(("P1", "C1", 0, 1.0), ("P1", "C1", 1, None))
    table.merge(same)
    outcome = table.merge(same)
    assert (outcome.version, outcome.inserted, outcome.updated) == (0, 0, 0)
    assert table.latest_version() == 0


def test_a_merge_is_one_version_whatever_it_changes(table: DeltaReadingsTable) -> None:
    table.merge(rows(("P1", "C1", 0, 1.0), ("P2", "C1", 0, 1.0)))
    outcome = table.merge(rows(("P1", "C1", 0, 5.0), ("P2", "C1", 1, 6.0), ("P3", "C1", 0, 7.0)))
    assert (outcome.version, outcome.inserted, outcome.updated) == (1, 2, 1)
    assert values(table, "P1/C1") == [[5.0]]
    assert values(table, "P2/C1") == [[1.0], [6.0]]
    assert values(table, "P3/C1") == [[7.0]]


def test_late_rows_take_their_place_in_time(table: DeltaReadingsTable) -> None:
    table.merge(rows(("P1", "C1", 0, 0.0), ("P1", "C1", 2, 2.0)))
    table.merge(rows(("P1", "C1", 1, 1.0)))
    assert values(table, "P1/C1") == [[0.0], [1.0], [2.0]]


def test_an_empty_cell_keeps_the_stored_value(table: DeltaReadingsTable) -> None:
    table.merge(rows(("P1", "C1", 0, 1.0), ("P1", "C1", 1, None)))
    outcome = table.merge(rows(("P1", "C1", 0, None), ("P1", "C1", 1, 3.0)))
    assert outcome.updated == 1
    assert values(table, "P1/C1") == [[1.0], [3.0]]


def test_a_new_sensor_becomes_a_column_and_keeps_the_others(table: DeltaReadingsTable) -> None:
    table.merge(rows(("P1", "C1", 0, 1.0), ("P1", "C1", 1, 2.0)))
    table.merge(rows(("P1", "C1", 1, 9.0), ("P1", "C1", 2, 8.0), sensor="Flow"))
    assert values(table, "P1/C1", "t", "Flow") == [[1.0, None], [2.0, 9.0], [None, 8.0]]
    assert table.sensors(1) == ("Flow", "t")
    assert table.sensors(0) == ("t",)


def test_a_sensor_that_differs_only_in_case_is_refused(table: DeltaReadingsTable) -> None:
    table.merge(rows(("P1", "C1", 0, 1.0)))
    with pytest.raises(BadInput, match="differs only in case") as caught:
        table.merge(rows(("P1", "C1", 1, 1.0), sensor="T"))
    assert "T=t" in caught.value.fix


def test_an_old_version_reads_as_it_was(table: DeltaReadingsTable) -> None:
    table.merge(rows(("P1", "C1", 0, 1.0)))
    before = read(table, "P1/C1").fingerprint()
    table.merge(rows(("P1", "C1", 0, 2.0), ("P1", "C1", 1, 3.0)))
    assert read(table, "P1/C1", version=0).fingerprint() == before
    assert read(table, "P1/C1", version=1).fingerprint() != before


def test_a_version_that_does_not_exist_names_those_that_do(table: DeltaReadingsTable) -> None:
    table.merge(rows(("P1", "C1", 0, 1.0)))
    table.merge(rows(("P1", "C1", 1, 1.0)))
    with pytest.raises(BadInput, match="delta_version 9 does not exist; the table has 0 to 1") as caught:
        table.circuits(9)
    assert caught.value.fix
    with pytest.raises(BadInput, match="delta_version -1 does not exist"):
        table.circuits(-1)


def test_reading_before_anything_was_stored_says_how_to_store(table: DeltaReadingsTable) -> None:
    with pytest.raises(BadInput, match="no readings table") as caught:
        table.circuits(0)
    assert "fleetcast ingest" in caught.value.fix


def test_one_read_answers_for_many_circuits_plant_by_plant(table: DeltaReadingsTable) -> None:
    table.merge(rows(("P2", "C1", 0, 1.0), ("P1", "C1", 0, 2.0), ("P1", "C2", 0, 3.0)))
    keys = [CircuitKey("P2", "C1"), CircuitKey("P1", "C2"), CircuitKey("P1", "C1"), CircuitKey("P9", "C1")]
    wanted = [ReadingsWanted(key, ("t",), START, START + timedelta(days=1)) for key in keys]
    found = list(table.read(wanted, 0))
    assert [str(one.key) for one in found] == ["P1/C2", "P1/C1", "P2/C1", "P9/C1"]
    assert [one.values.shape for one in found] == [(1, 1), (1, 1), (1, 1), (0, 1)]


def test_a_window_includes_its_start_and_not_its_end(table: DeltaReadingsTable) -> None:
    table.merge(rows(*(("P1", "C1", hour, float(hour)) for hour in range(5))))
    wanted = ReadingsWanted(
        CircuitKey("P1", "C1"), ("t",), START + timedelta(hours=1), START + timedelta(hours=3)
    )
    (found,) = table.read([wanted], 0)
    assert found.values.ravel().tolist() == [1.0, 2.0]
    assert found.times.dtype == np.int64
    assert found.times[0] == int(wanted.start.timestamp()) * 1_000_000


def test_a_sensor_the_table_lacks_is_named_as_absent(table: DeltaReadingsTable) -> None:
    table.merge(rows(("P1", "C1", 0, 1.0)))
    found = read(table, "P1/C1", "ghost", "t")
    assert found.absent == frozenset({"ghost"})
    assert np.isnan(found.values[:, 0]).all()
    assert found.values[:, 1].tolist() == [1.0]


def test_rows_that_a_foreign_writer_doubled_are_read_once(table: DeltaReadingsTable, tmp_path: Path) -> None:
    table.merge(rows(("P1", "C1", 0, 1.0), ("P1", "C1", 1, 2.0)))
    write_deltalake(tmp_path / "readings", rows(("P1", "C1", 0, 1.0)), mode="append")
    assert values(table, "P1/C1") == [[1.0], [2.0]]


def test_versions_tell_when_and_how_many_rows(table: DeltaReadingsTable) -> None:
    table.merge(rows(("P1", "C1", 0, 1.0)))
    table.merge(rows(("P1", "C1", 0, 2.0), ("P1", "C1", 1, 1.0)))
    newest, oldest = table.versions()
    assert (newest.version, newest.rows_written) == (1, 2)
    assert (oldest.version, oldest.rows_written) == (0, 1)
    assert newest.committed_at.tzinfo is UTC
    assert newest.committed_at >= oldest.committed_at


def test_circuits_are_listed_in_order(table: DeltaReadingsTable) -> None:
    table.merge(rows(("P2", "C1", 0, 1.0), ("P1", "C2", 0, 1.0), ("P1", "C1", 0, 1.0)))
    assert [str(key) for key in table.circuits(0)] == ["P1/C1", "P1/C2", "P2/C1"]


def test_a_table_whose_folder_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Unavailable):
        DeltaReadingsTable(tmp_path / "file" / "readings").merge(rows(("P1", "C1", 0, 1.0)))


_FULL_DISK = """
import resource, signal, sys
import numpy as np
import polars as pl
from fleetcast.domain.errors import Unavailable
from fleetcast.platforms.delta.table import DeltaReadingsTable

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
n = 50_000
times = pl.Series(np.arange(n) * 1_000_000).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
noise = np.random.default_rng(0).standard_normal(n)
rows = pl.DataFrame({"plant_id": ["P1"] * n, "circuit_id": ["C1"] * n, "timestamp": times, "t": noise})
try:
    DeltaReadingsTable(sys.argv[1]).merge(rows)
except Unavailable as error:
    print("refused:", error, error.fix)
"""


@pytest.mark.parametrize("stored", [True, False])
def test_a_disk_that_takes_no_more_leaves_the_table_as_it_was(tmp_path: Path, *, stored: bool) -> None:
    # A limit on the size of a file is the full disk that needs no rights: the write fails half-way.
    table = DeltaReadingsTable(tmp_path / "readings")
    if stored:
        table.merge(rows(("P1", "C1", 0, 1.0)))
    told = subprocess.run(
        [sys.executable, "-c", _FULL_DISK, str(tmp_path / "readings")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.startswith("refused:"), told.stderr
    assert "is as it was" in told.stdout
    assert table.latest_version() == (0 if stored else None)
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 40_000
    assert table.merge(rows(("P1", "C1", 5, 1.0))).inserted == 1


def _merge_from_a_process(location: str, circuit: int) -> int:
    frame = rows(*((f"P{circuit % 2}", f"C{circuit}", hour, float(hour)) for hour in range(20)))
    return DeltaReadingsTable(location).merge(frame).inserted


def test_several_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    location = str(tmp_path / "readings")
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        inserted = list(pool.map(_merge_from_a_process, [location] * 6, range(6)))
    table = DeltaReadingsTable(location)
    assert inserted == [20] * 6
    assert [len(read(table, str(key)).times) for key in table.circuits(table.latest_version() or 0)] == [
        20
    ] * 6


cells = st.lists(
    st.tuples(
        st.sampled_from(["P1", "P2"]),
        st.sampled_from(["C1", "C2"]),
        st.integers(0, 12),
        st.none() | st.floats(-1e6, 1e6),
    ),
    min_size=1,
    max_size=30,
    unique_by=lambda row: row[:3],
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(first=cells, second=cells)
def test_merges_agree_with_a_dictionary(
    first: list[Row], second: list[Row], tmp_path_factory: pytest.TempPathFactory
) -> None:
    table = DeltaReadingsTable(tmp_path_factory.mktemp("merge") / "readings")
    plain: dict[tuple[str, str, int], float | None] = {}
    for batch in (first, second, second):
        table.merge(rows(*batch))
        for plant, circuit, hour, value in batch:
            plain[plant, circuit, hour] = plain.get((plant, circuit, hour)) if value is None else value
    for key in {(plant, circuit) for plant, circuit, _ in plain}:
        expected = [[plain[held]] for held in sorted(plain) if held[:2] == key]
        assert values(table, "/".join(key)) == expected


def test_a_stored_reading_is_kept_where_that_is_told(table: DeltaReadingsTable) -> None:
    table.merge(rows(("P1", "C1", 0, 1.0), ("P1", "C1", 1, None), ("P1", "C1", 2, 3.0)))
    given = rows(("P1", "C1", 0, 9.0), ("P1", "C1", 1, 2.0), ("P1", "C1", 2, 3.0), ("P1", "C1", 3, 4.0))
    outcome = table.merge(given, Stored.KEPT)
    assert values(table, "P1/C1") == [[1.0], [2.0], [3.0], [4.0]]
    assert (outcome.inserted, outcome.updated, outcome.differing) == (1, 1, 1)
    assert table.merge(given, Stored.KEPT).version == outcome.version


def test_a_stored_reading_that_differs_can_be_refused(table: DeltaReadingsTable) -> None:
    table.merge(rows(("P1", "C1", 0, 1.0), ("P1", "C1", 1, 2.0)))
    with pytest.raises(StoredReadingsDiffer, match="1 stored readings differ") as caught:
        table.merge(rows(("P1", "C1", 0, 1.0), ("P1", "C1", 1, 5.0), ("P1", "C1", 2, 6.0)), Stored.REFUSED)
    (difference,) = caught.value.first
    assert (str(difference.key), difference.sensor, difference.stored, difference.given) == (
        "P1/C1",
        "t",
        2.0,
        5.0,
    )
    assert values(table, "P1/C1") == [[1.0], [2.0]]
    assert table.merge(rows(("P1", "C1", 1, 2.0), ("P1", "C1", 2, 6.0)), Stored.REFUSED).inserted == 1
