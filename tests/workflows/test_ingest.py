from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from fleetcast.domain.ingest import (
    Ambiguous,
    BadRows,
    Nonexistent,
    OnConflict,
    Rename,
    Sentinel,
    Thousands,
    UnevenRows,
)
from tests.workflows.desk import UTC_ROWS, Desk


def test_a_plain_file_is_stored(desk: Desk) -> None:
    report = desk.ingest(UTC_ROWS)
    assert desk.stored() == {"at": [0, 1], "a": [1, 2], "b": [10, 20]}
    assert (report.rows_read, report.rows_written, report.version) == (2, 2, 0)
    assert (report.first, report.last) == (
        datetime(2025, 1, 1, tzinfo=UTC),
        datetime(2025, 1, 1, 1, tzinfo=UTC),
    )


def test_ingesting_again_changes_nothing_and_says_so(desk: Desk) -> None:
    desk.ingest(UTC_ROWS)
    report = desk.ingest(UTC_ROWS)
    assert (report.version_before, report.version, report.unchanged, report.rows_written) == (0, 0, 2, 0)


def test_many_files_are_one_version(desk: Desk) -> None:
    report = desk.ingest(*(f"time,a\n2025-01-01T{hour:02d}:00:00Z,{hour}\n" for hour in range(16)))
    assert report.version == 0
    assert len(report.files) == 16
    assert len(desk.stored()["a"]) == 16


def test_one_bad_file_among_good_ones_stores_nothing(desk: Desk) -> None:
    error = desk.refuses(UTC_ROWS, "time,a\nyesterday,1\n")
    assert "log1.csv, row 2" in str(error)


def test_gzip_and_parquet_give_what_csv_gives(desk: Desk) -> None:
    desk.ingest(UTC_ROWS)
    zipped = desk.file(gzip.compress(UTC_ROWS.encode()), "log.csv.gz")
    assert desk.ingest(zipped).rows_written == 0
    typed = desk.folder / "log.parquet"
    times = pl.Series("time", [datetime(2025, 1, 1, hour, tzinfo=UTC) for hour in (0, 1)])
    pl.DataFrame([times, pl.Series("a", [1, 2]), pl.Series("b", [10.0, 20.0])]).write_parquet(typed)
    assert desk.ingest(typed).rows_written == 0


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found(desk: Desk, separator: str) -> None:
    desk.ingest(UTC_ROWS.replace(",", separator))
    assert desk.stored()["b"] == [10, 20]


def test_a_byte_order_mark_and_windows_line_ends_do_not_matter(desk: Desk) -> None:
    desk.ingest(b"\xef\xbb\xbf" + UTC_ROWS.replace("\n", "\r\n").encode())
    assert desk.stored() == {"at": [0, 1], "a": [1, 2], "b": [10, 20]}


def test_a_separator_inside_quotes_separates_nothing(desk: Desk) -> None:
    text = 'time;"a, raw";"b, raw"\n2025-01-01T00:00:00Z;1;2\n'
    desk.ingest(text, renames=(Rename("a, raw", "a"), Rename("b, raw", "b")))
    assert desk.stored() == {"at": [0], "a": [1], "b": [2]}


def test_options_name_columns_as_the_file_does(desk: Desk) -> None:
    desk.ingest(
        "when,Flow (l),b,label\n2025-01-01T00:00:00Z,-1,5,x\n2025-01-01T01:00:00Z,2,-1,y\n",
        timestamp_columns=("when",),
        renames=(Rename("Flow (l)", "flow"),),
        sentinels=(Sentinel.parse("Flow (l)=-1"),),
        drop=("label",),
    )
    assert desk.stored() == {"at": [0, 1], "b": [5, -1], "flow": [None, 2]}


def test_taking_columns_leaves_out_the_others(desk: Desk) -> None:
    desk.ingest(UTC_ROWS, take=("b",))
    assert desk.stored() == {"at": [0, 1], "b": [10, 20]}


def test_date_and_time_of_day_may_be_two_columns(desk: Desk) -> None:
    desk.ingest(
        "Datum;Zeit;a\n01.02.2025;00:30;1,5\n",
        timestamp_columns=("Datum", "Zeit"),
        timestamp_format="%d.%m.%Y %H:%M",
        timezone="Europe/Berlin",
        decimal=",",
    )
    assert desk.stored() == {"at": [31 * 24 - 0.5], "a": [1.5]}


