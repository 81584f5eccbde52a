"""What may be wrong at a plant or with one circuit: suspects, and what speaks against each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import prod

from fleetcast.domain.alarm import Alarm, CauseKind
from fleetcast.domain.drift import Observation, Signal
from fleetcast.domain.fallback import Unused
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.release import Endpoint
from fleetcast.domain.traffic import Override


class Suspect(StrEnum):
    """Where the cause may lie."""

    DATA = "data"
    """What arrives, or does not."""
    SENSOR = "sensor"
    """What is measured."""
    MODEL = "model"
    """What was learned, and does not hold any more."""
    RELEASE = "release"
    """What was deployed, rolled back or held of late."""
    PLATFORM = "platform"
    """What runs it all."""


@dataclass(frozen=True, slots=True)
class Alarmed:
    """An alarm is open."""

    alarm: Alarm


@dataclass(frozen=True, slots=True)
class Breached:
    """A look saw something beyond its threshold, of which no alarm was made."""

    observation: Observation


@dataclass(frozen=True, slots=True)
class Stale:
    """The newest reading of a circuit is old."""

    key: CircuitKey
    newest: datetime | None
    """Aware UTC; None: none was found, so far as was looked."""
    steps: float
    """How many steps of its frequency ago that is; at least so many, where none was found."""


@dataclass(frozen=True, slots=True)
class Replaced:
    """Forecasts were published that the model did not make."""

    key: CircuitKey
    why: Unused
    steps: int
    """Published values of all its sensors, that are not the model's for this reason."""
    share: float
    """Of all its published values."""


@dataclass(frozen=True, slots=True)
class Moved:
    """Clients are answered by another release than before."""

    release: str
    """`prod/PLANT001:7`."""
    at: datetime


@dataclass(frozen=True, slots=True)
class RolledBack:
    """A rollout came to nothing."""

    endpoint: Endpoint
    at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Overridden:
    """Something else than its release says forecasts a circuit."""

    key: CircuitKey
    override: Override


@dataclass(frozen=True, slots=True)
class JobFailed:
    """The last attempt at training a circuit failed."""

    key: CircuitKey
    job: str
    at: datetime
    error: str


Clue = Alarmed | Breached | Stale | Replaced | Moved | RolledBack | Overridden | JobFailed
"""One thing that speaks for a suspect."""


@dataclass(frozen=True, slots=True)
class Suspicion:
    """One suspect, and what speaks against it."""

    suspect: Suspect
    weight: float
    """How much, 0 to 1: 1 − the product of (1 − weight) over the clues, as if none knew of the others (noisy or:
    Pearl 1988). It orders suspects; it is no probability."""
    clues: tuple[Clue, ...]
    """The weightiest first."""


