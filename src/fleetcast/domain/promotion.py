"""Whether a new model is good enough to be asked for: thresholds, seasonal naive and the champion."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fleetcast.domain.approval import Check, CheckVerdict
from fleetcast.domain.scores import ModelScores, Scores
from fleetcast.domain.thresholds import Limits, Thresholds
from fleetcast.domain.wording import counted

CHAMPION_TOLERANCE = 0.02
"""A challenger may be this much worse than the champion before the check fails: retraining is noisy, and its
backtest model has seen less data than the champion it is held against."""

_BOUNDS: tuple[tuple[str, str, str], ...] = (
    ("min_skill", "skill", "at least"),
    ("min_accuracy", "accuracy", "at least"),
    ("max_mae", "mae", "at most"),
    ("max_rmse", "rmse", "at most"),
    ("max_mase", "mase", "at most"),
)


@dataclass(frozen=True, slots=True)
class NoChampion:
    """The circuit has no promoted model yet."""


@dataclass(frozen=True, slots=True)
class NotComparable:
    """There is a champion, but no data on which the two could be compared."""

    champion: int
    reason: str


@dataclass(frozen=True, slots=True)
class Compared:
    """Both models were run from the same origins, all after the champion's cutoff."""

    champion: int
    origins: int
    ratio: float
    """The challenger's MAE over the champion's, mean over sensors; below 1 the challenger is better."""


Comparison = NoChampion | NotComparable | Compared


def promotion_checks(
    scores: ModelScores, thresholds: Thresholds, comparison: Comparison
) -> tuple[Check, ...]:
    """Hold a model against its thresholds and against the champion, in the order people read them."""
    checks = list(_bounds("", scores.mean, thresholds.circuit))
    for sensor, limits in thresholds.sensors.items():
        if sensor in scores.sensors:
            checks += _bounds(f"{sensor} ", scores.sensors[sensor], limits)
    return (*checks, champion_check(comparison))


def champion_check(comparison: Comparison) -> Check:
    """Hold the challenger against the champion."""
    match comparison:
        case NoChampion():
            return Check("champion", CheckVerdict.NOT_COMPARABLE, "the first model of this circuit")
        case NotComparable(champion, reason):
            return Check("champion", CheckVerdict.NOT_COMPARABLE, f"version {champion}: {reason}")
        case Compared(champion, origins, ratio):
            verdict = CheckVerdict.PASSED if ratio <= 1 + CHAMPION_TOLERANCE else CheckVerdict.FAILED
            return Check(
                "champion",
                verdict,
                f"MAE {ratio - 1:+.1%} against version {champion} on {counted(origins, 'origin')}",
            )


def _bounds(prefix: str, scores: Scores, limits: Limits) -> Iterator[Check]:
    for bound, metric, words in _BOUNDS:
        limit: float | None = getattr(limits, bound)
        if limit is None:
            continue
        value: float | None = getattr(scores, metric)
        name = f"{prefix}{bound}"
        if value is None:
            yield Check(name, CheckVerdict.NOT_COMPARABLE, f"{metric} could not be measured")
            continue
        met = value >= limit if bound.startswith("min") else value <= limit
        verdict = CheckVerdict.PASSED if met else CheckVerdict.FAILED
        yield Check(name, verdict, f"{metric} {value:.4g}, {words} {limit:g}")
