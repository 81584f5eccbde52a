"""Remove what retention lets go: files of old models, what jobs said, forecasts of long ago, table files nobody names.

Every removal is written down before it begins and again when it was seen to be done, so that a crash between any two
steps leaves nothing that promises bytes which are gone, and the next run finishes it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial

from fleetcast.domain import happened
from fleetcast.domain.effect import Effect
from fleetcast.domain.fleet import Fleet
from fleetcast.domain.identity import Digest
from fleetcast.domain.model import FleetIndex, ModelVersion, TrainedLineage
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.retention import (
    ArtifactToGo,
    DaysDecided,
    LogsDecided,
    ModelsDecided,
    Stays,
    TracesDecided,
    Version,
    VersionToJudge,
    decide_days,
    decide_logs,
    decide_models,
)
from fleetcast.domain.role import Right
from fleetcast.domain.wording import counted
from fleetcast.pipeline.effects import CarryOut
from fleetcast.pipeline.index import ReadIndex
from fleetcast.pipeline.needed import needed_table_versions, needed_versions
from fleetcast.pipeline.releases import SERVED_IN
from fleetcast.pipeline.situation import data_digest_of
from fleetcast.ports.clock import Clock
from fleetcast.ports.platform import Platform
from fleetcast.ports.printed import Printed
from fleetcast.ports.readings import WritableReadingsTable
from fleetcast.workflows.clean_traces import CleanTraces
from fleetcast.workflows.exclusive import alone, holder

SPARED = timedelta(days=7)
"""How long files of tables stay that a newer version replaced: somebody may be reading them."""
_AT_ONCE = 500
"""Versions whose removal is written down in one transaction."""
_MODEL, _LOGS, _TABLE, _FORECASTS = "remove model ", "remove logs ", "vacuum ", "remove forecasts "


@dataclass(frozen=True, slots=True)
class TableDecided:
    """What becomes of the files of one of the fleet's own tables of readings."""

    source: str
    stays: Mapping[int, Stays]
    """Versions that stay readable, besides the newest."""
    files: int
    """That go."""


@dataclass(frozen=True, slots=True)
class ForecastsDecided:
    """What becomes of the forecasts that are published in one environment."""

    environment: EnvironmentName
    days: DaysDecided
    files: int
    """Of days that went before, which nobody can be reading any more."""


