from __future__ import annotations

import gzip

import pytest

from fleetcast.domain.errors import BadInput
from fleetcast.domain.ingest import (
    OnConflict,
    Rename,
    Sentinel,
    Thousands,
    UnevenRows,
)
from tests.workflows.desk import UTC_ROWS, Desk, told


@pytest.mark.parametrize(
    ("text", "options", "said", "fix"),
    [
        ("", {}, "is empty", "exported"),
        ("time,a\n", {}, "has a header but no rows", "exported"),
        ("just one\n1\n", {}, "single column", "--separator"),
        (
            "time,a\n2025-01-01 00:00:00,1\n",
            {},
            "row 2: '2025-01-01 00:00:00' is a naive local time without a zone",
            "--timezone",
        ),
        ("time,a\n2025-01-01 00:00:00,1\n", {"timezone": "Mars/Base"}, "'Mars/Base' is not known", "IANA"),
        ("time,a\n01/02/2025,1\n", {}, "row 2: '01/02/2025' is no time", "--timestamp-format"),
        ("time,a\n2025-01-01,1\n", {"timestamp_format": "plain"}, "no directive", "strptime"),
        ("time,a\n1735689600,1\n", {}, "is no time", "--timestamp-format"),
        (
            "time,a\n2025-02-30 00:00:00,1\n",
            {"timezone": "UTC"},
            "row 2: '2025-02-30 00:00:00' is no time",
            "skip",
        ),
        (
            "time,a\n1735689600000,1\n",
            {"timestamp_format": "unix"},
            "is no time from 1971 to 2200",
            "unix_ms",
        ),
        ("time,a\n2025-01-01 00:00:00,1\n", {"timezone": "posix/Europe/Paris"}, "is not known", "IANA"),
        ("time;a\n2025-01-01T00:00:00Z;1,5\n", {}, "row 2: a is '1,5': a decimal comma?", "--decimal ,"),
        (
            "time,kind\n2025-01-01T00:00:00Z,low\n",
            {},
            "no cell of column 'kind' is a number",
            "--drop 'kind'",
        ),
        (
            "time,CO2(tCO2)\n2025-01-01T00:00:00Z,1\n",
            {},
            "'CO2(tCO2)' cannot be a sensor name",
            "'CO2(tCO2)=CO2_tCO2'",
        ),
        ("time,plant_id\n2025-01-01T00:00:00Z,1\n", {}, "cannot be a sensor name", "--rename"),
        ("time,a,A\n2025-01-01T00:00:00Z,1,2\n", {}, "'a' and 'A' would be one column", "--rename"),
        ("time,a,a\n2025-01-01T00:00:00Z,1,2\n", {}, "'a' occurs twice", "own name"),
        ("time,a\n2025-01-01T00:00:00Z,1,2\n", {}, "row 2 has more fields than the header", "header"),
        (UTC_ROWS, {"take": ("aa",)}, "no column 'aa'", "did you mean 'a'"),
        (UTC_ROWS, {"drop": ("c",)}, "'c', named in --drop", "there is"),
        (UTC_ROWS, {"sentinels": (Sentinel(1, "tme"),)}, "'tme', named in --sentinel", "'time'"),
        (UTC_ROWS, {"renames": (Rename("a", "b"),)}, "'b' and 'b' would be one column", "--rename"),
        (b'time,a\n"2025-01-01T00:00:00Z,1\n', {}, "is not properly escaped", "again"),
        (UTC_ROWS, {"renames": (Rename("x", "y"),)}, "no column 'x', named in --rename", "there is"),
        (UTC_ROWS, {"timestamp_columns": ("tim",)}, "no column 'tim'", "'time'"),
        (UTC_ROWS, {"circuit_column": "asset"}, "no column 'asset'", "there is"),
        (UTC_ROWS, {"drop": ("a", "b")}, "no sensor column is left", "--take"),
        ("when,a\n2025-01-01T00:00:00Z,1\n", {}, "no column is called like a time", "--timestamp-column"),
        (
            "date,time,a\n2025-01-01,10:00,1\n",
            {},
            "several columns could be the time",
            "--timestamp-column 'date'",
        ),
        (
            "time,asset,a\n2025-01-01T00:00:00Z,../x,1\n",
            {"circuit_column": "asset"},
            "row 2, column 'asset'",
            "letters",
        ),
        (
            "time,asset,a\n2025-01-01T00:00:00Z,,1\n",
            {"circuit_column": "asset"},
            "names no circuit_id",
            "fill",
        ),
        (
            "time,a\n2025-01-01T00:00:00Z,-1\n",
            {"sentinels": (Sentinel(-1),)},
            "not one row holds",
            "--sentinel",
        ),
        (
            "time,température\n2025-01-01T00:00:00Z,1\n".encode("latin-1"),
            {},
            "row 1: byte 0xe9 is not UTF-8",
            "iconv",
        ),
        (UTC_ROWS.encode("utf-16"), {}, "UTF-16", "iconv"),
        (gzip.compress(UTC_ROWS.encode() * 50, mtime=0)[:-20], {}, "damaged gzip", "again"),
        (UTC_ROWS.replace("\n", "\r"), {}, "ends its lines in a carriage return alone", "tr '"),
        (UTC_ROWS + "\0\0\0", {}, "row 4: a NUL byte", "again"),
        (
            "time,a\n1735689600,1\n",
            {"timestamp_format": "%s", "timezone": "Europe/Paris"},
            "timestamp format '%s' counts seconds since 1970 UTC",
            "unix",
        ),
        (
            "time,a\n2025-01-01 00:00:00 5,1\n",
            {"timestamp_format": "%Y-%m-%d %H:%M:%S %f", "timezone": "UTC"},
            "timestamp format '%Y-%m-%d %H:%M:%S %f' does not say how many digits",
            "%.f",
        ),
        (
            "time,a\n1735689600,1\n",
            {"timestamp_format": "unix_ms"},
            "is no time from 1971 to 2200",
            "unix_us",
        ),
        ("time,a\n45658.5,1\n", {"timestamp_format": "unix"}, "'45658.5' is no time from 1971", "unix_ms"),
        ("time,a\n1.7357E+09,1\n", {"timestamp_format": "unix"}, "'1.7357E+09' is no time", "unix_ms"),
        (b"PAR1 and no more", {}, "not a readable Parquet file", "again"),
    ],
)
def test_a_file_that_leaves_something_open_is_refused(
    desk: Desk, text: str | bytes, options: dict[str, object], said: str, fix: str
) -> None:
    error = desk.refuses(text, **options)
    assert said in str(error)
    assert fix in error.fix
    assert (
        "log0.csv" in str(error)
        or "not known" in said
        or "named in --" in said
        or "directive" in said
        or "format" in said
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"plant": "../etc"}, "plant_id '../etc' is not a valid id"),
        ({"circuit": "a/b"}, "circuit_id 'a/b' is not a valid id"),
        ({"plant": "P", "plant_column": "x"}, "both a plant"),
        ({"decimal": "x"}, "decimal 'x'"),
        ({"separator": ",,"}, "separator ',,'"),
        ({"separator": ",", "decimal": ","}, "separator and decimal"),
        ({"thousands": Thousands.POINT}, "both the decimal sign and the thousands separator"),
        ({"decimal": ",", "thousands": Thousands.COMMA}, "both the decimal sign and the thousands separator"),
        ({"take": ("a",), "drop": ("a",)}, "both taken and dropped"),
        ({"take": ("a", "a")}, "'a' is named twice in --take"),
        ({"timestamp_columns": ("time", "time")}, "'time' is named twice in --timestamp-column"),
        ({"renames": (Rename("a", "b"), Rename("a", "c"))}, "'a' is named twice in --rename"),
    ],
)
def test_options_that_contradict_are_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(BadInput, match=said.replace("(", "\\(")):
        told(**options)


