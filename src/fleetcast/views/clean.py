"""What retention removes, in words and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from fleetcast.domain.canonical import Json
from fleetcast.domain.fleet import Fleet
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.retention import (
    KeptLog,
    LogsDecided,
    ModelsDecided,
    Stays,
    TracesDecided,
    VersionToJudge,
    counted_reasons,
)
from fleetcast.domain.wording import counted
from fleetcast.views.moments import iso
from fleetcast.workflows.clean import Cleaned, ForecastsDecided, TableDecided, WhatGoes

_DEV = EnvironmentName.DEV


def plan_as_json(goes: WhatGoes, *, logs_asked: bool) -> Json:
    """What would go, for programs; null is what was not asked for."""
    return {
        "models": None if goes.models is None else _models(goes.models, len(set(goes.rows.values()))),
        "logs": None if goes.logs is None else _logs(goes.logs),
        "logs_kept_by_platform": logs_asked and goes.logs is None,
        "tables": [_table(one) for one in goes.tables],
        "forecasts": [_forecasts(one) for one in goes.forecasts],
        "traces": None if goes.traces is None else _traces(goes.traces),
        "unfinished_removals": goes.unfinished,
    }


def cleaned_as_json(cleaned: Cleaned) -> Json:
    """What was removed, for programs."""
    return {
        "versions": [_version(one) for one in cleaned.versions],
        "artifact_bytes": cleaned.bytes,
        "logs": cleaned.logs,
        "table_files": cleaned.table_files,
        "forecast_days": [
            {"environment": environment.value, "day": day.isoformat()} for environment, day in cleaned.days
        ],
        "taken_into_use_meanwhile": [_version(one) for one in cleaned.taken_meanwhile],
        "finished_removals": cleaned.finished,
        "traces": None if cleaned.traces is None else _traces(cleaned.traces),
    }


def plan_in_words(goes: WhatGoes, fleet: Fleet, *, logs_asked: bool) -> Iterator[str]:
    """What would go, why the rest stays, a line each."""
    retention = fleet.settings.retention
    if goes.unfinished:
        yield f"to finish first: {counted(goes.unfinished, 'removal')} that an earlier run began"
    if goes.models is not None:
        yield from _models_in_words(goes, goes.models, retention[_DEV].models)
    if goes.logs is not None:
        yield from _logs_in_words(goes.logs, retention[_DEV].logs)
    elif logs_asked:
        yield "logs: the platform keeps what jobs said, and removes it itself"
    if goes.traces is not None:
        yield f"schedules, notices and looks ({_age(retention[_DEV].logs)}): {_traces_in_words(goes.traces)}"
    for table in goes.tables:
        yield f"table {table.source}: {counted(table.files, 'file')} that no version needs which stays readable"
        yield from _staying((reason,) for reason in table.stays.values())
    for one in goes.forecasts:
        days = one.days.goes
        span = f", {days[0]} to {days[-1]}" if days else ""
        yield (
            f"forecasts of {one.environment} ({_age(retention[one.environment].predictions)}): "
            f"{counted(len(days), 'day')}{span}, and {counted(one.files, 'file')} of days that went before"
        )
        yield from _staying((reason,) for reason in one.days.stays.values())


def cleaned_in_words(cleaned: Cleaned) -> Iterator[str]:
    """What was removed, a line each."""
    if cleaned.finished:
        yield f"finished {counted(cleaned.finished, 'removal')} that an earlier run began"
    yield (
        f"removed the files of {counted(len(cleaned.versions), 'version')} ({size(cleaned.bytes)}), "
        f"{counted(cleaned.logs, 'log')}, {counted(cleaned.table_files, 'file')} of tables, "
        f"forecasts of {counted(len(cleaned.days), 'day')}"
    )
    if cleaned.traces is not None:
        yield f"removed of schedules, notices and looks {_traces_in_words(cleaned.traces)}"
    for one in cleaned.taken_meanwhile:
        yield f"  {one} stays: somebody took it into use meanwhile"


def size(count: int) -> str:
    """Bytes, as people read them."""
    amount, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if amount < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:,.0f} {unit}" if unit == "B" else f"{amount:,.1f} {unit}"


def _models_in_words(goes: WhatGoes, models: ModelsDecided, days: int | None) -> Iterator[str]:
    versions = models.versions
    oldest = f", the oldest of {versions[0].registered_at:%Y-%m-%d}" if versions else ""
    rows = len(set(goes.rows.values()))
    yield (
        f"models ({_age(days)}): the files of {counted(len(versions), 'version')}, {size(models.bytes)}{oldest}"
        f"; and {counted(rows, 'set')} of training rows"
    )
    yield from _staying(models.stays.values())


def _logs_in_words(logs: LogsDecided, days: int | None) -> Iterator[str]:
    ended = [log.ended_at for log in logs.goes if log.ended_at is not None]
    oldest = f", the oldest of {min(ended):%Y-%m-%d}" if ended else ""
    yield f"logs ({_age(days)}): of {counted(len(logs.goes), 'job')}, {size(logs.bytes)}{oldest}"
    yield from _staying((reason,) for reason in logs.stays.values())


def _traces_in_words(traces: TracesDecided) -> str:
    logs = traces.logs
    return (
        f"{counted(len(logs.goes), 'log')} ({size(logs.bytes)}), {counted(traces.turns, 'turn')}, "
        f"{counted(traces.letters, 'letter or page', 'letters and pages')}, {counted(traces.files, 'torn file')}"
    )


def _traces(traces: TracesDecided) -> Json:
    return {
        "logs": [{"name": log.job, "bytes": log.bytes} for log in traces.logs.goes],
        "kept_since_at": None if traces.before is None else iso(traces.before),
        "turns": traces.turns,
        "letters_and_pages": traces.letters,
        "files_of_looks": traces.files,
    }


def _age(days: int | None) -> str:
    return "kept for ever" if days is None else f"older than {counted(days, 'day')}"


def _staying(stays: Iterable[Sequence[Stays]]) -> Iterator[str]:
    for reason, count in counted_reasons(stays).items():
        yield f"  {count:,} stay, as {reason.value}" if count != 1 else f"  1 stays, as {reason.value}"


def _models(models: ModelsDecided, rows: int) -> Json:
    return {
        "go": [
            {
                "artifact": one.artifact.hex,
                "bytes": one.bytes,
                "versions": [_version(version) for version in one.versions],
            }
            for one in models.goes
        ],
        "bytes": models.bytes,
        "training_rows": rows,
        "stay": _counts(models.stays.values()),
    }


def _version(one: VersionToJudge) -> dict[str, Json]:
    return {"model_name": one.name, "version": one.version, "registered_at": iso(one.registered_at)}


def _logs(logs: LogsDecided) -> Json:
    return {
        "go": [_log(one) for one in logs.goes],
        "bytes": logs.bytes,
        "stay": _counts((reason,) for reason in logs.stays.values()),
    }


def _log(log: KeptLog) -> Json:
    return {
        "job_id": log.job,
        "ended_at": None if log.ended_at is None else iso(log.ended_at),
        "bytes": log.bytes,
    }


def _table(table: TableDecided) -> Json:
    return {
        "data_source": table.source,
        "files": table.files,
        "kept_delta_versions": [
            {"delta_version": version, "reason": reason.name.lower()}
            for version, reason in sorted(table.stays.items())
        ],
    }


def _forecasts(one: ForecastsDecided) -> Json:
    return {
        "environment": one.environment.value,
        "days": [day.isoformat() for day in one.days.goes],
        "files": one.files,
        "stay": _counts((reason,) for reason in one.days.stays.values()),
    }


def _counts(stays: Iterable[Sequence[Stays]]) -> Mapping[str, int]:
    """How many each reason keeps, by its name."""
    return {reason.name.lower(): count for reason, count in counted_reasons(stays).items()}
