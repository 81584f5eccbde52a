"""Delta tables that somebody else keeps: every layout gives the same readings, and what cannot be read is named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from deltalake import DeltaTable, write_deltalake

from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.table_mapping import Layout, TableMapping
from fleetcast.platforms.delta import external
from fleetcast.platforms.delta.external import ExternalReadingsTable
from fleetcast.platforms.delta.table import DeltaReadingsTable
from fleetcast.ports.readings import Readings, ReadingsWanted, VersionGone

START = datetime(2025, 3, 1, tzinfo=UTC)
HOURS = 48
KEYS = [CircuitKey(plant, circuit) for plant in ("P1", "P2") for circuit in ("C1", "C2")]
LONG = {"timestamp": "at", "plant_id": "site", "circuit_id": "loop", "sensor": "tag", "value": "reading"}
NAMES = {"TT-01": "t", "PT-01": "p"}


def wide() -> pl.DataFrame:
    """Two days of two sensors of four circuits; one reading is missing, and one circuit's last hour."""
    rows = [
        {
            "plant_id": key.plant,
            "circuit_id": key.circuit,
            "timestamp": START + timedelta(hours=hour),
            "t": 20.0 + number + hour / 10,
            "p": None if (number, hour) == (1, 5) else 1.0 + hour,
        }
        for number, key in enumerate(KEYS)
        for hour in range(HOURS - (number == 2))
    ]
    return pl.DataFrame(rows, schema_overrides={"timestamp": pl.Datetime("us", "UTC"), "p": pl.Float64})


def long() -> pl.DataFrame:
    melted = wide().unpivot(
        index=["plant_id", "circuit_id", "timestamp"], variable_name="tag", value_name="reading"
    )
    tags = {ours: theirs for theirs, ours in NAMES.items()}
    return melted.rename({"plant_id": "site", "circuit_id": "loop", "timestamp": "at"}).with_columns(
        pl.col("tag").replace_strict(tags)
    )


def want(key: CircuitKey, *sensors: str, hours: int = HOURS) -> ReadingsWanted:
    return ReadingsWanted(key, sensors or ("t", "p"), START, START + timedelta(hours=hours))


def everything(
    table: ExternalReadingsTable | DeltaReadingsTable, version: int = 0
) -> dict[CircuitKey, Readings]:
    return {found.key: found for found in table.read([want(key) for key in KEYS], version)}


def same(found: Mapping[CircuitKey, Readings], expected: Mapping[CircuitKey, Readings]) -> bool:
    return {key: value.fingerprint() for key, value in found.items()} == {
        key: value.fingerprint() for key, value in expected.items()
    }


@pytest.fixture
def own(tmp_path: Path) -> dict[CircuitKey, Readings]:
    """The same readings in fleetcast's own table."""
    table = DeltaReadingsTable(tmp_path / "own")
    table.merge(wide())
    return everything(table)


def long_table(folder: Path, frame: pl.DataFrame | None = None, **options: object) -> ExternalReadingsTable:
    write_deltalake(str(folder), long() if frame is None else frame, **options)  # type: ignore[call-overload]
    return ExternalReadingsTable(folder, TableMapping(Layout.LONG, LONG, sensors=NAMES))


# Layouts


def test_a_long_table_gives_what_the_own_table_gives(tmp_path: Path, own: dict[CircuitKey, Readings]) -> None:
    table = long_table(tmp_path / "long")
    assert same(everything(table), own)
    assert table.circuits(0) == KEYS
    assert table.sensors(0) == ("p", "t")


@pytest.mark.parametrize("partitions", [["site"], ["site", "loop"], ["tag"]])
def test_partitions_change_nothing(
    tmp_path: Path, own: dict[CircuitKey, Readings], partitions: list[str]
) -> None:
    assert same(everything(long_table(tmp_path / "long", partition_by=partitions)), own)


def test_a_z_ordered_table_in_many_files_gives_the_same(
    tmp_path: Path, own: dict[CircuitKey, Readings]
) -> None:
    for part in long().sample(fraction=1, shuffle=True, seed=1).iter_slices(100):
        table = long_table(tmp_path / "long", part, mode="append")
    delta = DeltaTable(tmp_path / "long")
    assert same(everything(table, delta.version()), own)
    delta.optimize.z_order(["loop", "at"])
    assert same(everything(table, delta.version()), own)


