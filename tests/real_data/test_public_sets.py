"""The public data sets, with the defects that their READMEs name. None of their data is kept here."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from fleetcast.domain.duration import EARLIEST, LATEST
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.ingest import IngestOptions, IngestReport, Rename, Sentinel
from fleetcast.domain.quality import CircuitProfile, CleaningRules, SensorLimits, SensorProfile, judge
from fleetcast.forecasting.profile import Measured, measure
from fleetcast.platforms.delta.table import DeltaReadingsTable
from fleetcast.platforms.files.readings_file import LocalReadingsFiles
from fleetcast.ports.readings import ReadingsWanted
from fleetcast.workflows.ingest import Ingest

FOLDER = os.environ.get("FLEETCAST_REAL_DATA", "")
pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(
        not FOLDER, reason="FLEETCAST_REAL_DATA does not name the folder of the public data sets"
    ),
]
FLOW = Rename("Volume Flow RateRMS", "flow_rate")
LABELS = ("anomaly", "changepoint")
LIMITS = {"Ot_avg": SensorLimits(-50.0, 60.0), "Ba_avg": SensorLimits(-100.0, 100.0)}


@pytest.fixture
def table(tmp_path: Path) -> DeltaReadingsTable:
    return DeltaReadingsTable(tmp_path / "readings")


def ingest(table: DeltaReadingsTable, pattern: str, options: IngestOptions) -> IngestReport:
    paths = sorted(Path(FOLDER).glob(pattern), key=lambda path: (len(path.stem), path.stem))
    return Ingest(LocalReadingsFiles(), table, tuple)(paths, options)


def measured(table: DeltaReadingsTable, key: str, frequency: timedelta) -> Measured:
    version = table.latest_version() or 0
    wanted = ReadingsWanted(CircuitKey.parse(key), table.sensors(version), EARLIEST, LATEST)
    (found,) = table.read([wanted], version)
    return measure(found.times, found.values, found.sensors, frequency, LIMITS, CleaningRules())


def sensor(profile: CircuitProfile, name: str) -> SensorProfile:
    (found,) = (one for one in profile.sensors if one.sensor == name)
    return found


def skab(circuit: str) -> IngestOptions:
    return IngestOptions(plant="SKAB", circuit=circuit, timezone="UTC", renames=(FLOW,), drop=LABELS)


def test_skab_other_has_718_rows_twice_and_is_one_version(table: DeltaReadingsTable) -> None:
    report = ingest(table, "skab/other/*.csv", skab("other"))
    assert (len(report.files), report.rows_read, report.version) == (14, 14_929, 0)
    assert (report.exact_duplicates, report.conflicting_duplicates, report.inserted) == (718, 0, 14_211)
    again = ingest(table, "skab/other/*.csv", skab("other"))
    assert (again.version, again.rows_written) == (0, 0)


def test_skab_other_stays_fit_although_weeks_lie_between_its_experiments(table: DeltaReadingsTable) -> None:
    ingest(table, "skab/other/*.csv", skab("other"))
    profile = measured(table, "SKAB/other", timedelta(seconds=5)).profile
    names = tuple(one.sensor for one in profile.sensors)
    assert judge(profile, CleaningRules(), targets=names, needed_steps=500).usable == names


@pytest.mark.parametrize(("seconds", "steps", "empty"), [(1, 19_209, 1_049), (5, 3_843, 37), (10, 1_922, 17)])
def test_skab_valve1_joins_into_one_series(
    table: DeltaReadingsTable, seconds: int, steps: int, empty: int
) -> None:
    report = ingest(table, "skab/valve1/*.csv", skab("valve1"))
    assert (report.rows_read, report.exact_duplicates, report.inserted) == (18_160, 0, 18_160)
    version = report.version
    wanted = ReadingsWanted(CircuitKey("SKAB", "valve1"), ("Pressure",), EARLIEST, LATEST)
    (found,) = table.read([wanted], version)
    series = measure(
        found.times,
        found.values,
        found.sensors,
        timedelta(seconds=seconds),
        {},
        CleaningRules(fill_steps=0),
    ).series
    assert (len(series), int(np.isnan(series.values).sum())) == (steps, empty)


def test_skab_flow_has_a_name_that_must_be_replaced(table: DeltaReadingsTable) -> None:
    with pytest.raises(BadInput, match="'Volume Flow RateRMS'") as caught:
        ingest(table, "skab/valve2/*.csv", IngestOptions(plant="SKAB", circuit="valve2", timezone="UTC"))
    assert "--rename 'Volume Flow RateRMS=Volume_Flow_RateRMS'" in caught.value.fix


LONGEST = {
    "ETTh1": {"LUFL": 141, "MUFL": 73, "HUFL": 58},
    "ETTh2": {"MUFL": 1_025, "LULL": 503, "LUFL": 378, "HULL": 226},
}


@pytest.mark.parametrize("name", ["ETTh1", "ETTh2"])
def test_ett_sensors_are_frozen_for_as_long_as_the_readme_says(table: DeltaReadingsTable, name: str) -> None:
    report = ingest(table, f"etth/{name}.csv", IngestOptions(plant="ETT", circuit=name, timezone="UTC"))
    assert (report.rows_read, report.inserted, report.files[0].unsorted_rows) == (17_420, 17_420, 0)
    assert (report.first, report.last) == (
        datetime(2016, 7, 1, tzinfo=UTC),
        datetime(2018, 6, 26, 19, tzinfo=UTC),
    )
    profile = measured(table, f"ETT/{name}", timedelta(hours=1)).profile
    assert (profile.gaps, profile.longest_run_steps) == (0, 17_420)
    assert {one: sensor(profile, one).longest_flat_steps for one in LONGEST[name]} == LONGEST[name]


def test_a_sensor_of_ett_that_is_frozen_for_most_of_a_window_is_left_out(table: DeltaReadingsTable) -> None:
    ingest(table, "etth/ETTh2.csv", IngestOptions(plant="ETT", circuit="h2", timezone="UTC"))
    wanted = ReadingsWanted(CircuitKey("ETT", "h2"), ("MUFL",), EARLIEST, LATEST)
    (found,) = table.read([wanted], 0)
    same = found.values[1:, 0] == found.values[:-1, 0]
    runs = np.convolve(same, np.ones(1_024), mode="valid")
    begin = int(np.flatnonzero(runs == 1_024)[0])
    window = slice(max(begin - 100, 0), begin + 1_100)
    profile = measure(
        found.times[window], found.values[window], found.sensors, timedelta(hours=1), {}, CleaningRules()
    ).profile
    verdict = judge(profile, CleaningRules(), targets=("MUFL",), needed_steps=100)
    assert "stuck for" in verdict.left_out[0].reason
    assert "once for 1025 steps" in verdict.left_out[0].reason


def test_la_haute_borne_shows_the_defects_of_its_readme(table: DeltaReadingsTable) -> None:
    options = IngestOptions(
        plant="LHB", circuit_column="Wind_turbine_name", sentinels=(Sentinel(-273.2, "Ot_avg"),)
    )
    report = ingest(table, "la_haute_borne/la-haute-borne-data-2014-2015.csv.gz", options)
    assert report.rows_read == 420_480
    assert (report.exact_duplicates, report.conflicting_duplicates) == (0, 48)
    assert report.files[0].empty_rows == 475 + 1_209 + 435 + 450
    assert (report.first, report.last) == (
        datetime(2014, 1, 1, tzinfo=UTC),
        datetime(2015, 12, 31, 23, 50, tzinfo=UTC),
    )
    turbines = ("R80711", "R80721", "R80736", "R80790")
    assert report.circuits == tuple(f"LHB/{turbine}" for turbine in turbines)
    profiles = {
        turbine: measured(table, f"LHB/{turbine}", timedelta(minutes=10)).profile for turbine in turbines
    }
    masked = report.files[0].sentinels + sum(
        sensor(profile, "Ot_avg").out_of_limits for profile in profiles.values()
    )
    assert masked == 34
    assert sum(sensor(profile, "Ba_avg").out_of_limits for profile in profiles.values()) == 31
    assert sensor(profiles["R80721"], "Ot_avg").longest_flat_steps == 73


def test_the_steel_works_days_end_with_a_row_out_of_order(table: DeltaReadingsTable) -> None:
    options = IngestOptions(
        plant="STEEL",
        circuit="works",
        timezone="Asia/Seoul",
        timestamp_format="%d/%m/%Y %H:%M",
        renames=(Rename("CO2(tCO2)", "CO2"),),
        drop=("WeekStatus", "Day_of_week", "Load_Type"),
    )
    report = ingest(table, "steel_industry/*.csv", options)
    assert (report.inserted, report.files[0].unsorted_rows) == (35_040, 365)


def test_the_occupancy_files_are_refused_for_their_header(table: DeltaReadingsTable) -> None:
    with pytest.raises(BadInput, match="more fields than the header has names"):
        ingest(table, "occupancy/datatest.txt", IngestOptions(plant="O", circuit="room", timezone="UTC"))