@pytest.mark.parametrize(("form", "unit"), [("unix", 1), ("unix_ms", 1_000), ("unix_us", 1_000_000)])
def test_times_may_be_numbers_since_1970(desk: Desk, form: str, unit: int) -> None:
    start = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp())
    desk.ingest(f"ts,a\n{start * unit},1\n{(start + 3600) * unit},2\n", timestamp_format=form)
    assert desk.stored() == {"at": [0, 1], "a": [1, 2]}


@pytest.mark.parametrize(
    "time",
    [
        "2025-01-01T00:00:00Z",
        "2025-01-01 01:00:00+01:00",
        "2025-01-01T05:30+0530",
        "2024-12-31T19:00:00.000-05",
        "2025-01-01T00:00:00,000Z",
    ],
)
def test_an_offset_in_the_time_counts(desk: Desk, time: str) -> None:
    desk.ingest(f'time,a\n"{time}",1\n')
    assert desk.stored()["at"] == [0]


def test_the_circuit_and_the_plant_may_come_from_columns(desk: Desk) -> None:
    report = desk.ingest(
        "time,site,asset,a\n2025-01-01T00:00:00Z,P1,C1,1\n2025-01-01T00:00:00Z,P2,C7,2\n",
        plant_column="site",
        circuit_column="asset",
    )
    assert report.circuits == ("P1/C1", "P2/C7")
    assert desk.stored("P2/C7")["a"] == [2]


def test_exact_duplicates_are_dropped_and_conflicting_ones_yield_to_the_last(desk: Desk) -> None:
    report = desk.ingest(
        "time,a\n2025-01-01T00:00:00Z,1\n2025-01-01T00:00:00Z,1\n2025-01-01T01:00:00Z,3\n",
        "time,a\n2025-01-01T01:00:00Z,4\n2025-01-01T02:00:00Z,5\n",
    )
    assert (report.exact_duplicates, report.conflicting_duplicates) == (1, 1)
    assert desk.stored()["a"] == [1, 4, 5]
    assert report.rows_read == report.inserted + report.exact_duplicates + report.conflicting_duplicates


def test_unsorted_rows_are_stored_in_order_and_counted(desk: Desk) -> None:
    report = desk.ingest("time,a\n2025-01-01T02:00:00Z,3\n2025-01-01T00:00:00Z,1\n2025-01-01T01:00:00Z,2\n")
    assert desk.stored()["a"] == [1, 2, 3]
    assert report.files[0].unsorted_rows == 1


def test_infinite_and_nan_cells_are_no_readings_and_are_counted(desk: Desk) -> None:
    report = desk.ingest(
        "time,a,b\n2025-01-01T00:00:00Z,inf,1\n2025-01-01T01:00:00Z,NaN,2\n2025-01-01T02:00:00Z,-Infinity,3\n"
        "2025-01-01T03:00:00Z,4,4\n"
    )
    assert report.files[0].not_finite == 3
    assert desk.stored()["a"] == [None, None, None, 4]


def test_cells_that_are_no_numbers_are_counted_with_the_first_as_example(desk: Desk) -> None:
    report = desk.ingest(
        "time,a\n2025-01-01T00:00:00Z,1\n2025-01-01T01:00:00Z,broken\n2025-01-01T02:00:00Z, 3 \n"
        "2025-01-01T03:00:00Z,n/a\n"
    )
    (cells,) = report.files[0].unread_cells
    assert (cells.sensor, cells.count, cells.first_row, cells.example) == ("a", 1, 3, "broken")
    assert report.files[0].empty_rows == 2
    assert desk.stored() == {"at": [0, 2], "a": [1, 3]}


def test_a_sentinel_is_found_in_the_32_bits_that_loggers_keep(desk: Desk) -> None:
    report = desk.ingest(
        "time,a,b\n2025-01-01T00:00:00Z,-273.20001,-9999\n2025-01-01T01:00:00Z,-273,1\n",
        sentinels=(Sentinel(-273.2, "a"), Sentinel(-9999)),
    )
    assert report.files[0].sentinels == 2
    assert desk.stored() == {"at": [1], "a": [-273], "b": [1]}


def test_rows_without_any_reading_are_counted_and_not_stored(desk: Desk) -> None:
    report = desk.ingest("time,a,b\n2025-01-01T00:00:00Z,,\n2025-01-01T01:00:00Z,,1\n")
    assert report.files[0].empty_rows == 1
    assert desk.stored() == {"at": [1], "a": [None], "b": [1]}


