"""Looking at what is deployed: what is found is one alarm, what is over is over, and what cannot be told is said."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from fleetcast.app.monitoring import watching_part
from fleetcast.domain.alarm import Alarm, AlarmState, CauseKind, Gone, Raise, Recover
from fleetcast.domain.drift import Outcome, Signal
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.settings import EnvironmentSettings
from fleetcast.pipeline.signals.judging import judged
from fleetcast.pipeline.watching import PartToWatch, PartWatched
from fleetcast.platforms.files.learnt import FileLearntProfiles
from fleetcast.platforms.memory.jobs import MemoryFrozenRows
from fleetcast.ports.readings import WritableReadingsTable
from fleetcast.ports.runs import RunInProgress
from fleetcast.views.alarms import monitored_as_json, monitored_in_words
from fleetcast.workflows.monitor import HISTORY, RECENT, Monitor, Monitored
from tests.fleets import START, SmallFleet, small_fleet

DEV = EnvironmentName.DEV
DAYS, TRAINED = 90, 80
HOUR = timedelta(hours=1)
A, B = CircuitKey("PLANT001", "CIRCUIT01"), CircuitKey("PLANT001", "CIRCUIT02")


def calm(key: CircuitKey, sensors: Sequence[str]) -> pl.DataFrame:
    """A day's rhythm and noise that nothing changes."""
    hours = np.arange(DAYS * 24)
    draws = np.random.default_rng(sum(map(ord, str(key)))).normal(size=(len(hours), len(sensors)))
    wave = np.sin(2 * np.pi * hours / 24)
    return pl.DataFrame(
        {
            "plant_id": key.plant,
            "circuit_id": key.circuit,
            "timestamp": [START + timedelta(hours=int(hour)) for hour in hours],
            **{name: 20 + wave + draws[:, column] for column, name in enumerate(sensors)},
        }
    ).with_columns(pl.col("timestamp").cast(pl.Datetime("us", "UTC")))


class Watching:
    """A fleet of calm readings, trained and promoted, that is looked at in dev."""

    def __init__(self, folder: Path) -> None:
        self.fleet: SmallFleet = small_fleet(folder, days=DAYS, trained_days=TRAINED, family="seasonal_naive")
        self.rows = {
            circuit.key: calm(circuit.key, circuit.features) for circuit in self.fleet.opened.fleet.circuits
        }
        version = self.table.merge(pl.concat(self.rows.values())).version
        for number in range(2):
            self.fleet.change(number, delta_version=version, owner=("Ada", "Grace")[number])
        self.settings(EnvironmentSettings(data_drift=0.15, model_drift=0.1))
        self.fleet.promote()
        self.parts: list[PartToWatch] = []

    def settings(self, settings: EnvironmentSettings) -> None:
        declared = self.fleet.opened.fleet
        changed = replace(declared.settings, environments={**declared.settings.environments, DEV: settings})
        self.fleet.opened = replace(self.fleet.opened, fleet=replace(declared, settings=changed))

    @property
    def table(self) -> WritableReadingsTable:
        table: Any = self.fleet.opened.platform.workspace.tables["readings"]
        found: WritableReadingsTable = table
        return found

    @property
    def end(self) -> datetime:
        return START + timedelta(days=DAYS)

    def look(self, at: datetime | None = None, **more: Any) -> Monitored:
        """As many minutes after the last reading as nobody would call late."""
        platform = self.fleet.opened.platform
        part = watching_part(platform, DEV)

        def watch(_environment: EnvironmentName, parts: Iterator[PartToWatch]) -> Iterator[PartWatched]:
            for one in parts:
                self.parts.append(one)
                yield part(one)

        return Monitor(platform, self.fleet.clock, watch, judged)(self.fleet.opened.fleet, DEV, at=at, **more)

    def shift(self, key: CircuitKey, since: datetime, by: float) -> None:
        """Have all sensors of a circuit read something else from a moment on."""
        rows = self.rows[key].filter(pl.col("timestamp") >= since)
        sensors = [name for name in rows.columns if name not in ("plant_id", "circuit_id", "timestamp")]
        self.table.merge(rows.with_columns(pl.col(name) + by for name in sensors))


