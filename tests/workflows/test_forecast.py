from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from fleetcast.app import open_own_table
from fleetcast.config.templates import init_fleet
from fleetcast.domain.approval import Choice
from fleetcast.domain.circuit import Cutoff
from fleetcast.domain.errors import BadInput
from fleetcast.domain.standing import PromotionState
from fleetcast.forecasting.artifact import load
from fleetcast.forecasting.resampling import resample
from fleetcast.forecasting.simulation import SENSORS
from fleetcast.ports.artifacts import ArtifactMissing
from fleetcast.ports.platform import Platform
from fleetcast.ports.readings import ReadingsTable, ReadingsWanted
from fleetcast.workflows.forecast import CircuitForecast, MakeForecast
from fleetcast.workflows.simulate import Simulate, SimulatedFleet
from tests.artifacts import CountingArtifacts
from tests.fleets import START, SmallFleet, SteppedClock, small_fleet

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def promoted(tmp_path_factory: pytest.TempPathFactory) -> SmallFleet:
    fleet = small_fleet(tmp_path_factory.mktemp("promoted"), circuits=1)
    fleet.promote()
    return fleet


def make(
    fleet: SmallFleet, *, at: datetime | None = None, version: int | None = None, delta: int | None = None
) -> CircuitForecast:
    workflow = MakeForecast(fleet.opened.platform, fleet.clock)
    return workflow(fleet.circuit, at=at, version=version, delta_version=delta)


def test_a_forecast_begins_where_the_readings_end(promoted: SmallFleet) -> None:
    made = make(promoted)
    assert made.origin == START + 60 * DAY
    assert made.history.end == made.origin
    assert len(made.forecast) == 48
    assert made.newest_reading == promoted.last
    assert len(made.actuals) == 0
    assert made.hindsight("temperature") is None
    assert made.notes == ()


def test_it_is_what_the_model_says_of_the_whole_history(promoted: SmallFleet) -> None:
    """Reading only the end of the table gives the same numbers as reading all of it."""
    made, circuit = make(promoted), promoted.circuit
    table = promoted.opened.platform.workspace.tables["readings"]
    wanted = ReadingsWanted(circuit.key, circuit.features, START, promoted.last + HOUR)
    (rows,) = table.read([wanted], 0)
    whole = resample(
        rows.times, rows.values, rows.sensors, circuit.frequency, circuit.sensor_limits, circuit.cleaning
    )
    model = load(promoted.opened.platform.workspace.artifacts.load(made.provenance.artifact))
    assert np.array_equal(made.forecast.point, model.forecast(whole).point)


def test_two_horizons_of_history_come_along_to_be_drawn(promoted: SmallFleet) -> None:
    assert len(make(promoted).history) == 2 * 48


def test_the_promoted_version_forecasts_though_a_newer_one_is_in_use(tmp_path: Path) -> None:
    fleet = small_fleet(tmp_path, circuits=1)
    fleet.promote()
    fleet.change(cutoff=Cutoff.parse("2025-02-27"))
    fleet.train()
    made = make(fleet)
    assert made.provenance.version == 1
    assert made.provenance.standing is PromotionState.PROMOTED
    assert (
        "the circuit is declared differently than this model was trained; see `fleetcast plan`" in made.notes
    )
    newer = make(fleet, version=2)
    assert newer.provenance.standing is PromotionState.AWAITING
    assert newer.notes == ("plant001-circuit01:2 is awaiting approval; the champion is version 1",)


def test_before_any_promotion_the_version_in_use_forecasts_and_says_so(tmp_path: Path) -> None:
    fleet = small_fleet(tmp_path, circuits=1)
    fleet.train()
    made = make(fleet)
    assert made.provenance.standing is PromotionState.AWAITING
    assert made.notes == ("plant001-circuit01:1 is awaiting approval",)
    assert made.provenance.approvals == ()
    fleet.decide()
    made = make(fleet)
    assert made.provenance.standing is PromotionState.APPROVED
    assert [approval.person for approval in made.provenance.approvals] == ["grace"]


def test_a_rejected_version_says_that_it_was_rejected(tmp_path: Path) -> None:
    fleet = small_fleet(tmp_path, circuits=1)
    fleet.train()
    fleet.decide(Choice.REJECT, comment="not now")
    fleet.train()
    assert make(fleet, version=1).provenance.standing is PromotionState.REJECTED


def test_a_circuit_without_a_model_says_what_to_run(tmp_path: Path) -> None:
    fleet = small_fleet(tmp_path, circuits=1)
    with pytest.raises(BadInput, match="has no trained model yet") as refused:
        make(fleet)
    assert refused.value.fix == "run `fleetcast train --circuits PLANT001/CIRCUIT01`"


def test_a_version_that_does_not_exist_names_those_that_do(promoted: SmallFleet) -> None:
    with pytest.raises(BadInput, match="has no version 7, only 1"):
        make(promoted, version=7)


def test_a_table_version_that_does_not_exist_names_those_that_do(promoted: SmallFleet) -> None:
    with pytest.raises(BadInput, match="'readings' has no version 3, only 0 to 0"):
        make(promoted, delta=3)


