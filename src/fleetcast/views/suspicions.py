"""What may be wrong at a plant or with a circuit, in words and as JSON, with the command to go on with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from fleetcast.domain.canonical import Json
from fleetcast.domain.suspicion import (
    Alarmed,
    Breached,
    Clue,
    JobFailed,
    Moved,
    Overridden,
    Replaced,
    RolledBack,
    Stale,
    Suspect,
    Suspicion,
)
from fleetcast.domain.wording import counted
from fleetcast.views.alarms import alarm_as_json, observation_as_json, observation_in_words
from fleetcast.views.audit import as_json as entries_as_json
from fleetcast.views.moments import iso, iso_or_null, shown
from fleetcast.views.names import circuit_ids

if TYPE_CHECKING:
    from fleetcast.domain.audit import AuditEntry
    from fleetcast.workflows.diagnose import Diagnosed

_CLUES = 6
"""Of what speaks against one suspect so many lines are shown."""
_CHANGES = 30
_MEANS: Mapping[Suspect, str] = {
    Suspect.DATA: "what arrives, or does not",
    Suspect.SENSOR: "what is measured",
    Suspect.MODEL: "what was learned does not hold any more",
    Suspect.RELEASE: "what was deployed, rolled back or held of late",
    Suspect.PLATFORM: "what runs it all",
}


def as_text(found: Diagnosed) -> Iterator[str]:
    """For people: suspects, what speaks against each and what to type next, and what changed."""
    if found.suspicions:
        yield f"{found.environment}/{found.name}: what may be wrong, the most suspected first"
    else:
        yield f"{found.environment}/{found.name}: nothing speaks against anything"
    for number, one in enumerate(found.suspicions, start=1):
        yield f"{number}. {one.suspect} ({one.weight:.2f}): {_MEANS[one.suspect]}"
        for clue in one.clues[:_CLUES]:
            yield f"     {_in_words(clue)}"
        if len(one.clues) > _CLUES:
            yield f"     and {len(one.clues) - _CLUES:,} more"
        yield f"   next: {next_command(one, found)}"
    yield from _changed(found)
    if found.last_look is None:
        yield f"monitoring has never looked at {found.environment}: `fleetcast monitor {found.environment}`"
    else:
        yield f"monitoring looked last up to {shown(found.last_look.at)}"


def as_json(found: Diagnosed) -> Json:
    """For programs."""
    return {
        "environment": found.environment.value,
        "plant_id": found.plant,
        "circuit_id": found.circuit,
        "diagnosed_at": iso(found.at),
        "suspicions": [
            {
                "suspect": one.suspect.value,
                "weight": one.weight,
                "clues": [_document(clue) for clue in one.clues],
                "next_command": next_command(one, found),
            }
            for one in found.suspicions
        ],
        "changes_since": iso(found.since),
        "changes": entries_as_json(found.changes),
        "looked_at": None if found.last_look is None else iso(found.last_look.at),
    }


def next_command(suspicion: Suspicion, found: Diagnosed) -> str:
    """What to type next, after the weightiest clue."""
    place = f"{found.environment} {found.name}"
    pattern = found.name if found.circuit is not None else f"'{found.plant}/*'"
    match suspicion.suspect, suspicion.clues[0]:
        case Suspect.PLATFORM, JobFailed(job=job):
            return f"fleetcast runs logs {job}"
        case Suspect.PLATFORM, _:
            return "fleetcast doctor"
        case Suspect.RELEASE, Overridden():
            return "fleetcast deploy status"
        case Suspect.RELEASE, RolledBack(endpoint=endpoint):
            return f"fleetcast releases diff {endpoint}"
        case Suspect.RELEASE, _:
            return f"fleetcast rollback {place}"
        case Suspect.MODEL, Replaced():
            return "fleetcast models verify"
        case Suspect.MODEL, _:
            return f"fleetcast propose {found.environment} --circuits {pattern}"
        case Suspect.SENSOR, _ if found.circuit is not None:
            return f"fleetcast hold {place} --use seasonal_naive --until MOMENT"
        case _:
            return f"fleetcast data quality {pattern}"


def _in_words(clue: Clue) -> str:
    match clue:
        case Alarmed(alarm):
            return (
                f"alarm {alarm.number}: {alarm.cause.kind} at {alarm.cause.place} since {shown(alarm.since)}"
            )
        case Breached(observation):
            return f"seen, and no alarm: {observation_in_words(observation)}"
        case Stale(key=key, newest=None):
            return f"{key} has no reading in the last {clue.steps:,.0f} steps"
        case Stale(key=key, newest=newest, steps=steps) if newest is not None:
            return f"the newest reading of {key} is of {shown(newest)}, {steps:,.0f} steps ago"
        case Replaced(key=key, why=why, steps=steps, share=share):
            values = counted(steps, "published value")
            return f"{values} of {key} ({share:.0%}) not by its model: {why}"
        case Moved(release=release, at=at):
            return f"{release} went live at {shown(at)}"
        case RolledBack(endpoint=endpoint, at=at, why=why):
            return f"a rollout at {endpoint} came to nothing at {shown(at)}{f': {why}' if why else ''}"
        case Overridden(key=key, override=override):
            until = "" if override.until is None else f" until {shown(override.until)}"
            return f"{key} is forecast by {override.model or 'seasonal_naive'}{until}: {override.why}"
        case JobFailed(key=key, job=job, at=at, error=error):
            return f"the last training of {key} failed at {shown(at)} ({job}): {error}"
        case _:
            return str(clue)


def _document(clue: Clue) -> Json:
    match clue:
        case Alarmed(alarm):
            return {"clue": "alarm", **alarm_as_json(alarm)}
        case Breached(observation):
            return {"clue": "breached", **observation_as_json(observation)}
        case Stale():
            return {
                "clue": "stale",
                **circuit_ids(clue.key),
                "newest_reading": iso_or_null(clue.newest),
                "steps": round(clue.steps, 1),
            }
        case Replaced():
            return {
                "clue": "replaced",
                **circuit_ids(clue.key),
                "reason": clue.why.value,
                "values": clue.steps,
                "share": round(clue.share, 6),
            }
        case Moved():
            return {"clue": "moved", "release": clue.release, "at": iso(clue.at)}
        case RolledBack():
            return {
                "clue": "rolled_back",
                "endpoint": str(clue.endpoint),
                "at": iso(clue.at),
                "says": clue.why,
            }
        case Overridden():
            return {
                "clue": "overridden",
                **circuit_ids(clue.key),
                "model": None if clue.override.model is None else str(clue.override.model),
                "reason": clue.override.why.value,
                "until": iso_or_null(clue.override.until),
            }
        case JobFailed():
            return {
                "clue": "job_failed",
                **circuit_ids(clue.key),
                "job": clue.job,
                "at": iso(clue.at),
                "error": clue.error,
            }


def _changed(found: Diagnosed) -> Iterator[str]:
    hours = (found.at - found.since).total_seconds() / 3600
    if not found.changes:
        yield f"nothing changed in the last {hours:g} hours"
        return
    yield f"changed in the last {hours:g} hours, newest first:"
    for entry in found.changes[:_CHANGES]:
        yield f"  {_change(entry)}"
    if len(found.changes) > _CHANGES:
        yield f"  and {len(found.changes) - _CHANGES:,} more: `fleetcast audit list`"


def _change(entry: AuditEntry) -> str:
    return f"{shown(entry.at)}  {entry.event.action}  {entry.event.subject}  by {entry.actor.name}"
