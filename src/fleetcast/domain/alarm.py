"""Alarms: one for each cause, however many sensors show it, from the first sign until it is over."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from fleetcast.domain.drift import Observation, Outcome, Signal
from fleetcast.domain.errors import BadInput
from fleetcast.domain.given import check_line
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.place import EnvironmentName


class CauseKind(StrEnum):
    """What stands behind an alarm."""

    PROCESS_CHANGED = "process changed"
    """The plant runs otherwise: a retrain would help."""
    SENSOR_BROKEN = "sensor broken"
    """What is measured is wrong: a retrain would learn the fault."""
    GATEWAY_DOWN = "gateway down"
    """Many sensors of a plant went silent, or stuck, at once."""
    DATA_STALE = "data stale"
    DATA_POOR = "data poor"
    """Rows come twice, or from the future: what writes them is wrong."""
    MODEL_WORSE = "model worse"
    """Forecasts are worse than they were, while the data look as ever."""
    ENDPOINT_DOWN = "endpoint down"
    ENDPOINT_SLOW = "endpoint slow"
    ENDPOINT_UNSTEADY = "endpoint unsteady"
    """It serves, and did not for too long of late."""
    TRAINING_FAILS = "training fails"
    MODEL_OLD = "model old"


PAGES = frozenset({CauseKind.DATA_STALE, CauseKind.GATEWAY_DOWN, CauseKind.ENDPOINT_DOWN})
"""What somebody is woken for."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What stands behind an alarm, and where: the same one never has two alarms at once."""

    kind: CauseKind
    environment: EnvironmentName
    plant: str
    circuit: str | None = None
    """None: the plant as a whole."""
    sensor: str | None = None
    """None: the circuit as a whole."""

    @property
    def place(self) -> str:
        """Where, in short: `PLANT001`, `PLANT001/CIRCUIT01` or `PLANT001/CIRCUIT01/flow`."""
        return "/".join(part for part in (self.plant, self.circuit, self.sensor) if part is not None)

    def takes_in(self, other: Cause) -> bool:
        """Whether another cause is this one seen from nearer: of the same kind, or of those that it brings about."""
        if (self.environment, self.plant) != (other.environment, other.plant) or self == other:
            return False
        if other.kind is not self.kind and other.kind not in _BROUGHT_ABOUT.get(self.kind, ()):
            return False
        return self.circuit in (None, other.circuit) and self.sensor in (None, other.sensor)