@pytest.fixture
def watching(tmp_path: Path) -> Watching:
    return Watching(tmp_path)


def kinds(alarms: Sequence[Alarm]) -> Mapping[str, CauseKind]:
    return {alarm.cause.place: alarm.cause.kind for alarm in alarms}


def test_a_calm_fleet_needs_nobody_and_what_was_seen_is_stored(watching: Watching) -> None:
    found = watching.look()
    assert found.open == ()
    assert found.stored
    assert found.circuits == 2
    assert found.outcomes[Outcome.FINE] > 0
    assert found.not_looked == ()
    platform = watching.fleet.opened.platform
    assert platform.workspace.observations().newest(DEV) == watching.end
    assert platform.control.alarms.last_looks()[DEV].outcomes == found.outcomes
    assert list(monitored_in_words(found))[1] == "nothing needs anybody"


def test_a_change_is_one_alarm_of_its_owner_until_two_looks_find_it_gone(watching: Watching) -> None:
    watching.shift(A, watching.end - timedelta(days=3), by=6.0)
    found = watching.look()
    assert kinds(found.open) == {str(A): CauseKind.PROCESS_CHANGED}
    assert found.open[0].owner == "Ada"
    assert [type(change) for change in found.changes] == [Raise]
    said = "\n".join(monitored_in_words(found))
    assert "[new] 1 process changed at PLANT001/CIRCUIT01" in said
    assert "owner Ada" in said

    watching.fleet.clock.moment += HOUR
    again = watching.look()
    assert [alarm.number for alarm in again.open] == [1], "one alarm for one cause"
    assert "[new]" not in "\n".join(monitored_in_words(again))
    watching.fleet.opened.books.alarms.acknowledge(1, "the pump was swapped")

    watching.shift(A, watching.end - timedelta(days=3), by=0.0)
    watching.fleet.clock.moment += HOUR
    first = watching.look()
    (alarm,) = first.open
    assert (alarm.state, alarm.fine_looks) == (AlarmState.ACKNOWLEDGED, 1)
    watching.fleet.clock.moment += HOUR
    over = watching.look()
    assert over.open == ()
    (change,) = over.changes
    assert isinstance(change, Recover)
    assert change.alarm.gone is Gone.FINE
    assert "recovered: 1 process changed at PLANT001/CIRCUIT01" in "\n".join(monitored_in_words(over))


def test_a_retrain_that_knows_the_change_ends_its_alarm(watching: Watching) -> None:
    begun = watching.end - timedelta(days=40)
    watching.shift(A, begun, by=6.0)
    assert kinds(watching.look().open) == {str(A): CauseKind.PROCESS_CHANGED}
    version = watching.table.latest_version()
    watching.fleet.change(0, delta_version=version, training_window=timedelta(days=25))
    watching.fleet.promote()
    for _ in range(2):
        watching.fleet.clock.moment += HOUR
        found = watching.look()
    assert found.open == ()


def test_the_same_look_again_stores_and_changes_nothing(watching: Watching) -> None:
    watching.shift(A, watching.end - timedelta(days=3), by=6.0)
    assert watching.look().stored
    again = watching.look()
    assert not again.stored
    assert again.changes == ()
    assert [alarm.number for alarm in again.open] == [1]
    log = watching.fleet.opened.platform.control.audit.latest(50)
    assert sum(entry.event.action == "alarm.raised" for entry in log) == 1
    with pytest.raises(BadInput, match="which is later"):
        watching.look(watching.end - HOUR)
    with pytest.raises(BadInput, match="has not come"):
        watching.look(watching.end + HOUR)


