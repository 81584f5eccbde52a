"""All is kept and found below a folder of any name, whoever reads it as a URI, a pattern or a partition."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from deltalake import write_deltalake

from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.location import Location, file_uri
from fleetcast.domain.table_mapping import TableMapping
from fleetcast.pipeline.rows import read_rows, write_rows
from fleetcast.platforms.database.sqlite import sqlite
from fleetcast.platforms.delta.external import ExternalReadingsTable
from fleetcast.platforms.delta.table import DeltaReadingsTable
from fleetcast.platforms.git.repository import commit_of, export, files_since
from fleetcast.platforms.objects.store import ObjectFolder
from fleetcast.ports.readings import ReadingsWanted

KEY = CircuitKey("P1", "C1")
START = datetime(2025, 1, 1, tzinfo=UTC)
NAMES = [
    "a b/ü#%20[x]",
    "a b",
    "ü",
    "u\u0308",
    "汉字",
    "#x",
    "q?y",
    "%20",
    "100%",
    "%2e%2e",
    "%2F",
    "[x]",
    "a]b",
    "*",
    "{a}",
    "a=b",
    "a|b",
    "back\\slash",
    "'\"`$(x)&;",
    "a\nb",
]


@pytest.fixture(params=NAMES)
def odd(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    folder = tmp_path / "around" / str(request.param)
    folder.mkdir(parents=True)
    return folder


def rows(plant: str, *values: float) -> pl.DataFrame:
    times = [START + timedelta(hours=hour) for hour in range(len(values))]
    frame = pl.DataFrame({"timestamp": times, "t": values}).with_columns(
        pl.col("timestamp").cast(pl.Datetime("us", "UTC")), plant_id=pl.lit(plant), circuit_id=pl.lit("C1")
    )
    return frame.select("plant_id", "circuit_id", "timestamp", "t")


def read(table: DeltaReadingsTable | ExternalReadingsTable, version: int, plant: str = "P1") -> list[float]:
    wanted = ReadingsWanted(CircuitKey(plant, "C1"), ("t",), START, START + timedelta(days=1))
    (found,) = table.read([wanted], version)
    return found.values.ravel().tolist()


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_readings_are_merged_read_and_cleaned_up(odd: Path, tmp_path: Path) -> None:
    table = DeltaReadingsTable(odd / "readings")
    assert table.latest_version() is None
    assert table.merge(rows("P1", 1.0, 2.0)).version == 0
    assert table.merge(rows("P1", 5.0)).version == 1
    assert DeltaReadingsTable(odd / "readings").merge(rows("P2", 7.0)).version == 2
    assert [str(key) for key in table.circuits(2)] == ["P1/C1", "P2/C1"]
    assert (read(table, 0), read(table, 1), read(table, 2, "P2")) == ([1.0, 2.0], [5.0, 2.0], [7.0])
    before = files(tmp_path)
    removed = table.vacuum([], timedelta(0), dry_run=False)
    assert len(removed) == 1
    assert files(tmp_path) == {name for name in before if not name.endswith(removed[0])} | {
        name for name in files(tmp_path) if "_delta_log" in name
    }
    assert read(table, 2) == [5.0, 2.0]
    assert all(name.startswith(odd.relative_to(tmp_path).as_posix()) for name in files(tmp_path))


def test_what_somebody_else_adds_meanwhile_is_read(odd: Path, tmp_path: Path) -> None:
    """Their folders too: they are not there when the table is first opened."""
    plain = tmp_path / "plain"
    table = ExternalReadingsTable(odd / "theirs", TableMapping(plant_id="P1", circuit_id="C1"))
    assert table.latest_version() is None
    for year in (2023, 2024):
        frame = rows("P1", float(year)).select("timestamp", "t").with_columns(year=pl.lit(year))
        write_deltalake(plain, frame, mode="append", partition_by=["year"])
        subprocess.run(["cp", "-R", f"{plain}/.", odd / "theirs"], check=True)
        assert table.latest_version() == year - 2023
    wanted = ReadingsWanted(KEY, ("year",), START, START + timedelta(days=1))
    (found,) = table.read([wanted], 1)
    assert found.conflict
    assert "2023 and 2024" in found.conflict


def test_frozen_rows_are_read_back(odd: Path) -> None:
    table = DeltaReadingsTable(odd / "readings")
    table.merge(rows("P1", 1.0, 2.0))
    wanted = ReadingsWanted(KEY, ("t",), START, START + timedelta(days=1))
    (readings,) = table.read([wanted], 0)
    write_rows(readings, odd / "rows" / "x.parquet")
    assert read_rows(odd / "rows" / "x.parquet", KEY, readings.fingerprint()).values.tolist() == [
        [1.0],
        [2.0],
    ]


def test_the_control_database_is_the_file_that_was_named(odd: Path, tmp_path: Path) -> None:
    with sqlite(odd / "control.db").engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE x (y)")
    assert {(tmp_path / name).parent for name in files(tmp_path)} == {odd}
    assert (odd / "control.db").is_file()


def test_a_storage_uri_names_the_folder_it_was_made_of(odd: Path, tmp_path: Path) -> None:
    if odd.name in ("%2e%2e", "%2F"):
        with pytest.raises(BadInput, match="names a folder by way of another"):
            Location(file_uri(odd))
        return
    place = Location(file_uri(odd)) / "artifacts"
    assert place.folder == odd / "artifacts"
    ObjectFolder(place).put("ab/x.json", b"1")
    assert files(tmp_path) == {(odd / "artifacts/ab/x.json").relative_to(tmp_path).as_posix()}
    table = DeltaReadingsTable((Location(file_uri(odd)) / "my readings").folder or "")
    table.merge(rows("P1", 1.0))
    assert (odd / "my readings" / "_delta_log").is_dir()


def test_git_tells_the_names_of_files_as_they_are(odd: Path, tmp_path: Path) -> None:
    def git(*words: str) -> None:
        identity = ("-c", "user.name=x", "-c", "user.email=x@localhost", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *identity, *words], cwd=odd, check=True, capture_output=True)

    (odd / "ü 1.yaml").write_text("a")
    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "x")
    (odd / "ü 1.yaml").write_text("b")
    assert files_since(odd, "HEAD") == ("ü 1.yaml",)
    assert commit_of(odd, ()).endswith("+changes")
    export(odd, "HEAD", tmp_path / "then")
    assert (tmp_path / "then" / "ü 1.yaml").read_text() == "a"


def test_no_stand_in_is_left_in_the_temporary_folder(tmp_path: Path) -> None:
    """Neither of a process that ends, nor made in a temporary folder that has such a name itself."""
    program = (
        "import sys; from pathlib import Path; from fleetcast.platforms.delta.table import DeltaReadingsTable as T;"
        "t = T(Path(sys.argv[1])); print(t.latest_version(), t._location.address())"
    )
    DeltaReadingsTable(tmp_path / "a b" / "readings").merge(rows("P1", 1.0))
    usual = Path("/tmp")  # noqa: S108  # where it looks next
    for temporary, expected in ((tmp_path / "tmp", tmp_path / "tmp"), (tmp_path / "t mp", usual)):
        temporary.mkdir()
        done = subprocess.run(
            [sys.executable, "-c", program, tmp_path / "a b" / "readings"],
            capture_output=True,
            encoding="utf-8",
            check=True,
            env={"TMPDIR": str(temporary), "PYTHONPATH": ":".join(sys.path)},
        )
        version, address = done.stdout.split()
        assert version == "0"
        assert Path(address).parent == expected
        assert not Path(address).exists()


def test_an_error_names_the_table_and_not_its_stand_in(tmp_path: Path) -> None:
    folder = tmp_path / "a b" / "readings"
    table = DeltaReadingsTable(folder)
    table.merge(rows("P1", 1.0))
    for path in folder.rglob("*.parquet"):
        path.unlink()
    with pytest.raises(Exception, match="is not there") as caught:
        table.circuits(0)
    assert str(folder) in str(caught.value)
    assert "fleetcast-plain-" not in str(caught.value)