def test_a_wide_table_with_other_names_gives_the_same(
    tmp_path: Path, own: dict[CircuitKey, Readings]
) -> None:
    names = {
        "timestamp": "Zeit",
        "plant_id": "Werk",
        "circuit_id": "Kreis",
        "t": "Temperatur °C",
        "p": "Druck",
    }
    write_deltalake(str(tmp_path / "wide"), wide().rename(names).with_columns(remark=pl.lit("text")))
    mapping = TableMapping(
        Layout.WIDE,
        {"timestamp": "Zeit", "plant_id": "Werk", "circuit_id": "Kreis"},
        sensors={"Temperatur °C": "t", "Druck": "p"},
    )
    table = ExternalReadingsTable(tmp_path / "wide", mapping)
    assert same(everything(table), own)
    assert table.sensors(0) == ("p", "t")
    assert table.circuits(0) == KEYS


def test_ids_that_name_plant_circuit_and_sensor(tmp_path: Path, own: dict[CircuitKey, Readings]) -> None:
    tags = {
        str(100 * number + place): f"{key}/{sensor}"
        for number, key in enumerate(KEYS)
        for place, sensor in enumerate(("t", "p"))
    }
    back = {ours: int(theirs) for theirs, ours in tags.items()}
    frame = long().select(
        pl.format("{}/{}/{}", "site", "loop", pl.col("tag").replace_strict(NAMES))
        .replace_strict(back, return_dtype=pl.Int32)
        .alias("sensor"),
        "reading",
        timestamp="at",
    )
    write_deltalake(str(tmp_path / "tags"), frame)
    table = ExternalReadingsTable(
        tmp_path / "tags", TableMapping(Layout.LONG, {"value": "reading"}, sensors=tags)
    )
    assert same(everything(table), own)
    assert table.circuits(0) == KEYS


def test_a_table_of_one_circuit_needs_no_columns_for_it(
    tmp_path: Path, own: dict[CircuitKey, Readings]
) -> None:
    frame = wide().filter(pl.col("plant_id") == "P1", pl.col("circuit_id") == "C1")
    write_deltalake(str(tmp_path / "one"), frame.drop("plant_id", "circuit_id"))
    table = ExternalReadingsTable(tmp_path / "one", TableMapping(plant_id="P1", circuit_id="C1"))
    (found,) = table.read([want(KEYS[0])], 0)
    assert found.fingerprint() == own[KEYS[0]].fingerprint()
    assert table.circuits(0) == [KEYS[0]]