def test_a_missing_file_and_a_folder_are_refused(desk: Desk) -> None:
    assert "no such file" in str(desk.refuses(desk.folder / "nowhere.csv"))
    assert "is a folder" in str(desk.refuses(desk.folder))


def test_a_comma_can_be_declared_to_be_no_decimal(desk: Desk) -> None:
    report = desk.ingest("time;a\n2025-01-01T00:00:00Z;1,5\n2025-01-01T01:00:00Z;2\n", decimal=".")
    assert report.files[0].unread_cells[0].example == "1,5"
    assert desk.stored()["a"] == [2]


SHORT = (
    "time,temperature,humidity,pressure\n"
    "2025-01-01T00:00:00Z,20.1,36.5,934.1\n"
    "2025-01-01T01:00:00Z,934.2,36.4\n"
)


def test_a_row_that_lost_a_cell_is_refused_with_its_number_and_cells(desk: Desk) -> None:
    error = desk.refuses(SHORT)
    assert "log0.csv, row 3 has fewer fields than the header has names: 3, not 4 (1 of 2 rows)" in str(error)
    assert "'2025-01-01T01:00:00Z', '934.2', '36.4'" in str(error)
    assert "--uneven-rows drop" in error.fix


@pytest.mark.parametrize(
    "text",
    [
        # No row is whole: which column is not there, nobody wrote down.
        "time,a,b\n2025-01-01T00:00:00Z,1\n2025-01-01T01:00:00Z,2\n",
        # It may have lost either of a and b.
        "time,a,b,c\n2025-01-01T00:00:00Z,1,2,\n2025-01-01T01:00:00Z,3,\n",
        'time,a,b\n2025-01-01T00:00:00Z,1,"2"\n2025-01-01T01:00:00Z,3\n',
        "time,a,b\n\n2025-01-01T00:00:00Z,1,2\n2025-01-01T01:00:00Z,3\n",
        "time;a;b\r\n2025-01-01T00:00:00Z;1;2\r\n2025-01-01T01:00:00Z;3\r\n",
        "time,a,b\n2025-01-01T00:00:00Z\n2025-01-01T01:00:00Z,3,4\n",
    ],
)
def test_a_short_row_that_may_have_lost_a_reading_is_refused(desk: Desk, text: str) -> None:
    assert "has fewer fields than the header has names" in str(desk.refuses(text))


