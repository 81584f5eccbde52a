"""Looking at plants: whether their endpoints serve, and whether training of their circuits fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from fleetcast.domain.circuit import Circuit
from fleetcast.domain.drift import Observation, Outcome, Signal
from fleetcast.domain.health import Answers
from fleetcast.domain.job import JobState, TrainingJob
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.release import Endpoint, NumberedRelease
from fleetcast.domain.settings import EnvironmentSettings
from fleetcast.domain.traffic import Report, Traffic

LEAST_ANSWERS = 50
"""With fewer, an error rate says nothing."""
_SLOW_SHARE = 0.05
"""What a 95th percentile leaves above it."""
_Seen = Callable[..., Observation]


def endpoint_health(
    endpoint: Endpoint,
    live: NumberedRelease,
    told: Traffic | None,
    report: Report | None,
    settings: EnvironmentSettings,
    at: datetime,
) -> list[Observation]:
    """How a plant's endpoint is: whether it serves what is live, how many errors it makes, how slow it is.

    Args:
        endpoint: Of a plant that clients ask.
        live: What it is to serve.
        told: What its servers were told; None: nothing.
        report: What they counted while a rollout goes on, blue and green; None: none does.
        settings: What is expected of it.
        at: Up to when is looked.
    """

    def seen(measure: str, outcome: Outcome, **more: Any) -> Observation:
        where = endpoint.environment, endpoint.plant, None, measure
        return Observation(Signal.ENDPOINT_HEALTH, *where, at, outcome, **more)

    if told is None or (told.blue is None and told.green is None):
        why = f"release {live} is live, and servers are told to serve nothing"
        return [
            seen(
                "availability",
                Outcome.BREACHED,
                value=0.0,
                threshold=settings.availability,
                unit="%",
                impact=1.0,
                detail={"why": why},
            )
        ]
    serves = seen("availability", Outcome.FINE, value=100.0, threshold=settings.availability, unit="%")
    if report is None or told.green is None:
        # An alarm of a rollout's counts is over with it: what they were of serves no longer, or is judged anew.
        why = "servers count answers for fleetcast while a rollout goes on; at other times their /metrics say more"
        return [serves, seen("answers", Outcome.NOT_MEASURED, detail={"why": why})]
    answers = Answers()
    for window in report.windows:
        answers += window.green.answers
        answers += Answers() if window.blue is None else window.blue.answers
    return [serves, _errors(seen, answers, settings), _slowness(seen, answers, told, settings)]


def _errors(seen: _Seen, answers: Answers, settings: EnvironmentSettings) -> Observation:
    limit = settings.error_rate
    if limit is None:
        return seen("error rate", Outcome.NOT_MEASURED, detail={"why": "no `error_rate` is expected"})
    if answers.count < LEAST_ANSWERS:
        return seen("error rate", Outcome.NOT_ENOUGH_DATA, threshold=limit, unit="%", detail=_of(answers))
    value = 100 * answers.errors / answers.count
    outcome = Outcome.BREACHED if value > limit else Outcome.FINE
    return seen(
        "error rate",
        outcome,
        value=value,
        threshold=limit,
        unit="%",
        impact=value / 100,
        detail={"answers": float(answers.count)},
    )


def _slowness(seen: _Seen, answers: Answers, told: Traffic, settings: EnvironmentSettings) -> Observation:
    """Servers count the answers that took longer than a bound of theirs: whether a 95th percentile is above another
    bound can be told only where both lie on the same side of it.
    """
    limit = settings.latency_ms
    if limit is None:
        return seen("latency", Outcome.NOT_MEASURED, detail={"why": "no `latency_ms` is expected"})
    if answers.count < LEAST_ANSWERS:
        return seen("latency", Outcome.NOT_ENOUGH_DATA, threshold=limit, unit="ms", detail=_of(answers))
    bound = told.watch.slow_after.total_seconds() * 1000
    share = answers.slow / answers.count
    detail = {"answers": float(answers.count), "slow_after_ms": bound, "slow_share": share}
    if share > _SLOW_SHARE and bound >= limit:
        return seen("latency", Outcome.BREACHED, threshold=limit, unit="ms", impact=share, detail=detail)
    if share <= _SLOW_SHARE and bound <= limit:
        return seen("latency", Outcome.FINE, threshold=limit, unit="ms", detail=detail)
    why = f"servers tell answers above {bound:g} ms apart, and no others"
    return seen("latency", Outcome.NOT_MEASURED, threshold=limit, unit="ms", detail={**detail, "why": why})


def _of(answers: Answers) -> dict[str, float | str]:
    why = f"{answers.count} answers were counted, {LEAST_ANSWERS} are needed"
    return {"answers": float(answers.count), "why": why}


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
