"""Parts of a platform that behave as a test needs: a table that loses versions, jobs that stand still, a slow registry.

Each keeps the promise of its port; where it is in trouble, it says so as its port says it may.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from fleetcast.domain.assets import Asset
from fleetcast.domain.component import TrainingComponent
from fleetcast.domain.errors import FleetcastError, Unavailable
from fleetcast.domain.foreign import AnyFrame, ForeignDescription
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.job import TrainingJob
from fleetcast.domain.model import ModelVersion
from fleetcast.domain.run import Run
from fleetcast.forecasting.series import Floats
from fleetcast.ports.foreign_models import ForeignModelFailed, ForeignTask
from fleetcast.ports.jobs import JobService
from fleetcast.ports.models import Shared, SharedRegistry
from fleetcast.ports.readings import Readings, ReadingsWanted, TableVersion, VersionGone
from fleetcast.ports.runs import RunBook
from tests.clocks import NOON, FixedClock


@dataclass(slots=True)
class MemoryTable:
    """A table of readings in memory, which can lose versions and remembers who read it."""

    committed: list[dict[CircuitKey, Readings]] = field(default_factory=list)
    reads: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)
    """Each pass: the version, and the circuits wanted."""
    gone: set[int] = field(default_factory=set)
    breaks_after: int | None = None
    """Circuits it gives before its version is lost."""
    expires: dict[int, datetime] = field(default_factory=dict)
    """When its owner may clean versions up."""

    def commit(self, *rows: Readings) -> None:
        """Add a version in which these circuits' rows are others."""
        before = self.committed[-1] if self.committed else {}
        self.committed.append(before | {each.key: each for each in rows})

    def latest_version(self) -> int | None:
        return len(self.committed) - 1 if self.committed else None

    def versions(self) -> Sequence[TableVersion]:
        return [TableVersion(i, NOON, "MERGE", None) for i in reversed(range(len(self.committed)))]

    def circuits(self, version: int) -> Sequence[CircuitKey]:
        return sorted(self.committed[version])

    def sensors(self, version: int) -> Sequence[str]:
        return sorted({name for held in self.committed[version].values() for name in held.sensors})

    def columns(self, version: int) -> Sequence[str]:
        return self.sensors(version)

    def read(self, wanted: Sequence[ReadingsWanted], version: int) -> Iterator[Readings]:
        self.reads.append((version, tuple(str(want.key) for want in wanted)))
        for given, want in enumerate(sorted(wanted, key=lambda each: each.key.plant)):
            if version in self.gone or given == self.breaks_after:
                raise VersionGone(f"version {version} was cleaned up", fix="pin another version")
            yield self._cut(self.committed[version].get(want.key, _nothing(want.key)), want)

    def expires_at(self, version: int) -> datetime | None:
        return self.expires.get(version)

    def _cut(self, rows: Readings, want: ReadingsWanted) -> Readings:
        first, last = (int(moment.timestamp() * 1_000_000) for moment in (want.start, want.end))
        inside = (rows.times >= first) & (rows.times < last)
        nothing = np.full(len(rows.times), np.nan)
        columns = [
            rows.values[:, rows.sensors.index(name)] if name in rows.sensors else nothing
            for name in want.sensors
        ]
        absent = frozenset(want.sensors) - set(rows.sensors)
        values = np.column_stack(columns)[inside]
        return Readings(want.key, want.sensors, absent, rows.times[inside], values, rows.conflict)


@dataclass(slots=True)
class StandingJobs:
    """Jobs that do not go on for some time: those who wait for them only see it pass."""

    jobs: JobService
    clock: FixedClock
    waits_left: float
    """How often somebody waits in vain."""
    news: Sequence[TrainingJob] = ()
    """What the first who waits is told."""
    asked: list[timedelta] = field(default_factory=list)
    """For how long somebody was ready to wait, each time."""

    def check(self, component: TrainingComponent) -> None:
        self.jobs.check(component)

    def submit(self, jobs: Sequence[TrainingJob], component: TrainingComponent) -> None:
        self.jobs.submit(jobs, component)

    def jobs_for(self, hashes: Collection[Digest]) -> Mapping[Digest, Sequence[TrainingJob]]:
        return self.jobs.jobs_for(hashes)

    def failing(self, hashes: Collection[Digest]) -> Mapping[Digest, Sequence[TrainingJob]]:
        return self.jobs.failing(hashes)

    def wait(self, hashes: Collection[Digest], timeout: timedelta) -> Sequence[TrainingJob]:
        self.asked.append(timeout)
        self.waits_left -= 1
        if self.waits_left >= 0:
            self.clock.sleep(timeout)
            told, self.news = self.news, ()
            return told
        return self.jobs.wait(hashes, timeout)

    def abandon(self, wanted: Collection[Digest]) -> Sequence[TrainingJob]:
        return self.jobs.abandon(wanted)

    def void(self, lost: Mapping[str, str]) -> None:
        self.jobs.void(lost)

    def set_aside(self) -> Sequence[str]:
        return self.jobs.set_aside()

    def median_seconds(self) -> Mapping[str, float]:
        return self.jobs.median_seconds()

    def close(self) -> None:
        self.jobs.close()


