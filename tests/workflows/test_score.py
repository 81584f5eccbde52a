"""Forecasts of a fleet for a day: all of them at once, once, and never an empty one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fleetcast.app.scoring import scoring_part
from fleetcast.domain.circuit import Circuit
from fleetcast.domain.effect import Effect
from fleetcast.domain.errors import BadInput, FleetcastError, Unavailable
from fleetcast.domain.fallback import Source
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.release import ServedModel
from fleetcast.forecasting.forecaster import Forecaster
from fleetcast.pipeline.batch_scoring import OpenModel, OpenModels, Part, PartScored
from fleetcast.ports.effects import EffectBook
from fleetcast.ports.forecasts import ForecastTable
from fleetcast.ports.runs import RunInProgress
from fleetcast.workflows.hold import HoldCircuit
from fleetcast.workflows.score import FleetScored, ScoreFleet
from fleetcast.workflows.trace_forecast import ExplainForecast, FindAffected
from tests.fleets import START
from tests.workflows.test_deploy import P1, Story

TEST = EnvironmentName.TEST
SENSORS, STEPS, CIRCUITS = 3, 48, 4
LINES = ("point", "lower_80", "upper_80", "lower_95", "upper_95")


class Scoring:
    """A fleet that is served in test, and whoever publishes its forecasts."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.platform = story.platform
        self.open_models: OpenModels | None = None

    @property
    def table(self) -> ForecastTable:
        return self.platform.workspace.forecasts(TEST)

    @property
    def today(self) -> date:
        return self.story.fleet.clock.now().date()

    def __call__(self, **more: Any) -> FleetScored:
        scoring = ScoreFleet(self.platform, self.story.fleet.clock, "0123abc", self._parts)
        return scoring(self.story.fleet.opened.fleet, TEST, **more)

    def _parts(self, environment: EnvironmentName, parts: Sequence[Part]) -> Iterator[PartScored]:
        part = scoring_part(self.platform, environment)
        return map(part if self.open_models is None else replace(part, open_models=self.open_models), parts)

    def rows(self, day: date | None = None) -> pl.DataFrame:
        return self.table.read(day or self.today)

    def published(self) -> list[str]:
        entries = self.platform.control.audit.entries()
        return [entry.event.subject for entry in entries if entry.event.action == "forecasts.published"]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Story:
    story = Story(tmp_path_factory.mktemp("scored"))
    story.released()
    return story


@pytest.fixture
def scoring(served: Story) -> Scoring:
    """On a day of its own, so that tests can share what is served."""
    served.fleet.clock.sleep(timedelta(days=1))
    return Scoring(served)


@pytest.fixture
def alone(tmp_path: Path) -> Scoring:
    story = Story(tmp_path)
    story.released()
    return Scoring(story)


def test_every_sensor_of_every_circuit_has_each_step_once(scoring: Scoring) -> None:
    found = scoring()
    rows = scoring.rows()
    assert (found.issue, found.circuits, found.rows) == (1, CIRCUITS, CIRCUITS * SENSORS * STEPS)
    assert len(rows) == found.rows
    assert rows.select("plant_id", "circuit_id", "sensor", "step").is_unique().all()
    assert rows.select(*LINES).null_count().row(0) == (0,) * len(LINES)
    assert rows.select(pl.all_horizontal(pl.col(*LINES).is_finite()).all()).item()
    ordered = rows.select(
        pl.all_horizontal(
            pl.col("lower_95") <= pl.col("lower_80"),
            pl.col("lower_80") <= pl.col("point"),
            pl.col("point") <= pl.col("upper_80"),
            pl.col("upper_80") <= pl.col("upper_95"),
        ).all()
    )
    assert ordered.item()
    assert rows["step"].unique().to_list() == list(range(1, STEPS + 1))
    first = rows.row(0, named=True)
    assert (first["model"], first["version"], first["release"]) == ("plant001-circuit01", 1, 1)
    assert (first["source"], first["reason"], first["override"], first["quarantined"]) == (
        "model",
        "",
        "",
        None,
    )
    assert (first["commit"], first["issue"]) == ("0123abc", 1)
    assert first["timestamp"] == scoring.story.fleet.last + timedelta(hours=1)
    assert scoring.published().count(f"test {scoring.today}:1") == 1
    assert len(found.stale) == CIRCUITS


def test_a_repeat_publishes_what_is_missing_and_nothing_else(scoring: Scoring) -> None:
    one = scoring(patterns=["PLANT001/CIRCUIT02"])
    assert (one.issue, one.circuits) == (1, 1)
    others = scoring()
    assert (others.issue, others.circuits, others.there_already) == (2, CIRCUITS - 1, 1)
    before = scoring.rows()
    nothing = scoring()
    assert (nothing.issue, nothing.circuits, nothing.there_already) == (None, 0, CIRCUITS)
    assert nothing.version == others.version
    assert scoring.rows().equals(before)
    assert [issue.number for issue in scoring.table.issues(scoring.today)] == [1, 2]


