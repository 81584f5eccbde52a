"""Looking at plants: whether their endpoints serve, and whether training of their circuits fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fleetcast.domain.circuit import Circuit
from fleetcast.domain.drift import Observation, Outcome, Signal
from fleetcast.domain.job import JobState, TrainingJob
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.release import NumberedRelease
from fleetcast.domain.service import (
    AVAILABILITY,
    ERROR_RATE,
    LATENCY,
    LONGEST_STRETCH,
    PATIENCE,
    SERVING,
    Served,
    Stretch,
    availability,
    last_served,
    served_between,
)
from fleetcast.domain.settings import EnvironmentSettings
from fleetcast.domain.traffic import Traffic

LEAST_ANSWERS = 50
"""With fewer, neither an error rate nor a 95th percentile says anything."""
_LEAST_WATCHED = timedelta(hours=1)
"""Of less, a share of the time says nothing."""
_AVAILABLE_OVER = timedelta(days=1)
_SHARE_IN_TIME = 0.95
_Seen = Callable[..., Observation]


@dataclass(frozen=True, slots=True)
class PlantServed:
    """How a plant that clients ask is served in one environment."""

    live: NumberedRelease
    """What is to serve."""
    told: Traffic | None
    """What its servers were told; None: nothing."""
    stretches: Sequence[Stretch]
    """For how long they served it, as far as that is kept."""


def endpoint_health(
    plant: PlantServed, settings: EnvironmentSettings, last_look: datetime | None, at: datetime
) -> list[Observation]:
    """How a plant's endpoint is: whether it serves, for how much of the last day it did, its errors, its latency.

    Errors and latency are those of all answers since the last look, blue's and green's, or of the last quarter of an
    hour if that is longer; in whole stretches, so that a little may be seen twice.

    Args:
        plant: What is to serve, and how it is served.
        settings: What is expected of it.
        last_look: When was looked before, up to which moment; None: never.
        at: Up to when is looked.
    """

    def seen(measure: str, outcome: Outcome, **more: Any) -> Observation:
        release = plant.live.release
        where = release.environment, release.plant, None, measure
        return Observation(Signal.ENDPOINT_HEALTH, *where, at, outcome, **more)

    since = at - LONGEST_STRETCH
    if last_look is not None:
        since = max(min(since, last_look), at - _AVAILABLE_OVER)
    answers = served_between(plant.stretches, since, at)
    return [
        _serving(seen, plant, at),
        _availability(seen, plant.stretches, settings, at),
        _errors(seen, answers, settings),
        _latency(seen, answers, settings),
    ]


def _serving(seen: _Seen, plant: PlantServed, at: datetime) -> Observation:
    """Whether somebody serves now; until servers have said for a while that they do not, they do."""
    if at < plant.live.composed_at:
        why = f"release {plant.live} was made after the moment that is looked at"
        return seen(SERVING, Outcome.NOT_MEASURED, detail={"why": why})
    limit = PATIENCE.total_seconds()
    told, last = plant.told, last_served(plant.stretches, at)
    silent = None if last is None else (at - last).total_seconds()
    more: dict[str, Any] = {"value": silent, "threshold": limit, "unit": "s"}
    if told is None or (told.blue is None and told.green is None):
        why = f"release {plant.live} is live, and servers are told to serve nothing"
    elif last is None:
        why = f"release {plant.live} is live, and no server has said of late that it serves"
    elif silent is not None and silent > limit:
        why = f"release {plant.live} is live, and no server has said for {silent:,.0f} s that it serves"
    else:
        return seen(SERVING, Outcome.FINE, **more)
    detail = {"why": why}
    if last is not None:
        detail["since"] = last.isoformat()
    return seen(SERVING, Outcome.BREACHED, impact=1.0, detail=detail, **more)


def _availability(
    seen: _Seen, stretches: Sequence[Stretch], settings: EnvironmentSettings, at: datetime
) -> Observation:
    limit = settings.availability
    if limit is None:
        return seen(AVAILABILITY, Outcome.NOT_MEASURED, detail={"why": "no `availability` is expected"})
    first = min((one.since for one in stretches), default=at)
    since = max(first, at - _AVAILABLE_OVER)
    if at - since < _LEAST_WATCHED:
        minutes = max(at - since, timedelta(0)) / timedelta(minutes=1)
        why = f"servers have been seen for {minutes:.0f} min, {_LEAST_WATCHED / timedelta(minutes=1):.0f} are needed"
        return seen(AVAILABILITY, Outcome.NOT_ENOUGH_DATA, threshold=limit, unit="%", detail={"why": why})
    value = 100 * availability(stretches, since, at)
    breached = value < limit
    return seen(
        AVAILABILITY,
        Outcome.BREACHED if breached else Outcome.FINE,
        value=value,
        threshold=limit,
        unit="%",
        impact=1 - value / 100 if breached else 0.0,
        detail={"watched_hours": (at - since) / timedelta(hours=1)},
    )


def _errors(seen: _Seen, answers: Served, settings: EnvironmentSettings) -> Observation:
    limit = settings.error_rate
    if limit is None:
        return seen(ERROR_RATE, Outcome.NOT_MEASURED, detail={"why": "no `error_rate` is expected"})
    if answers.answers < LEAST_ANSWERS:
        return seen(ERROR_RATE, Outcome.NOT_ENOUGH_DATA, threshold=limit, unit="%", detail=_of(answers))
    value = 100 * answers.errors / answers.answers
    return seen(
        ERROR_RATE,
        Outcome.BREACHED if value > limit else Outcome.FINE,
        value=value,
        threshold=limit,
        unit="%",
        impact=value / 100,
        detail={"answers": float(answers.answers), "unanswered": float(answers.unanswered)},
    )


def _latency(seen: _Seen, answers: Served, settings: EnvironmentSettings) -> Observation:
    limit = settings.latency_ms
    if limit is None:
        return seen(LATENCY, Outcome.NOT_MEASURED, detail={"why": "no `latency_ms` is expected"})
    value = answers.quantile_ms(_SHARE_IN_TIME)
    if value is None or answers.answers < LEAST_ANSWERS:
        return seen(LATENCY, Outcome.NOT_ENOUGH_DATA, threshold=limit, unit="ms", detail=_of(answers))
    breached = value > limit
    return seen(
        LATENCY,
        Outcome.BREACHED if breached else Outcome.FINE,
        value=value,
        threshold=limit,
        unit="ms",
        impact=1 - limit / value if breached else 0.0,
        detail={"answers": float(answers.answers)},
    )


def _of(answers: Served) -> dict[str, float | str]:
    why = f"{answers.answers} answers were counted, {LEAST_ANSWERS} are needed"
    return {"answers": float(answers.answers), "why": why}


def training_failures(
    environment: EnvironmentName, circuits: Sequence[tuple[Circuit, Sequence[TrainingJob]]], at: datetime
) -> list[Observation]:
    """Whether the last attempt to train each circuit as it is declared failed.

    Args:
        environment: Where circuits are trained.
        circuits: Each with all attempts at what it declares, first attempt first; without any where none failed.
        at: Up to when is looked.
    """
    found = []
    for circuit, attempts in circuits:
        failed = sum(job.state is JobState.FAILED for job in attempts)
        in_vain = bool(attempts) and attempts[-1].state is JobState.FAILED
        detail: dict[str, float | str] = {"failed_attempts": float(failed)}
        if in_vain:
            detail["why"] = attempts[-1].error.partition("\n")[0][:200]
        found.append(
            Observation(
                Signal.TRAINING_FAILURES,
                environment,
                circuit.key.plant,
                circuit.key.circuit,
                None,
                at,
                Outcome.BREACHED if in_vain else Outcome.FINE,
                value=float(failed) if in_vain else 0.0,
                threshold=0.0,
                unit="attempts",
                detail=detail,
            )
        )
    return found