def test_at_an_earlier_moment_only_readings_before_it_are_used_and_later_ones_shown(
    promoted: SmallFleet,
) -> None:
    at = START + 58 * DAY
    made = make(promoted, at=at)
    assert made.origin == at
    assert made.newest_reading == at - HOUR
    assert len(made.actuals) == 48
    seen = made.hindsight("pressure")
    assert seen is not None
    column = made.forecast.sensors.index("pressure")
    errors = made.actuals.values[:, column] - made.forecast.point[:, column]
    assert seen.steps == 48
    assert seen.mae == pytest.approx(sum(abs(error) for error in errors) / 48)


def test_a_step_that_was_not_over_at_the_moment_is_not_history(promoted: SmallFleet) -> None:
    made = make(promoted, at=START + 58 * DAY + timedelta(minutes=30))
    assert made.origin == START + 58 * DAY
    assert made.newest_reading == START + 58 * DAY - HOUR


def test_a_moment_inside_the_training_data_is_noted(promoted: SmallFleet) -> None:
    past, note = make(promoted, at=START + 30 * DAY).notes
    assert past.startswith("this forecast lies wholly in the past")
    assert note == "the model was trained on readings up to 2025-02-27 00:00 UTC, after this forecast begins"


def test_a_moment_long_after_the_newest_reading_is_noted_not_refused(promoted: SmallFleet) -> None:
    made = make(promoted, at=START + 100 * DAY)
    assert made.origin == START + 60 * DAY
    assert made.notes == ("the newest reading is 40 days older than 2025-04-11 00:00 UTC",)


def test_readings_that_stopped_long_ago_are_noted(tmp_path: Path) -> None:
    fleet = small_fleet(tmp_path, circuits=1)
    fleet.promote()
    fleet.clock.sleep(40 * DAY)
    made = make(fleet)
    assert made.is_past
    assert made.notes == (
        "this forecast lies wholly in the past: it ends 2025-03-04 00:00 UTC, 38 days ago",
        "the newest reading is 40 days older than now",
    )


@pytest.mark.parametrize(("hours", "old"), [(2, False), (3, True)])
def test_readings_older_than_three_steps_are_noted_however_far_the_forecast_reaches(
    promoted: SmallFleet, hours: int, *, old: bool
) -> None:
    later = SteppedClock(promoted.clock.now() + timedelta(hours=hours))
    made = MakeForecast(promoted.opened.platform, later)(promoted.circuit)
    assert made.is_stale is old
    assert not made.is_past
    assert made.notes == (("the newest reading is 4 hours older than now",) if old else ())


def test_a_short_history_is_noted(promoted: SmallFleet) -> None:
    notes = make(promoted, at=START + 5 * HOUR).notes
    assert any(note.startswith("only 5 of the 168 steps") for note in notes)


def test_a_moment_before_the_first_reading_is_refused(promoted: SmallFleet) -> None:
    with pytest.raises(BadInput, match=r"has no reading of temperature, .* before 2024-12-01 00:00 UTC"):
        make(promoted, at=START - 31 * DAY)


def test_readings_that_came_after_the_training_are_used_from_a_newer_table_version(tmp_path: Path) -> None:
    fleet = small_fleet(tmp_path, circuits=1)
    fleet.promote()
    Simulate(open_own_table(fleet.opened.directory))(SimulatedFleet(1, 1, 70 * DAY, start=START))
    fleet.clock.sleep(10 * DAY)
    made = make(fleet)
    assert made.origin == START + 70 * DAY
    assert (made.provenance.delta_version_trained, made.provenance.delta_version_read) == (0, 1)
    assert make(fleet, delta=0).origin == START + 60 * DAY


def test_holes_in_the_history_stay_holes_and_the_forecast_has_none(tmp_path: Path) -> None:
    fleet = small_fleet(tmp_path, circuits=1)
    fleet.promote()
    rows = _rows(fleet, fleet.last - 20 * HOUR, fleet.last)
    init_fleet(tmp_path / "holed")
    table = open_own_table(tmp_path / "holed")
    table.merge(rows)
    tables = {"readings": table}
    platform = reading(fleet, tables)
    made = MakeForecast(platform, fleet.clock)(fleet.circuit)
    assert np.isnan(made.history.values).any()
    assert np.isfinite(made.forecast.point).all()


def test_what_came_true_is_compared_with_readings_only(tmp_path: Path) -> None:
    """Holes that training would close stay holes, or the last reading would be counted several times."""
    fleet = small_fleet(tmp_path, circuits=1)
    fleet.promote()
    at = START + 58 * DAY
    assert fleet.circuit.cleaning.fill_steps >= 2
    init_fleet(tmp_path / "holed")
    table = open_own_table(tmp_path / "holed")
    table.merge(_rows(fleet, at + 5 * HOUR, at + 7 * HOUR))
    made = MakeForecast(reading(fleet, {"readings": table}), fleet.clock)(fleet.circuit, at=at)
    assert np.flatnonzero(np.isnan(made.actuals.values).all(axis=1)).tolist() == [5, 6]
    seen = made.hindsight("pressure")
    assert seen is not None
    assert seen.steps == 46


