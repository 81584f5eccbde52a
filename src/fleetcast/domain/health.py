"""Whether a release that serves a share of the traffic is well: what was counted in, a verdict with its reasons out.

What can be counted is counted, never kept: an error rate and a 95th percentile of latency are bounds on counts, so that
windows add up and a crash loses none. Error rate and latency are judged by their bounds alone. Forecasts are judged
against those of the release before, by Fisher's exact test (Fisher 1922, "On the interpretation of χ² from contingency
tables, and the calculation of P"; one-sided), which needs no least number and takes no difference for one by chance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from fractions import Fraction

from fleetcast.domain.errors import BadInput


class Verdict(StrEnum):
    """What a check, or all of them, come to. Only the first is a reason to go on."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    """There is too little to judge by."""
    NOT_MEASURED = "not measured"
    """There is nothing to judge by: that is never a pass."""


_SLOW_SHARE = 0.05
"""What the 95th percentile leaves above it."""
_WORST_FIRST = (Verdict.FAILED, Verdict.NOT_MEASURED, Verdict.INCONCLUSIVE)


class Measure(StrEnum):
    """What is looked at."""

    ERRORS = "error rate"
    LATENCY = "latency"
    FORECASTS = "forecasts"


class Invalid(StrEnum):
    """What makes a forecast none."""

    NOT_FINITE = "not finite"
    WRONG_LENGTH = "wrong length"
    OUTSIDE_LIMITS = "outside physical limits"
    CONSTANT = "constant where the sensor is not"
    OFF_SCALE = "off the scale of the release before"


@dataclass(frozen=True, slots=True)
class Answers:
    """Requests of clients that were answered; those that were wrong themselves (4xx) are not among them."""

    count: int = 0
    errors: int = 0
    """Answered by 5xx, or not in time."""
    slow: int = 0
    """That took longer than the bound on latency."""

    def __post_init__(self) -> None:
        if not 0 <= self.errors <= self.count or not 0 <= self.slow <= self.count:
            raise BadInput(f"{self.errors} errors and {self.slow} slow ones of {self.count} answers")

    def __add__(self, other: Answers) -> Answers:
        return Answers(self.count + other.count, self.errors + other.errors, self.slow + other.slow)


@dataclass(frozen=True, slots=True)
class Forecasts:
    """Forecasts that were looked at, of clients' requests, mirrored ones or replayed windows."""

    count: int = 0
    invalid: Mapping[Invalid, int] = field(default_factory=dict)
    """By what is wrong with them; each is counted under the first that is."""

    def __post_init__(self) -> None:
        if min((0, *self.invalid.values())) < 0 or self.bad > self.count:
            raise BadInput(f"{self.bad} invalid ones of {self.count} forecasts")

    @property
    def bad(self) -> int:
        """How many are invalid."""
        return sum(self.invalid.values())

    def __add__(self, other: Forecasts) -> Forecasts:
        kinds = (kind for kind in Invalid if kind in self.invalid or kind in other.invalid)
        return Forecasts(
            self.count + other.count,
            {kind: self.invalid.get(kind, 0) + other.invalid.get(kind, 0) for kind in kinds},
        )


@dataclass(frozen=True, slots=True)
class Counts:
    """What one colour did in a time."""

    answers: Answers = Answers()
    forecasts: Forecasts = field(default_factory=Forecasts)
    replayed: Forecasts = field(default_factory=Forecasts)
    """Of recent windows that no client asked for: they prove that forecasts are valid, and nothing else."""

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.answers + other.answers, self.forecasts + other.forecasts, self.replayed + other.replayed
        )


@dataclass(frozen=True, slots=True)
class Criteria:
    """By what a release is judged while it serves a share of the traffic."""

    max_error_rate: float = 0.05
    """Share of answers; more than that fails, just as much does not."""
    max_p95_latency: timedelta = timedelta(seconds=2)
    """The 95th percentile, by nearest rank; more than that fails. Servers count the answers that took longer."""
    least_answers: int = 50
    """With fewer, nothing passes."""
    least_forecasts: int = 20
    clients: bool = True
    """Whether clients ask here. Where none are expected, as in test, replayed windows are enough."""
    significance: float = 0.001
    """Chance that a release as good as the one before fails for its forecasts, each time it is looked at."""

    def __post_init__(self) -> None:
        if not 0 < self.max_error_rate < 1 or not 0 < self.significance < 1:
            raise BadInput("error rate and significance are shares", fix="write 0.05 for 5 %")
        if self.least_answers < 1 or self.least_forecasts < 1 or self.max_p95_latency <= timedelta(0):
            raise BadInput("a release is judged by one answer at least, and by a latency above zero")