def test_a_look_at_some_circuits_leaves_the_alarms_of_others_alone(watching: Watching) -> None:
    watching.shift(A, watching.end - timedelta(days=3), by=6.0)
    watching.look()
    watching.shift(A, watching.end - timedelta(days=3), by=0.0)
    for _ in range(3):
        watching.fleet.clock.moment += HOUR
        found = watching.look(patterns=[str(B)])
        assert found.circuits == 1
    (alarm,) = found.open
    assert alarm.fine_looks == 0


def test_a_circuit_that_is_declared_no_longer_has_no_alarm(watching: Watching) -> None:
    watching.shift(A, watching.end - timedelta(days=3), by=6.0)
    watching.look()
    declared = watching.fleet.opened.fleet
    left = replace(declared, circuits=declared.circuits[1:])
    watching.fleet.opened = replace(watching.fleet.opened, fleet=left)
    watching.fleet.clock.moment += HOUR
    (change,) = watching.look().changes
    assert change.alarm.gone is Gone.NOT_WATCHED


def test_silence_is_an_alarm_and_is_told_from_the_last_reading_however_old(watching: Watching) -> None:
    watching.fleet.clock.moment += timedelta(days=30)
    found = watching.look()
    assert set(kinds(found.open).values()) <= {CauseKind.DATA_STALE, CauseKind.GATEWAY_DOWN}
    assert found.open
    ages = [one for alarm in found.open for one in alarm.shown_by if one.signal is Signal.FRESHNESS]
    assert {round((one.value or 0) / 86_400) for one in ages} == {30}


def test_training_rows_that_are_not_frozen_any_more_come_from_the_pinned_version(
    watching: Watching, tmp_path: Path
) -> None:
    watching.shift(A, watching.end - timedelta(days=3), by=6.0)
    frozen = watching.look()
    workspace = watching.fleet.opened.platform.workspace
    empty = MemoryFrozenRows(type(workspace.models._world)())  # type: ignore[attr-defined]
    fresh = FileLearntProfiles(tmp_path / "nothing learnt")
    platform = replace(
        watching.fleet.opened.platform, workspace=replace(workspace, frozen=empty, learnt=fresh)
    )
    watching.fleet.opened = replace(watching.fleet.opened, platform=platform)
    again = watching.look()
    assert again.outcomes == frozen.outcomes
    assert again.not_looked == ()


def test_a_later_look_needs_no_training_rows_and_sees_the_same(watching: Watching, tmp_path: Path) -> None:
    watching.shift(A, watching.end - timedelta(days=3), by=6.0)
    watching.look()
    platform = watching.fleet.opened.platform
    (part,) = watching.parts
    empty = MemoryFrozenRows(type(platform.workspace.models._world)())  # type: ignore[attr-defined]
    fresh = FileLearntProfiles(tmp_path / "nothing learnt")
    unlearnt = replace(platform, workspace=replace(platform.workspace, learnt=fresh))
    rowless = replace(platform, workspace=replace(platform.workspace, frozen=empty))
    nowhere = replace(
        part,
        circuits=tuple(
            replace(one, trained_on=replace(one.trained_on, source="gone"))
            for one in part.circuits
            if one.trained_on is not None
        ),
    )
    first, later = watching_part(unlearnt, DEV)(part), watching_part(rowless, DEV)(nowhere)
    assert len(nowhere.circuits) == 2
    assert later == first
    assert any(one.outcome is Outcome.BREACHED for one in later.observations)


def test_rows_that_are_not_those_it_was_trained_on_are_learnt_each_time(watching: Watching) -> None:
    watching.look()
    platform = watching.fleet.opened.platform
    (part,) = watching.parts
    first = part.circuits[0]
    assert first.trained_on is not None
    asset = replace(first.trained_on, fingerprint=Digest.of(b"never frozen"))
    other = replace(first, trained_on=asset)
    look = watching_part(platform, DEV)
    changed = replace(part, circuits=(other,))
    seen = look(changed)
    assert seen.not_looked == ()
    lost = replace(other, trained_on=replace(asset, source="gone"))
    again = look(replace(part, circuits=(lost,)))
    assert "no data source gone" in again.not_looked[0].why, "it is learnt anew, as nothing was kept"