def test_a_row_is_counted_from_the_top_of_the_file(desk: Desk) -> None:
    assert "row 5 has fewer" in str(desk.refuses(f"\n\n{SHORT}"))
    assert "row 4: '1 o.c.'" in str(desk.refuses("\n\ntime,a\n1 o.c.,1\n"))


def test_padding_does_not_take_a_reading_without_a_name(desk: Desk) -> None:
    error = desk.refuses("time,a\n2025-01-01T00:00:00Z,1,5\n", uneven_rows=UnevenRows.PAD)
    assert "row 2 has more fields" in str(error)


@pytest.mark.parametrize(
    ("cells", "options", "said", "fix"),
    [
        (
            ("999", "1.234,5"),
            {"decimal": ","},
            "'1.234,5': thousands grouped by points?",
            "add --thousands .",
        ),
        (("999", "1.234"), {"decimal": ","}, "'1.234': thousands grouped by points?", "add --thousands ."),
        (("999,5", "1.234,5"), {}, "grouped by points?", "add --decimal , --thousands ."),
        (("999", "1.234.567"), {}, "grouped by points?", "add --decimal , --thousands ."),
        (("999", "1,234.5"), {}, "'1,234.5': thousands grouped by commas?", "add --thousands ,"),
        (("999", "1,234,567"), {"decimal": "."}, "grouped by commas?", "add --thousands ,"),
        (("999", "1,234"), {"decimal": "."}, "grouped by commas?", "add --thousands ,"),
        (("999", "1,234"), {}, "or is it a decimal comma?", "add --thousands , or --decimal ,"),
        (("1,5", "1,234"), {}, "'1,5': a decimal comma?", "add --decimal ,"),
        (("999,5", "1 234,5"), {"decimal": ","}, "grouped by blanks?", "add --thousands space"),
        (("999.5", "1\u202f234.5"), {}, "grouped by blanks?", "add --thousands space"),
        (("999.5", "1'234.5"), {}, "grouped by apostrophes?", "add --thousands apostrophe"),
    ],
)
def test_large_numbers_that_look_grouped_are_asked_about(
    desk: Desk, cells: tuple[str, str], options: dict[str, object], said: str, fix: str
) -> None:
    text = "time;a;b\n" + "".join(f"2025-01-01T0{hour}:00:00Z;{cell};1\n" for hour, cell in enumerate(cells))
    error = desk.refuses(text, **options)
    assert said in str(error)
    assert f"row {3 if cells[0] != '1,5' else 2}: a is" in str(error)
    assert fix in error.fix
    assert "none" in error.fix or "no reading" in error.fix


