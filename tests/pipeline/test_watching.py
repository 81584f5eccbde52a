"""What a look takes of forecasts, plants and training, and what it makes of numbers that are none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from fleetcast.domain.drift import Observation, Outcome, Signal
from fleetcast.domain.health import Answers, Counts
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.job import JobState
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.release import Endpoint, NumberedRelease, Release, ServedModel
from fleetcast.domain.settings import EnvironmentSettings
from fleetcast.domain.traffic import CountedWindow, Report, Traffic, Watch
from fleetcast.forecasting.resampling import micros
from fleetcast.pipeline.watching import plainly, published
from fleetcast.pipeline.watching_plants import LEAST_ANSWERS, endpoint_health, training_failures
from tests.clocks import NOON
from tests.contracts.samples import component, digest, job, readings
from tests.domain.circuits import CIRCUIT

PROD = EnvironmentName.PROD
LYON = Endpoint(PROD, "LYON")
HOUR = timedelta(hours=1)
EXPECTED = EnvironmentSettings(latency_ms=500.0, error_rate=2.0, availability=99.5)
MODEL = ServedModel("lyon-a", 1, digest("artifact"), digest("hash"))
LIVE = NumberedRelease(3, Release(PROD, "LYON", "1.0.0", {"A": MODEL}), NOON, "ada")
BLUE, GREEN = Digest.of(b"blue"), Digest.of(b"green")


# Forecasts that were published


def rows(*lines: tuple[str, int, datetime, float]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "plant_id": "LYON",
                "circuit_id": "A",
                "model": "lyon-a",
                "version": 1,
                "sensor": sensor,
                "step": step,
                "timestamp": at,
                "point": point,
                "lower_80": point - 1,
                "upper_80": point + 1,
            }
            for sensor, step, at, point in lines
        ],
        schema={
            **dict.fromkeys(("plant_id", "circuit_id", "model"), pl.String),
            "version": pl.Int32,
            "sensor": pl.String,
            "step": pl.Int16,
            "timestamp": pl.Datetime("us", "UTC"),
            **dict.fromkeys(("point", "lower_80", "upper_80"), pl.Float64),
        },
    )


def test_forecasts_are_laid_out_by_origin_step_and_sensor_whatever_their_order() -> None:
    watched = replace(CIRCUIT, features=("a", "b"), targets=("a", "b"), frequency=HOUR, horizon=2 * HOUR)
    first, second = NOON, NOON + timedelta(days=1)
    found = published(
        rows(
            ("b", 2, second + HOUR, 4.0),
            ("a", 1, first, 1.0),
            ("a", 2, first + HOUR, 2.0),
            ("b", 1, second, 3.0),
            ("gone", 1, first, 9.0),
        ),
        watched,
    )
    assert list(found.origins) == [micros(first), micros(second)]
    nan = np.nan
    np.testing.assert_array_equal(found.point, [[[1, nan], [2, nan]], [[nan, 3], [nan, 4]]])
    np.testing.assert_array_equal(found.upper_80 - found.lower_80, np.where(np.isnan(found.point), nan, 2.0))
    assert found.sensors == ("a", "b")


def test_without_forecasts_there_is_nothing() -> None:
    assert len(published(rows(), CIRCUIT).origins) == 0


# Numbers that are none


def seen(**more: object) -> Observation:
    one = Observation(Signal.DATA_DRIFT, PROD, "LYON", "A", "flow", NOON, Outcome.BREACHED, 0.3, 0.15)
    return replace(one, **more)  # type: ignore[arg-type]  # fields by name


@pytest.mark.parametrize("field", ["value", "threshold", "p_value", "impact"])
@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_is_no_number_is_not_measured_and_says_so(field: str, number: float) -> None:
    found = plainly(seen(**{field: number}))
    assert found.outcome is Outcome.NOT_MEASURED
    assert found.detail["why"] == "what was measured is no number"
    assert (found.value, found.p_value, found.impact) == (None, None, 0.0)


def test_further_numbers_that_are_none_are_left_out() -> None:
    found = plainly(seen(detail={"good": 1.0, "bad": float("nan"), "says": "text"}))
    assert dict(found.detail) == {"good": 1.0, "says": "text"}
    assert found.outcome is Outcome.BREACHED


# Endpoints


def outcomes(told: Traffic | None, report: Report | None = None) -> dict[str | None, Outcome]:
    found = endpoint_health(LYON, LIVE, told, report, EXPECTED, NOON)
    assert {(one.plant, one.circuit) for one in found} == {("LYON", None)}
    return {one.sensor: one.outcome for one in found}


def counted(errors: int, slow: int, count: int = 100) -> Report:
    half = Counts(Answers(count // 2, errors // 2, slow // 2))
    return Report(
        ready=True, stopped=False, waited=HOUR, share=50, windows=(CountedWindow(1, 50, half, half),)
    )


def rollout(slow_after: timedelta) -> Traffic:
    return Traffic(LYON, BLUE, GREEN, 50, watch=Watch(slow_after=slow_after))


@pytest.mark.parametrize("told", [None, Traffic(LYON)])
def test_an_endpoint_that_is_to_serve_and_is_told_nothing_is_down(told: Traffic | None) -> None:
    (found,) = endpoint_health(LYON, LIVE, told, None, EXPECTED, NOON)
    assert (found.sensor, found.outcome, found.value) == ("availability", Outcome.BREACHED, 0.0)


def test_what_nobody_counts_is_not_measured() -> None:
    found = outcomes(Traffic(LYON, BLUE))
    assert found == {"availability": Outcome.FINE, "answers": Outcome.NOT_MEASURED}


@pytest.mark.parametrize(
    ("errors", "count", "outcome"),
    [
        (2, 100, Outcome.FINE),
        (4, 100, Outcome.BREACHED),
        (4, LEAST_ANSWERS - 2, Outcome.NOT_ENOUGH_DATA),
    ],
)
def test_errors_are_held_against_the_rate_that_is_expected(errors: int, count: int, outcome: Outcome) -> None:
    assert outcomes(rollout(HOUR), counted(errors, 0, count))["error rate"] is outcome


@pytest.mark.parametrize(
    ("slow", "bound_ms", "outcome"),
    [
        (4, 500, Outcome.FINE),
        (10, 500, Outcome.BREACHED),
        (10, 2_000, Outcome.BREACHED),
        (4, 2_000, Outcome.NOT_MEASURED),
        (10, 100, Outcome.NOT_MEASURED),
    ],
)
def test_latency_is_judged_only_where_what_is_counted_tells(
    slow: int, bound_ms: int, outcome: Outcome
) -> None:
    told = rollout(timedelta(milliseconds=bound_ms))
    assert outcomes(told, counted(0, slow))["latency"] is outcome


def test_what_is_not_expected_is_not_measured() -> None:
    told, report = rollout(timedelta(milliseconds=500)), counted(100, 100)
    found = endpoint_health(LYON, LIVE, told, report, EnvironmentSettings(), NOON)
    assert [one.outcome for one in found[1:]] == [Outcome.NOT_MEASURED] * 2


# Training


def test_training_that_failed_at_its_last_attempt_is_told_with_its_error() -> None:
    queued = job(readings(), component())
    failed = queued.started(NOON).failed("no memory\nmore", NOON)
    done = replace(queued, state=JobState.COMPLETED)
    one, two, three = (replace(CIRCUIT, key=CircuitKey("LYON", name)) for name in "ABC")
    at = datetime(2025, 12, 2, tzinfo=UTC)
    found = training_failures(
        EnvironmentName.DEV, [(one, [failed, failed]), (two, [failed, done]), (three, [])], at
    )
    assert [(each.circuit, each.outcome) for each in found] == [
        ("A", Outcome.BREACHED),
        ("B", Outcome.FINE),
        ("C", Outcome.FINE),
    ]
    assert found[0].value == 2.0
    assert found[0].detail["why"] == "no memory"
