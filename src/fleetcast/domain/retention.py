"""What may go for its age, and why the rest stays: decided from values, before anything is removed.

Of a model version only the files go. Its row, its lineage, what people decided on and the audit log stay for ever.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from fleetcast.domain.identity import Digest

Version = tuple[str, int]
"""A model's name and the number of one of its versions."""


class Stays(StrEnum):
    """Why something stays; in the order in which it is said."""

    DEPLOYED = "it serves"
    COMING = "it is in a release that may serve next"
    PREVIOUS = "it served before what serves"
    OVERRIDE = "a circuit is forecast by it for a time"
    SHARED = "it is in the shared registry"
    CHAMPION = "it is the champion"
    SELECTED = "its circuit uses it"
    DECLARED = "it is what its circuit declares"
    ASKED = "people are asked about it, or have agreed to it"
    SAME_FILES = "a version that stays has the same files"
    PINNED = "a circuit names it"
    TRAINED_ON = "a model that stays was trained on it"
    NEWEST = "it is the newest"
    RUNNING = "it has not ended"
    YOUNG = "it is younger than retention says"
    UNLIMITED = "retention gives it no days"


@dataclass(frozen=True, slots=True)
class VersionToJudge:
    """A version whose files are kept."""

    name: str
    version: int
    artifact: Digest
    bytes: int
    registered_at: datetime

    @property
    def key(self) -> Version:
        """By what it is known."""
        return self.name, self.version

    def __str__(self) -> str:
        return f"{self.name}:{self.version}"


@dataclass(frozen=True, slots=True)
class ArtifactToGo:
    """Files that no version needs which stays."""

    artifact: Digest
    bytes: int
    versions: tuple[VersionToJudge, ...]
    """All whose files they are, oldest first; more than one where training gave the same."""


@dataclass(frozen=True, slots=True)
class ModelsDecided:
    """What becomes of the files of all model versions."""

    goes: tuple[ArtifactToGo, ...]
    """Oldest first."""
    stays: Mapping[Version, tuple[Stays, ...]]

    @property
    def bytes(self) -> int:
        """That are freed."""
        return sum(one.bytes for one in self.goes)

    @property
    def versions(self) -> tuple[VersionToJudge, ...]:
        """Those whose files go, oldest first."""
        return tuple(version for one in self.goes for version in one.versions)


def decide_models(
    versions: Iterable[VersionToJudge],
    held: Mapping[Version, Collection[Stays]],
    days: int | None,
    now: datetime,
) -> ModelsDecided:
    """Decide whose files go.

    Args:
        versions: All whose files are kept.
        held: Why some are needed, whatever their age.
        days: After which files that nothing needs go; None: never.
        now: Aware.
    """
    by_artifact: dict[Digest, list[VersionToJudge]] = {}
    for version in versions:
        by_artifact.setdefault(version.artifact, []).append(version)
    goes: list[ArtifactToGo] = []
    stays: dict[Version, tuple[Stays, ...]] = {}
    for artifact, same in by_artifact.items():
        reasons = {one.key: _reasons(one, held.get(one.key, ()), days, now) for one in same}
        if not any(reasons.values()):
            same.sort(key=lambda one: (one.registered_at, one.key))
            goes.append(ArtifactToGo(artifact, max(one.bytes for one in same), tuple(same)))
            continue
        stays |= {key: found or (Stays.SAME_FILES,) for key, found in reasons.items()}
    goes.sort(key=lambda one: (one.versions[0].registered_at, one.versions[0].key))
    return ModelsDecided(tuple(goes), stays)


def _reasons(
    version: VersionToJudge, held: Collection[Stays], days: int | None, now: datetime
) -> tuple[Stays, ...]:
    found = set(held)
    if days is None:
        found.add(Stays.UNLIMITED)
    elif not is_old(version.registered_at, days, now):
        found.add(Stays.YOUNG)
    return in_order(found)


def is_old(moment: datetime, days: int, now: datetime) -> bool:
    """Whether something is older than so many days; what carries a time to come is not."""
    return now - moment > timedelta(days=days)


def in_order(reasons: Collection[Stays]) -> tuple[Stays, ...]:
    """Each once, in the order in which they are said."""
    return tuple(reason for reason in Stays if reason in reasons)


@dataclass(frozen=True, slots=True)
class KeptLog:
    """What a job said, as a file."""

    job: str
    ended_at: datetime | None
    """None: it has not ended."""
    bytes: int


@dataclass(frozen=True, slots=True)
class LogsDecided:
    """What becomes of what jobs said."""

    goes: tuple[KeptLog, ...]
    stays: Mapping[str, Stays]
    """By job."""

    @property
    def bytes(self) -> int:
        """That are freed."""
        return sum(one.bytes for one in self.goes)


def decide_logs(logs: Iterable[KeptLog], days: int | None, now: datetime) -> LogsDecided:
    """Decide which logs go: those of jobs that ended long enough ago."""
    goes, stays = [], {}
    for log in logs:
        if log.ended_at is None:
            stays[log.job] = Stays.RUNNING
        elif days is None:
            stays[log.job] = Stays.UNLIMITED
        elif not is_old(log.ended_at, days, now):
            stays[log.job] = Stays.YOUNG
        else:
            goes.append(log)
    return LogsDecided(tuple(goes), stays)


@dataclass(frozen=True, slots=True)
class TracesDecided:
    """What becomes of what schedules, notices and looks left behind."""

    logs: LogsDecided
    """What scheduled commands printed."""
    before: datetime | None = None
    """Turns that were over and letters that were sent before this moment go; None: they stay."""
    turns: int = 0
    """Of schedules, that go."""
    letters: int = 0
    """That go, and pages that somebody took care of."""
    files: int = 0
    """Of looks that were never published, that go."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing goes."""
        return not (self.logs.goes or self.turns or self.letters or self.files)


def decide_traces(
    logs: Iterable[KeptLog],
    unfinished: Collection[str],
    days: int | None,
    decided_by: timedelta,
    now: datetime,
) -> TracesDecided:
    """Decide which logs of schedules go, and from when on turns and letters stay.

    Args:
        logs: What scheduled commands printed.
        unfinished: Names of those whose turn is not over.
        days: After which they go; None: never.
        decided_by: So far back a decision looks at turns: younger ones stay, whatever retention says.
        now: Aware.
    """
    judged = [replace(log, ended_at=None) if log.job in unfinished else log for log in logs]
    before = None if days is None else now - max(timedelta(days=days), decided_by)
    return TracesDecided(decide_logs(judged, days, now), before)


@dataclass(frozen=True, slots=True)
class DaysDecided:
    """What becomes of published forecasts, by the day that they are for."""

    goes: tuple[date, ...]
    stays: Mapping[date, Stays]


def decide_days(published: Iterable[date], days: int | None, today: date) -> DaysDecided:
    """Decide which days' forecasts go. The newest stays, so that there is something to look at."""
    known = sorted(set(published))
    goes, stays = [], {}
    for day in known:
        if days is None:
            stays[day] = Stays.UNLIMITED
        elif today - day <= timedelta(days=days):
            stays[day] = Stays.YOUNG
        elif day == known[-1]:
            stays[day] = Stays.NEWEST
        else:
            goes.append(day)
    return DaysDecided(tuple(goes), stays)


def counted_reasons(stays: Iterable[Sequence[Stays]]) -> Mapping[Stays, int]:
    """How many things each reason keeps; a thing counts for its first one alone, so that they add up."""
    counts = Counter(reasons[0] for reasons in stays if reasons)
    return {reason: counts[reason] for reason in Stays if counts[reason]}
