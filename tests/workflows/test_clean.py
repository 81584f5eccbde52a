"""Retention on a fleet: old versions lose their files, what is needed keeps them, and a removal is never half known."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fleetcast.app import open_own_table
from fleetcast.domain import happened
from fleetcast.domain.approval import Choice
from fleetcast.domain.effect import Effect
from fleetcast.domain.errors import Unavailable
from fleetcast.domain.fallback import Unused
from fleetcast.domain.identity import Digest
from fleetcast.domain.job import JobState
from fleetcast.domain.letter import Letter, LetterState
from fleetcast.domain.model import FilesRemoved, ModelVersion, TrainedLineage
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.plan import Reuse, Train
from fleetcast.domain.release import Endpoint, NumberedRelease, Release, ServedModel
from fleetcast.domain.retention import ArtifactToGo, Stays
from fleetcast.domain.schedule import Turn, TurnState
from fleetcast.domain.traffic import Override
from fleetcast.platforms.files.printed import PrintedFiles
from fleetcast.ports.outbox import Change
from fleetcast.ports.platform import Platform
from fleetcast.ports.readings import VersionGone
from fleetcast.ports.runs import RunInProgress
from fleetcast.workflows.clean import SPARED, Clean, Cleaned, WhatGoes
from fleetcast.workflows.exclusive import alone
from fleetcast.workflows.keep_schedules import log_of, name_of
from tests.contracts.test_outbox import NOTICE
from tests.fleets import SmallFleet, small_fleet
from tests.platforms.test_forecast_table import A, rows

DEV, TEST = EnvironmentName.DEV, EnvironmentName.TEST
AT_ONCE = timedelta(0)
AGED = timedelta(days=31)
PLANT = Endpoint(TEST, "PLANT001")


@dataclass
class Old:
    """A circuit whose versions 2 and 3 were rejected long ago; version 1 is what it uses."""

    fleet: SmallFleet
    spared: timedelta = SPARED

    @property
    def platform(self) -> Platform:
        return self.fleet.opened.platform

    @property
    def name(self) -> str:
        return self.fleet.circuit.model_name

    @property
    def clean(self) -> Clean:
        directory = self.fleet.opened.directory
        tables = {"readings": open_own_table(directory)}
        printed = PrintedFiles(self.fleet.opened.books.schedule_logs)
        return Clean(self.platform, self.fleet.clock, lambda: tables, printed, self.spared)

    def goes(self, *environments: EnvironmentName) -> WhatGoes:
        return self.clean.plan(self.fleet.opened.fleet, environments or (DEV,))

    def cleaned(self, agreed: WhatGoes | None = None, *environments: EnvironmentName) -> Cleaned:
        chosen = environments or (DEV,)
        return self.clean(self.fleet.opened.fleet, agreed or self.goes(*chosen), chosen, AT_ONCE)

    def going(self) -> list[int]:
        models = self.goes().models
        assert models is not None
        return [one.version for one in models.versions if one.name == self.name]

    def stays(self, version: int) -> tuple[Stays, ...]:
        models = self.goes().models
        assert models is not None
        return models.stays[self.name, version]

    def version(self, number: int) -> ModelVersion:
        return self.platform.workspace.models.versions([self.name])[self.name][number - 1]

    def files_are_there(self, number: int) -> bool:
        artifact = self.version(number).model.artifact
        return not self.platform.workspace.artifacts.lacking({artifact: None})

    def again(self, revision: int, choice: Choice | None = Choice.REJECT) -> None:
        self.fleet.change(revision=revision)
        self.fleet.train()
        if choice is not None:
            self.fleet.decide(choice)

    def served(self, version: int, endpoint: Endpoint = PLANT) -> NumberedRelease:
        """A release with this version, kept."""
        found = self.version(version)
        model = ServedModel(self.name, version, found.model.artifact, found.training_hash)
        release = Release(endpoint.environment, endpoint.plant, "1.0.0", {"CIRCUIT01": model})
        (kept,) = self.platform.control.releases.keep([release])
        return kept


@pytest.fixture(params=["memory", "local"])
def old(tmp_path: Path, request: pytest.FixtureRequest) -> Old:
    fleet = small_fleet(tmp_path, request.param, circuits=1, family="seasonal_naive")
    story = Old(fleet)
    fleet.promote()
    story.again(1)
    story.again(2)
    fleet.change(revision=0)
    fleet.train()
    assert fleet.opened.platform.control.states.intent().selected == {story.name: 1}
    fleet.clock.sleep(AGED)
    return story


def test_what_nothing_needs_goes_and_everything_known_of_it_stays(old: Old) -> None:
    before = [old.version(number) for number in (1, 2, 3)]
    assert old.going() == [2, 3]
    assert old.stays(1)[0] is Stays.SHARED
    done = old.cleaned()
    assert [one.version for one in done.versions] == [2, 3]
    assert done.bytes == sum(version.model.artifact_bytes for version in before[1:])
    assert [old.files_are_there(number) for number in (1, 2, 3)] == [True, False, False]
    assert [old.version(number) for number in (1, 2, 3)] == before
    actions = [entry.event.action for entry in old.platform.control.audit.entries()]
    assert actions.count("model.retired") == actions.count("artifact.removed") == 2
    assert old.platform.control.effects.unconfirmed() == []
    assert old.fleet.opened.books.verifying().others == ()
    assert old.fleet.opened.verifying_models(old.fleet.opened.fleet).unloadable == ()


def test_cleaning_again_does_nothing(old: Old) -> None:
    old.cleaned()
    before = list(old.platform.control.audit.entries())
    assert old.goes().is_empty
    assert old.cleaned() == Cleaned()
    assert list(old.platform.control.audit.entries()) == before


def test_what_is_young_stays(old: Old) -> None:
    old.fleet.clock.moment -= timedelta(days=2)
    assert old.going() == []
    assert old.stays(2) == (Stays.YOUNG,)


def test_what_people_are_asked_about_stays(old: Old) -> None:
    old.again(3, choice=None)
    old.fleet.change(revision=0)
    old.fleet.clock.sleep(AGED)
    assert old.stays(4)[0] in (Stays.SELECTED, Stays.ASKED)
    assert Stays.ASKED in old.stays(4)
    assert old.going() == [2, 3]


def test_what_serves_served_before_or_may_serve_next_stays(old: Old) -> None:
    """Even where the shared registry had forgotten them: each reason stands for itself."""
    releases = old.platform.control.releases
    releases.make_live([old.served(2)])
    assert old.stays(2) == (Stays.DEPLOYED,)
    newer = old.served(3)
    assert old.stays(3) == (Stays.COMING,)
    assert old.going() == []
    releases.make_live([newer])
    assert old.stays(2) == (Stays.PREVIOUS,)
    assert old.stays(3) == (Stays.DEPLOYED,)
    old.cleaned()
    assert old.files_are_there(2)


def test_what_a_circuit_is_held_to_stays(old: Old) -> None:
    release = old.served(1)
    old.platform.control.releases.make_live([release])
    endpoints = old.platform.workspace.endpoints
    endpoints.serve(PLANT, release.release.digest)
    held = old.version(2)
    model = ServedModel(old.name, 2, held.model.artifact, held.training_hash)
    endpoints.override(PLANT, Override("CIRCUIT01", model, Unused.HELD, old.fleet.clock.now() + AGED))
    assert old.stays(2) == (Stays.OVERRIDE,)
    assert old.going() == [3]


def test_no_reader_calls_a_removed_version_damaged(old: Old) -> None:
    old.cleaned()
    opened = old.fleet.opened
    shown = opened.model(opened.fleet, f"{old.name}:2")
    assert (shown.artifact, shown.artifact_problem) == (
        None,
        f"removed by retention on {old.fleet.clock.now():%Y-%m-%d}",
    )
    assert shown.detail.removed_at == old.fleet.clock.now()
    with pytest.raises(FilesRemoved, match="removed by retention"):
        opened.forecasting(old.fleet.circuit, version=2)
    assert opened.forecasting(old.fleet.circuit).provenance.version == 1


def unrefused(tmp_path: Path) -> Old:
    """A circuit whose version 2 nobody refused, and nothing needs any more."""
    fleet = small_fleet(tmp_path, "local", circuits=1, family="seasonal_naive")
    story = Old(fleet)
    fleet.promote()
    story.again(1, choice=None)
    fleet.change(revision=0)
    fleet.train()
    fleet.clock.sleep(timedelta(days=400))
    return story


def planned(old: Old) -> object:
    opened = old.fleet.opened
    return opened.planning(opened.fleet).circuits[0]


def test_what_a_removed_version_stood_for_is_trained_again_under_another_number(tmp_path: Path) -> None:
    old = unrefused(tmp_path)
    old.fleet.change(revision=1)
    assert isinstance(planned(old), Reuse)
    old.fleet.change(revision=0)
    assert old.going() == [2]
    old.cleaned()
    old.fleet.change(revision=1)
    action = planned(old)
    assert isinstance(action, Train)
    assert action.why == "revision 0 → 1"
    job = old.version(2).model.lineage
    assert isinstance(job, TrainedLineage)
    attempts = old.platform.workspace.jobs.jobs_for([old.version(2).training_hash])
    assert [one.state for one in attempts[old.version(2).training_hash]] == [JobState.ABANDONED]
    old.fleet.train()
    again = old.version(3)
    assert again.training_hash == old.version(2).training_hash
    assert old.platform.control.states.intent().selected == {old.name: 3}
    assert old.files_are_there(3)
    # The same files as those that were removed: they stay for version 3, and version 2 stays removed.
    assert again.model.artifact == old.version(2).model.artifact
    assert old.going() == []
    assert set(old.platform.control.states.intent().removed) == {(old.name, 2)}


def test_what_somebody_takes_into_use_meanwhile_stays(old: Old) -> None:
    states = old.platform.control.states

    class Meanwhile:
        def __getattr__(self, name: str) -> Any:
            return getattr(states, name)

        def retire(self, artifacts: Sequence[ArtifactToGo], days: int) -> Sequence[ArtifactToGo]:
            states.select({old.name: 2})
            return states.retire(artifacts, days)

    control = replace(old.platform.control, states=Meanwhile())
    opened = replace(old.fleet.opened, platform=replace(old.platform, control=control))
    agreed = old.goes()
    old.fleet.opened, before = opened, old.fleet.opened
    done = old.cleaned(agreed)
    old.fleet.opened = before
    assert [one.version for one in done.versions] == [3]
    assert [one.version for one in done.taken_meanwhile] == [2]
    assert [old.files_are_there(number) for number in (1, 2, 3)] == [True, True, False]
    assert old.platform.control.effects.unconfirmed() == []


def test_nothing_goes_that_nobody_was_shown(old: Old) -> None:
    agreed = old.goes()
    assert agreed.models is not None
    one = replace(agreed, models=replace(agreed.models, goes=agreed.models.goes[:1]))
    assert len(old.cleaned(one).versions) == 1
    assert old.cleaned(WhatGoes()) == Cleaned()


def test_whoever_trains_is_waited_for(tmp_path: Path) -> None:
    old = unrefused(tmp_path)
    agreed = old.goes()
    with alone(old.platform.control, old.fleet.clock, AT_ONCE), pytest.raises(RunInProgress):
        old.cleaned(agreed)
    assert old.files_are_there(2)


def test_rows_that_only_removed_versions_were_trained_on_go(tmp_path: Path) -> None:
    fleet = small_fleet(tmp_path, "local", circuits=1, family="seasonal_naive")
    old = Old(fleet)
    fleet.promote()
    cutoff, revision = fleet.circuit.cutoff, fleet.circuit.revision
    fleet.change(cutoff=type(cutoff).parse("2025-02-20"))
    fleet.train()
    fleet.decide(Choice.REJECT)
    fleet.change(cutoff=cutoff, revision=revision)
    fleet.train()
    fleet.clock.sleep(AGED)
    fingerprints = []
    for number in (1, 2):
        lineage = old.version(number).model.lineage
        assert isinstance(lineage, TrainedLineage)
        fingerprints.append(lineage.fingerprint)
    assert fingerprints[0] != fingerprints[1]
    frozen = old.platform.workspace.frozen
    assert all(map(frozen.holds, fingerprints))
    old.cleaned()
    assert [frozen.holds(fingerprint) for fingerprint in fingerprints] == [True, False]


def test_logs_go_by_when_their_jobs_ended(old: Old) -> None:
    logs = old.goes().logs
    assert logs is not None
    assert len(logs.goes) == 3
    assert old.cleaned().logs == 3
    assert old.platform.workspace.jobs.kept_logs() == []
    events = [entry.event for entry in old.platform.control.audit.entries()]
    (removed,) = [event for event in events if event.action == "logs.removed"]
    assert (removed.detail["count"], removed.detail["retention_days"]) == (3, 14)


def test_a_store_that_refuses_leaves_a_removal_that_the_next_run_finishes(old: Old) -> None:
    class Refusing:
        def __init__(self, real: Any) -> None:
            self.real = real

        def __getattr__(self, name: str) -> Any:
            return getattr(self.real, name)

        def remove(self, _digests: Collection[Digest]) -> None:
            raise Unavailable("no", fix="yes")

    whole, agreed = old.fleet.opened, old.goes()
    workspace = replace(old.platform.workspace, artifacts=Refusing(old.platform.workspace.artifacts))
    old.fleet.opened = replace(whole, platform=replace(whole.platform, workspace=workspace))
    with pytest.raises(Unavailable, match="no"):
        old.cleaned(agreed)
    old.fleet.opened = whole
    assert old.files_are_there(2)
    assert old.platform.control.states.intent().refusal(old.name, 2) is not None
    assert old.goes().unfinished == 2
    assert old.cleaned().finished == 2
    assert [old.files_are_there(number) for number in (1, 2, 3)] == [True, False, False]
    assert old.platform.control.effects.unconfirmed() == []


@pytest.mark.parametrize("typed", ["an intention", "a removal"])
def test_a_row_that_was_typed_into_a_table_removes_nothing(old: Old, typed: str) -> None:
    one = old.version(1)
    old.cleaned()
    event = next(
        entry.event
        for entry in old.platform.control.audit.entries()
        if entry.event.action == "artifact.removed"
    )
    effect = Effect(f"remove model {old.name}:1", replace(event, subject=f"{old.name}:1"))
    old.platform.control.effects.intend([effect])
    if typed == "a removal":
        old.fleet.database.change(
            lambda connection: connection.exec_driver_sql(
                "INSERT INTO removed_artifacts VALUES "
                f"('{old.name}', 1, '{one.model.artifact.hex}', '2026-01-01T00:00:00+00:00')"
            )
        )
    assert old.cleaned().finished == 0
    assert old.files_are_there(1)
    assert old.platform.control.effects.unconfirmed() == []
    verified = old.fleet.opened.books.verifying()
    assert (verified.others == ()) is (typed == "an intention")


def test_a_table_keeps_what_circuits_name_and_kept_models_were_trained_on(tmp_path: Path) -> None:
    old = unrefused(tmp_path)
    (table,) = old.goes().tables
    assert table.source == "readings"
    assert table.stays == {old.fleet.circuit.delta_version: Stays.PINNED}
    assert table.files == 0


def corrected(old: Old, shift: float) -> int:
    """Every reading of the table corrected by so much; the version of the table that has it so."""
    readings = open_own_table(old.fleet.opened.directory)
    rows = pl.scan_delta(str(readings.place)).collect()  # type: ignore[attr-defined]
    sensors = [name for name, kind in rows.schema.items() if kind == pl.Float64]
    merged = readings.merge(rows.with_columns(pl.col(name) + shift for name in sensors))
    version: int = merged.version
    return version


def test_files_of_readings_go_that_only_a_removed_version_was_trained_on(tmp_path: Path) -> None:
    fleet = small_fleet(tmp_path, "local", circuits=1, family="seasonal_naive", days=30)
    old = Old(fleet, spared=AT_ONCE)
    first = fleet.circuit.delta_version
    fleet.promote()
    bad = corrected(old, 1.0)
    fleet.change(delta_version=bad)
    fleet.train()
    fleet.decide(Choice.REJECT)
    fleet.change(delta_version=first)
    fleet.train()
    newest = corrected(old, 2.0)
    fleet.clock.sleep(timedelta(days=10))
    (table,) = old.goes().tables
    assert table.stays == {first: Stays.PINNED, bad: Stays.TRAINED_ON}
    assert table.files == 0

    fleet.clock.sleep(AGED)
    old.cleaned()
    assert [one.files > 0 for one in old.goes().tables] == [True], (
        "the version's files went in the run before"
    )
    done = old.cleaned()
    assert done.table_files > 0
    readings = open_own_table(fleet.opened.directory)
    for version in (first, newest):
        assert list(readings.circuits(version)) == [fleet.circuit.key]
    with pytest.raises(VersionGone):
        list(readings.circuits(bad))
    events = [entry.event for entry in old.platform.control.audit.entries()]
    (vacuumed,) = [event for event in events if event.action == "table.vacuumed"]
    assert (vacuumed.subject, vacuumed.detail["kept_versions"]) == ("readings", [first])
    assert old.goes().is_empty


def test_forecasts_go_by_their_day_and_their_files_a_while_later(tmp_path: Path) -> None:
    fleet = small_fleet(tmp_path, "local", circuits=1, family="seasonal_naive")
    old, prod = Old(fleet, spared=AT_ONCE), EnvironmentName.PROD
    table = fleet.opened.platform.workspace.forecasts(prod)
    today = fleet.clock.now().date()
    days = [today - timedelta(days=age) for age in (200, 181, 180, 0)]
    for day in days:
        table.publish(day, 1, [table.write(day, rows(A))], ())
    (decided,) = old.goes(prod).forecasts
    assert decided.days.goes == tuple(days[:2])
    done = old.cleaned(None, prod)
    assert done.days == tuple((prod, day) for day in days[:2])
    assert done.table_files == 2
    assert table.days() == days[2:]
    assert not table.read(days[2]).is_empty()
    events = [entry.event for entry in fleet.opened.platform.control.audit.entries()]
    (removed,) = [event for event in events if event.action == "forecasts.removed"]
    assert removed.subject == "prod"
    assert (removed.detail["first"], removed.detail["last"]) == tuple(day.isoformat() for day in days[:2])
    assert old.goes(prod).is_empty


@pytest.mark.parametrize("done", [True, False])
def test_a_removal_of_forecasts_that_was_cut_short_is_settled(tmp_path: Path, done: bool) -> None:
    fleet = small_fleet(tmp_path, "local", circuits=1, family="seasonal_naive")
    old, prod = Old(fleet), EnvironmentName.PROD
    platform = fleet.opened.platform
    table, day = platform.workspace.forecasts(prod), fleet.clock.now().date() - timedelta(days=200)
    for one in (day, day + timedelta(days=1)):
        table.publish(one, 1, [table.write(one, rows(A))], ())
    event = happened.forecasts_removed(prod, [day], 180)
    platform.control.effects.intend([Effect("remove forecasts prod at 2025-01-01T00:00:00+00:00", event)])
    if done:
        table.remove([day])
    old.cleaned(None, prod)
    assert table.days() == [day + timedelta(days=1)]
    actions = [entry.event.action for entry in platform.control.audit.entries()]
    assert actions.count("forecasts.removed") == 1
    assert platform.control.effects.unconfirmed() == []


def test_where_nothing_is_published_no_forecasts_go(old: Old) -> None:
    goes = old.goes(*EnvironmentName)
    assert [(one.environment, one.days.goes, one.files) for one in goes.forecasts] == [
        (EnvironmentName.TEST, (), 0),
        (EnvironmentName.PROD, (), 0),
    ]
    assert old.goes(TEST).models is None
    assert old.cleaned(None, TEST) == Cleaned()


def test_what_schedules_and_notices_left_goes_but_for_what_is_under_way(old: Old) -> None:
    control, folder = old.platform.control, old.fleet.opened.books.schedule_logs
    now = old.fleet.clock.now()
    cron = "0 2 * * *"
    over, runs, young = (
        Turn("score prod", now - days * timedelta(days=1), cron, TurnState.WAITING).begun(now)
        for days in (20, 19, 1)
    )
    for turn in (over.ended(0, now), runs, young.ended(0, now)):
        control.schedules.save(turn)
        log_of(folder, turn).parent.mkdir(parents=True, exist_ok=True)
        log_of(folder, turn).write_text("said")
    (folder / "score-prod" / "notes.log").write_text("somebody's own")
    letters = [
        Letter(0, "ops", name, "", (NOTICE,), now - AGED, now - AGED, state)
        for name, state in (
            ("old", LetterState.SENT),
            ("waits", LetterState.WAITING),
            ("newest", LetterState.SENT),
        )
    ]
    control.outbox.keep(Change(letters=letters))
    goes = old.goes().traces
    assert goes is not None
    assert ([log.job for log in goes.logs.goes], goes.turns, goes.letters) == ([name_of(over)], 1, 1)
    done = old.cleaned().traces
    assert done is not None
    assert replace(done, logs=goes.logs) == goes
    assert done.logs.goes == goes.logs.goes
    assert [turn.due for turn in control.schedules.held(now - AGED)] == [runs.due, young.due]
    left = {path.name for path in folder.glob("*/*")}
    assert left == {log_of(folder, runs).name, log_of(folder, young).name, "notes.log"}
    assert {one.id for one in [*control.outbox.waiting(), *control.outbox.ended(9)]} == {"waits", "newest"}
    event = control.audit.latest(1)[-1].event
    assert (event.action, event.subject) == ("logs.removed", "schedules and notices")
    assert (event.detail["logs"], event.detail["turns"], event.detail["letters"]) == (1, 1, 1)
    assert old.cleaned().traces is None


def test_traces_that_nobody_agreed_to_stay(old: Old) -> None:
    agreed = old.goes()
    now, folder = old.fleet.clock.now(), old.fleet.opened.books.schedule_logs
    turns = [
        Turn("plan", now - days * timedelta(days=1), "0 2 * * *", TurnState.WAITING).begun(now).ended(0, now)
        for days in (30, 1)
    ]
    for turn in turns:
        old.platform.control.schedules.save(turn)
    log_of(folder, turns[0]).parent.mkdir(parents=True)
    log_of(folder, turns[0]).write_text("said")
    done = old.cleaned(agreed).traces
    assert done is not None
    assert (done.logs.goes, done.turns) == ((), 1)
    assert log_of(folder, turns[0]).exists()