def test_silent_and_constant_sensors_are_named(desk: Desk) -> None:
    report = desk.ingest("time,a,b,c\n2025-01-01T00:00:00Z,,7,1\n2025-01-01T01:00:00Z,,7,2\n")
    assert report.files[0].silent_sensors == ("a",)
    assert report.files[0].constant_sensors == ("b",)


def test_bad_rows_can_be_skipped_and_are_counted(desk: Desk) -> None:
    text = "time,a\nyesterday,1\n2025-01-01T00:00:00Z,2\n,3\n"
    report = desk.ingest(text, bad_rows=BadRows.SKIP)
    assert report.files[0].unread_times == 2
    assert desk.stored()["a"] == [2]


AUTUMN = "time,a\n2025-10-26 01:30:00,1\n2025-10-26 02:30:00,2\n2025-10-26 03:30:00,3\n"
SPRING = "time,a\n2025-03-30 01:30:00,1\n2025-03-30 02:30:00,2\n2025-03-30 03:30:00,3\n"


def test_an_autumn_hour_that_was_twice_is_refused_with_its_row(desk: Desk) -> None:
    error = desk.refuses(AUTUMN, timezone="Europe/Paris")
    assert "row 3 (2025-10-26 02:30:00)" in str(error)
    assert "--ambiguous earliest|latest|skip" in error.fix


def test_a_spring_hour_that_never_was_is_refused_with_its_row(desk: Desk) -> None:
    error = desk.refuses(SPRING, timezone="Europe/Paris")
    assert "row 3 (2025-03-30 02:30:00)" in str(error)
    assert "--nonexistent shift|skip" in error.fix


@pytest.mark.parametrize(
    ("choice", "hours_after_midnight"),
    [
        (Ambiguous.EARLIEST, [-0.5, 0.5, 2.5]),
        (Ambiguous.LATEST, [-0.5, 1.5, 2.5]),
        (Ambiguous.SKIP, [-0.5, 2.5]),
    ],
)
def test_an_autumn_hour_is_taken_as_told(
    desk: Desk, choice: Ambiguous, hours_after_midnight: list[float]
) -> None:
    report = desk.ingest(AUTUMN, timezone="Europe/Paris", ambiguous=choice)
    midnight = (datetime(2025, 10, 26, tzinfo=UTC) - datetime(2025, 1, 1, tzinfo=UTC)) / timedelta(hours=1)
    assert desk.stored()["at"] == [midnight + hour for hour in hours_after_midnight]
    assert report.files[0].skipped_local_times == (choice is Ambiguous.SKIP)


@pytest.mark.parametrize(("choice", "readings"), [(Nonexistent.SHIFT, [1, 3]), (Nonexistent.SKIP, [1, 3])])
def test_a_spring_hour_is_taken_as_told(desk: Desk, choice: Nonexistent, readings: list[float]) -> None:
    report = desk.ingest(SPRING, timezone="Europe/Paris", nonexistent=choice)
    assert desk.stored()["a"] == readings
    assert report.conflicting_duplicates == (choice is Nonexistent.SHIFT)


def test_a_fixed_offset_is_a_zone_without_odd_hours(desk: Desk) -> None:
    desk.ingest(AUTUMN, SPRING, timezone="+01:00")
    assert len(desk.stored()["at"]) == 6


def test_uneven_rows_are_dropped_and_counted_on_request(desk: Desk) -> None:
    report = desk.ingest(
        "time,a,b\n2025-01-01T00:00:00Z,1,2\n2025-01-01T01:00:00Z,3\n\n2025-01-01T02:00:00Z,4,5,6\n"
        '2025-01-01T03:00:00Z,"7",broken\n',
        uneven_rows=UnevenRows.DROP,
    )
    assert desk.stored() == {"at": [0, 3], "a": [1, 7], "b": [2, None]}
    assert (report.rows_read, report.files[0].uneven_rows) == (4, 2)
    assert report.files[0].unread_cells[0].first_row == 6