def test_another_issue_takes_the_place_of_the_one_before_which_stays_to_be_looked_at(
    scoring: Scoring,
) -> None:
    first = scoring()
    corrected = scoring(patterns=["PLANT002/*"], supersede=True)
    assert (corrected.issue, corrected.circuits) == (2, 2)
    rows = scoring.rows()
    assert len(rows) == first.rows
    by_plant = rows.group_by("plant_id").agg(pl.col("issue").unique()).sort("plant_id")
    assert by_plant["issue"].to_list() == [[1], [2]]
    earlier = scoring.table.read(scoring.today, version=first.version)
    assert earlier["issue"].unique().to_list() == [1]
    assert len(earlier) == first.rows
    versions = [issue.version for issue in scoring.table.issues(scoring.today)]
    assert versions == [first.version, corrected.version]


def test_a_circuit_of_which_a_sensor_was_never_read_has_rows_of_the_others_once(scoring: Scoring) -> None:
    fleet = scoring.story.fleet
    before = fleet.opened
    fleet.change(0, features=(*fleet.circuit.features, "never"), targets=(*fleet.circuit.features, "never"))
    scoring.open_models = all_broken
    try:
        first = scoring(patterns=["PLANT001/CIRCUIT01"])
        again = scoring(patterns=["PLANT001/CIRCUIT01"], supersede=True)
    finally:
        fleet.opened = before
    assert [one.why for one in first.not_scored] == ["sensor never has never been read"]
    assert (first.circuits, first.rows) == (again.circuits, again.rows) == (1, SENSORS * STEPS)
    rows = scoring.rows()
    assert len(rows) == SENSORS * STEPS
    assert set(rows["issue"]) == {2}
    assert set(rows["source"]) == {"seasonal naive"}


def test_a_past_day_is_forecast_from_what_was_read_before_it(scoring: Scoring) -> None:
    day = (START + timedelta(days=30)).date()
    found = scoring(day=day)
    assert found.circuits == CIRCUITS
    rows = scoring.rows(day)
    begins = datetime.combine(day, time(), UTC)
    assert set(rows.filter(pl.col("step") == 1)["timestamp"]) == {begins}
    assert set(rows["newest_reading"]) == {begins - timedelta(hours=1)}
    assert not found.stale


def test_a_day_that_has_not_come_is_refused(scoring: Scoring) -> None:
    with pytest.raises(BadInput, match="has not come"):
        scoring(day=scoring.today + timedelta(days=1))


def broken(circuit: Circuit, model: ServedModel) -> Forecaster:
    raise FleetcastError(f"{model} of {circuit.key} is broken")


def all_broken(_models: Collection[ServedModel]) -> OpenModel:
    return broken


def test_without_any_model_the_seasonal_naive_forecast_is_published_and_says_why(scoring: Scoring) -> None:
    scoring.open_models = all_broken
    found = scoring()
    assert found.by_source == {Source.SEASONAL_NAIVE: CIRCUITS * SENSORS}
    rows = scoring.rows()
    assert len(rows) == CIRCUITS * SENSORS * STEPS
    assert set(rows["source"]) == {"seasonal naive"}
    assert set(rows["reason"]) == {"model: broke; previous model: absent"}
    assert rows["model"].null_count() == len(rows)
    assert len(found.replaced) == CIRCUITS * SENSORS


def test_with_too_little_history_too_the_last_reading_is_published(scoring: Scoring) -> None:
    scoring.open_models = all_broken
    day = (START + timedelta(days=2)).date()
    found = scoring(day=day)
    assert found.by_source == {Source.LAST_VALUE: CIRCUITS * SENSORS}
    rows = scoring.rows(day)
    assert len(rows) == CIRCUITS * SENSORS * STEPS
    assert set(rows["reason"]) == {"model: broke; previous model: absent; seasonal naive: too little history"}
    constant = rows.group_by("plant_id", "circuit_id", "sensor").agg(pl.col("point").n_unique())
    assert set(constant["point"]) == {1}


def test_before_the_first_reading_nothing_can_be_said_and_that_is_said(scoring: Scoring) -> None:
    day = START.date()
    found = scoring(day=day)
    assert (found.issue, found.circuits) == (None, 0)
    assert len(found.not_scored) == CIRCUITS
    assert "has no reading" in found.not_scored[0].why
    assert scoring.rows(day).is_empty()


def test_a_previous_model_takes_the_place_of_one_that_is_damaged(alone: Scoring) -> None:
    story = alone.story
    story.retrained()
    story.released()
    live = alone.platform.control.releases.live(TEST)["PLANT001"]
    now = live.release.circuits["CIRCUIT01"]
    folder = alone.platform.workspace.artifacts.folder(now.artifact)
    weights = folder / "model.json"
    weights.chmod(0o644)
    weights.write_bytes(weights.read_bytes() + b" ")
    alone()
    rows = alone.rows().filter(pl.col("circuit_id") == "CIRCUIT01", pl.col("plant_id") == "PLANT001")
    assert set(rows["source"]) == {"previous model"}
    assert set(rows["reason"]) == {"model: damaged"}
    assert set(rows["version"]) == {1}


