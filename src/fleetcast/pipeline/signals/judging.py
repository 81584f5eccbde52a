"""What the observations of one look at the whole fleet say together: causes, not symptoms."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from fleetcast.domain.alarm import Cause, CauseKind, Finding
from fleetcast.domain.drift import Observation, Outcome, Signal
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.service import AVAILABILITY, LATENCY
from fleetcast.pipeline.signals.combining import discoveries

FALSE_SHARE = 0.001
"""Of circuits that are found to have changed at one look, at most so many on average have not: where none has, one look
in a thousand finds one all the same, so that a fleet that is looked at once a day has such an alarm in three years."""
STAYS = 0.01
"""A p-value up to which what was an alarm stays one: near its threshold, it does not come and go."""
_REMEMBERED = timedelta(days=3)
_AT_ONCE = timedelta(hours=1)
"""Sensors that fell silent or stuck within so much of each other did so at once."""
_FEWEST_AT_ONCE = 4
"""Sensors of several circuits that make a gateway of it."""
_FEWEST_ALIKE = 3
"""Circuits that make a change of the plant's, if they are more than half of those that were looked at."""
_APART = 5.0
_TOGETHER = 0.01

_OF_ENDPOINTS = {LATENCY: CauseKind.ENDPOINT_SLOW, AVAILABILITY: CauseKind.ENDPOINT_UNSTEADY}
"""What else than down an endpoint is where one of its measures is beyond its threshold."""

Place = tuple[EnvironmentName, str, str]
"""Environment, plant and circuit."""


def judged(
    observations: Sequence[Observation], history: Sequence[Observation], now: datetime
) -> list[Finding]:
    """Find the causes behind what one look found, the most harmful ones first.

    What is counted or timed (silence, stuck sensors, age, endpoints) is believed as it is. What is tested (drift,
    errors) has to be beyond its threshold and beyond chance in a fleet of this size: circuits by Benjamini & Hochberg,
    and within those found their sensors, by the same share of those found (Benjamini & Bogomolov 2014, "Selective
    inference on multiple families of hypotheses"). Circuits that were alarms at the last looks are tested apart,
    so that a long alarm makes none of others.

    Args:
        observations: Of all circuits and plants that were looked at, in any order; where one is told twice, the last.
        history: Those of the looks before that were breached, of the last days: since when is told by them, and what
            was an alarm needs less to stay one.
        now: Aware UTC; history after it is not believed.
    """
    look = _Fleet(_once(observations), [past for past in history if past.at < now], now)
    found = look.findings()
    return sorted(found, key=lambda finding: (-finding.impact, *_order(finding.cause)))


@dataclass(frozen=True, slots=True)
class _Silent:
    """A sensor that fell silent or stuck, or a circuit of which nothing came any more."""

    observation: Observation
    since: datetime


