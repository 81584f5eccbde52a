"""Checks and facts in words, and as JSON."""

from __future__ import annotations

from datetime import timedelta
from typing import assert_never

from fleetcast.domain.canonical import Json
from fleetcast.domain.evidence import (
    BaselineFact,
    BatchOnlyFact,
    Bound,
    BoundCheck,
    ChampionCheck,
    Check,
    CircuitFact,
    Compared,
    Comparison,
    CriteriaFact,
    DataFact,
    Evidence,
    Fact,
    Incomparable,
    MetricFact,
    NoChampion,
    NoStrongestBaseline,
    NotComparable,
    PackageChange,
    PackagesFact,
    PolicyChange,
    PythonFact,
    RampFact,
    ReleaseFact,
    ReplacesEnvironment,
    ReplacesModel,
    SensorLeftOut,
    SensorsCheck,
    WeakestSensor,
    WordedCheck,
    WordedFact,
)
from fleetcast.domain.scores import Baseline
from fleetcast.domain.wording import counted, some_of

_METRICS = {"mase": "MASE", "coverage_80": "coverage 80", "coverage_95": "coverage 95"}


NO_STRONGEST = "last day or last week, by an earlier fleetcast: not measured against the strongest"


def baseline_in_words(baseline: Baseline) -> str:
    """What a baseline repeats: `last reading`, `last week`, `season of 60 s`."""
    if baseline.steps == 1:
        return "last reading"
    length = timedelta(seconds=baseline.seconds)
    named = {timedelta(days=1): "last day", timedelta(days=7): "last week"}
    return named.get(length) or f"season of {_length(length)}"


def _length(length: timedelta) -> str:
    """Up to two minutes in seconds, as rigs are spoken of; else in the largest unit it is a whole number of."""
    seconds = length.total_seconds()
    units = (("d", 86_400), ("h", 3_600), ("min", 60))
    for name, unit in units:
        if seconds > 120 and not seconds % unit:
            return f"{seconds / unit:g} {name}"
    return f"{seconds:g} s"


def says(check: Check) -> str:
    """How a check went, in one sentence."""
    match check:
        case WordedCheck():
            return check.says
        case SensorsCheck(left_out):
            gone = "; ".join(f"{one.sensor} ({one.reason})" for one in left_out)
            return f"{counted(len(left_out), 'declared sensor')} left out: {gone}"
        case BoundCheck(bound, None):
            return f"{_METRICS.get(bound.metric, bound.metric)} could not be measured"
        case BoundCheck(Bound.MIN_COVERAGE_80 | Bound.MAX_COVERAGE_80 as bound, float(value), limit):
            words = "at least" if bound.is_least else "at most"
            return f"80 % intervals cover {100 * value:.4g} %, {words} {100 * limit:g} %"
        case BoundCheck(bound, value, limit):
            words = "at least" if bound.is_least else "at most"
            return f"{bound.metric} {value:.4g}, {words} {limit:g}"
        case ChampionCheck(comparison):
            return _comparison(comparison)
    assert_never(check)


