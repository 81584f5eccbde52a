"""What approvers are shown, as values: checks with their measure, and facts. Words for them belong to the views.

An approval is bound to the digest of these values, so that rewording a message voids nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from fleetcast.domain.canonical import WORDS, digest_of, plain
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.scores import Baseline
from fleetcast.domain.training_hash import FieldChange

FORMAT = 2
"""Of evidence as values; format 1 was sentences."""
CHAMPION_TOLERANCE = 0.02
"""A challenger may be this much worse than the champion before the check fails: retraining is noisy, and its
backtest model has seen less data than the champion it is held against."""


class CheckVerdict(StrEnum):
    """How a check went; that it could not be measured is neither good nor bad."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_COMPARABLE = "not comparable"
    """There is nothing to hold it against."""
    NOT_MEASURED = "not measured"
    """There is a bound, and no measure to hold against it."""


class Outcome(StrEnum):
    """What a subject's checks say together."""

    PASSING = "passing"
    """None failed, all bounds were measured; or there is nothing to measure, as with an environment."""
    FAILING = "failing"
    NOT_MEASURED = "not measured"
    """A bound is set on what could not be measured, and nothing failed: no reason to approve, and none against it."""
    NOT_COMPARABLE = "not comparable"
    """There are checks, and none could be measured: no reason to approve, and none against it."""


class Bound(StrEnum):
    """A threshold, by its name in the fleet repository."""

    MIN_SKILL = "min_skill"
    MIN_ACCURACY = "min_accuracy"
    MAX_MAE = "max_mae"
    MAX_RMSE = "max_rmse"
    MAX_MASE = "max_mase"
    MIN_COVERAGE_80 = "min_coverage_80"
    MAX_COVERAGE_80 = "max_coverage_80"

    @property
    def metric(self) -> str:
        """What is held against it."""
        return self.value.partition("_")[2]

    @property
    def is_least(self) -> bool:
        """Whether more is better."""
        return self.value.startswith("min")


@dataclass(frozen=True, slots=True)
class BoundCheck:
    """A metric held against a threshold."""

    bound: Bound
    value: float | None
    """In the metric's own unit; None could not be measured."""
    limit: float
    sensor: str = ""
    """Empty: the mean over the circuit's sensors."""
    kind: Literal["bound"] = "bound"

    @property
    def name(self) -> str:
        """What is checked."""
        return f"{self.sensor} {self.bound.value}".lstrip()

    @property
    def verdict(self) -> CheckVerdict:
        """Whether the threshold is met."""
        if self.value is None:
            return CheckVerdict.NOT_MEASURED
        met = self.value >= self.limit if self.bound.is_least else self.value <= self.limit
        return CheckVerdict.PASSED if met else CheckVerdict.FAILED


@dataclass(frozen=True, slots=True)
class NoChampion:
    """The circuit has no promoted model yet."""

    kind: Literal["no champion"] = "no champion"


class Incomparable(StrEnum):
    """Why a challenger and the champion could not be compared."""

    TRAINED_ELSEWHERE = "the challenger was trained elsewhere"
    """So it has no backtest."""
    NO_ORIGIN = "no backtest origin after the champion's cutoff"
    NO_READINGS = "no readings to compare them on"
    UNREADABLE = "rows or artifact unreadable"
    FOREIGN_FAILED = "the champion cannot be run"
    """It was trained elsewhere."""

    @property
    def lasting(self) -> bool:
        """Whether trying again gives the same."""
        return self not in (Incomparable.UNREADABLE, Incomparable.FOREIGN_FAILED)


@dataclass(frozen=True, slots=True)
class NotComparable:
    """There is a champion, but no data on which the two could be compared."""

    champion: int
    reason: Incomparable
    cutoff: datetime | None = None
    """The champion's, where that is the reason."""
    said: str = field(default="", metadata=WORDS)
    """What went wrong, in the words of that moment."""
    kind: Literal["not comparable"] = "not comparable"


@dataclass(frozen=True, slots=True)
class Compared:
    """Both models were run from the same origins, all after the champion's cutoff."""

    champion: int
    origins: int
    ratio: float
    """The challenger's MAE over the champion's, mean over sensors; below 1 the challenger is better."""
    kind: Literal["compared"] = "compared"


Comparison = NoChampion | NotComparable | Compared


@dataclass(frozen=True, slots=True)
class ChampionCheck:
    """The challenger held against the champion."""

    comparison: Comparison
    kind: Literal["champion"] = "champion"

    name = "champion"

    @property
    def verdict(self) -> CheckVerdict:
        """Whether the challenger is no worse than the champion, within the tolerance."""
        if not isinstance(self.comparison, Compared):
            return CheckVerdict.NOT_COMPARABLE
        good = self.comparison.ratio <= 1 + CHAMPION_TOLERANCE
        return CheckVerdict.PASSED if good else CheckVerdict.FAILED


@dataclass(frozen=True, slots=True)
class WordedCheck:
    """A check of format 1: a sentence."""

    name: str
    verdict: CheckVerdict
    says: str


@dataclass(frozen=True, slots=True)
class SensorLeftOut:
    """A sensor whose readings are unfit; the reason is as it was registered with the data."""

    sensor: str
    reason: str
    kind: Literal["left out"] = "left out"


@dataclass(frozen=True, slots=True)
class SensorsCheck:
    """Sensors that the circuit declares and that are unfit to train on, so that the model knows nothing of them."""

    left_out: tuple[SensorLeftOut, ...]
    """At least one: where all are fit there is nothing to check."""
    kind: Literal["sensors"] = "sensors"

    name = "sensors"
    verdict = CheckVerdict.FAILED


