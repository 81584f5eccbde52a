"""What a look takes of forecasts, plants and training, and what it makes of numbers that are none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from fleetcast.domain.drift import Observation, Outcome, Signal
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.job import JobState
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.release import Endpoint, NumberedRelease, Release, ServedModel
from fleetcast.domain.service import PATIENCE, TIMES_END_MS, Served, Stretch
from fleetcast.domain.settings import EnvironmentSettings
from fleetcast.domain.traffic import Traffic
from fleetcast.forecasting.resampling import micros
from fleetcast.pipeline.watching import plainly, published
from fleetcast.pipeline.watching_plants import LEAST_ANSWERS, PlantServed, endpoint_health, training_failures
from tests.clocks import NOON
from tests.contracts.samples import component, digest, job, readings
from tests.domain.circuits import CIRCUIT

PROD = EnvironmentName.PROD
LYON = Endpoint(PROD, "LYON")
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
EXPECTED = EnvironmentSettings(latency_ms=500.0, error_rate=2.0, availability=99.5)
MODEL = ServedModel("lyon-a", 1, digest("artifact"), digest("hash"))
LIVE = NumberedRelease(3, Release(PROD, "LYON", "1.0.0", {"A": MODEL}), NOON, "ada")
SERVES = Traffic(LYON, Digest.of(b"blue"))


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


def times(fast: int, slow: int) -> tuple[int, ...]:
    """Of answers in 5 to 10 milliseconds, and in one to two seconds."""
    found = [0] * (len(TIMES_END_MS) + 1)
    found[TIMES_END_MS.index(10)], found[TIMES_END_MS.index(2_000)] = fast, slow
    return tuple(found)


def stretch(ago: timedelta, length: timedelta, served: Served | None = None) -> Stretch:
    """One that began so long before noon."""
    return Stretch(NOON - ago, NOON - ago + length, served or Served())


def looked_at(
    *stretches: Stretch,
    told: Traffic | None = SERVES,
    settings: EnvironmentSettings = EXPECTED,
    last_look: datetime | None = None,
) -> dict[str | None, Observation]:
    found = endpoint_health(PlantServed(LIVE, told, stretches), settings, last_look, NOON)
    assert {(one.environment, one.plant, one.circuit, one.at) for one in found} == {
        (PROD, "LYON", None, NOON)
    }
    return {one.sensor: one for one in found}


@pytest.mark.parametrize("told", [None, Traffic(LYON)])
def test_an_endpoint_that_is_to_serve_and_is_told_nothing_is_down(told: Traffic | None) -> None:
    found = looked_at(stretch(HOUR, HOUR), told=told)["serving"]
    assert found.outcome is Outcome.BREACHED
    assert "told to serve nothing" in str(found.detail["why"])


@pytest.mark.parametrize(
    ("silent", "outcome"),
    [
        (timedelta(0), Outcome.FINE),
        (PATIENCE, Outcome.FINE),
        (PATIENCE + timedelta(seconds=1), Outcome.BREACHED),
        (timedelta(days=1), Outcome.BREACHED),
    ],
)
def test_an_endpoint_whose_servers_are_silent_is_down_since_they_said_something(
    silent: timedelta, outcome: Outcome
) -> None:
    found = looked_at(stretch(HOUR + silent, HOUR))["serving"]
    assert (found.outcome, found.value, found.unit) == (outcome, silent.total_seconds(), "s")
    if outcome is Outcome.BREACHED:
        assert found.detail["since"] == (NOON - silent).isoformat()


def test_an_endpoint_that_no_server_ever_served_is_down_and_nothing_else_is_known_of_it() -> None:
    found = looked_at()
    assert (found["serving"].outcome, found["serving"].value) == (Outcome.BREACHED, None)
    others = {one.outcome for name, one in found.items() if name != "serving"}
    assert others == {Outcome.NOT_ENOUGH_DATA}


def test_whether_a_release_served_before_it_was_made_is_not_asked() -> None:
    later = replace(LIVE, composed_at=NOON + HOUR)
    serving, *_ = endpoint_health(PlantServed(later, SERVES, ()), EXPECTED, None, NOON)
    assert serving.outcome is Outcome.NOT_MEASURED
    assert serving.detail["why"] == "release prod/LYON:3 was made after the moment that is looked at"


def test_one_server_of_two_is_enough() -> None:
    assert looked_at(stretch(2 * HOUR, HOUR), stretch(HOUR, HOUR))["serving"].outcome is Outcome.FINE


def test_a_look_at_the_past_sees_what_was_then() -> None:
    later = Stretch(NOON + HOUR, NOON + 2 * HOUR)
    assert looked_at(stretch(2 * HOUR, HOUR), later)["serving"].outcome is Outcome.BREACHED


@pytest.mark.parametrize(
    ("out", "outcome"),
    [(timedelta(0), Outcome.FINE), (7 * MINUTE, Outcome.FINE), (8 * MINUTE, Outcome.BREACHED)],
)
def test_availability_is_the_share_of_the_last_day_in_which_somebody_served(
    out: timedelta, outcome: Outcome
) -> None:
    before = stretch(30 * HOUR, 20 * HOUR)
    found = looked_at(before, stretch(10 * HOUR - out, 10 * HOUR - out))["availability"]
    assert found.outcome is outcome
    assert found.value == pytest.approx(100 * (1 - out / timedelta(days=1)))
    assert found.threshold == 99.5


def test_availability_of_what_was_deployed_today_is_measured_from_then_on() -> None:
    found = looked_at(stretch(2 * HOUR, HOUR), stretch(HOUR / 2, HOUR / 2))["availability"]
    assert found.value == pytest.approx(75.0)
    assert found.detail["watched_hours"] == pytest.approx(2.0)
    short = looked_at(stretch(HOUR / 2, HOUR / 2))["availability"]
    assert short.outcome is Outcome.NOT_ENOUGH_DATA
    assert short.detail["why"] == "servers have been seen for 30 min, 60 are needed"


@pytest.mark.parametrize(
    ("errors", "count", "outcome"),
    [
        (2, 100, Outcome.FINE),
        (3, 100, Outcome.BREACHED),
        (4, LEAST_ANSWERS - 1, Outcome.NOT_ENOUGH_DATA),
    ],
)
def test_errors_are_held_against_the_rate_that_is_expected(errors: int, count: int, outcome: Outcome) -> None:
    served = Served(count, errors, 0, times(count, 0))
    assert looked_at(stretch(MINUTE, MINUTE, served))["error rate"].outcome is outcome


@pytest.mark.parametrize(
    ("slow", "outcome", "value"),
    [(5, Outcome.FINE, 10.0), (6, Outcome.BREACHED, 1_166.7), (100, Outcome.BREACHED, 1_950.0)],
)
def test_the_slowest_answers_but_one_in_twenty_are_held_against_the_latency_that_is_expected(
    slow: int, outcome: Outcome, value: float
) -> None:
    served = Served(100, 0, 0, times(100 - slow, slow))
    found = looked_at(stretch(MINUTE, MINUTE, served))["latency"]
    assert (found.outcome, found.unit) == (outcome, "ms")
    assert found.value == pytest.approx(value, abs=0.1)


def test_what_was_answered_since_the_last_look_counts_and_what_was_before_does_not() -> None:
    bad = stretch(3 * HOUR, HOUR, Served(100, 100, 0, times(100, 0)))
    good = stretch(HOUR, HOUR, Served(100, 0, 0, times(100, 0)))
    assert looked_at(bad, good)["error rate"].value == 0.0
    assert looked_at(bad, good, last_look=NOON - MINUTE)["error rate"].value == 0.0
    assert looked_at(bad, good, last_look=NOON - 3 * HOUR)["error rate"].value == 50.0


def test_what_is_not_expected_is_not_measured() -> None:
    served = Served(100, 100, 0, times(0, 100))
    found = looked_at(stretch(3 * HOUR, 3 * HOUR, served), settings=EnvironmentSettings())
    assert {one.outcome for name, one in found.items() if name != "serving"} == {Outcome.NOT_MEASURED}
    assert found["serving"].outcome is Outcome.FINE


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
