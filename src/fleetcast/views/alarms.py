"""Alarms, and what a look at an environment showed, in words and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from fleetcast.domain.alarm import (
    FINE_LOOKS,
    Alarm,
    AlarmState,
    CauseKind,
    Change,
    LastLook,
    Raise,
    Recover,
    Wake,
    Worsen,
)
from fleetcast.domain.canonical import Json
from fleetcast.domain.drift import Observation, Outcome
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.wording import counted, impact_in_words, some_of
from fleetcast.views.moments import iso, iso_or_null, shown

if TYPE_CHECKING:  # listing alarms needs none of what looks
    from fleetcast.workflows.monitor import Monitored

_SHOWN_BY = 5
"""Of what shows an alarm so many lines are shown, where it is not the only one."""
_ON_ONE_PAGE = 20
"""Alarms that are shown of a look, the most harmful; one page is read, a thousand lines are not."""
_PLACES = 100
"""Of places where something could not be measured so many are named."""
_CIRCUITS = 10
_NOTHING_EXPECTED = "nothing is expected of it, so it is only kept in the table"
_CHANGES: Mapping[type[Change], str] = {
    Raise: "new",
    Worsen: "worse",
    Wake: "awake again",
    Recover: "recovered",
}
WHAT_TO_DO: Mapping[CauseKind, str] = {
    CauseKind.PROCESS_CHANGED: "see whether it is meant to last; if so, `fleetcast propose` says what a retrain gains",
    CauseKind.SENSOR_BROKEN: "have the sensor looked at; a retrain would learn its fault",
    CauseKind.DATA_POOR: "see `fleetcast data quality`, and what brings the readings in",
    CauseKind.GATEWAY_DOWN: "look at the gateway and its connection, not at the sensors one by one",
    CauseKind.DATA_STALE: "see what brings the readings in; `fleetcast data show` says what there is",
    CauseKind.MODEL_WORSE: "compare with `fleetcast forecast`; retrain, or roll back what was deployed last",
    CauseKind.ENDPOINT_DOWN: "see `fleetcast deploy status` and whether `fleetcast serve` runs",
    CauseKind.ENDPOINT_SLOW: "see the servers' /metrics; `fleetcast rollback` takes the last release back",
    CauseKind.ENDPOINT_UNSTEADY: "see why its servers ended or hung; nothing is to be done about it if that was meant",
    CauseKind.TRAINING_FAILS: "see why with `fleetcast runs logs JOB`",
    CauseKind.MODEL_OLD: "see what a retrain gains with `fleetcast propose`",
}


def monitored_as_json(found: Monitored) -> Json:
    """One look for programs."""
    return {
        "environment": found.environment.value,
        "looked_at": iso(found.at),
        "circuits": found.circuits,
        "stored": found.stored,
        "outcomes": outcomes_as_json(found.outcomes),
        "alarms": alarms_as_json(found.open),
        "changes": [
            {"change": _CHANGES[type(change)], **outline_as_json(change.alarm)}
            for change in found.changes
            if type(change) in _CHANGES
        ],
        "unmeasured": [
            {
                "signal": signal,
                "outcome": outcome,
                "reason": why or None,
                "count": len(some),
                "places": [_place(one) for one in some[:_PLACES]],
            }
            for (signal, outcome, why), some in _unmeasured(found)
        ],
        "not_looked_at": [
            {"plant_id": one.key.plant, "circuit_id": one.key.circuit, "reason": one.why}
            for one in found.not_looked
        ],
        "not_deployed": [{"plant_id": key.plant, "circuit_id": key.circuit} for key in found.not_deployed],
    }


def monitored_in_words(found: Monitored) -> Iterator[str]:
    """One look on one page."""
    yield (
        f"{found.environment} up to {shown(found.at)}: {counted(found.circuits, 'circuit')} looked at, "
        f"{outcomes_in_words(found.outcomes)}"
    )
    yield from _needs_somebody(found)
    yield from _recovered(found)
    yield from _not_seen(found)


def _needs_somebody(found: Monitored) -> Iterator[str]:
    changed = {change.alarm.number: change for change in found.changes}
    active = [alarm for alarm in found.open if alarm.state is not AlarmState.SNOOZED]
    breached = found.outcomes.get(Outcome.BREACHED, 0)
    if not active:
        yield "nothing needs anybody"
        if breached and not found.open:
            yield f"{breached:,} beyond the threshold, and no alarm: chance alone makes some in a fleet of this size"
    else:
        yield f"needs somebody: {counted(len(active), 'alarm')}, the most harmful first"
    for alarm in active[:_ON_ONE_PAGE]:
        change = changed.get(alarm.number)
        news = "" if change is None else _CHANGES.get(type(change), "")
        yield from _entry(alarm, news)
    if len(active) > _ON_ONE_PAGE:
        left = active[_ON_ONE_PAGE:]
        kinds = Counter(alarm.cause.kind.value for alarm in left).most_common()
        said = ", ".join(f"{count:,} {kind}" for kind, count in kinds)
        yield f"  and {len(left):,} more ({said}): fleetcast alarms list {found.environment}"
    quiet = [alarm for alarm in found.open if alarm.state is AlarmState.SNOOZED]
    if quiet:
        yield f"snoozed: {some_of(f'{alarm.number} ({alarm.cause.place})' for alarm in quiet)}"


def _recovered(found: Monitored) -> Iterator[str]:
    recovered = [change.alarm for change in found.changes if isinstance(change, Recover)]
    for alarm in recovered[:_ON_ONE_PAGE]:
        why = "" if alarm.gone is None else f": {alarm.gone.value}"
        yield f"recovered: {alarm.number} {alarm.cause.kind} at {alarm.cause.place}{why}"
    if len(recovered) > _ON_ONE_PAGE:
        more = len(recovered) - _ON_ONE_PAGE
        yield f"recovered: {more:,} more: fleetcast alarms list {found.environment} --all"


def _not_seen(found: Monitored) -> Iterator[str]:
    groups = _unmeasured(found)
    if groups:
        yield "could not be measured:"
    for (signal, outcome, why), some in groups:
        reason = f", {why}" if why else ""
        yield f"  {signal}: {outcome}{reason}: {_where(some, found.circuits)}"
    for why, lacking in groupby(sorted(found.not_looked, key=lambda one: one.why), lambda one: one.why):
        yield f"COULD NOT BE READ: {some_of(one.key for one in lacking)}: {why}"
    if found.not_deployed:
        yield f"nothing is deployed of {some_of(found.not_deployed)}"
    if not found.stored and found.outcomes:
        yield "this look had been stored before"


def alarms_as_json(alarms: Sequence[Alarm]) -> Json:
    """A list of alarms for programs, each with the strongest of what shows it."""
    return [alarm_as_json(alarm, _SHOWN_BY) for alarm in alarms]


def alarm_as_json(alarm: Alarm, most: int | None = None) -> Mapping[str, Json]:
    """One alarm for programs, with what shows it.

    Args:
        alarm: Which.
        most: So many at most of what shows it, the strongest; None: all that are kept.
    """
    taken = alarm.acknowledged
    return {
        **outline_as_json(alarm),
        "since": iso(alarm.since),
        "raised_at": iso(alarm.raised_at),
        "looked_at": iso(alarm.looked_at),
        "seen_at": iso(alarm.seen_at),
        "fine_looks": alarm.fine_looks,
        "unclear": alarm.unclear or None,
        "acknowledged": None
        if taken is None
        else {"by": taken.by, "at": iso(taken.at), "comment": taken.comment},
        "snoozed_until": iso_or_null(alarm.snoozed_until),
        "recovered_at": iso_or_null(alarm.recovered_at),
        "recovered_because": None if alarm.gone is None else alarm.gone.value,
        "what_to_do": WHAT_TO_DO[alarm.cause.kind],
        "shown_by_count": alarm.shown_by_count,
        "shown_by": [observation_as_json(one) for one in alarm.shown_by[:most]],
    }


def outline_as_json(alarm: Alarm) -> Mapping[str, Json]:
    """One alarm for programs, in short."""
    cause = alarm.cause
    return {
        "alarm_id": alarm.number,
        "kind": cause.kind.value,
        "environment": cause.environment.value,
        "plant_id": cause.plant,
        "circuit_id": cause.circuit,
        "sensor": cause.sensor,
        "state": alarm.state.value,
        "owner": alarm.owner,
        "impact": alarm.impact,
        "page": alarm.pages,
    }


def alarm_in_words(alarm: Alarm) -> Iterator[str]:
    """One alarm, whole, a line each."""
    yield f"alarm {alarm.number}: {alarm.cause.kind} at {alarm.cause.environment}/{alarm.cause.place}"
    yield f"  state       {state_in_words(alarm)}"
    yield f"  owner       {alarm.owner or 'not said'}"
    yield f"  since       {shown(alarm.since)}; raised {shown(alarm.raised_at)}, last found {shown(alarm.seen_at)}"
    yield f"  impact      {impact_in_words(alarm.impact)}"
    if alarm.unclear:
        yield f"  unclear     the look up to {shown(alarm.looked_at)} could not tell: {alarm.unclear}"
    elif not alarm.is_over and alarm.fine_looks:
        yield f"  found fine  {counted(alarm.fine_looks, 'look')} in a row, not often enough yet to be over"
    yield f"  what to do  {WHAT_TO_DO[alarm.cause.kind]}"
    yield f"  shown by    {counted(alarm.shown_by_count, 'observation')}"
    for one in alarm.shown_by:
        yield f"    {observation_in_words(one)}"
    if alarm.shown_by_count > len(alarm.shown_by):
        yield f"    and {alarm.shown_by_count - len(alarm.shown_by):,} more"


def taken_in_words(alarm: Alarm) -> Iterator[str]:
    """What became of an alarm that somebody took in hand or snoozed, without all that shows it."""
    yield f"alarm {alarm.number}: {alarm.cause.kind} at {alarm.cause.environment}/{alarm.cause.place}"
    yield f"  {state_in_words(alarm)}"


def state_in_words(alarm: Alarm) -> str:
    """Where an alarm stands, with who or until when."""
    taken = alarm.acknowledged
    match alarm.state:
        case AlarmState.RECOVERED:
            when = "" if alarm.recovered_at is None else f" {shown(alarm.recovered_at)}"
            return f"recovered{when}" + ("" if alarm.gone is None else f": {alarm.gone.value}")
        case AlarmState.SNOOZED if alarm.snoozed_until is not None:
            return f"snoozed until {shown(alarm.snoozed_until)}"
        case AlarmState.ACKNOWLEDGED if taken is not None:
            said = f": {taken.comment}" if taken.comment else ""
            return f"acknowledged by {taken.by}, {shown(taken.at)}{said}"
    return alarm.state.value


def looks_as_json(looks: Mapping[EnvironmentName, LastLook]) -> Json:
    """The newest look at each environment for programs."""
    return [
        {
            "environment": look.environment.value,
            "looked_at": iso(look.at),
            "circuits": look.circuits,
            "outcomes": outcomes_as_json(look.outcomes),
        }
        for look in looks.values()
    ]


def outcomes_as_json(outcomes: Mapping[Outcome, int]) -> Json:
    """How many observations came out how, for programs."""
    return {outcome.value.replace(" ", "_"): outcomes.get(outcome, 0) for outcome in Outcome}


def outcomes_in_words(outcomes: Mapping[Outcome, int]) -> str:
    """How many observations came out how: `230 fine, 10 not enough data`."""
    return ", ".join(f"{outcomes[one]:,} {one}" for one in Outcome if outcomes.get(one)) or "nothing seen"


def observation_in_words(one: Observation) -> str:
    """What was seen, with its numbers."""
    return _with(one, one.detail)


def _in_short(one: Observation) -> str:
    """The same without the numbers that only an expert reads."""
    return _with(one, {name: told for name, told in one.detail.items() if isinstance(told, str)})


def _with(one: Observation, details: Mapping[str, float | str]) -> str:
    value = "" if one.value is None else f" {one.value:.3g}{_unit(one.unit)}"
    limit = "" if one.threshold is None else f", expected {one.threshold:g}{_unit(one.unit)}"
    chance = "" if one.p_value is None else f", p {one.p_value:.2g}"
    detail = ", ".join(f"{name} {_number(told)}" for name, told in details.items())
    return f"{one.signal} of {_place(one)}{value}{limit}{chance}" + (f" ({detail})" if detail else "")


def _entry(alarm: Alarm, news: str) -> Iterator[str]:
    said = f"[{news}] " if news else ""
    owner = f", owner {alarm.owner}" if alarm.owner else ""
    state = "" if alarm.state is AlarmState.OPEN else f", {state_in_words(alarm)}"
    yield (
        f"  {said}{alarm.number} {alarm.cause.kind} at {alarm.cause.place}, since {shown(alarm.since)}"
        f"{owner}{state}; impact {impact_in_words(alarm.impact)}"
    )
    if alarm.fine_looks:
        looks = counted(alarm.fine_looks, "look")
        yield f"      found fine, {looks} in a row of the {FINE_LOOKS} after which it is over"
        return
    circuits = list(dict.fromkeys(one.circuit for one in alarm.shown_by if one.circuit is not None))
    if alarm.cause.circuit is None and circuits:
        yield f"      in {some_of(circuits, _CIRCUITS)}"
    for one in alarm.shown_by[:_SHOWN_BY]:
        yield f"      {_in_short(one)}"
    if alarm.shown_by_count > _SHOWN_BY:
        more = alarm.shown_by_count - min(_SHOWN_BY, len(alarm.shown_by))
        yield f"      and {more:,} more: fleetcast alarms show {alarm.number}"
    if alarm.unclear:
        yield f"      this look could not tell: {alarm.unclear}"
    yield f"      {WHAT_TO_DO[alarm.cause.kind]}"


def observation_as_json(one: Observation) -> Mapping[str, Json]:
    """What was seen, for programs."""
    return {
        "signal": one.signal.value,
        "plant_id": one.plant,
        "circuit_id": one.circuit,
        "sensor": one.sensor,
        "looked_at": iso(one.at),
        "outcome": one.outcome.value,
        "value": one.value,
        "threshold": one.threshold,
        "unit": one.unit or None,
        "p_value": one.p_value,
        "impact": one.impact,
        "model": one.model,
        "detail": dict(one.detail),
    }


def _unmeasured(found: Monitored) -> list[tuple[tuple[str, str, str], list[Observation]]]:
    """By signal, outcome and reason, the most frequent first."""
    groups: dict[tuple[str, str, str], list[Observation]] = {}
    for one in found.unmeasured:
        nothing = _NOTHING_EXPECTED if one.value is not None and one.threshold is None else ""
        key = one.signal.value, one.outcome.value, str(one.detail.get("why", nothing))
        groups.setdefault(key, []).append(one)
    return sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))


def _where(some: Sequence[Observation], circuits: int) -> str:
    """The circuits, or plants, where something was not measured: sensors of one are in the table."""
    places = list(dict.fromkeys("/".join(filter(None, (one.plant, one.circuit))) for one in some))
    if len(places) == circuits > 1 and all(one.circuit is not None for one in some):
        return f"all {circuits:,} circuits"
    return some_of(places)


def _place(one: Observation) -> str:
    return "/".join(part for part in (one.plant, one.circuit, one.sensor) if part is not None)


def _unit(unit: str) -> str:
    return f" {unit}" if unit else ""


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.4g}"