@dataclass(frozen=True, slots=True)
class WhatGoes:
    """All that would go, and why the rest stays; what was not asked for is not in it."""

    models: ModelsDecided | None = None
    rows: Mapping[Version, Digest] = field(default_factory=dict)
    """Frozen training rows of versions whose files go, where they are those of no other."""
    jobs: Mapping[Version, str] = field(default_factory=dict)
    """The job that made each version whose files go."""
    logs: LogsDecided | None = None
    """None: they were not asked for, or the platform keeps them itself."""
    tables: tuple[TableDecided, ...] = ()
    forecasts: tuple[ForecastsDecided, ...] = ()
    traces: TracesDecided | None = None
    """Of schedules, notices and looks."""
    unfinished: int = 0
    """Removals that an earlier run began: they are finished first."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing would be done."""
        return not (
            self.unfinished
            or (self.models and self.models.goes)
            or (self.logs and self.logs.goes)
            or any(one.files for one in self.tables)
            or any(one.files or one.days.goes for one in self.forecasts)
            or (self.traces and not self.traces.is_empty)
        )


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What was removed."""

    versions: tuple[VersionToJudge, ...] = ()
    bytes: int = 0
    logs: int = 0
    table_files: int = 0
    days: tuple[tuple[EnvironmentName, date], ...] = ()
    taken_meanwhile: tuple[VersionToJudge, ...] = ()
    """Versions that somebody took into use between the decision and the removal: they stay."""
    finished: int = 0
    """Removals of an earlier run."""
    traces: TracesDecided | None = None
    """None: nothing of schedules, notices and looks went."""


@dataclass(frozen=True, slots=True)
class Clean:
    """Decides what may go, and removes it."""

    platform: Platform
    clock: Clock
    tables: Callable[[], Mapping[str, WritableReadingsTable]]
    """The fleet's own tables of readings, by data source; nobody else's are touched."""
    printed: Printed
    """What scheduled commands printed on this machine."""
    spared: timedelta = SPARED
    """Files of tables that a newer version replaced more recently than this stay."""

    def plan(self, fleet: Fleet, environments: Collection[EnvironmentName]) -> WhatGoes:
        """Decide what would go now; changes nothing.

        Models, their training rows, what jobs said and readings belong to dev, where models are trained; forecasts to
        where they are published.

        Raises:
            Denied: Whoever acts may not operate.
            Unavailable: Something does not answer, so that nobody knows what is needed.
        """
        self.platform.control.require(Right.OPERATE)
        found = self._in_dev(fleet) if EnvironmentName.DEV in environments else WhatGoes()
        forecasts = tuple(
            self._forecasts(fleet, environment) for environment in SERVED_IN if environment in environments
        )
        return WhatGoes(
            found.models,
            found.rows,
            found.jobs,
            found.logs,
            found.tables,
            forecasts,
            found.traces,
            sum(1 for _ in self._left()),
        )

    def __call__(
        self,
        fleet: Fleet,
        agreed: WhatGoes,
        environments: Collection[EnvironmentName],
        lock_timeout: timedelta,
    ) -> Cleaned:
        """Decide anew, and remove what goes then and was agreed to.

        Args:
            fleet: As declared.
            agreed: What somebody was shown: nothing goes that is not in it.
            environments: Where.
            lock_timeout: How long to wait for a run that trains or shares, or for one that publishes.

        Raises:
            Denied: Whoever acts may not operate.
            RunInProgress: Somebody else works on the fleet.
            Unavailable: Something refuses; what was begun is finished by the next run.
        """
        control = self.platform.control
        control.require(Right.OPERATE)
        done = Cleaned()
        if EnvironmentName.DEV in environments:
            with alone(control, self.clock, lock_timeout):
                done = self._clean_dev(fleet, agreed)
        days = []
        files = done.table_files
        for environment in SERVED_IN:
            if environment in environments:
                with control.forecasts.exclusive(environment, holder(control, self.clock), lock_timeout):
                    gone, dropped = self._clean_forecasts(fleet, agreed, environment)
                days += [(environment, day) for day in gone]
                files += dropped
        return replace(done, table_files=files, days=tuple(days))

    def _in_dev(self, fleet: Fleet) -> WhatGoes:
        workspace, now = self.platform.workspace, self.clock.now()
        retention = fleet.settings.retention[EnvironmentName.DEV]
        index = ReadIndex.of(self.platform)()
        versions = self._kept(index)
        judged = [_judged(version) for version in versions]
        models = decide_models(judged, needed_versions(self.platform, fleet, index), retention.models, now)
        logs = workspace.jobs.kept_logs()
        going = {one.key for one in models.versions}
        tables = tuple(self._table(fleet, index, name) for name in self.tables())
        return WhatGoes(
            models,
            self._rows(fleet, versions, going),
            _jobs(versions, going),
            None if logs is None else decide_logs(logs, retention.logs, now),
            tables,
            traces=self._traces.plan(retention.logs),
        )

    @property
    def _traces(self) -> CleanTraces:
        table = self.platform.workspace.observations()
        return CleanTraces(self.platform.control, table, self.printed, self.clock, self.spared)

    def _kept(self, index: FleetIndex) -> list[ModelVersion]:
        held = self.platform.workspace.models.versions(list(index.versions))
        return [
            version
            for versions in held.values()
            for version in versions
            if (version.name, version.version) not in index.intent.removed
        ]

    def _rows(
        self, fleet: Fleet, versions: Sequence[ModelVersion], going: Collection[Version]
    ) -> Mapping[Version, Digest]:
        """Rows that only versions whose files go were trained on, and no circuit is to be trained on."""
        rows = {
            (version.name, version.version): version.model.lineage.fingerprint
            for version in versions
            if isinstance(version.model.lineage, TrainedLineage)
        }
        declared = self.platform.workspace.data.held([data_digest_of(circuit) for circuit in fleet.circuits])
        stay = {asset.fingerprint for asset in declared.values()}
        stay |= {fingerprint for version, fingerprint in rows.items() if version not in going}
        return {version: rows[version] for version in rows if version in going and rows[version] not in stay}

    def _table(self, fleet: Fleet, index: FleetIndex, source: str) -> TableDecided:
        table, stays = self.tables()[source], needed_table_versions(fleet, index, source)
        return TableDecided(source, stays, len(table.vacuum(stays, self.spared, dry_run=True)))

    def _is_vacuumed(self, fleet: Fleet, index: FleetIndex, source: str, _effect: Effect) -> bool:
        return not self._table(fleet, index, source).files

    def _forecasts(self, fleet: Fleet, environment: EnvironmentName) -> ForecastsDecided:
        table = self.platform.workspace.forecasts(environment)
        days = fleet.settings.retention[environment].predictions
        decided = decide_days(table.days(), days, self.clock.now().astimezone(UTC).date())
        return ForecastsDecided(environment, decided, len(table.vacuum(self.spared, dry_run=True)))

    def _clean_dev(self, fleet: Fleet, agreed: WhatGoes) -> Cleaned:
        finished = self._finish(fleet)
        now = self._in_dev(fleet)
        models = now.models.goes if now.models else ()
        wanted = set(agreed.models.goes if agreed.models else ())
        going = [one for one in models if one in wanted]
        retired = self._remove_models(going, now, fleet.settings.retention[EnvironmentName.DEV].models or 0)
        stayed = [version for one in going if one not in retired for version in one.versions]
        logs = self._remove_logs(now.logs, agreed.logs, fleet)
        files = sum(self._vacuum(fleet, one) for one in now.tables if one.files)
        traces = self._traces(agreed.traces, fleet.settings.retention[EnvironmentName.DEV].logs)
        return Cleaned(
            tuple(version for one in retired for version in one.versions),
            sum(one.bytes for one in retired),
            logs,
            files,
            (),
            tuple(stayed),
            finished,
            traces,
        )

    def _remove_models(self, going: Sequence[ArtifactToGo], goes: WhatGoes, days: int) -> list[ArtifactToGo]:
        """Write down, remove, see that it is gone, and write that down: some at a time."""
        book, states = self.platform.control.effects, self.platform.control.states
        done: list[ArtifactToGo] = []
        for start in range(0, len(going), _AT_ONCE):
            some = going[start : start + _AT_ONCE]
            book.intend([effect for one in some for effect in _effects(one)])
            retired = list(states.retire(some, days))
            book.drop([effect for one in some if one not in retired for effect in _effects(one)])
            self._see_gone(retired, goes.jobs, _rows_of(retired, some, goes.rows))
            done += retired
        return done

    def _see_gone(
        self, retired: Sequence[ArtifactToGo], jobs: Mapping[Version, str], rows: Collection[Digest]
    ) -> None:
        workspace = self.platform.workspace
        if not retired:
            return
        versions = [version for one in retired for version in one.versions]
        artifacts = {version.key: version.artifact for version in versions}

        def do() -> None:
            workspace.jobs.give_up([jobs[version.key] for version in versions if version.key in jobs])
            workspace.frozen.remove(rows)
            workspace.artifacts.remove([one.artifact for one in retired])

        def done(keys: Collection[str]) -> Collection[str]:
            lacking = workspace.artifacts.lacking(dict.fromkeys(artifacts.values()))
            gone = {_key(version) for version, artifact in artifacts.items() if artifact in lacking}
            return gone & set(keys)

        CarryOut(self.platform.control.effects, self.clock)(
            [effect for one in retired for effect in _effects(one)],
            do=do,
            done=done,
            what=f"the removal of {counted(len(retired), 'artifact')}",
        )

    def _remove_logs(self, now: LogsDecided | None, agreed: LogsDecided | None, fleet: Fleet) -> int:
        if now is None or agreed is None:
            return 0
        shown = {log.job for log in agreed.goes}
        going = [log for log in now.goes if log.job in shown]
        if not going:
            return 0
        jobs, names = self.platform.workspace.jobs, [log.job for log in going]
        days = fleet.settings.retention[EnvironmentName.DEV].logs or 0
        event = happened.job_logs_removed(names, sum(log.bytes for log in going), days)
        self._once(
            Effect(self._stamped(_LOGS), event),
            do=lambda: jobs.remove_logs(names),
            is_done=lambda: not self._logs_left(names),
            what=counted(len(names), "log"),
        )
        return len(names)

    def _logs_left(self, names: Collection[str]) -> set[str]:
        return {log.job for log in self.platform.workspace.jobs.kept_logs() or ()} & set(names)

    def _vacuum(self, fleet: Fleet, decided: TableDecided) -> int:
        table = self.tables()[decided.source]
        days = fleet.settings.retention[EnvironmentName.DEV].models or 0
        event = happened.table_vacuumed(decided.source, decided.files, sorted(decided.stays), days)
        removed: list[str] = []
        self._once(
            Effect(self._stamped(f"{_TABLE}{decided.source} "), event),
            do=lambda: removed.extend(table.vacuum(decided.stays, self.spared, dry_run=False)),
            is_done=lambda: not table.vacuum(decided.stays, self.spared, dry_run=True),
            what=f"files of {decided.source}",
        )
        return len(removed)

    def _clean_forecasts(
        self, fleet: Fleet, agreed: WhatGoes, environment: EnvironmentName
    ) -> tuple[tuple[date, ...], int]:
        table = self.platform.workspace.forecasts(environment)
        self._settle(f"{_FORECASTS}{environment} ", lambda effect: not _between(effect, table.days()))
        now = self._forecasts(fleet, environment)
        shown = {day for one in agreed.forecasts if one.environment is environment for day in one.days.goes}
        going = tuple(day for day in now.days.goes if day in shown)
        if going:
            days = fleet.settings.retention[environment].predictions or 0
            self._once(
                Effect(
                    self._stamped(f"{_FORECASTS}{environment} "),
                    happened.forecasts_removed(environment, going, days),
                ),
                do=lambda: table.remove(going),
                is_done=lambda: not set(going) & set(table.days()),
                what=f"forecasts of {counted(len(going), 'day')}",
            )
        return going, len(table.vacuum(self.spared, dry_run=False))

    def _once(
        self, effect: Effect, *, do: Callable[[], None], is_done: Callable[[], bool], what: str
    ) -> None:
        CarryOut(self.platform.control.effects, self.clock)(
            [effect], do=do, done=lambda keys: keys if is_done() else (), what=f"the removal of {what}"
        )

    def _stamped(self, key: str) -> str:
        """A key for what may be done again another time."""
        return f"{key}at {self.clock.now().isoformat()}"

    def _left(self) -> Iterator[Effect]:
        """Removals of models that a run began, and had no time to finish."""
        return (one for one in self.platform.control.effects.unconfirmed() if one.key.startswith(_MODEL))

    def _finish(self, fleet: Fleet) -> int:
        """Do what an interrupted run wrote down, as far as nothing needs it since; forget what it came not to."""
        self._traces.settle()
        self._settle(_LOGS, lambda effect: not self._logs_left(_named(effect)))
        index = ReadIndex.of(self.platform)()
        for source in self.tables():
            self._settle(f"{_TABLE}{source} ", partial(self._is_vacuumed, fleet, index, source))
        left = {one.key: one for one in self._left()}
        if not left:
            return 0
        versions = self.platform.workspace.models.versions(list(index.versions))
        # A row can be typed into a table: what is needed does not go for one.
        needed = needed_versions(self.platform, fleet, index)
        still = {version.model.artifact for version in self._kept(index)}
        still |= {
            version.model.artifact
            for held in versions.values()
            for version in held
            if (version.name, version.version) in needed
        }
        begun = [
            version
            for held in versions.values()
            for version in held
            if _key((version.name, version.version)) in left
            and (version.name, version.version) in index.intent.removed
            and version.model.artifact not in still
        ]
        going = [_alone(version) for version in begun]
        named = {effect.key for one in going for effect in _effects(one)}
        self.platform.control.effects.drop([one for key, one in left.items() if key not in named])
        keys = {(version.name, version.version) for version in begun}
        rows = self._rows(fleet, [*self._kept(index), *begun], keys)
        self._see_gone(going, _jobs(begun, keys), set(rows.values()))
        return len(going)

    def _settle(self, key: str, is_done: Callable[[Effect], bool]) -> None:
        """Record what an interrupted run did; forget what it did not: it is decided on anew."""
        book = self.platform.control.effects
        left = [one for one in book.unconfirmed() if one.key.startswith(key)]
        done = [one for one in left if is_done(one)]
        book.record(done)
        book.drop([one for one in left if one not in done])


def _key(version: Version) -> str:
    return f"{_MODEL}{version[0]}:{version[1]}"


def _effects(artifact: ArtifactToGo) -> list[Effect]:
    return [
        Effect(
            _key(one.key), happened.artifact_removed(one.name, one.version, artifact.artifact, artifact.bytes)
        )
        for one in artifact.versions
    ]


def _judged(version: ModelVersion) -> VersionToJudge:
    model = version.model
    return VersionToJudge(
        version.name, version.version, model.artifact, model.artifact_bytes, version.registered_at
    )


def _alone(version: ModelVersion) -> ArtifactToGo:
    return ArtifactToGo(version.model.artifact, version.model.artifact_bytes, (_judged(version),))


def _rows_of(
    retired: Sequence[ArtifactToGo], asked: Sequence[ArtifactToGo], rows: Mapping[Version, Digest]
) -> set[Digest]:
    """The rows of those that are written down, without those of what was taken into use just now."""

    def of(artifacts: Sequence[ArtifactToGo]) -> set[Digest]:
        return {rows[one.key] for artifact in artifacts for one in artifact.versions if one.key in rows}

    return of(retired) - of([artifact for artifact in asked if artifact not in retired])


def _jobs(versions: Sequence[ModelVersion], going: Collection[Version]) -> dict[Version, str]:
    return {
        (version.name, version.version): version.model.lineage.job
        for version in versions
        if (version.name, version.version) in going and isinstance(version.model.lineage, TrainedLineage)
    }


def _named(effect: Effect) -> list[str]:
    first = effect.event.detail.get("first")
    return [str(name) for name in first] if isinstance(first, list | tuple) else []


def _between(effect: Effect, days: Sequence[date]) -> bool:
    """Whether there are forecasts of the days that a removal was to take."""
    first, last = (datetime.fromisoformat(str(effect.event.detail[end])).date() for end in ("first", "last"))
    return any(first <= day <= last for day in days)