_BROUGHT_ABOUT: Mapping[CauseKind, frozenset[CauseKind]] = {
    CauseKind.GATEWAY_DOWN: frozenset({CauseKind.SENSOR_BROKEN, CauseKind.DATA_STALE}),
    CauseKind.ENDPOINT_DOWN: frozenset({CauseKind.ENDPOINT_UNSTEADY}),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """A cause that one look at the whole fleet found, with all that shows it; the most harmful ones come first."""

    cause: Cause
    since: datetime
    """Aware UTC: the first sign of it."""
    shown_by: tuple[Observation, ...]
    """What shows it, the strongest first; never empty."""
    impact: float
    """How much forecasts suffer by it, summed over the circuits concerned."""


class AlarmState(StrEnum):
    """Where an alarm stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    """Until a time; nobody is told before."""
    RECOVERED = "recovered"
    """Its cause is gone; the same one later is a new alarm."""


FINE_LOOKS = 2
"""So many looks in a row find a cause gone before it is."""
MUCH_WORSE = 1.5
"""So many times the impact that people were told of last is news."""
LEAST_WORSE = 0.05
"""A rise of the impact by less than that never is."""
MOST_SHOWN = 100
"""Of what shows an alarm so many are kept, the strongest; `Alarm.shown_by_count` says how many there are."""
CHANCE = 0.05
"""What is beyond its threshold, and by chance alone would be as often as this, keeps no alarm open."""


class Gone(StrEnum):
    """Why an alarm is over."""

    FINE = "found fine again"
    NOT_WATCHED = "not deployed any more"
    TAKEN_IN = "part of a larger alarm"


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Somebody has it in hand."""

    by: str
    at: datetime
    comment: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """A cause from its first sign until it is over, and who has it in hand."""

    cause: Cause
    owner: str | None
    """Of the circuit, as the fleet repository said when it was raised; None: it says none, or the circuits differ."""
    state: AlarmState
    since: datetime
    """Aware UTC: the first sign of it."""
    raised_at: datetime
    looked_at: datetime
    """Up to when was looked last, whatever that found."""
    seen_at: datetime
    """When a look found it last."""
    impact: float
    """As of the last look that found it."""
    told_impact: float
    """As people were told last."""
    shown_by: tuple[Observation, ...]
    """As of the last look that found it, the strongest first."""
    shown_by_count: int
    fine_looks: int = 0
    """In a row, up to the last one."""
    unclear: str = ""
    """Why the last look could not tell; empty if it could."""
    acknowledged: Acknowledged | None = None
    snoozed_until: datetime | None = None
    recovered_at: datetime | None = None
    gone: Gone | None = None
    """None: it is not over."""
    number: int = 0
    """Counted 1, 2, 3 as alarms are raised, by whoever keeps them."""

    def __str__(self) -> str:
        return f"{self.cause.environment}/{self.cause.place}:{self.number}"

    @property
    def is_over(self) -> bool:
        """Whether nothing changes it any more."""
        return self.state is AlarmState.RECOVERED

    @property
    def pages(self) -> bool:
        """Whether somebody is woken for it."""
        return self.cause.kind in PAGES

    def acknowledge(self, by: str, at: datetime, comment: str) -> Alarm:
        """With somebody who has it in hand; whoever says so again takes it over.

        Raises:
            BadInput: It is over, or the comment is too long or no plain line of text.
        """
        self._check_open("acknowledged")
        check_line(comment, "the comment")
        return replace(
            self,
            state=AlarmState.ACKNOWLEDGED,
            acknowledged=Acknowledged(by, at, comment),
            snoozed_until=None,
        )

    def snooze(self, until: datetime, now: datetime) -> Alarm:
        """Without telling anybody before `until`.

        Raises:
            BadInput: It is over, or that moment has passed.
        """
        self._check_open("snoozed")
        if until <= now:
            raise BadInput(f"{until:%Y-%m-%d %H:%M} UTC has passed", fix="name a moment to come")
        return replace(self, state=AlarmState.SNOOZED, snoozed_until=until)

    def _check_open(self, what: str) -> None:
        if self.is_over:
            raise BadInput(
                f"alarm {self.number} recovered at {self.recovered_at:%Y-%m-%d %H:%M} UTC, "
                f"so it cannot be {what}",
                fix="see what is open with `fleetcast alarms list`",
            )


@dataclass(frozen=True, slots=True)
class LastLook:
    """The newest look at an environment, in numbers."""

    environment: EnvironmentName
    at: datetime
    """Aware UTC: up to when was looked."""
    circuits: int
    outcomes: Mapping[Outcome, int]
    """How many observations came out so."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look saw, whatever it found."""

    environment: EnvironmentName
    at: datetime
    """Aware UTC: up to when."""
    observations: Sequence[Observation]
    circuits: Collection[CircuitKey]
    """That were looked at."""
    whole: bool
    """Whether these are all that are deployed: what an alarm is about and is not among them is not watched any more."""


@dataclass(frozen=True, slots=True)
class Raise:
    """There is a new alarm."""

    alarm: Alarm


@dataclass(frozen=True, slots=True)
class Still:
    """It goes on, or nobody can tell; people know already."""

    alarm: Alarm


@dataclass(frozen=True, slots=True)
class Worsen:
    """It goes on, and harms much more than people were told."""

    alarm: Alarm


@dataclass(frozen=True, slots=True)
class Wake:
    """The time for which it was snoozed is over, and it is not."""

    alarm: Alarm


@dataclass(frozen=True, slots=True)
class Recover:
    """It is over."""

    alarm: Alarm


Change = Raise | Still | Worsen | Wake | Recover
"""What one look makes of an alarm; `alarm` is how it stands after it."""
_Key = tuple[Signal, str, str | None, str | None]


def next_alarms(
    open_alarms: Sequence[Alarm],
    findings: Sequence[Finding],
    looked: Looked,
    owner_of: Callable[[Cause], str | None],
    *,
    fine_looks: int = FINE_LOOKS,
) -> list[Change]:
    """What one look makes of the alarms of an environment.

    A cause has one alarm however often it is found; a larger one takes in those that it brings about, and what a
    look finds of a larger one that is open stays part of it. An alarm is over once so many looks in a row measured
    all that showed it and found it fine. A look that is not newer than the last changes nothing, so that the same
    one counts once.

    Args:
        open_alarms: All of that environment that are not over.
        findings: Of this look; those that a larger one of them takes in are part of that.
        looked: What was looked at.
        owner_of: Whose circuits a cause is about.
        fine_looks: So many looks in a row find a cause gone before it is.
    """
    mine = [alarm for alarm in open_alarms if alarm.looked_at < looked.at]
    found = _larger_ones(findings)
    # An alarm that has seen a newer look keeps its cause from being raised again.
    held = {alarm.cause: alarm for alarm in open_alarms}
    outcomes = _outcomes(looked.observations)
    changes: list[Change] = []
    going_on: dict[Cause, Finding] = {}
    for finding in found:
        alarm = held.get(finding.cause) or _part_of(finding, open_alarms)
        if alarm is None:
            changes.append(Raise(_raised(finding, looked.at, owner_of(finding.cause))))
        else:
            before = going_on.get(alarm.cause)
            going_on[alarm.cause] = finding if before is None else _joined(before, finding)
    for alarm in mine:
        if alarm.cause in going_on:
            changes.append(_seen(alarm, going_on[alarm.cause], looked.at))
        elif any(finding.cause.takes_in(alarm.cause) for finding in found):
            changes.append(Recover(_over(alarm, looked.at, Gone.TAKEN_IN)))
        else:
            change = _not_found(alarm, looked, outcomes, fine_looks)
            if change is not None:
                changes.append(change)
    return changes


def _larger_ones(findings: Sequence[Finding]) -> list[Finding]:
    """One for each cause, without those that another one takes in."""
    by_cause: dict[Cause, Finding] = {}
    for finding in findings:
        before = by_cause.get(finding.cause)
        by_cause[finding.cause] = finding if before is None else _joined(before, finding)
    takers = [cause for cause in by_cause if cause.sensor is None]
    in_plant: dict[str, list[Cause]] = {}
    for cause in takers:
        in_plant.setdefault(cause.plant, []).append(cause)
    return [
        finding
        for cause, finding in by_cause.items()
        if not any(other.takes_in(cause) for other in in_plant.get(cause.plant, ()))
    ]


def _part_of(finding: Finding, open_alarms: Sequence[Alarm]) -> Alarm | None:
    """The larger alarm that is open and that all that shows a finding belongs to."""
    keys = {_key(one) for one in finding.shown_by}
    for alarm in open_alarms:
        all_kept = alarm.shown_by_count == len(alarm.shown_by)
        if not alarm.cause.takes_in(finding.cause):
            continue
        if not all_kept or keys <= {_key(one) for one in alarm.shown_by}:
            return alarm
    return None


def _joined(first: Finding, second: Finding) -> Finding:
    known = {_key(one) for one in first.shown_by}
    more = tuple(one for one in second.shown_by if _key(one) not in known)
    return Finding(
        first.cause,
        min(first.since, second.since),
        first.shown_by + more,
        first.impact + (second.impact if more else 0.0),
    )


def _raised(finding: Finding, at: datetime, owner: str | None) -> Alarm:
    return Alarm(
        cause=finding.cause,
        owner=owner,
        state=AlarmState.OPEN,
        since=finding.since,
        raised_at=at,
        looked_at=at,
        seen_at=at,
        impact=finding.impact,
        told_impact=finding.impact,
        shown_by=finding.shown_by[:MOST_SHOWN],
        shown_by_count=len(finding.shown_by),
    )


def _seen(alarm: Alarm, finding: Finding, at: datetime) -> Change:
    now = replace(
        alarm,
        since=min(alarm.since, finding.since),
        looked_at=at,
        seen_at=at,
        impact=finding.impact,
        shown_by=finding.shown_by[:MOST_SHOWN],
        shown_by_count=len(finding.shown_by),
        fine_looks=0,
        unclear="",
    )
    if _wakes(alarm, at):
        return Wake(_awake(now))
    rise = now.impact - alarm.told_impact
    if (
        alarm.state is not AlarmState.SNOOZED
        and rise >= LEAST_WORSE
        and now.impact >= MUCH_WORSE * alarm.told_impact
    ):
        return Worsen(replace(now, told_impact=now.impact))
    return Still(now)


def _not_found(
    alarm: Alarm, looked: Looked, outcomes: Mapping[_Key, Observation], fine_looks: int
) -> Change | None:
    """What becomes of an alarm whose cause a look did not find; None: it did not look there."""
    circuits = {CircuitKey(one.plant, one.circuit) for one in alarm.shown_by if one.circuit is not None}
    watched = circuits & set(looked.circuits)
    plants = {key.plant for key in looked.circuits}
    if looked.whole and (not watched if circuits else alarm.cause.plant not in plants):
        return Recover(_over(alarm, looked.at, Gone.NOT_WATCHED))
    if not looked.whole and (watched != circuits or not _looked_into(alarm, outcomes)):
        return None
    now = replace(alarm, looked_at=looked.at)
    unclear = next(_unclear(alarm, watched, outcomes), None)
    if unclear is None:
        fine = replace(now, fine_looks=alarm.fine_looks + 1, unclear="")
        if fine.fine_looks >= fine_looks:
            return Recover(_over(fine, looked.at, Gone.FINE))
        return Still(fine)
    now = replace(now, unclear=unclear, fine_looks=0)
    return Wake(_awake(now)) if _wakes(alarm, looked.at) else Still(now)


def _looked_into(alarm: Alarm, outcomes: Mapping[_Key, Observation]) -> bool:
    return any(_key(one) in outcomes for one in alarm.shown_by)


def _unclear(
    alarm: Alarm, watched: Collection[CircuitKey], outcomes: Mapping[_Key, Observation]
) -> Iterator[str]:
    """What of all that showed an alarm is not found fine; what is not deployed any more cannot be."""
    circuits = {key[:3] for key in outcomes}
    for one in alarm.shown_by:
        if one.circuit is not None and CircuitKey(one.plant, one.circuit) not in watched:
            continue
        now = outcomes.get(_key(one))
        where = "/".join(part for part in (one.plant, one.circuit, one.sensor) if part is not None)
        if now is None and one.sensor is not None and _key(one)[:3] in circuits:
            continue  # the circuit has this sensor no longer
        if now is None:
            yield f"{one.signal} of {where} was not looked at"
        elif now.outcome is Outcome.BREACHED and (now.p_value is None or now.p_value < CHANCE):
            yield f"{one.signal} of {where} is still beyond its threshold"
        elif now.outcome not in (Outcome.FINE, Outcome.BREACHED):
            why = now.detail.get("why")
            yield f"{one.signal} of {where}: {now.outcome}{f', {why}' if why else ''}"


def _wakes(alarm: Alarm, at: datetime) -> bool:
    return alarm.state is AlarmState.SNOOZED and alarm.snoozed_until is not None and alarm.snoozed_until <= at


def _awake(alarm: Alarm) -> Alarm:
    return replace(alarm, state=AlarmState.OPEN, snoozed_until=None, told_impact=alarm.impact)


def _over(alarm: Alarm, at: datetime, why: Gone) -> Alarm:
    return replace(
        alarm,
        state=AlarmState.RECOVERED,
        looked_at=at,
        recovered_at=at,
        gone=why,
        snoozed_until=None,
        unclear="",
    )


def _outcomes(observations: Sequence[Observation]) -> Mapping[_Key, Observation]:
    return {_key(one): one for one in observations}


def _key(one: Observation) -> _Key:
    return one.signal, one.plant, one.circuit, one.sensor