@pytest.mark.parametrize(
    "text",
    [
        # Column c holds nothing, and the short row fills all that is filled elsewhere.
        "time,a,b,c\n2025-01-01T00:00:00Z,1,2,\n2025-01-01T01:00:00Z,3,4\n",
        "time,a,b,c,d\n2025-01-01T00:00:00Z,1,2,,\n2025-01-01T01:00:00Z,3,4,\n",
        # Only the header, or only some rows, end in a separator.
        "time,a,b,\n2025-01-01T00:00:00Z,1,2\n2025-01-01T01:00:00Z,3,4\n",
        "time,a,b,\n2025-01-01T00:00:00Z,1,2,\n2025-01-01T01:00:00Z,3,4\n",
    ],
)
def test_a_row_that_lacks_only_empty_cells_is_stored_and_counted(desk: Desk, text: str) -> None:
    report = desk.ingest(text)
    stored = desk.stored()
    assert (stored["at"], stored["a"], stored["b"]) == ([0, 1], [1, 3], [2, 4])
    assert report.files[0].padded_rows in (1, 2)


def test_a_separator_at_the_end_of_every_line_is_no_column(desk: Desk) -> None:
    desk.ingest("time,a,\n2025-01-01T00:00:00Z,1,\n2025-01-01T01:00:00Z,,\n")
    assert desk.stored() == {"at": [0], "a": [1]}


def test_short_rows_can_be_declared_to_lack_their_end(desk: Desk) -> None:
    report = desk.ingest(
        "time,a,b\n2025-01-01T00:00:00Z,1,2\n2025-01-01T01:00:00Z,3\n2025-01-01T02:00:00Z,4,5,,\n",
        uneven_rows=UnevenRows.PAD,
    )
    assert desk.stored() == {"at": [0, 1, 2], "a": [1, 3, 4], "b": [2, None, 5]}
    assert (report.files[0].padded_rows, report.files[0].uneven_rows) == (2, 0)


@pytest.mark.parametrize(
    ("cells", "options"),
    [
        (("999,5", "1.234,5", "-1.234.567,25"), {"decimal": ",", "thousands": Thousands.POINT}),
        (('"999.5"', '"1,234.5"', '"-1,234,567.25"'), {"thousands": Thousands.COMMA}),
        (('"999.5"', '"1,234.5"', '"-12,34,567.25"'), {"thousands": Thousands.COMMA}),
        (("999,5", "1 234,5", "-1\u202f234\u00a0567,25"), {"decimal": ",", "thousands": Thousands.SPACE}),
        (("999.5", "1'234.5", "-1’234’567.25"), {"thousands": Thousands.APOSTROPHE}),
    ],
)
def test_grouped_thousands_are_read_as_told(
    desk: Desk, cells: tuple[str, str, str], options: dict[str, object]
) -> None:
    lines = [f"2025-01-01T0{hour}:00:00Z;{cell}" for hour, cell in enumerate(cells)]
    report = desk.ingest("\n".join(["time;a", *lines, ""]), **options)
    assert desk.stored()["a"] == [999.5, 1234.5, -1234567.25]
    assert report.files[0].unread_cells == ()


def test_a_sign_that_groups_nothing_makes_no_number(desk: Desk) -> None:
    text = "time;a\n2025-01-01T00:00:00Z;1.234,5\n2025-01-01T01:00:00Z;0.125\n2025-01-01T02:00:00Z;1.5\n"
    report = desk.ingest(text, decimal=",", thousands=Thousands.POINT)
    assert desk.stored()["a"] == [1234.5]
    assert (report.files[0].unread_cells[0].count, report.files[0].unread_cells[0].example) == (2, "0.125")


def test_cells_can_be_declared_to_be_no_grouped_numbers(desk: Desk) -> None:
    text = "time;a\n2025-01-01T00:00:00Z;1.234\n2025-01-01T01:00:00Z;1,5\n"
    report = desk.ingest(text, decimal=",", thousands=Thousands.NONE)
    assert report.files[0].unread_cells[0].example == "1.234"
    assert desk.stored()["a"] == [1.5]


ZONED = "%Y-%m-%d %H:%M:%S %Z"