def test_what_goes_to_another_process_and_comes_back_is_the_same(watching: Watching) -> None:
    watching.shift(A, watching.end - timedelta(days=3), by=6.0)
    watching.look()
    (part,) = watching.parts
    sent: PartToWatch = pickle.loads(pickle.dumps(part))  # noqa: S301  # ours
    assert sent == part
    seen = watching_part(watching.fleet.opened.platform, DEV)(sent)
    came: PartWatched = pickle.loads(pickle.dumps(seen))  # noqa: S301  # ours
    assert came == seen
    assert seen.observations


def test_what_has_no_model_is_told_and_not_looked_at(tmp_path: Path) -> None:
    fleet = small_fleet(tmp_path, days=30, family="seasonal_naive")
    platform = fleet.opened.platform
    part = watching_part(platform, DEV)
    monitor = Monitor(platform, fleet.clock, lambda _environment, parts: map(part, parts), judged)
    found = monitor(fleet.opened.fleet, DEV)
    assert (found.circuits, found.not_deployed) == (0, (A, B))
    assert "nothing is deployed of PLANT001/CIRCUIT01, PLANT001/CIRCUIT02" in list(monitored_in_words(found))


def test_one_process_looks_at_a_time(watching: Watching) -> None:
    book = watching.fleet.opened.platform.control.alarms
    with book.exclusive(DEV, "somebody else", timedelta(0)), pytest.raises(RunInProgress):
        watching.look()


def test_programs_get_the_same_as_people(watching: Watching) -> None:
    watching.shift(A, watching.end - timedelta(days=3), by=6.0)
    said: Any = monitored_as_json(watching.look())
    (alarm,) = said["alarms"]
    assert (alarm["alarm_id"], alarm["state"], alarm["owner"]) == (1, "open", "Ada")
    assert alarm["kind"] == "process changed"
    assert [(one["change"], one["alarm_id"]) for one in said["changes"]] == [("new", 1)]
    assert said["environment"] == "dev"
    assert said["outcomes"]["fine"] > 0
    assert {one["signal"] for one in said["unmeasured"]} >= {"accuracy"}


def test_training_rows_that_are_lost_are_told_and_the_rest_is_looked_at(watching: Watching) -> None:
    watching.look()
    (part,) = watching.parts
    first, other = part.circuits
    assert first.trained_on is not None
    gone = replace(first.trained_on, source="gone", fingerprint=Digest.of(b"never frozen"))
    lost = replace(part, circuits=(replace(first, trained_on=gone), other))
    seen = watching_part(watching.fleet.opened.platform, DEV)(lost)
    assert [str(one.key) for one in seen.not_looked] == [str(A)]
    assert "no data source gone" in seen.not_looked[0].why
    fresh = [one for one in seen.observations if one.signal is Signal.FRESHNESS]
    assert {one.circuit for one in fresh} == {A.circuit, B.circuit}


def test_what_is_remembered_of_looks_judges_as_all_of_them_would(watching: Watching) -> None:
    watching.shift(A, watching.end - timedelta(days=3), by=6.0)
    for _ in range(4):
        watching.look()
        watching.fleet.clock.moment += HOUR
    platform = watching.fleet.opened.platform
    now = watching.fleet.clock.moment
    seen = watching_part(platform, DEV)(replace(watching.parts[-1], at=now)).observations
    table = platform.workspace.observations()
    every = table.breached(DEV, now - HISTORY, now)
    some = table.remembered(DEV, now - HISTORY, now, now - RECENT)
    assert 0 < len(some) < len(every)
    assert any(one.circuit == A.circuit for one in some)
    assert judged(seen, some, now) == judged(seen, every, now) != judged(seen, [], now)