def fact_in_words(fact: Fact) -> list[tuple[str, str]]:  # noqa: C901  # one case for each kind
    """A fact as names and values."""
    match fact:
        case WordedFact(name, value):
            return [(name, value)]
        case CircuitFact(key, training_hash):
            return [("circuit", str(key)), ("training hash", training_hash.short)]
        case ReplacesModel(version, adopted, changes):
            which = f"version {version}" + (", which was trained elsewhere" if adopted else "")
            return [("replaces", f"{which}: {', '.join(map(str, changes)) or 'same inputs'}")]
        case DataFact(rows, first, last):
            return [("data", f"{rows} rows, {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC")]
        case SensorLeftOut(sensor, reason):
            return [("left out", f"{sensor}: {reason}")]
        case MetricFact(metric, value):
            return [(_METRICS.get(metric, metric), f"{value:.3f}")]
        case WeakestSensor(sensor, skill):
            return [("weakest sensor", f"{sensor}, skill {skill:.3f}")]
        case BaselineFact(baseline, sensors):
            return [
                ("baseline", baseline_in_words(baseline) + (f": {', '.join(sensors)}" if sensors else ""))
            ]
        case NoStrongestBaseline():
            return [("baseline", NO_STRONGEST)]
        case PythonFact(version):
            return [("python", version)]
        case PackagesFact(packages):
            return [("packages", ", ".join(packages) or "none")]
        case ReplacesEnvironment(name, version):
            return [("replaces", f"{name}:{version}")]
        case PackageChange(turn, package):
            return [(turn.value, package)]
        case PolicyChange(field, before, after):
            return [(field, f"{before} → {after}")]
        case ReleaseFact(plant, number, added, changed, removed, before):
            parts = [
                counted(count, what)
                for count, what in (
                    (added, "new circuit"),
                    (changed, "changed circuit"),
                    (removed, "removed circuit"),
                )
                if count
            ]
            follows = "its first release" if before is None else f"after release {before}"
            return [(plant, f"release {number}, {follows}: {', '.join(parts) or 'no circuit changes'}")]
        case BatchOnlyFact(plants):
            return [("at once", f"{some_of(plants)}: no client asks, as circuits only score in batches")]
        case RampFact(shares, soak_seconds, waves):
            steps = " → ".join(f"{share} %" for share in shares)
            begins = "copies of requests first, then " if shares[:1] == (0,) else ""
            return [
                ("ramp", f"{begins}{steps.removeprefix('0 % → ')}, each for {soak_seconds:g} s"),
                ("waves", " then ".join(counted(count, "plant") for count in waves)),
            ]
        case CriteriaFact(max_error_rate, max_p95_seconds):
            return [
                (
                    "rolled back at",
                    f"more than {100 * max_error_rate:g} % errors, a p95 above {max_p95_seconds:g} s, worse forecasts",
                )
            ]
    assert_never(fact)


def facts_in_words(evidence: Evidence) -> list[tuple[str, str]]:
    """All facts as names and values, in their order."""
    return [pair for fact in evidence.facts for pair in fact_in_words(fact)]


def evidence_as_json(evidence: Evidence) -> dict[str, Json]:
    """Checks and facts for programs: verdicts as values, the rest as people read it."""
    circuit = next((fact.key for fact in evidence.facts if isinstance(fact, CircuitFact)), None)
    return {
        "plant_id": circuit.plant if circuit else None,
        "circuit_id": circuit.circuit if circuit else None,
        "checks": [_check(check) for check in evidence.checks],
        "facts": [
            {"name": name, "value": value} for name, value in facts_in_words(evidence) if name != "circuit"
        ],
    }


def _check(check: Check) -> Json:
    value, limit = (check.value, check.limit) if isinstance(check, BoundCheck) else (None, None)
    return {
        "name": check.name,
        "verdict": check.verdict.value,
        "value": value,
        "limit": limit,
        "says": says(check),
    }


def _comparison(comparison: Comparison) -> str:
    match comparison:
        case NoChampion():
            return "the first model of this circuit"
        case Compared(champion, origins, ratio):
            return f"MAE {ratio - 1:+.1%} against version {champion} on {counted(origins, 'origin')}"
        case NotComparable(champion, reason):
            return f"version {champion}: {_why(reason, comparison)}"
    assert_never(comparison)


def _why(reason: Incomparable, comparison: NotComparable) -> str:
    match reason:
        case Incomparable.NO_ORIGIN if comparison.cutoff is not None:
            return f"no backtest origin after its cutoff {comparison.cutoff:%Y-%m-%d %H:%M} UTC"
        case Incomparable.UNREADABLE:
            return comparison.said
        case Incomparable.FOREIGN_FAILED:
            return f"it was trained elsewhere and cannot be run: try `{comparison.said}`"
        case Incomparable.TRAINED_ELSEWHERE:
            return "the challenger was trained elsewhere and has no backtest"
        case _:
            return reason.value