class _Fleet:
    """What one look saw, by where."""

    def __init__(
        self, observations: Sequence[Observation], history: Sequence[Observation], now: datetime
    ) -> None:
        self.observations, self.now = observations, now
        self.by_signal: defaultdict[Signal, list[Observation]] = defaultdict(list)
        for observation in observations:
            self.by_signal[observation.signal].append(observation)
        self.past: defaultdict[tuple[object, ...], list[Observation]] = defaultdict(list)
        for past in sorted(history, key=lambda past: past.at):
            self.past[_what(past)].append(past)

    def findings(self) -> list[Finding]:
        """All of them, in no order."""
        silent, explained = self._silent()
        broken = self._broken(explained)
        stale = {finding.cause.circuit for finding in silent}
        changed = self._changed()
        worse = self._worse(changed)
        others = [
            finding
            for signal, kind in (
                (Signal.MODEL_AGE, CauseKind.MODEL_OLD),
                (Signal.TRAINING_FAILURES, CauseKind.TRAINING_FAILS),
                (Signal.DATA_QUALITY, CauseKind.DATA_POOR),
            )
            for finding in self._plain(signal, kind)
            if not (signal is Signal.DATA_QUALITY and finding.cause.circuit in stale and finding.cause.sensor)
        ]
        return [*silent, *broken, *worse, *others, *self._endpoints()]

    # What fell silent

    def _silent(self) -> tuple[list[Finding], set[tuple[object, ...]]]:
        """Gateways and circuits that are silent, and which observations that explains."""
        gone: defaultdict[tuple[EnvironmentName, str], list[_Silent]] = defaultdict(list)
        stale: dict[Place, Observation] = {}
        for observation in self.by_signal[Signal.FRESHNESS]:
            if observation.outcome is Outcome.BREACHED and observation.circuit is not None:
                stale[_place(observation)] = observation
        for observation in self.by_signal[Signal.SENSOR_FAULT]:
            kind, since = observation.detail.get("fault"), _moment(observation.detail.get("since"))
            if observation.outcome is not Outcome.BREACHED or kind not in ("gone", "stuck"):
                continue
            if since is None and observation.circuit is not None:
                whole = stale.get(_place(observation))
                since = _moment(whole.detail.get("since")) if whole else None
            if since is not None:
                gone[observation.environment, observation.plant].append(_Silent(observation, since))
        found: list[Finding] = []
        explained: set[tuple[object, ...]] = set()
        for (environment, plant), members in gone.items():
            for cluster in _at_once(members):
                circuits = {one.observation.circuit for one in cluster}
                if len(circuits) < 2 or len(cluster) < _FEWEST_AT_ONCE:
                    continue
                seen = [one.observation for one in cluster]
                seen += [
                    whole
                    for circuit in circuits
                    if circuit is not None
                    and (whole := stale.pop((environment, plant, circuit), None)) is not None
                ]
                explained |= {_what(one) for one in seen}
                cause = Cause(CauseKind.GATEWAY_DOWN, environment, plant)
                found.append(self._finding(cause, seen, min(one.since for one in cluster)))
        for (environment, plant, circuit), whole in stale.items():
            sensors = [
                one.observation
                for one in gone[environment, plant]
                if one.observation.circuit == circuit and one.observation.detail.get("fault") == "gone"
            ]
            explained |= {_what(one) for one in (whole, *sensors)}
            cause = Cause(CauseKind.DATA_STALE, environment, plant, circuit)
            since = _moment(whole.detail.get("since")) or whole.at
            found.append(self._finding(cause, [whole, *sensors], since))
        return _merged(found), explained

    def _broken(self, explained: set[tuple[object, ...]]) -> list[Finding]:
        causes: defaultdict[Cause, list[Observation]] = defaultdict(list)
        for signal in (Signal.SENSOR_FAULT, Signal.DATA_QUALITY):
            for one in self.by_signal[signal]:
                if one.outcome is Outcome.BREACHED and one.sensor is not None and _what(one) not in explained:
                    cause = Cause(
                        CauseKind.SENSOR_BROKEN, one.environment, one.plant, one.circuit, one.sensor
                    )
                    causes[cause].append(one)
        return [
            self._finding(cause, seen, min(self._since(one) for one in seen))
            for cause, seen in causes.items()
        ]

    # What changed

    def _changed(self) -> list[Finding]:
        """Circuits whose readings are other than they were, by more than chance in so large a fleet."""
        whole = [
            one for one in self.by_signal[Signal.DATA_DRIFT] if one.sensor is None and one.p_value is not None
        ]
        sensors: defaultdict[Place, list[Observation]] = defaultdict(list)
        for one in self.by_signal[Signal.DATA_DRIFT]:
            if one.sensor is not None and one.p_value is not None:
                sensors[_place(one)].append(one)
        chosen, share = self._believed(whole)
        return self._of_plants([self._change(one, sensors[_place(one)], share) for one in chosen], whole)

    def _of_plants(self, changes: Sequence[Finding], whole: Sequence[Observation]) -> list[Finding]:
        """Weather or load that changes most of a plant's circuits is one cause of the plant's."""
        looked = Counter((one.environment, one.plant) for one in whole)
        by_plant: defaultdict[tuple[EnvironmentName, str], list[Finding]] = defaultdict(list)
        found = []
        for finding in changes:
            if finding.cause.kind is CauseKind.PROCESS_CHANGED:
                by_plant[finding.cause.environment, finding.cause.plant].append(finding)
            else:
                found.append(finding)
        for (environment, plant), theirs in by_plant.items():
            if len(theirs) < _FEWEST_ALIKE or 2 * len(theirs) <= looked[environment, plant]:
                found += theirs
                continue
            cause = Cause(CauseKind.PROCESS_CHANGED, environment, plant)
            shown = [one for finding in theirs for one in finding.shown_by]
            found.append(self._finding(cause, shown, min(finding.since for finding in theirs)))
        return found

    def _change(self, whole: Observation, sensors: Sequence[Observation], share: float) -> Finding:
        ordered = sorted(sensors, key=lambda one: (_chance(one), str(one.sensor)))
        believed = discoveries(np.array([_chance(one) for one in ordered]), share)
        shown = [one for one, holds in zip(ordered, believed, strict=True) if holds]
        breached = [one for one in shown if one.outcome is Outcome.BREACHED]
        if len(breached) == 1 and len(sensors) > 1 and _stands_alone(breached[0], ordered):
            kind, sensor = CauseKind.SENSOR_BROKEN, breached[0].sensor
        else:
            kind, sensor = CauseKind.PROCESS_CHANGED, None
        cause = Cause(kind, whole.environment, whole.plant, whole.circuit, sensor)
        seen = [whole, *breached]
        return self._finding(cause, seen, min(self._since(one) for one in seen))

    def _worse(self, changes: Sequence[Finding]) -> list[Finding]:
        """Findings of changes with what their forecasts suffer, and circuits whose forecasts suffer without one."""
        tested = [
            one
            for signal in (Signal.ACCURACY, Signal.COVERAGE)
            for one in self.by_signal[signal]
            if one.p_value is not None and one.circuit is not None
        ]
        causes: defaultdict[Place, list[Observation]] = defaultdict(list)
        for one in self._believed(tested)[0]:
            causes[_place(one)].append(one)
        found, changed = [], set()
        for finding in changes:
            places = {_place(one) for one in finding.shown_by}
            changed |= places
            seen = [one for place in sorted(places & causes.keys()) for one in causes[place]]
            found.append(self._finding(finding.cause, [*finding.shown_by, *seen], finding.since))
        for (environment, plant, circuit), seen in causes.items():
            if (environment, plant, circuit) not in changed:
                cause = Cause(CauseKind.MODEL_WORSE, environment, plant, circuit)
                found.append(self._finding(cause, seen, min(self._since(one) for one in seen)))
        return found

    def _believed(self, tested: Sequence[Observation]) -> tuple[list[Observation], float]:
        """Which tests show more than chance and more than their threshold; and the share of them that are believed."""
        # As sure as this, it was believed at that look whatever the others showed.
        sure = FALSE_SHARE / max(len(tested), 1)
        known = [one for one in tested if self._was_sure(one, sure)]
        new = [one for one in tested if not self._was_sure(one, sure)]
        holds = discoveries(np.array([_chance(one) for one in new]), FALSE_SHARE)
        believed = [one for one, held in zip(new, holds, strict=True) if held]
        believed += [one for one in known if _chance(one) <= STAYS]
        share = FALSE_SHARE * max(len(believed), 1) / max(len(tested), 1)
        return [one for one in believed if one.outcome is Outcome.BREACHED], share

    def _was_sure(self, one: Observation, sure: float) -> bool:
        return any(
            past.p_value is not None and past.p_value <= sure and self.now - past.at <= _REMEMBERED
            for past in self.past.get(_what(one), ())
        )

    # What is plain

    def _plain(self, signal: Signal, kind: CauseKind) -> list[Finding]:
        return [
            self._finding(Cause(kind, one.environment, one.plant, one.circuit), [one], self._since(one))
            for one in self.by_signal[signal]
            if one.outcome is Outcome.BREACHED and one.sensor is None
        ]

    def _endpoints(self) -> list[Finding]:
        causes: defaultdict[Cause, list[Observation]] = defaultdict(list)
        for one in self.by_signal[Signal.ENDPOINT_HEALTH]:
            if one.outcome is Outcome.BREACHED:
                kind = _OF_ENDPOINTS.get(one.sensor or "", CauseKind.ENDPOINT_DOWN)
                causes[Cause(kind, one.environment, one.plant)].append(one)
        return [
            self._finding(cause, seen, min(self._since(one) for one in seen))
            for cause, seen in causes.items()
        ]

    def _since(self, one: Observation) -> datetime:
        """When it began as far as was seen: by itself, or by the looks before."""
        stated = _moment(one.detail.get("since"))
        before = self.past.get(_what(one), ())
        # What was beyond its threshold by chance is no sign of what came later.
        signs = [past.at for past in before if past.p_value is None or past.p_value <= STAYS]
        return min([one.at, *([stated] if stated else []), *signs])

    def _finding(self, cause: Cause, seen: Iterable[Observation], since: datetime) -> Finding:
        shown = sorted(seen, key=lambda one: (-one.impact, _chance(one), *_words(one)))
        worst: dict[str | None, float] = {}
        for one in shown:
            worst[one.circuit] = max(worst.get(one.circuit, 0.0), one.impact)
        return Finding(cause, since, tuple(shown), float(sum(sorted(worst.values()))))


