"""The digests of the first format, which hashed sentences: what was pinned by them is still recognised.

Nothing here may change: runs, saved plans, requests and decisions of before name these digests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import timedelta
from pathlib import PurePosixPath

from fleetcast.domain.approval import Subject
from fleetcast.domain.canonical import Json, digest_of
from fleetcast.domain.circuit import Circuit
from fleetcast.domain.evidence import (
    BaselineFact,
    BatchOnlyFact,
    BoundCheck,
    ChampionCheck,
    Check,
    CheckVerdict,
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
from fleetcast.domain.fleet import Fleet, deciding_content
from fleetcast.domain.gate import GatePolicy
from fleetcast.domain.identity import Digest
from fleetcast.domain.plan import (
    Blocked,
    CircuitAction,
    DataUnfit,
    Plan,
    Removed,
    Reuse,
    Train,
    UpToDate,
    VersionRefused,
)
from fleetcast.domain.ramp import Ramp
from fleetcast.domain.retry import FailedAlike
from fleetcast.domain.settings import (
    DEFAULT_READINGS,
    DataSource,
    ExternalTable,
    OwnTable,
    Schedule,
    Settings,
)

_COVERAGE = ("min_coverage_80", "max_coverage_80")
_RULES = tuple(field.name for field in fields(GatePolicy) if "later" in field.metadata)
_NOT_THERE_YET = {
    "GatePolicy": ("verified", *_RULES),
    "Limits": _COVERAGE,
    "Settings": (
        "azure",
        "cost",
        "sign_in",
        "signing",
        "azure_devops",
        "github",
        "notifications",
        "contacts",
    ),
}
"""Fields of settings that came later."""
_METRICS = {"skill": "skill", "mase": "MASE", "coverage_80": "coverage 80", "coverage_95": "coverage 95"}


def fleet_digest(fleet: Fleet) -> Digest:
    """Of everything that a fleet repository says."""
    return digest_of(
        {
            "settings": _resolved(fleet.settings),
            "circuits": [_circuit(circuit) for circuit in fleet.circuits],
            "environment": fleet.environment.content,
            "component": fleet.component.content,
        }
    )


def plan_digest(plan: Plan, fleet: Fleet) -> Digest:
    """Of what a plan would do, in words."""
    return digest_of(
        {
            "fleet": fleet_digest(fleet).hex,
            "circuits": [
                [str(action.key), action.action, getattr(action, "version", 0), _why(action)]
                for action in plan.circuits
            ],
            "assets": [[asset.verb, asset.kind, asset.name, asset.version] for asset in plan.assets],
        }
    )


def subject_digest(
    subject: Subject, evidence: Evidence, policy: GatePolicy, thresholds: Digest | None
) -> Digest:
    """Of the same subject, with its evidence in words and the fields that policies had."""
    return digest_of(
        {
            "kind": subject.kind.value,
            "name": subject.name,
            "version": subject.version,
            "artifact": subject.artifact.hex,
            "configuration": subject.configuration.hex,
            "policy": policy_digest(policy, thresholds).hex,
            "evidence": evidence_digest(evidence).hex,
        }
    )


def evidence_digest(evidence: Evidence) -> Digest:
    """Of everything shown, in words."""
    return digest_of(
        {
            "checks": [[check.name, _verdict(check), _says(check)] for check in evidence.checks],
            "facts": [list(pair) for fact in evidence.facts for pair in _fact(fact)],
        }
    )


def policy_digest(policy: GatePolicy, thresholds: Digest | None) -> Digest:
    """Of the rules in force when something was asked for; what was asked then is not recognised under newer rules."""
    content: dict[str, Json] = {
        "approvers": list(policy.approvers),
        "minimum": policy.minimum,
        "own_request_allowed": policy.own_request_allowed,
        "thresholds": thresholds.hex if thresholds else None,
    }
    return digest_of(content | policy.later_rules)


def _circuit(circuit: Circuit) -> Mapping[str, Json]:
    """What a circuit declares, but for what came later."""
    limits = circuit.thresholds
    return {
        **deciding_content(circuit),
        "description": circuit.description,
        "owner": circuit.owner,
        "tags": dict(circuit.tags),
        "thresholds": {
            "circuit": _resolved(limits.circuit),
            "sensors": {name: _resolved(sensor) for name, sensor in limits.sensors.items()},
        },
    }


def _verdict(check: Check) -> str:
    """What could not be measured counted as not comparable."""
    verdict = check.verdict
    return (CheckVerdict.NOT_COMPARABLE if verdict is CheckVerdict.NOT_MEASURED else verdict).value


def _why(action: CircuitAction) -> str:
    match action:
        case Train():
            return ", ".join(map(str, action.changes)) or "new circuit"
        case Reuse():
            return f"version {action.version} has the same training hash"
        case UpToDate():
            return f"version {action.version}"
        case Removed():
            return f"no longer declared; version {action.version} and older stay registered"
        case Blocked(reason=DataUnfit(said)):
            return said
        case Blocked(reason=VersionRefused(version, refusal)):
            return f"version {version} was {refusal.value}; change its configuration or raise `revision`"
        case Blocked(reason=FailedAlike(times, said)):
            return f"failed {times} times in the same way: {said}"
    raise AssertionError(f"no words for {action}")


def _says(check: Check) -> str:
    match check:
        case SensorsCheck(left_out):
            return "; ".join(f"{gone.sensor}: {gone.reason}" for gone in left_out)
        case WordedCheck():
            return check.says
        case BoundCheck(bound, None):
            return f"{bound.metric} could not be measured"
        case BoundCheck(bound, value, limit):
            return f"{bound.metric} {value:.4g}, {'at least' if bound.is_least else 'at most'} {limit:g}"
        case ChampionCheck(comparison):
            return _comparison(comparison)


def _comparison(comparison: Comparison) -> str:
    if isinstance(comparison, NoChampion):
        return "the first model of this circuit"
    if isinstance(comparison, Compared):
        origins = f"{comparison.origins:,} origin" + ("" if comparison.origins == 1 else "s")
        return f"MAE {comparison.ratio - 1:+.1%} against version {comparison.champion} on {origins}"
    cutoff = "" if comparison.cutoff is None else f"{comparison.cutoff:%Y-%m-%d %H:%M UTC}"
    words = {
        Incomparable.TRAINED_ELSEWHERE: "the challenger was trained elsewhere and has no backtest",
        Incomparable.NO_ORIGIN: f"no backtest origin after its cutoff {cutoff}",
        Incomparable.NO_READINGS: "no readings to compare them on",
        Incomparable.UNREADABLE: comparison.said,
        Incomparable.FOREIGN_FAILED: f"it was trained elsewhere and cannot be run: try `{comparison.said}`",
    }
    return f"version {comparison.champion}: {words[comparison.reason]}"


def _fact(fact: Fact) -> list[tuple[str, str]]:  # noqa: C901  # one case for each kind
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
            return [(_METRICS[metric], f"{value:.3f}")]
        case WeakestSensor(sensor, skill):
            return [("weakest sensor", f"{sensor}, skill {skill:.3f}")]
        case PythonFact(version):
            return [("python", version)]
        case PackagesFact(packages):
            return [("packages", ", ".join(packages) or "none")]
        case ReplacesEnvironment(name, version):
            return [("replaces", f"{name}:{version}")]
        case PackageChange(turn, package):
            return [(turn.value, package)]
        case (
            PolicyChange()
            | BaselineFact()
            | NoStrongestBaseline()
            | ReleaseFact()
            | BatchOnlyFact()
            | RampFact()
            | CriteriaFact()
        ):
            return []


def _resolved(value: object) -> Json:
    """Settings as JSON: dataclasses by field name, durations in seconds."""
    if isinstance(value, OwnTable | ExternalTable):
        return _data_source(value)
    if isinstance(value, Ramp):
        return {"steps": list(value.shares)}
    if isinstance(value, Schedule):
        return value.cron
    if is_dataclass(value) and not isinstance(value, type):
        later = _NOT_THERE_YET.get(type(value).__name__, ())
        held = {
            field.name: _resolved(getattr(value, field.name))
            for field in fields(value)
            if field.name not in later
        }
        return {**held, "channels": _channels(value)} if isinstance(value, Settings) else held
    if isinstance(value, Mapping):
        return {str(name): _resolved(entry) for name, entry in value.items()}
    if isinstance(value, tuple):
        return [_resolved(entry) for entry in value]
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, PurePosixPath):
        return str(value)
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"no canonical JSON for {type(value).__name__}")


def _channels(settings: Settings) -> Json:
    """Of notifications, what there was: channels by name and kind."""
    return [{"name": channel.name, "kind": channel.kind.value} for channel in settings.notifications.channels]


def _data_source(source: DataSource) -> Mapping[str, Json]:
    """A data source as fleets have always been digested: both kinds in one form, each with the other's gaps."""
    match source:
        case OwnTable():
            kind, path, address, mapping = "own", source.path, "", None
        case ExternalTable():
            kind, path, address, mapping = "delta", DEFAULT_READINGS, source.address, source.mapping
    return {
        "name": source.name,
        "kind": kind,
        "path": str(path),
        "address": address,
        "mapping": _resolved(mapping),
    }