def reading(fleet: SmallFleet, tables: Mapping[str, ReadingsTable]) -> Platform:
    """The fleet's platform, but with other readings."""
    platform = fleet.opened.platform
    return replace(platform, workspace=replace(platform.workspace, tables=tables))


def _rows(fleet: SmallFleet, gap_from: datetime, gap_to: datetime) -> pl.DataFrame:
    """All readings but those in [gap_from, gap_to)."""
    circuit = fleet.circuit
    wanted = ReadingsWanted(circuit.key, SENSORS, START, fleet.last + HOUR)
    (found,) = fleet.opened.platform.workspace.tables["readings"].read([wanted], 0)
    frame = pl.DataFrame(
        {
            "plant_id": circuit.key.plant,
            "circuit_id": circuit.key.circuit,
            "timestamp": pl.Series(found.times).cast(pl.Datetime("us", "UTC")),
            **{name: found.values[:, place] for place, name in enumerate(SENSORS)},
        }
    )
    return frame.filter(~pl.col("timestamp").is_between(gap_from, gap_to, closed="left"))


def test_a_sensor_that_went_silent_is_forecast_from_its_mean_and_noted(tmp_path: Path) -> None:
    fleet = small_fleet(tmp_path, circuits=1)
    fleet.promote()
    silent = pl.col("timestamp") >= START + 40 * DAY
    rows = _rows(fleet, START, START).with_columns(
        pl.when(silent).then(None).otherwise(pl.col("pressure")).alias("pressure")
    )
    init_fleet(tmp_path / "silent")
    table = open_own_table(tmp_path / "silent")
    table.merge(rows)
    made = MakeForecast(reading(fleet, {"readings": table}), fleet.clock)(fleet.circuit)
    assert "no recent reading of pressure: forecast from the mean in training" in made.notes
    assert np.isfinite(made.forecast.point).all()


def test_provenance_names_who_approved_and_everything_that_made_it(promoted: SmallFleet) -> None:
    made = make(promoted).provenance
    (approval,) = made.approvals
    assert (approval.person, approval.comment) == ("grace", "looks right")
    version = promoted.opened.platform.workspace.models.versions([made.model])[made.model][0]
    assert made.artifact == version.model.artifact
    assert made.training_hash == version.training_hash
    assert made.lineage == version.model.lineage
    assert made.cutoff == promoted.circuit.cutoff.end
    assert (made.lineage.commit, version.model.made_by) == (
        "0123abc",
        f"plant001-circuit01.{made.training_hash.short}.1",
    )


def test_a_lost_artifact_is_an_error_not_another_model(tmp_path: Path) -> None:
    fleet = small_fleet(tmp_path, circuits=1)
    fleet.promote()
    folder = fleet.opened.platform.workspace.artifacts.folder(make(fleet).provenance.artifact)
    folder.rename(folder.with_name("elsewhere"))
    with pytest.raises(ArtifactMissing):
        make(fleet)


def test_a_forecast_opens_its_artifact_once(promoted: SmallFleet) -> None:
    platform = promoted.opened.platform
    artifacts = CountingArtifacts(platform.workspace.artifacts)
    made = MakeForecast(
        replace(platform, workspace=replace(platform.workspace, artifacts=artifacts)), promoted.clock
    )(promoted.circuit)
    assert artifacts.opened == [made.provenance.artifact]


def test_both_platforms_make_the_same_model_bit_for_bit(promoted: SmallFleet, tmp_path: Path) -> None:
    local = small_fleet(tmp_path, "local", circuits=1)
    local.promote()
    mine, theirs = make(promoted), make(local)
    assert mine.provenance.artifact == theirs.provenance.artifact
    assert (mine.forecast.point == theirs.forecast.point).all()


def test_without_a_champion_the_newest_version_that_nobody_refused_forecasts(tmp_path: Path) -> None:
    fleet = small_fleet(tmp_path, circuits=1)
    fleet.train()
    fleet.change(revision=1)
    fleet.train()
    fleet.decide(Choice.REJECT)
    fleet.train()
    made = make(fleet)
    assert made.provenance.version == 1
    assert "plant001-circuit01:1 is not promoted" in made.notes


def test_a_champion_that_was_refused_later_does_not_forecast(tmp_path: Path) -> None:
    fleet = small_fleet(tmp_path, circuits=1)
    fleet.promote()
    fleet.change(revision=1)
    fleet.train()
    fleet.opened.platform.control.states.reject([("plant001-circuit01", 1)])
    assert make(fleet).provenance.version == 2


def test_where_every_version_was_refused_the_error_says_what_to_do(tmp_path: Path) -> None:
    fleet = small_fleet(tmp_path, circuits=1)
    fleet.train()
    fleet.decide(Choice.REJECT)
    fleet.train()
    with pytest.raises(
        BadInput, match=r"every version of plant001-circuit01 was refused, or its files were removed: 1"
    ) as caught:
        make(fleet)
    assert "raise `revision`" in caught.value.fix
    assert "--model-version" in caught.value.fix
    named = make(fleet, version=1)
    assert "plant001-circuit01:1 is rejected" in named.notes