@dataclass(slots=True)
class SlowRegistry:
    """A shared registry in which things show one after another, some time after they were shared."""

    registry: SharedRegistry
    clock: FixedClock
    delay: timedelta
    """From sharing to showing, and from one thing to the next."""
    shared_at: datetime = NOON
    late: list[tuple[str, str | int]] = field(default_factory=list)
    """Names and versions that were shared last, in the order they show."""

    def shared(self) -> Shared:
        held = self.registry.shared()
        hidden = self.late[(self.clock.now() - self.shared_at) // self.delay :]
        return Shared(
            {
                name: [each for each in held.environments[name] if (name, each) not in hidden]
                for name in held.environments
            },
            {
                name: [each for each in held.models[name] if (name, each) not in hidden]
                for name in held.models
            },
        )

    def share_environment(self, environment: Asset) -> None:
        self.registry.share_environment(environment)
        self._hide([(environment.name, environment.version)])

    def share_models(self, versions: Sequence[ModelVersion]) -> None:
        self.registry.share_models(versions)
        self._hide([(version.name, version.version) for version in versions])

    def _hide(self, late: list[tuple[str, str | int]]) -> None:
        self.late, self.shared_at = late, self.clock.now()


@dataclass(frozen=True, slots=True)
class FailingRegistry:
    """A shared registry that reports a failure whenever something is shared."""

    registry: SharedRegistry
    does_it: bool
    """Whether the thing was shared all the same."""

    def shared(self) -> Shared:
        return self.registry.shared()

    def share_environment(self, environment: Asset) -> None:
        if self.does_it:
            self.registry.share_environment(environment)
        raise Unavailable("the registry does not answer")

    def share_models(self, versions: Sequence[ModelVersion]) -> None:
        if self.does_it:
            self.registry.share_models(versions)
        raise Unavailable("the registry does not answer")


@dataclass(frozen=True, slots=True)
class BrokenRuns:
    """A book of runs that nothing more can be written into."""

    runs: RunBook
    error: FleetcastError

    def exclusive(self, holder: str, timeout: timedelta) -> AbstractContextManager[None]:
        return self.runs.exclusive(holder, timeout)

    def at_work(self) -> str | None:
        return self.runs.at_work()

    def begin(self, fleet: Digest, commit: str) -> Run:
        return self.runs.begin(fleet, commit)

    def save(self, run: Run) -> None:  # noqa: ARG002  # none is saved
        raise self.error

    def note_training(self, run: Run, jobs: int) -> None:  # noqa: ARG002  # none is noted
        raise self.error

    def note_failed(self, jobs: Sequence[TrainingJob]) -> None:  # noqa: ARG002  # none is noted
        raise self.error

    def find(self, run_id: str) -> Run:
        return self.runs.find(run_id)

    def latest(self) -> Run | None:
        return self.runs.latest()

    def page(self, *, before: int | None, count: int) -> Sequence[Run]:
        return self.runs.page(before=before, count=count)

    def listed(self) -> Sequence[Run]:
        return self.runs.listed()


@dataclass(slots=True)
class ForeignHoldsLast:
    """Foreign models in memory: each step is the last reading of each target."""

    broken: bool = False
    asked: list[ForeignTask] = field(default_factory=list)

    def describe(self, folder: Path) -> ForeignDescription:
        return ForeignDescription(AnyFrame(), None, {"folder": folder.name})

    def points(self, task: ForeignTask, windows: Floats, ends: Sequence[datetime]) -> Floats:
        self.asked.append(task)
        if self.broken:
            raise ForeignModelFailed(f"{task.name} crashed before {ends[-1]}")
        columns = [task.features.index(name) for name in task.targets]
        return np.repeat(windows[:, -1:, columns], task.horizon, axis=1)


def _nothing(key: CircuitKey) -> Readings:
    return Readings(key, (), frozenset(), np.empty(0, np.int64), np.empty((0, 0)))
