"""Times that no clock shows, or at which nobody has readings, are refused before anything is read or stored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fleetcast.cli.options import moment
from fleetcast.domain.duration import parse_instant
from fleetcast.domain.errors import BadInput
from fleetcast.domain.ingest import BadRows, IngestOptions
from fleetcast.platforms.files.readings_file import LocalReadingsFiles
from fleetcast.workflows.simulate import SimulatedFleet


@pytest.mark.parametrize(
    ("start", "length"),
    [
        (datetime(9999, 12, 31, tzinfo=UTC), timedelta(days=2)),
        (datetime(1, 1, 1, tzinfo=UTC), timedelta(days=2)),
        (datetime(2199, 12, 31, tzinfo=UTC), timedelta(days=2)),
    ],
)
def test_readings_outside_three_centuries_are_not_made_up(start: datetime, length: timedelta) -> None:
    with pytest.raises(BadInput, match="years 1900 to 2199"):
        SimulatedFleet(1, 1, length=length, start=start)


def test_readings_up_to_the_end_of_the_last_year_are() -> None:
    fleet = SimulatedFleet(1, 1, length=timedelta(days=1), start=datetime(2199, 12, 31, tzinfo=UTC))
    assert fleet.steps == 24


def test_more_rows_than_memory_holds_are_not_made_up() -> None:
    with pytest.raises(BadInput, match="3,155,760,000 rows"):
        SimulatedFleet(1, 1, length=timedelta(days=36_525), frequency=timedelta(seconds=1))


@pytest.mark.parametrize("text", ["9999-12-31", "0001-01-01", "1899-12-31T23:00:00Z", "2200-01-01"])
def test_an_option_names_a_moment_of_three_centuries(text: str) -> None:
    with pytest.raises(BadInput, match="years 1900 to 2199"):
        moment(text)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:00:00-05:00"])
def test_an_instant_that_has_no_utc_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="years 1 to 9999"):
        parse_instant(text)


def test_a_leap_second_is_named_as_one() -> None:
    with pytest.raises(BadInput, match="leap second"):
        parse_instant("2016-12-31T23:59:60Z")


@pytest.mark.parametrize("zone", ["+25:00", "-12:30", "+14:01", "+01:75", "", " ", "Mars/Base"])
def test_a_clock_that_cannot_be_is_refused_before_a_file_is_read(zone: str) -> None:
    with pytest.raises(BadInput):
        IngestOptions(plant="P", circuit="C", timezone=zone)


@pytest.mark.parametrize("zone", ["+14:00", "-12:00", "+0545", "Asia/Kathmandu", "UTC"])
def test_a_clock_that_there_is_is_taken(zone: str) -> None:
    assert IngestOptions(plant="P", circuit="C", timezone=zone).timezone == zone


@pytest.mark.parametrize(
    ("time", "form"),
    [
        ("2016-12-31 23:59:60", None),
        ("2016-12-31T23:59:60.5Z", None),
        ("31.12.2016 23:59:60", "%d.%m.%Y %H:%M:%S"),
        ("20161231 235960", "%Y%m%d %H%M%S"),
        ("2025-01-01 00:00+25:00", None),
        ("2025-01-01 00:00+01:60", None),
    ],
)
def test_a_time_that_no_clock_shows_is_refused_or_left_out(
    tmp_path: Path, time: str, form: str | None
) -> None:
    good = (
        "2016-12-31 23:59:00" if form is None else datetime(2016, 12, 31, 23, 59, tzinfo=UTC).strftime(form)
    )
    file = tmp_path / "log.csv"
    file.write_text(f"time,t\n{good},1\n{time},2\n")
    ways = {"plant": "P", "circuit": "C", "timezone": "UTC", "timestamp_format": form}
    with pytest.raises(BadInput, match="row 3"):
        LocalReadingsFiles().parse(file, IngestOptions(**ways))  # type: ignore[arg-type]
    left = LocalReadingsFiles().parse(file, IngestOptions(**ways, bad_rows=BadRows.SKIP))  # type: ignore[arg-type]
    assert (left.report.rows_kept, left.report.unread_times) == (1, 1)