@pytest.mark.parametrize(
    ("time", "fmt", "timezone", "hour"),
    [
        ("2025-01-01 12:00:00 CET", ZONED, "UTC", 11),
        ("2025-01-01 12:00:00 CET", ZONED, None, 11),
        ("2025-01-01 12:00:00 CEST", ZONED, "UTC", 10),
        ("2025-01-01 12:00:00 utc", ZONED, "Europe/Paris", 12),
        ("2025-01-01 12:00:00 AEST", ZONED, None, 2),
        ("2025-01-01 12:00:00 IST", ZONED, "Asia/Kolkata", 6.5),
        ("2025-01-01 12:00:00 IST", ZONED, "Asia/Jerusalem", 10),
        ("2025-01-01 12:00:00 IST", ZONED, "+05:30", 6.5),
        ("2025-01-01 12:00:00 CST", ZONED, "America/Chicago", 18),
        ("2025-01-01 12:00:00 MSK", ZONED, "Europe/Moscow", 9),
        ("2025-01-01 12:00:00 +0100", ZONED, "UTC", 11),
        ("Wed Jan 1 12:00:00 CET 2025", "%a %b %d %H:%M:%S %Z %Y", None, 11),
        ("01.01.2025 12:00:00CET", "%d.%m.%Y %H:%M:%S%Z", None, 11),
        ("01.01.2025 12:00 (CET)", "%d.%m.%Y %H:%M (%Z)", None, 11),
        ("01 Jan 2025 03:00 PM MEZ", "%d %b %Y %I:%M %p %Z", None, 14),
        ("2025-01-01 12:00:00 +0100 CET", "%Y-%m-%d %H:%M:%S %z %Z", None, 11),
    ],
)
def test_the_name_of_a_zone_counts(
    desk: Desk, time: str, fmt: str, timezone: str | None, hour: float
) -> None:
    desk.ingest(f"time,a\n{time},1\n", timestamp_format=fmt, timezone=timezone)
    assert desk.stored()["at"] == [hour]


def test_names_tell_the_two_autumn_hours_apart(desk: Desk) -> None:
    rows = "time,a\n2025-10-26 02:30:00 CEST,1\n2025-10-26 02:30:00 CET,2\n"
    desk.ingest(rows, timestamp_format=ZONED, timezone="Europe/Paris")
    assert desk.stored()["a"] == [1, 2]


def test_rows_in_a_zone_that_nobody_knows_can_be_skipped(desk: Desk) -> None:
    rows = "time,a\n2025-01-01 12:00:00 XYZ,1\n2025-01-01 12:00:00 CET,2\nno time,3\n"
    report = desk.ingest(rows, timestamp_format=ZONED, bad_rows=BadRows.SKIP)
    assert desk.stored() == {"at": [11], "a": [2]}
    assert report.files[0].unread_times == 2


TWICE = (
    "time,a,b\n2025-01-01T00:00:00Z,1,5\n2025-01-01T01:00:00Z,2,\n2025-01-01T00:00:00Z,4,5\n",
    "time,a,b\n2025-01-01T00:00:00Z,4,5\n2025-01-01T01:00:00Z,,6\n",
)


@pytest.mark.parametrize(
    ("choice", "readings"),
    [
        (OnConflict.LAST, [4, 2]),
        (OnConflict.FIRST, [1, 2]),
        (OnConflict.MEAN, [2.5, 2]),
        (OnConflict.DROP, [None, 2]),
    ],
)
def test_a_conflict_is_settled_as_told_and_shown_with_its_rows(
    desk: Desk, choice: OnConflict, readings: list[float | None]
) -> None:
    report = desk.ingest(*TWICE, on_conflict=choice)
    assert desk.stored() == {"at": [0, 1], "a": readings, "b": [5, 6]}
    assert (report.conflicts, report.conflicting_duplicates, report.exact_duplicates) == (1, 1, 1)
    assert report.joined_rows == 1
    assert report.rows_read == report.inserted + 3
    (conflict,) = report.first_conflicts
    assert (str(conflict.circuit), conflict.at, conflict.sensor) == (
        "P1/C1",
        datetime(2025, 1, 1, tzinfo=UTC),
        "a",
    )
    found = [(Path(one.path).name, one.row, one.value) for one in conflict.readings]
    assert found == [("log0.csv", 2, 1), ("log0.csv", 4, 4), ("log1.csv", 2, 4)]


def test_a_row_whose_readings_are_all_dropped_is_counted_as_conflicting(desk: Desk) -> None:
    rows = "time,a\n2025-01-01T00:00:00Z,1\n2025-01-01T00:00:00Z,2\n2025-01-01T01:00:00Z,3\n"
    report = desk.ingest(rows, on_conflict=OnConflict.DROP)
    assert desk.stored() == {"at": [1], "a": [3]}
    assert (report.conflicting_duplicates, report.inserted) == (2, 1)


@pytest.mark.parametrize("huge", ["1.7e308", "-1e308", "1.1e30", "-3.4028235e38"])
def test_a_number_that_no_sensor_reads_is_no_reading_and_is_counted(desk: Desk, huge: str) -> None:
    report = desk.ingest(f"time,a\n2025-01-01T00:00:00Z,{huge}\n2025-01-01T01:00:00Z,-1e30\n")
    assert desk.stored()["a"] == [-1e30]
    assert report.files[0].not_finite == 1