Check = BoundCheck | ChampionCheck | SensorsCheck | WordedCheck


@dataclass(frozen=True, slots=True)
class CircuitFact:
    """Which circuit a model forecasts, and what it was trained on and with."""

    key: CircuitKey
    training_hash: Digest
    kind: Literal["circuit"] = "circuit"


@dataclass(frozen=True, slots=True)
class ReplacesModel:
    """Which version a model would replace, and how their training inputs differ."""

    version: int
    adopted: bool
    """Whether that one was trained elsewhere."""
    changes: tuple[FieldChange, ...]
    kind: Literal["replaces model"] = "replaces model"


@dataclass(frozen=True, slots=True)
class DataFact:
    """The rows a model was trained on; times aware UTC."""

    rows: int
    first: datetime
    last: datetime
    kind: Literal["data"] = "data"


@dataclass(frozen=True, slots=True)
class MetricFact:
    """A backtest metric, as the mean over sensors; without unit."""

    metric: Literal["skill", "mase", "coverage_80", "coverage_95"]
    value: float
    kind: Literal["metric"] = "metric"


@dataclass(frozen=True, slots=True)
class WeakestSensor:
    """The sensor with the least skill, which a mean over all sensors may hide."""

    sensor: str
    skill: float
    kind: Literal["weakest sensor"] = "weakest sensor"


@dataclass(frozen=True, slots=True)
class BaselineFact:
    """What skill is measured against: the strongest forecast that needs no model, for these sensors."""

    baseline: Baseline
    sensors: tuple[str, ...]
    """Empty: all of them."""
    kind: Literal["baseline"] = "baseline"


@dataclass(frozen=True, slots=True)
class NoStrongestBaseline:
    """Skill was measured by an earlier fleetcast, against a day and a week alone, and so counts as unmeasured."""

    kind: Literal["no strongest baseline"] = "no strongest baseline"


@dataclass(frozen=True, slots=True)
class PythonFact:
    """The Python of an environment."""

    version: str
    kind: Literal["python"] = "python"


@dataclass(frozen=True, slots=True)
class PackagesFact:
    """The packages of a first environment."""

    packages: tuple[str, ...]
    kind: Literal["packages"] = "packages"


@dataclass(frozen=True, slots=True)
class ReplacesEnvironment:
    """Which shared environment a new one comes after."""

    name: str
    version: str
    kind: Literal["replaces environment"] = "replaces environment"


class Turn(StrEnum):
    """What happened to a package."""

    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class PackageChange:
    """A package that an environment has and the one before it had not, or the other way round."""

    turn: Turn
    package: str
    kind: Literal["package"] = "package"


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """One field of a gate's policy that would change."""

    field: str
    before: str
    after: str
    kind: Literal["policy"] = "policy"


@dataclass(frozen=True, slots=True)
class ReleaseFact:
    """What a deployment changes for the clients of one plant."""

    plant: str
    number: int
    added: int
    changed: int
    removed: int
    """Circuits."""
    before: int | None
    """The number of the release that serves; None: nothing does."""
    kind: Literal["release"] = "release"


@dataclass(frozen=True, slots=True)
class BatchOnlyFact:
    """Plants that no client asks: their releases are live at once."""

    plants: tuple[str, ...]
    kind: Literal["batch_only"] = "batch_only"


@dataclass(frozen=True, slots=True)
class RampFact:
    """How a deployment goes on, step by step."""

    shares: tuple[int, ...]
    """Per cent of the clients."""
    soak_seconds: float
    """At each of them."""
    waves: tuple[int, ...]
    """Plants in each."""
    kind: Literal["ramp"] = "ramp"


@dataclass(frozen=True, slots=True)
class CriteriaFact:
    """By what a deployment is judged."""

    max_error_rate: float
    max_p95_seconds: float
    kind: Literal["criteria"] = "criteria"


@dataclass(frozen=True, slots=True)
class WordedFact:
    """A fact of format 1: a name and a sentence."""

    name: str
    value: str


Fact = (
    CircuitFact
    | ReplacesModel
    | DataFact
    | SensorLeftOut
    | MetricFact
    | WeakestSensor
    | BaselineFact
    | NoStrongestBaseline
    | PythonFact
    | PackagesFact
    | ReplacesEnvironment
    | PackageChange
    | PolicyChange
    | ReleaseFact
    | BatchOnlyFact
    | RampFact
    | CriteriaFact
    | WordedFact
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an approver is shown."""

    checks: tuple[Check, ...]
    facts: tuple[Fact, ...]

    @property
    def outcome(self) -> Outcome:
        """What all checks together say."""
        verdicts = {check.verdict for check in self.checks}
        if CheckVerdict.FAILED in verdicts:
            return Outcome.FAILING
        if CheckVerdict.NOT_MEASURED in verdicts:
            return Outcome.NOT_MEASURED
        return Outcome.NOT_COMPARABLE if verdicts == {CheckVerdict.NOT_COMPARABLE} else Outcome.PASSING

    @property
    def comparison(self) -> Comparison | None:
        """How the champion check went; None without one, or in format 1."""
        found = [check.comparison for check in self.checks if isinstance(check, ChampionCheck)]
        return found[0] if found else None

    @property
    def digest(self) -> Digest:
        """Of everything shown."""
        return digest_of({"format": FORMAT, "checks": plain(self.checks), "facts": plain(self.facts)})