def test_what_cannot_be_true_is_kept_back_beside_what_took_its_place(scoring: Scoring) -> None:
    real = scoring_part(scoring.platform, TEST).open_models

    def open_models(models: Collection[ServedModel]) -> OpenModel:
        opened = real(models)
        return lambda circuit, model: Distorted(opened(circuit, model))

    scoring.open_models = open_models
    found = scoring(patterns=["PLANT001/CIRCUIT01"])
    assert found.by_source == {Source.SEASONAL_NAIVE: SENSORS}
    rows = scoring.rows()
    assert rows["quarantined"].is_nan().all()
    assert rows["point"].is_finite().all()
    assert set(rows["reason"]) == {"model: not finite; previous model: absent"}


@dataclass(frozen=True, slots=True)
class Distorted:
    model: Forecaster

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)

    def forecast(self, history: Any) -> Any:
        made = self.model.forecast(history)
        return replace(made, forecast=replace(made.forecast, point=made.forecast.point * float("nan")))


def test_a_held_circuit_is_forecast_as_its_clients_are_answered(alone: Scoring) -> None:
    clock = alone.story.fleet.clock
    HoldCircuit(alone.platform, clock)(P1, "CIRCUIT02", "seasonal_naive", clock.now() + timedelta(days=9))
    alone()
    rows = alone.rows().filter(pl.col("plant_id") == "PLANT001")
    by_circuit = {
        circuit: set(part["override"])
        for (circuit,), part in rows.partition_by("circuit_id", as_dict=True).items()
    }
    assert by_circuit == {"CIRCUIT01": {""}, "CIRCUIT02": {"held"}}


def test_what_was_written_and_not_published_is_seen_by_nobody(scoring: Scoring) -> None:
    """As a process leaves it that was killed in between."""
    environment_parts: list[Part] = []

    def killed(_environment: EnvironmentName, parts: Sequence[Part]) -> Iterator[PartScored]:
        environment_parts.extend(parts)
        list(map(scoring_part(scoring.platform, TEST), parts))
        raise Unavailable("killed")

    with pytest.raises(Unavailable):
        ScoreFleet(scoring.platform, scoring.story.fleet.clock, "0123abc", killed)(
            scoring.story.fleet.opened.fleet, TEST
        )
    assert environment_parts
    assert scoring.rows().is_empty()
    assert scoring().issue == 1
    assert len(scoring.rows()) == CIRCUITS * SENSORS * STEPS


@dataclass(frozen=True, slots=True)
class DiesBeforeRecording:
    real: EffectBook

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def record(self, effects: Sequence[Effect]) -> None:
        if effects:
            raise Unavailable("killed")


def test_what_was_published_and_not_recorded_is_recorded_by_the_next(scoring: Scoring) -> None:
    control = scoring.platform.control
    deadly = replace(control, effects=DiesBeforeRecording(control.effects))
    before = scoring.platform
    scoring.platform = replace(before, control=deadly)
    with pytest.raises(Unavailable):
        scoring()
    scoring.platform = before
    subject = f"test {scoring.today}:1"
    assert subject not in scoring.published()
    again = scoring()
    assert (again.issue, again.there_already) == (None, CIRCUITS)
    assert scoring.published().count(subject) == 1
    assert not control.effects.unconfirmed()


def test_two_do_not_publish_at_once(scoring: Scoring) -> None:
    with (
        scoring.platform.control.forecasts.exclusive(TEST, "somebody else", timedelta(0)),
        pytest.raises(RunInProgress, match="somebody else"),
    ):
        scoring()


def test_a_forecast_leads_to_all_that_is_behind_it_and_readings_to_all_that_came_of_them(
    scoring: Scoring,
) -> None:
    scoring()
    found = ExplainForecast(scoring.platform)(P1, "CIRCUIT01")
    assert (found.day, found.issue, found.commit, found.release) == (scoring.today, 1, "0123abc", 1)
    assert (found.delta_version, found.steps) == (0, STEPS)
    (model,) = found.models.values()
    assert model is not None
    assert model.is_same
    assert [approval.person for approval in model.approvals] == ["grace"]
    assert {sensor.model for sensor in found.sensors} == {"plant001-circuit01:1"}
    with pytest.raises(BadInput, match="no forecast of PLANT001/CIRCUIT09"):
        ExplainForecast(scoring.platform)(P1, "CIRCUIT09")

    came_of_it = FindAffected(scoring.platform)("readings", 0)
    assert len(came_of_it.models) == CIRCUITS
    assert set(came_of_it.serving) == {"test/PLANT001:1", "test/PLANT002:1"}
    last = came_of_it.forecasts[-1]
    assert (last.day, len(last.read_from_it), len(last.by_its_models)) == (scoring.today, CIRCUITS, CIRCUITS)
    nothing = FindAffected(scoring.platform)("readings", 7)
    assert (nothing.models, nothing.serving, nothing.forecasts) == ((), {}, ())
    with pytest.raises(BadInput, match="no data source"):
        FindAffected(scoring.platform)("historian", 0)