@pytest.mark.parametrize(
    ("name", "timezone", "said", "fix"),
    [
        ("IST", None, "IST may be that of India (+05:30), Israel (+02:00)", "--timezone Asia/Kolkata"),
        ("CST", "UTC", "China (+08:00), and UTC does not use it", "--timezone America/Chicago"),
        ("bst", None, "BST may be that of Britain", "write offsets, and %z for %Z"),
        ("Mars/Base", None, "MARS/BASE is no zone that is known", "--timezone"),
        ("CET", "Mars/Base", "time zone 'Mars/Base' is not known", "IANA"),
    ],
)
def test_a_zone_that_means_several_offsets_is_refused_with_its_row(
    desk: Desk, name: str, timezone: str | None, said: str, fix: str
) -> None:
    rows = f"time,a\n2025-01-01 12:00 UTC,1\n2025-01-01 12:00 {name},1\n"
    error = desk.refuses(rows, timestamp_format="%Y-%m-%d %H:%M %Z", timezone=timezone)
    assert said in str(error)
    assert fix in error.fix
    assert "row 3: '2025-01-01 12:00 " in str(error) or "Mars/Base' is not" in said


def test_two_unknown_names_are_not_both_the_offset_that_is_told(desk: Desk) -> None:
    rows = "time,a\n2025-01-01 12:00 CST,1\n2025-07-01 12:00 CDT,1\n"
    assert "CST may be" in str(desk.refuses(rows, timestamp_format="%Y-%m-%d %H:%M %Z", timezone="-06:00"))


def test_conflicts_can_be_refused_with_their_rows(desk: Desk) -> None:
    rows = "time,a\n2025-01-01T00:00:00Z,1\n2025-01-01T00:00:00Z,2\n"
    error = desk.refuses(rows, on_conflict=OnConflict.REFUSE)
    assert "P1/C1 2025-01-01 00:00:00 a: 1 (" in str(error)
    assert "log0.csv, row 2), 2 (" in str(error)
    assert "--on-conflict last|first|mean|drop" in error.fix


def test_rows_that_fill_each_other_are_no_conflict(desk: Desk) -> None:
    rows = "time,a,b\n2025-01-01T00:00:00Z,1,\n2025-01-01T00:00:00Z,,2\n"
    report = desk.ingest(rows, on_conflict=OnConflict.REFUSE)
    assert (report.conflicts, report.conflicting_duplicates, report.joined_rows) == (0, 0, 1)


@pytest.mark.parametrize("choice", [OnConflict.MEAN, OnConflict.DROP, OnConflict.REFUSE])
def test_without_an_order_nothing_may_contradict_what_is_stored(desk: Desk, choice: OnConflict) -> None:
    desk.ingest(UTC_ROWS)
    error = desk.refuses("time,a\n2025-01-01T01:00:00Z,2.5\n2025-01-01T02:00:00Z,3\n", on_conflict=choice)
    assert "2025-01-01 01:00:00 a: 2.5 (" in str(error)
    assert "log0.csv, row 2), 2 (stored)" in str(error)
    assert "--on-conflict last" in error.fix


def test_nothing_is_stored_where_everything_contradicts(desk: Desk) -> None:
    rows = "time,a\n2025-01-01T00:00:00Z,1\n2025-01-01T00:00:00Z,2\n"
    assert "no reading is left" in desk.refuses(rows, on_conflict=OnConflict.DROP).fix


def test_names_that_differ_in_case_between_files_are_refused(desk: Desk) -> None:
    error = desk.refuses(UTC_ROWS, UTC_ROWS.replace("a,b", "A,b"))
    assert "'a' and 'A' would be one column" in str(error)


@pytest.mark.parametrize("text", ["low", "nan", "a=inf", "a="])
def test_a_sentinel_is_a_number(text: str) -> None:
    with pytest.raises(BadInput, match="is not a number"):
        Sentinel.parse(text)


def test_files_that_are_too_much_together_are_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    first = "time,a\n2025-01-01T00:00:00Z,1\n2025-01-01T01:00:00Z,2\n"
    second = "time,b\n2025-01-02T00:00:00Z,1\n2025-01-02T01:00:00Z,2\n"
    monkeypatch.setattr("fleetcast.workflows.ingest.MOST_CELLS", 7)
    desk.ingest(first)
    with pytest.raises(
        BadInput, match="2 files with 4 rows and 2 sensors are too much for one commit"
    ) as refused:
        desk.ingest(first, second)
    assert "one after the other" in refused.value.fix
