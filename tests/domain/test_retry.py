"""When a failed job is tried again: pauses, what counts as the same failure, and when a circuit is parked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from fleetcast.domain.job import TrainingJob
from fleetcast.domain.retry import FailedAlike, PastFailures, cause, pause_before
from tests.clocks import NOON
from tests.contracts.samples import component, digest, job, readings

QUEUED = job(readings(), component())
HASH = QUEUED.task.training_hash


def failed(*errors: str, **inputs: object) -> list[TrainingJob]:
    """Attempts that ended with these errors."""
    return [
        replace(QUEUED, attempt=number, **inputs).started(NOON).failed(error, NOON)  # type: ignore[arg-type]
        for number, error in enumerate(errors, start=1)
    ]


def parked(attempts: Sequence[TrainingJob], environment: str = "1.0.0") -> FailedAlike | None:
    return PastFailures(environment, {HASH: attempts}).alike(HASH, QUEUED.fingerprint)


def test_pauses_double_up_to_the_longest() -> None:
    pauses = [pause_before(retry) // timedelta(seconds=1) for retry in (1, 2, 3, 4, 8, 9, 10, 1_000)]
    assert pauses == [1, 2, 4, 8, 128, 256, 300, 300]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("no room for 812 MB", "no room for 9,144.5 MB"),
        ("cannot read /tmp/x1/a.csv", "cannot read /tmp/y2/b.csv"),
        ("cannot read 'C:\\tmp\\a'", "cannot read 'C:\\tmp\\b'"),
        ("<Model object at 0x7f3a01>", "<Model object at 0x7fb2cc>"),
        ("at 2025-01-01T12:00:00Z: no", "at 2026-02-03 01:02:03.123456+01:00: no"),
        ("lock 3f2b8c1d-aaaa-bbbb-cccc-1234567890ab held", "lock 00000000-aaaa-bbbb-cccc-000000000000 held"),
        ("job 3f2b8c1d0a2e lost", "job 99998c1d0a2e lost"),
        ("loss is -1.5e-3  now", "loss is 2.25E+10 now"),
    ],
)
def test_what_varies_between_attempts_makes_no_other_cause(one: str, other: str) -> None:
    assert cause(one) == cause(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("step 'step-1' ended", "step 'step-2' ended"),
        ("ended with exit code 1: no", "ended with exit code 2: no"),
        ("was killed by SIGKILL", "was killed by SIGTERM"),
        ("no room for 8 MB", "no place for 8 MB"),
    ],
)
def test_what_is_another_failure_has_another_cause(one: str, other: str) -> None:
    assert cause(one) != cause(other)


def test_three_failures_in_the_same_way_park_a_circuit() -> None:
    assert parked(failed("no 1", "no 2")) is None
    assert parked(failed("no 1", "no 2", "no 3")) == FailedAlike(3, "no 3")
    assert parked(failed("other", "no 1", "no 2", "no 3", "no 4")) == FailedAlike(4, "no 4")


def test_a_failure_of_another_kind_in_between_begins_anew() -> None:
    assert parked(failed("no", "no", "other", "no", "no")) is None


def test_an_attempt_that_is_under_way_parks_nothing() -> None:
    assert parked([*failed("no", "no", "no"), QUEUED]) is None


def test_a_circuit_is_parked_for_one_environment_and_one_set_of_rows() -> None:
    thrice = failed("no", "no", "no")
    assert parked(thrice, "1.0.1") is None
    assert PastFailures("1.0.0", {HASH: thrice}).alike(HASH, digest("other rows")) is None
    assert PastFailures("1.0.0", {HASH: thrice}).alike(digest("other inputs"), None) is None
    assert parked([*failed("no", "no", fingerprint=digest("other rows")), *failed("no")]) is None
    assert parked([*failed("no", "no", environment_version="0.9.0"), *failed("no")]) is None
    assert parked([*failed("no", "no", component_digest=digest("other steps")), *failed("no")]) is None