SOON_AFTER = timedelta(days=1)
"""What shows so soon after a change may well come of it."""
_BY_CAUSE: Mapping[CauseKind, tuple[Suspect, float]] = {
    CauseKind.PROCESS_CHANGED: (Suspect.MODEL, 0.7),
    CauseKind.SENSOR_BROKEN: (Suspect.SENSOR, 0.85),
    CauseKind.GATEWAY_DOWN: (Suspect.DATA, 0.9),
    CauseKind.DATA_STALE: (Suspect.DATA, 0.9),
    CauseKind.DATA_POOR: (Suspect.DATA, 0.7),
    CauseKind.MODEL_WORSE: (Suspect.MODEL, 0.7),
    CauseKind.ENDPOINT_DOWN: (Suspect.PLATFORM, 0.8),
    CauseKind.ENDPOINT_SLOW: (Suspect.PLATFORM, 0.6),
    CauseKind.ENDPOINT_UNSTEADY: (Suspect.PLATFORM, 0.5),
    CauseKind.TRAINING_FAILS: (Suspect.PLATFORM, 0.5),
    CauseKind.MODEL_OLD: (Suspect.MODEL, 0.4),
}
_BY_SIGNAL: Mapping[Signal, Suspect] = {
    Signal.DATA_DRIFT: Suspect.MODEL,
    Signal.PREDICTION_DRIFT: Suspect.MODEL,
    Signal.ACCURACY: Suspect.MODEL,
    Signal.COVERAGE: Suspect.MODEL,
    Signal.MODEL_AGE: Suspect.MODEL,
    Signal.FRESHNESS: Suspect.DATA,
    Signal.DATA_QUALITY: Suspect.DATA,
    Signal.SENSOR_FAULT: Suspect.SENSOR,
    Signal.ENDPOINT_HEALTH: Suspect.PLATFORM,
    Signal.TRAINING_FAILURES: Suspect.PLATFORM,
}
_WITHOUT_ALARM = 0.25
_BY_REASON: Mapping[Unused, tuple[Suspect, float]] = {
    Unused.ABSENT: (Suspect.RELEASE, 0.4),
    Unused.DAMAGED: (Suspect.MODEL, 0.8),
    Unused.UNREACHABLE: (Suspect.PLATFORM, 0.7),
    Unused.BROKE: (Suspect.MODEL, 0.6),
    Unused.TOO_LITTLE_HISTORY: (Suspect.DATA, 0.6),
    Unused.NOT_FINITE: (Suspect.MODEL, 0.6),
    Unused.WRONG_LENGTH: (Suspect.MODEL, 0.6),
    Unused.OUTSIDE_LIMITS: (Suspect.MODEL, 0.5),
    Unused.CONSTANT: (Suspect.SENSOR, 0.4),
    Unused.OFF_SCALE: (Suspect.MODEL, 0.5),
    Unused.BLOCKED: (Suspect.RELEASE, 0.3),
    Unused.HELD: (Suspect.RELEASE, 0.2),
}
_LATE_STEPS = 3.0
"""A reading may be late by so many steps before anybody wonders."""


def ranked(clues: Sequence[Clue]) -> tuple[Suspicion, ...]:
    """Put together what speaks against each suspect, the most suspected first; who has no clue is not among them."""
    signs = [sign for clue in clues if (sign := _sign_at(clue)) is not None]
    by_suspect: dict[Suspect, list[tuple[float, Clue]]] = {}
    for clue in clues:
        suspect, weight = _speaks_for(clue, signs)
        if weight > 0:
            by_suspect.setdefault(suspect, []).append((weight, clue))
    found = [
        Suspicion(
            suspect,
            round(1 - prod(1 - weight for weight, _ in held), 4),
            tuple(clue for _, clue in sorted(held, key=lambda one: -one[0])),
        )
        for suspect, held in by_suspect.items()
    ]
    order = list(Suspect)
    return tuple(sorted(found, key=lambda one: (-one.weight, order.index(one.suspect))))


def _speaks_for(clue: Clue, signs: Sequence[datetime]) -> tuple[Suspect, float]:
    match clue:
        case Alarmed(alarm):
            return _BY_CAUSE[alarm.cause.kind]
        case Breached(observation):
            return _BY_SIGNAL[observation.signal], _WITHOUT_ALARM
        case Stale(newest=None):
            return Suspect.DATA, 0.9
        case Stale(steps=steps):
            return Suspect.DATA, min(0.9, max(0.0, 0.3 * (steps / _LATE_STEPS - 1)))
        case Replaced(why=why, share=share):
            suspect, weight = _BY_REASON[why]
            return suspect, weight * min(1.0, 0.5 + share)
        case Moved(at=at):
            followed = any(timedelta(0) <= sign - at <= SOON_AFTER for sign in signs)
            return Suspect.RELEASE, 0.75 if followed else 0.15
        case RolledBack():
            return Suspect.RELEASE, 0.4
        case Overridden():
            return Suspect.RELEASE, 0.3
        case JobFailed():
            return Suspect.PLATFORM, 0.4


def _sign_at(clue: Clue) -> datetime | None:
    """When something that is wrong showed first; None: it is no such sign, or says nothing of when."""
    match clue:
        case Alarmed(alarm):
            return alarm.since
        case Breached(observation):
            return observation.at
        case _:
            return None