def test_the_mean_of_the_largest_numbers_is_a_number(desk: Desk) -> None:
    rows = "time,a\n2025-01-01T00:00:00Z,9e29\n2025-01-01T00:00:00Z,8e29\n"
    desk.ingest(rows, on_conflict=OnConflict.MEAN)
    assert desk.stored()["a"] == [8.5e29]


LATE = "time,a,b\n2025-01-01T00:00:00Z,7,10\n2025-01-01T01:00:00Z,2,21\n2025-01-01T02:00:00Z,3,30\n"


@pytest.mark.parametrize(
    ("choice", "a", "b"),
    [(OnConflict.LAST, [7, 2, 3], [10, 21, 30]), (OnConflict.FIRST, [1, 2, 3], [10, 20, 30])],
)
def test_what_is_stored_came_first(desk: Desk, choice: OnConflict, a: list[float], b: list[float]) -> None:
    desk.ingest(UTC_ROWS)
    report = desk.ingest(LATE, on_conflict=choice)
    assert desk.stored() == {"at": [0, 1, 2], "a": a, "b": b}
    assert (report.stored_conflicts, report.conflicts, report.inserted) == (2, 0, 1)


def test_the_first_reading_stays_and_holes_are_filled(desk: Desk) -> None:
    desk.ingest("time,a,b\n2025-01-01T00:00:00Z,1,\n")
    report = desk.ingest("time,a,b\n2025-01-01T00:00:00Z,7,8\n", on_conflict=OnConflict.FIRST)
    assert desk.stored() == {"at": [0], "a": [1], "b": [8]}
    assert (report.stored_conflicts, report.updated) == (1, 1)


def test_a_new_sensor_one_letter_off_a_known_one_is_named(desk: Desk) -> None:
    desk.declared = ("temperature", "pressure")
    report = desk.ingest("time,temperature,presure\n2025-01-01T00:00:00Z,1,2\n")
    (near,) = report.near_names
    assert (near.sensor, near.like, Path(near.path).name) == ("presure", "pressure", "log0.csv")
    again = desk.ingest("time,temperatur\n2025-01-01T00:00:00Z,1\n")
    assert [one.like for one in again.near_names] == ["temperature"]


def test_sensors_that_are_declared_held_or_side_by_side_are_meant(desk: Desk) -> None:
    desk.declared = ("flow_in", "flow_im", "heat_in")
    assert not desk.ingest("time,flow_in,heat_in,heat_im\n2025-01-01T00:00:00Z,1,2,3\n").near_names
    assert not desk.ingest("time,flow_im,heat_im\n2025-01-01T00:00:00Z,1,3\n").near_names


@pytest.mark.parametrize(
    ("cell", "options"),
    [
        ("−5.5", {}),
        ("– 5.5", {}),
        ("5.5-", {}),
        ("5.5 −", {}),
        ("−5,5", {"decimal": ","}),
        ("5,5-", {"decimal": ","}),
    ],
)
def test_negative_readings_are_read_whatever_their_minus(
    desk: Desk, cell: str, options: dict[str, object]
) -> None:
    report = desk.ingest(f"time;a\n2025-01-01T00:00:00Z;{cell}\n2025-01-01T01:00:00Z;7\n", **options)
    assert desk.stored()["a"] == [-5.5, 7]
    assert report.files[0].unread_cells == ()


@pytest.mark.parametrize(
    ("time", "fmt"),
    [
        ("Wed Jan  1 14:30:00 2025", "%c"),
        ("2025-01-01 02:30:00 PM", "%F %r"),
        ("2025-01-01 14:30:00", "%F %X"),
        ("2025-01-01  2:30 PM", "%F %l:%M %p"),
    ],
)
def test_every_directive_of_a_time_of_day_counts(desk: Desk, time: str, fmt: str) -> None:
    desk.ingest(f"time,a\n{time},1\n", timestamp_format=fmt, timezone="UTC")
    assert desk.stored()["at"] == [14.5]


@pytest.mark.parametrize("fmt", ["%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S%.f"])
def test_fractions_of_a_second_count(desk: Desk, fmt: str) -> None:
    report = desk.ingest("time,a\n2025-01-01 14:00:00.5,1\n", timestamp_format=fmt, timezone="UTC")
    assert report.first == datetime(2025, 1, 1, 14, microsecond=500_000, tzinfo=UTC)
