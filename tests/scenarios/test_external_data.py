"""A fleet on somebody else's Delta tables: pinned versions, frozen rows, and versions that go away."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable, write_deltalake

from fleetcast.platforms.delta.table import DeltaReadingsTable
from fleetcast.ports.readings import ReadingsWanted
from tests.scenarios.repository import CIRCUIT01, CIRCUIT02, CIRCUITS, ON_SQLITE, Repository

pytestmark = ON_SQLITE

SOURCES = """\
data_sources:
  readings:
    kind: own
    path: .fleetcast/readings
  historian:
    kind: delta
    path: ../historian
    layout: long
    columns: {plant_id: site, circuit_id: loop, timestamp: at, sensor: tag, value: reading}
    sensors: {TT-01: temperature, VT-01: vibration}
"""
TAGS = {"temperature": "TT-01", "vibration": "VT-01"}


def historian(fleet: Repository) -> Path:
    return fleet.folder.parent / "historian"


@pytest.fixture
def foreign(declared: Repository) -> Repository:
    """The declared fleet, reading a long table of the same readings that somebody else keeps."""
    own = DeltaReadingsTable(declared.state / "readings")
    start = datetime(2024, 1, 1, tzinfo=UTC)
    parts = []
    for key in own.circuits(0):
        wanted = ReadingsWanted(key, tuple(TAGS), start, start + timedelta(days=1_000))
        (found,) = own.read([wanted], 0)
        parts += [
            pl.DataFrame(
                {"at": found.times, "reading": found.values[:, place]},
            ).with_columns(
                pl.col("at").cast(pl.Datetime("us", "UTC")),
                site=pl.lit(key.plant),
                loop=pl.lit(key.circuit),
                tag=pl.lit(TAGS[sensor]),
            )
            for place, sensor in enumerate(TAGS)
        ]
    write_deltalake(str(historian(declared)), pl.concat(parts))
    settings = declared.folder / "fleetcast.yaml"
    before, _, after = settings.read_text().partition("data_sources:")
    settings.write_text(before + SOURCES + after[after.index("\n\n") :])
    declared.edit(CIRCUITS, "data_source: readings", "data_source: historian")
    return declared


def late_rows(fleet: Repository) -> None:
    """The owner stores one more reading."""
    table = DeltaTable(historian(fleet))
    row = pl.scan_delta(table).head(1).collect().with_columns(at=datetime(2026, 1, 1, tzinfo=UTC))
    write_deltalake(str(historian(fleet)), row.cast({"at": pl.Datetime("us", "UTC")}), mode="append")


def rewritten_and_cleaned_up(fleet: Repository) -> None:
    """The owner rewrites the table and removes the old files at once."""
    rows = pl.scan_delta(historian(fleet)).collect()
    write_deltalake(str(historian(fleet)), rows, mode="overwrite")
    DeltaTable(historian(fleet)).vacuum(0, dry_run=False, enforce_retention_duration=False)


def test_a_fleet_trains_and_forecasts_on_a_foreign_table_as_on_its_own(
    foreign: Repository, trained: Repository
) -> None:
    foreign.promote()
    here, there = foreign.models(), trained.models()
    assert [m["lineage"]["fingerprint"] for m in here] == [m["lineage"]["fingerprint"] for m in there]
    said = foreign.type("forecast", CIRCUIT01, "--format", "json")
    assert said.code == 0, said.err
    assert foreign.type("plan", "--detailed-exitcode").code == 0


def test_pinning_takes_the_newest_version_and_trains_again(foreign: Repository) -> None:
    foreign.promote()
    late_rows(foreign)
    assert foreign.actions() == {CIRCUIT01: "up to date", CIRCUIT02: "up to date"}
    pinned = foreign.type("data", "pin", "--circuits", CIRCUIT01)
    assert pinned.code == 0, pinned.err
    assert "1 circuit pinned" in pinned.out
    assert foreign.plan()[CIRCUIT01] == ("train", "delta_version 0 → 1")
    assert foreign.actions()[CIRCUIT02] == "up to date"
    again = foreign.type("data", "pin", "--circuits", CIRCUIT01)
    assert "nothing to change" in again.out


def test_a_mapping_that_reads_something_else_trains_again(foreign: Repository) -> None:
    foreign.promote()
    foreign.edit("fleetcast.yaml", "{TT-01: temperature, VT-01:", "{TT-02: temperature, VT-01:")
    assert set(foreign.actions().values()) == {"train"}


def test_the_plan_says_how_long_a_version_will_last(foreign: Repository) -> None:
    late_rows(foreign)
    planned = foreign.type("plan")
    assert "version 0 of 'historian' may be cleaned up by its owner in 7 days" in planned.out
    assert "train PLANT001/CIRCUIT01, PLANT001/CIRCUIT02 before" in planned.out
    (warning,) = foreign.type("plan", "--format", "json").json["warnings"]
    assert "data pin" in warning
    assert foreign.type("stage", "RegisterData").code == 0
    assert foreign.type("plan", "--format", "json").json["warnings"] == []


def test_frozen_rows_outlive_the_version_they_came_from(foreign: Repository) -> None:
    assert foreign.type("stage", "RegisterData").code == 0
    rewritten_and_cleaned_up(foreign)
    assert foreign.type("train").code == 3
    assert len(foreign.versions()) == 2


def test_a_version_that_is_gone_is_an_error_with_the_circuits_it_hits(foreign: Repository) -> None:
    rewritten_and_cleaned_up(foreign)
    failed = foreign.type("train")
    assert failed.code == 1
    assert "delta_version 0 of" in failed.err
    assert "can no longer be read" in failed.err
    assert "PLANT001/CIRCUIT01, PLANT001/CIRCUIT02 should train on it" in failed.err
    assert foreign.type("data", "pin").code == 0
    assert foreign.type("train").code == 3


def test_frozen_rows_and_the_version_both_gone_is_an_error_too(foreign: Repository) -> None:
    assert foreign.type("stage", "RegisterData").code == 0
    shutil.rmtree(foreign.state / "frozen")
    rewritten_and_cleaned_up(foreign)
    failed = foreign.type("train")
    assert failed.code == 1
    assert "can no longer be read" in failed.err + failed.out


def test_a_circuit_whose_table_contradicts_itself_is_blocked_alone(foreign: Repository) -> None:
    row = pl.scan_delta(historian(foreign)).filter(pl.col("loop") == "CIRCUIT02").head(1).collect()
    write_deltalake(str(historian(foreign)), row.with_columns(reading=pl.lit(-1.0)), mode="append")
    assert foreign.type("data", "pin").code == 0
    done = foreign.type("train")
    assert done.code == 3, done.err
    assert foreign.versions() == [("plant001-circuit01", 1)]
    action, why = foreign.plan()[CIRCUIT02]
    assert action == "blocked"
    assert "the table contradicts itself" in why


def test_a_check_of_the_data_finds_what_training_would(foreign: Repository) -> None:
    def wrong() -> list[str]:
        said = foreign.type("validate", "--data", "--format", "json")
        assert said.code == (1 if said.json["complaints"] else 0)
        assert all(one["file"] == CIRCUITS and one["line"] for one in said.json["complaints"])
        return [one["what"] for one in said.json["complaints"]]

    assert wrong() == []
    row = pl.scan_delta(historian(foreign)).filter(pl.col("loop") == "CIRCUIT02").head(1).collect()
    write_deltalake(str(historian(foreign)), row.with_columns(reading=pl.lit(-1.0)), mode="append")
    assert wrong() == []
    assert foreign.type("data", "pin").code == 0
    (contradiction,) = wrong()
    assert contradiction.startswith("PLANT001/CIRCUIT02: the table contradicts itself: ")
    rewritten_and_cleaned_up(foreign)
    (gone,) = wrong()
    assert "can no longer be read" in gone
    assert gone.endswith("PLANT001/CIRCUIT01, PLANT001/CIRCUIT02 should train on it")


@pytest.mark.parametrize("words", [("ingest", "x.csv", "--plant", "P", "--circuit", "C"), ("simulate",)])
def test_nothing_is_written_to_a_foreign_table(foreign: Repository, words: tuple[str, ...]) -> None:
    said = foreign.type(*words, "--source", "historian")
    assert said.code == 1
    assert "a table of somebody else's, which fleetcast only reads" in said.err
    assert DeltaTable(historian(foreign)).version() == 0


def test_external_data_can_be_looked_at(foreign: Repository) -> None:
    shown = foreign.type("data", "show", "--source", "historian")
    assert shown.code == 0, shown.err
    assert "temperature" in shown.out
    assert foreign.type("data", "versions", "--source", "historian").code == 0
    assert foreign.type("data", "quality", "--source", "historian").code == 0


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("value: reading", "value: measured", "has no column 'measured' for value"),
        ("timestamp: at, sensor: tag", "timestamp: tag, sensor: at", "'tag' holds String, not a timestamp"),
        ("VT-01: vibration", "VT-01: temperature", "'TT-01' and 'VT-01' are both called 'temperature'"),
        ("path: ../historian", "path: ../nowhere", "holds no readings yet"),
        ("layout: long", "layout: tall", "layout"),
        ("path: ../historian", "path: s3://key:secret@bucket/x", "holds no keys"),
    ],
)
def test_a_source_that_cannot_be_read_is_one_clear_error(
    foreign: Repository, before: str, after: str, said: str
) -> None:
    foreign.edit("fleetcast.yaml", before, after)
    failed = foreign.type("train")
    assert failed.code == 1
    assert said in failed.err
    assert failed.err.count("error: ") == 1
    assert "secret@" not in failed.err


def test_a_vacuum_keeps_what_circuits_and_models_name(promoted: Repository) -> None:
    for seed in ("8", "9", "10"):
        size = ("--plants", "1", "--circuits", "2", "--length", "60d")
        assert promoted.type("simulate", *size, "--seed", seed).code == 0
    promoted.type("bump", "--delta-version", "2", "--circuits", CIRCUIT02)
    would = promoted.type("data", "vacuum", "--older-than", "1s", "--dry-run", "--format", "json").json
    assert would["kept_delta_versions"] == [0, 2]
    assert would["files"] > 0
    done = promoted.type("data", "vacuum", "--older-than", "1s")
    assert done.code == 0, done.err
    shutil.rmtree(promoted.state / "frozen")
    assert promoted.type("train").code == 3
    assert promoted.versions()[-1] == ("plant001-circuit02", 2)
    promoted.type("bump", "--delta-version", "1", "--circuits", CIRCUIT02)
    gone = promoted.type("train")
    assert gone.code == 1
    assert "can no longer be read" in gone.err