@dataclass(frozen=True, slots=True)
class Finding:
    """How one measure stands, in numbers; words are for views."""

    measure: Measure
    verdict: Verdict
    value: float | None
    """Share; None if it cannot be measured."""
    limit: float
    count: int
    """How many it was measured on."""


@dataclass(frozen=True, slots=True)
class Health:
    """What a colour's counts come to."""

    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of them."""
        found = {finding.verdict for finding in self.findings}
        return next((verdict for verdict in _WORST_FIRST if verdict in found), Verdict.PASSED)

    @property
    def reasons(self) -> tuple[Finding, ...]:
        """What the verdict rests on; all of them where it passed."""
        return tuple(finding for finding in self.findings if finding.verdict is self.verdict)


def judge(green: Counts, blue: Counts | None, criteria: Criteria) -> Health:
    """Judge a release by what it did, next to the one before.

    Args:
        green: Of the release, at the present share of the traffic.
        blue: Of the one before in the same time; None: there is none, and it is held against one without a fault.
        criteria: What is asked of it.
    """
    answers = green.answers
    forecasts = _forecasts(green.forecasts + green.replayed, blue, criteria)
    if not criteria.clients and not answers.count:
        return Health((forecasts,))
    return Health(
        (
            _bounded(Measure.ERRORS, answers.errors, answers.count, criteria.max_error_rate, criteria),
            _bounded(Measure.LATENCY, answers.slow, answers.count, _SLOW_SHARE, criteria),
            forecasts,
        )
    )


def failed_alike(green: Health, blue: Health) -> bool:
    """Whether one fails for nothing that the other does not fail for: then what is wrong is not the release."""
    bad, bad_before = (
        {finding.measure for finding in health.findings if finding.verdict is Verdict.FAILED}
        for health in (green, blue)
    )
    return bool(bad) and bad <= bad_before


def _bounded(measure: Measure, bad: int, count: int, limit: float, criteria: Criteria) -> Finding:
    """A share that may be at most so much.

    Of `least_answers` no more than so many may be bad: once there are more, the window fails at once. Exact, as 5 % of
    a number is no binary fraction. A 95th percentile is above its bound once more than 5 % of the answers are.
    """
    share = bad / count if count else None
    bound = Fraction(str(limit))
    if bad > bound * max(count, criteria.least_answers):
        verdict = Verdict.FAILED
    elif not count:
        verdict = Verdict.NOT_MEASURED
    elif count < criteria.least_answers:
        verdict = Verdict.INCONCLUSIVE
    else:
        verdict = Verdict.PASSED
    return Finding(measure, verdict, share, limit, count)


def _forecasts(green: Forecasts, blue: Counts | None, criteria: Criteria) -> Finding:
    before = Forecasts(green.count) if blue is None else blue.forecasts + blue.replayed
    share = green.bad / green.count if green.count else None
    limit = before.bad / before.count if before.count else 0.0
    if not green.count:
        verdict = Verdict.NOT_MEASURED
    elif chance_of_more(green.bad, green.count, before.bad, before.count) < criteria.significance:
        verdict = Verdict.FAILED
    elif min(green.count, before.count) < criteria.least_forecasts:
        verdict = Verdict.INCONCLUSIVE
    else:
        verdict = Verdict.PASSED
    return Finding(Measure.FORECASTS, verdict, share, limit, green.count)


def chance_of_more(bad: int, count: int, bad_before: int, count_before: int) -> float:
    """Fisher's exact test, one-sided: how likely so many bad ones or more are, if both are bad equally often.

    Returns:
        1.0 where there is nothing to compare.
    """
    total, bads = count + count_before, bad + bad_before
    if not count or not count_before or not bads:
        return 1.0
    most = min(bads, count)
    every = _log_choose(total, bads)
    terms = [
        math.exp(_log_choose(count, some) + _log_choose(count_before, bads - some) - every)
        for some in range(max(bad, bads - count_before), most + 1)
    ]
    return min(1.0, math.fsum(terms))


def _log_choose(total: int, some: int) -> float:
    return math.lgamma(total + 1) - math.lgamma(some + 1) - math.lgamma(total - some + 1)