def _stands_alone(one: Observation, sensors: Sequence[Observation]) -> bool:
    """Whether a sensor left what the others of its circuit lead to, while they are as ever.

    It says so only of sensors that go with others: of one that never did, nobody can tell a fault from a change.
    """
    others = [_chance(other) for other in sensors if other.sensor != one.sensor]
    apart, related = one.detail.get("apart"), one.detail.get("related")
    return (
        isinstance(apart, float)
        and isinstance(related, float)
        and abs(apart) > _APART
        and related > 0.5
        and min(others) > _TOGETHER
    )


def _at_once(members: Sequence[_Silent]) -> list[list[_Silent]]:
    """Those whose beginnings follow each other closely."""
    clusters: list[list[_Silent]] = []
    for one in sorted(members, key=lambda one: (one.since, _words(one.observation))):
        if clusters and one.since - clusters[-1][-1].since <= _AT_ONCE:
            clusters[-1].append(one)
        else:
            clusters.append([one])
    return clusters


def _merged(found: Sequence[Finding]) -> list[Finding]:
    """One finding for each cause: gateways of a plant that went one after another are one alarm of it."""
    causes: defaultdict[Cause, list[Finding]] = defaultdict(list)
    for finding in found:
        causes[finding.cause].append(finding)
    return [
        Finding(
            cause,
            min(one.since for one in same),
            tuple(seen for one in same for seen in one.shown_by),
            sum(one.impact for one in same),
        )
        for cause, same in causes.items()
    ]


def _once(observations: Sequence[Observation]) -> list[Observation]:
    """Each thing that was looked at once, the last that was told of it, in an order of their own."""
    latest = {_what(one): one for one in observations}
    return [latest[key] for key in sorted(latest, key=_sortable)]


def _what(one: Observation) -> tuple[object, ...]:
    unit = one.unit if one.signal is Signal.ENDPOINT_HEALTH else ""
    return (one.signal, one.environment, one.plant, one.circuit, one.sensor, unit)


def _sortable(key: tuple[object, ...]) -> tuple[str, ...]:
    return tuple("" if part is None else str(part) for part in key)


def _words(one: Observation) -> tuple[str, ...]:
    return _sortable(_what(one))


def _order(cause: Cause) -> tuple[str, ...]:
    return (cause.kind, cause.environment, cause.plant, cause.circuit or "", cause.sensor or "")


def _place(one: Observation) -> Place:
    return one.environment, one.plant, one.circuit or ""


def _chance(one: Observation) -> float:
    return 1.0 if one.p_value is None else one.p_value


def _moment(written: float | str | None) -> datetime | None:
    return datetime.fromisoformat(written) if isinstance(written, str) else None