def test_many_circuits_are_read_in_several_passes(
    tmp_path: Path, own: dict[CircuitKey, Readings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(external, "CIRCUITS_PER_PASS", 3)
    assert same(everything(long_table(tmp_path / "long")), own)


def test_a_window_and_an_unknown_sensor(tmp_path: Path) -> None:
    table = long_table(tmp_path / "long")
    (found,) = table.read([want(KEYS[0], "t", "q", hours=3)], 0)
    assert len(found.times) == 3
    assert found.absent == {"q"}
    assert np.isnan(found.values[:, 1]).all()
    (nothing,) = table.read([want(CircuitKey("P9", "C9"))], 0)
    assert len(nothing.times) == 0


def test_sensors_that_are_read_at_different_times_share_one_time_line(tmp_path: Path) -> None:
    frame = long().with_columns(
        at=pl.when(pl.col("tag") == "PT-01").then(pl.col("at").dt.offset_by("7m")).otherwise("at")
    )
    (found,) = long_table(tmp_path / "long", frame).read([want(KEYS[0], hours=2)], 0)
    assert len(found.times) == 4
    assert np.isnan(found.values).sum() == 4


# Times


def test_local_times_become_utc_and_the_doubtful_hours_are_left_out(tmp_path: Path) -> None:
    spring, autumn = "2025-03-30 00:30", "2025-10-26 00:30"  # 02:30 does not exist, and exists twice
    local = [
        datetime.fromisoformat(day) + timedelta(hours=n)
        for day, hours in ((spring, 5), (autumn, 4))
        for n in range(hours)
    ]
    frame = pl.DataFrame({"timestamp": local, "t": [float(n) for n in range(9)]})
    write_deltalake(str(tmp_path / "local"), frame)
    mapping = TableMapping(plant_id="P1", circuit_id="C1", time_zone="Europe/Berlin")
    table = ExternalReadingsTable(tmp_path / "local", mapping)
    year = ReadingsWanted(KEYS[0], ("t",), datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))
    (found,) = table.read([year], 0)
    moments = [datetime.fromtimestamp(int(at) / 1e6, tz=UTC).strftime("%m-%d %H:%M") for at in found.times]
    assert moments == [
        "03-29 23:30", "03-30 00:30", "03-30 01:30", "03-30 02:30",
        "10-25 22:30", "10-25 23:30", "10-26 02:30",
    ]  # fmt: skip
    assert found.values[:, 0].tolist() == [0.0, 1.0, 3.0, 4.0, 5.0, 6.0, 8.0]


def test_local_times_without_a_zone_are_refused(tmp_path: Path) -> None:
    frame = wide().with_columns(pl.col("timestamp").dt.replace_time_zone(None))
    write_deltalake(str(tmp_path / "local"), frame)
    with pytest.raises(BadInput, match="local times that do not say of which zone") as caught:
        everything(ExternalReadingsTable(tmp_path / "local", TableMapping()))
    assert "time_zone:" in caught.value.fix


def test_a_zone_for_times_that_carry_one_is_refused(tmp_path: Path) -> None:
    write_deltalake(str(tmp_path / "wide"), wide())
    table = ExternalReadingsTable(tmp_path / "wide", TableMapping(time_zone="Europe/Berlin"))
    with pytest.raises(BadInput, match="say themselves when they are"):
        everything(table)


# What is wrong with a table


def test_a_column_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    write_deltalake(str(tmp_path / "long"), long())
    mapping = TableMapping(Layout.LONG, {**LONG, "value": "measurement"})
    with pytest.raises(BadInput, match="has no column 'measurement' for value") as caught:
        everything(ExternalReadingsTable(tmp_path / "long", mapping))
    assert "site, loop, at" in caught.value.fix


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (pl.col("reading").cast(pl.String), "'reading' holds String, not numbers"),
        (pl.col("at").dt.strftime("%Y-%m-%d"), "'at' holds String, not a timestamp"),
    ],
)
def test_a_column_of_the_wrong_type_is_named(tmp_path: Path, change: pl.Expr, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        everything(long_table(tmp_path / "long", long().with_columns(change)))


def test_a_schema_that_changed_between_versions_is_read_as_it_was_then(
    tmp_path: Path, own: dict[CircuitKey, Readings]
) -> None:
    table = long_table(tmp_path / "long")
    write_deltalake(
        str(tmp_path / "long"), long().rename({"reading": "val"}), mode="overwrite", schema_mode="overwrite"
    )
    assert same(everything(table, 0), own)
    with pytest.raises(BadInput, match=r"version 1 of the table at .* has no column 'reading'"):
        everything(table, 1)


def test_rows_that_say_the_same_twice_count_once(tmp_path: Path, own: dict[CircuitKey, Readings]) -> None:
    found = everything(long_table(tmp_path / "long", pl.concat([long(), long().head(50)])))
    assert same(found, own)
    assert not any(readings.conflict for readings in found.values())


def test_a_row_without_a_value_contradicts_nobody(tmp_path: Path, own: dict[CircuitKey, Readings]) -> None:
    silent = long().head(3).with_columns(reading=pl.lit(None, dtype=pl.Float64))
    broken = long().head(3).with_columns(reading=pl.lit(float("nan")))
    found = everything(long_table(tmp_path / "long", pl.concat([silent, long(), broken])))
    assert same(found, own)
    assert not any(readings.conflict for readings in found.values())


def test_two_values_for_one_key_are_a_conflict_of_that_circuit_alone(tmp_path: Path) -> None:
    other = long().head(1).with_columns(reading=pl.lit(99.0))
    found = everything(long_table(tmp_path / "long", pl.concat([long(), other])))
    assert [bool(found[key].conflict) for key in KEYS] == [True, False, False, False]
    assert (
        "t: 1 times have two different values, first 2025-03-01 00:00:00 UTC: 20 and 99"
        in found[KEYS[0]].conflict
    )


def test_a_vacuumed_version_is_gone_and_others_are_not(
    tmp_path: Path, own: dict[CircuitKey, Readings]
) -> None:
    table = long_table(tmp_path / "long")
    write_deltalake(str(tmp_path / "long"), long(), mode="overwrite")
    DeltaTable(tmp_path / "long").vacuum(0, dry_run=False, enforce_retention_duration=False)
    with pytest.raises(VersionGone, match=r"delta_version 0 of .* can no longer be read"):
        everything(table, 0)
    latest = table.latest_version()
    assert latest is not None
    assert same(everything(table, latest), own)


def test_a_truncated_log_is_a_version_that_is_gone(tmp_path: Path) -> None:
    table = long_table(tmp_path / "long")
    for _ in range(3):
        write_deltalake(str(tmp_path / "long"), long().head(1), mode="append")
    DeltaTable(tmp_path / "long").create_checkpoint()
    for number in (0, 1):
        (tmp_path / "long" / "_delta_log" / f"{number:020}.json").unlink()
    with pytest.raises(VersionGone, match="can no longer be read"):
        everything(table, 1)


@pytest.mark.parametrize(("version", "said"), [(7, "the table has 0 to 0"), (-1, "the table has 0 to 0")])
def test_a_version_that_never_was_is_refused(tmp_path: Path, version: int, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        everything(long_table(tmp_path / "long"), version)


def test_a_table_that_is_not_there_is_refused(tmp_path: Path) -> None:
    table = ExternalReadingsTable(tmp_path / "nowhere", TableMapping())
    assert table.latest_version() is None
    with pytest.raises(BadInput, match="there is no readings table") as caught:
        everything(table)
    assert "path" in caught.value.fix


def with_protocol(folder: Path, change: Callable[[dict[str, object], dict[str, object]], None]) -> None:
    """Rewrite the protocol and the table's properties in the first commit, as another writer would have."""
    log = folder / "_delta_log" / f"{0:020}.json"
    actions = [json.loads(line) for line in log.read_text().splitlines()]
    protocol = next(action["protocol"] for action in actions if "protocol" in action)
    metadata = next(action["metaData"] for action in actions if "metaData" in action)
    schema = json.loads(metadata["schemaString"])
    for number, field in enumerate(schema["fields"], start=1):
        named = {"delta.columnMapping.id": number, "delta.columnMapping.physicalName": field["name"]}
        field["metadata"] |= named
    metadata["schemaString"] = json.dumps(schema)
    change(protocol, metadata["configuration"])
    log.write_text("\n".join(json.dumps(action) for action in actions) + "\n")


def test_deletion_vectors_are_read(tmp_path: Path, own: dict[CircuitKey, Readings]) -> None:
    table = long_table(tmp_path / "long")

    def change(protocol: dict[str, object], properties: dict[str, object]) -> None:
        protocol |= {"minReaderVersion": 3, "minWriterVersion": 7}
        protocol |= {"readerFeatures": ["deletionVectors"], "writerFeatures": ["deletionVectors"]}
        properties["delta.enableDeletionVectors"] = "true"

    with_protocol(tmp_path / "long", change)
    assert same(everything(table), own)


def test_column_mapping_is_named_as_what_cannot_be_read(tmp_path: Path) -> None:
    table = long_table(tmp_path / "long")

    def change(protocol: dict[str, object], properties: dict[str, object]) -> None:
        protocol |= {"minReaderVersion": 2, "minWriterVersion": 5}
        properties["delta.columnMapping.mode"] = "name"

    with_protocol(tmp_path / "long", change)
    with pytest.raises(BadInput, match="the Delta feature columnMapping") as caught:
        everything(table)
    assert "delta.columnMapping.mode" in caught.value.fix


# Clean-up


def test_a_version_expires_as_its_owner_says(tmp_path: Path) -> None:
    table = long_table(
        tmp_path / "long", configuration={"delta.deletedFileRetentionDuration": "interval 3 days"}
    )
    assert table.expires_at(0) is None
    write_deltalake(str(tmp_path / "long"), long(), mode="overwrite")
    replaced_at = table.versions()[0].committed_at
    assert table.expires_at(0) == replaced_at + timedelta(days=3)
    assert table.expires_at(1) is None


def test_the_own_table_keeps_pinned_versions_through_a_vacuum(tmp_path: Path) -> None:
    table = DeltaReadingsTable(tmp_path / "own")
    for add in (0.0, 1.0, 2.0, 3.0):
        table.merge(wide().with_columns(pl.col("t") + add))
    before = {version: everything(table, version) for version in range(4)}
    assert table.vacuum([1], timedelta(0), dry_run=True)
    assert same(everything(table, 0), before[0])
    assert table.vacuum([1], timedelta(0), dry_run=False)
    for version in (1, 3):
        assert same(everything(table, version), before[version])
    with pytest.raises(VersionGone):
        everything(table, 0)
    shutil.rmtree(tmp_path / "own")
    assert table.vacuum([1], timedelta(0), dry_run=False) == []


# Mappings that make no sense


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"sensors": {"a": "t", "b": "t"}}, "'a' and 'b' are both called 't'"),
        ({"columns": {"value": "v"}}, "'value' is not a column of a wide table"),
        ({"columns": {"plant_id": "x", "circuit_id": "x"}}, "plant_id and circuit_id are both read from 'x'"),
        ({"columns": {"plant_id": "x"}, "plant_id": "P1"}, "as a constant and as a column"),
        ({"sensors": {"a": "P1/C1/t", "b": "t"}}, "some names are PLANT/CIRCUIT/sensor"),
        ({"sensors": {"a": "P 1/C1/t"}}, "plant_id 'P 1' is not a valid id"),
        ({"time_zone": "Berlin"}, "time_zone 'Berlin' is not known"),
        ({"plant_id": "a b"}, "not a valid id"),
    ],
)
def test_a_mapping_that_makes_no_sense_is_refused(given: dict[str, object], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        TableMapping(**given)  # type: ignore[arg-type]


def test_a_constant_holds_for_its_own_circuit_only(tmp_path: Path) -> None:
    frame = wide().filter(pl.col("plant_id") == "P1")
    write_deltalake(str(tmp_path / "hall"), frame.drop("plant_id"))
    table = ExternalReadingsTable(tmp_path / "hall", TableMapping(plant_id="P1"))
    assert [len(found.times) for found in table.read([want(key) for key in KEYS], 0)] == [HOURS, HOURS, 0, 0]
    write_deltalake(str(tmp_path / "one"), frame.drop("plant_id", "circuit_id").head(HOURS))
    one = ExternalReadingsTable(tmp_path / "one", TableMapping(plant_id="P1", circuit_id="C1"))
    assert [len(found.times) for found in one.read([want(key) for key in KEYS], 0)] == [HOURS, 0, 0, 0]


def test_a_wide_table_with_a_column_for_each_sensor_of_each_circuit(
    tmp_path: Path, own: dict[CircuitKey, Readings]
) -> None:
    frame = wide().drop("plant_id", "circuit_id").head(0).select("timestamp")
    tags: dict[str, str] = {}
    for number, key in enumerate(KEYS[:2]):
        part = wide().filter(pl.col("plant_id") == key.plant, pl.col("circuit_id") == key.circuit)
        names = {sensor: f"TAG{number}{sensor}" for sensor in ("t", "p")}
        tags |= {theirs: f"{key}/{ours}" for ours, theirs in names.items()}
        frame = frame.join(
            part.rename(names).drop("plant_id", "circuit_id"), on="timestamp", how="full", coalesce=True
        )
    write_deltalake(str(tmp_path / "tags"), frame)
    table = ExternalReadingsTable(tmp_path / "tags", TableMapping(sensors=tags))
    found = {got.key: got for got in table.read([want(key) for key in KEYS], 0)}
    for key in KEYS[:2]:
        assert found[key].fingerprint() == own[key].fingerprint()
    assert [len(found[key].times) for key in KEYS[2:]] == [0, 0]
