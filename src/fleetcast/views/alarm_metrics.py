"""Alarms and looks as Prometheus reads them: its text format, version 0.0.4."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from fleetcast.domain.alarm import Alarm, AlarmState, CauseKind, LastLook
from fleetcast.domain.drift import Outcome
from fleetcast.domain.place import EnvironmentName

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_NOT_OVER = tuple(state for state in AlarmState if state is not AlarmState.RECOVERED)


def metrics(alarms: Sequence[Alarm], looks: Mapping[EnvironmentName, LastLook]) -> str:
    """All of them. Of an environment that was looked at every kind and state is named, so that graphs fall to 0.

    Args:
        alarms: That are not over.
        looks: The newest at each environment.
    """
    return "\n".join([*_lines(alarms, looks), ""])


def _lines(alarms: Sequence[Alarm], looks: Mapping[EnvironmentName, LastLook]) -> Iterator[str]:
    places = sorted({*looks, *(alarm.cause.environment for alarm in alarms)})
    counts = Counter((one.cause.environment, one.cause.kind, one.state) for one in alarms)
    yield from _head("fleetcast_open_alarms", "Alarms that are not over.")
    for place in places:
        for kind in CauseKind:
            for state in _NOT_OVER:
                labels = {"environment": place.value, "kind": kind.value, "state": state.value}
                yield _sample("fleetcast_open_alarms", labels, counts[place, kind, state])
    yield from _head(
        "fleetcast_alarm_impact", "How much forecasts suffer by open alarms, as a share of their error."
    )
    for place in places:
        impact = sum(one.impact for one in alarms if one.cause.environment is place)
        yield _sample("fleetcast_alarm_impact", {"environment": place.value}, impact)
    yield from _head("fleetcast_last_look_timestamp_seconds", "Up to when monitoring looked last.")
    for place, look in sorted(looks.items()):
        labels = {"environment": place.value}
        yield _sample("fleetcast_last_look_timestamp_seconds", labels, look.at.timestamp())
    yield from _head("fleetcast_last_look_circuits", "Circuits that the last look looked at.")
    for place, look in sorted(looks.items()):
        yield _sample("fleetcast_last_look_circuits", {"environment": place.value}, look.circuits)
    yield from _head("fleetcast_last_look_observations", "What the last look saw, by how it came out.")
    for place, look in sorted(looks.items()):
        for outcome in Outcome:
            labels = {"environment": place.value, "outcome": outcome.value}
            yield _sample("fleetcast_last_look_observations", labels, look.outcomes.get(outcome, 0))


def _head(name: str, says: str) -> Iterator[str]:
    yield f"# HELP {name} {says}"
    yield f"# TYPE {name} gauge"


def _sample(name: str, labels: Mapping[str, str], value: float) -> str:
    # The values of labels are names of ours, without quotes and backslashes.
    named = ",".join(f'{label}="{text}"' for label, text in labels.items())
    return f"{name}{{{named}}} {value!r}"
