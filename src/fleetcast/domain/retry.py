"""When a job that failed is tried again, and when it is parked until something changes or a person asks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from fleetcast.domain.identity import Digest
from fleetcast.domain.job import JobState, TrainingJob

ALIKE = 3
"""So many attempts that ended in the same way are evidence enough that the next one will."""
FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(minutes=5)

_VARYING = (
    (re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d+)?)?)?( ?(Z|UTC|[+-]\d\d:?\d\d))?"), "<time>"),
    (re.compile(r"\b0x[0-9a-fA-F]+\b"), "<address>"),
    (re.compile(r"\b[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"), "<id>"),
    (re.compile(r"(?<![\w.])(?:[A-Za-z]:)?(?:[/\\\\][^\s'\"/\\\\:,;()]+){2,}[/\\\\]?"), "<path>"),
    (re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{8,64}\b"), "<digest>"),
    (re.compile(r"(?<![\w-])(?<!exit code )[-+]?\d[\d_,.]*(?:[eE][-+]?\d+)?"), "<number>"),
    (re.compile(r"\s+"), " "),
)
"""What differs between two accounts of the same failure. Exit codes and names such as `step-1` do not."""


def cause(error: str) -> str:
    """An error without what varies from one attempt to the next: times, addresses, paths, numbers.

    >>> cause("step 'fit' ended with exit code 3: no room for 812 MB in /tmp/x7/a at 0x7f12")
    "step 'fit' ended with exit code 3: no room for <number> MB in <path> at <address>"
    """
    for varying, stands_for in _VARYING:
        error = varying.sub(stands_for, error)
    return error.strip()


def pause_before(retry: int) -> timedelta:
    """How long to wait before a retry, counted from 1: twice as long as before the one before."""
    doubled: int = 2 ** min(retry - 1, 20)
    return min(FIRST_PAUSE * doubled, LONGEST_PAUSE)


@dataclass(frozen=True, slots=True)
class FailedAlike:
    """The last attempts ended in the same way, on the same inputs: another one would, too."""

    times: int
    said: str
    """By the last of them."""


@dataclass(frozen=True, slots=True)
class PastFailures:
    """What is known of training hashes at which attempts failed."""

    environment: str = ""
    """The version that the next attempt would train in."""
    attempts: Mapping[Digest, Sequence[TrainingJob]] = field(default_factory=dict)
    """All of them, first attempt first."""

    def alike(self, training_hash: Digest, fingerprint: Digest | None) -> FailedAlike | None:
        """How the last attempts ended, if so in one way that has to be expected again.

        Args:
            training_hash: What would be trained; it covers the component's version.
            fingerprint: Of the rows that would be trained on; None: not known.
        """
        attempts = self.attempts.get(training_hash, ())
        if not attempts:
            return None
        last = attempts[-1]
        if last.environment_version != self.environment or fingerprint not in (None, last.fingerprint):
            return None
        times = 0
        for job in reversed(attempts):
            if not _same_way(job, last):
                break
            times += 1
        return FailedAlike(times, last.error) if times >= ALIKE else None


NO_FAILURES = PastFailures()


def _same_way(one: TrainingJob, other: TrainingJob) -> bool:
    return (
        one.state is other.state is JobState.FAILED
        and one.environment_version == other.environment_version
        and one.fingerprint == other.fingerprint
        and one.component_digest == other.component_digest
        and cause(one.error) == cause(other.error)
    )
