"""Holding a new model against the champion: from the same origins, after the champion's cutoff."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from fleetcast.domain.circuit import Cutoff
from tests.pipeline.world import DAYS, HOUR, ONE, SENSORS, World, circuit, readings

HOURS = np.arange(24 * DAYS)
LATE = Cutoff.parse("2025-01-20")


def champion(world: World, **fields: Any) -> None:
    """Promote a model of the one circuit declared."""
    world.declare(circuit(ONE, **fields))
    world.promote()


def challenge(world: World, **fields: Any) -> str:
    """Declare the circuit differently, train it anew, and give what is said of it and the champion."""
    world.change(ONE, **fields)
    world.upto("PromoteModels")
    return world.evidence("p1-c1")["champion"]


def test_the_first_model_has_no_champion_to_be_held_against(world: World) -> None:
    assert challenge(world) == "not comparable: the first model of this circuit"


def test_a_model_that_forecasts_alike_is_no_worse(world: World) -> None:
    champion(world)
    assert challenge(world, cutoff=LATE) == "passed: MAE +0.0% against version 1 on 70 origins"


def test_a_model_that_forecasts_worse_fails(world: World) -> None:
    champion(world)
    verdict = challenge(world, cutoff=LATE, hyperparameters={"season": 7})
    assert verdict.startswith("failed: MAE +")


def test_a_model_that_forecasts_better_passes(world: World) -> None:
    champion(world, hyperparameters={"season": 7})
    verdict = challenge(world, cutoff=LATE, hyperparameters={"season": 24})
    assert verdict.startswith("passed: MAE -")


def test_the_ratio_is_the_mean_over_sensors_of_what_a_plain_loop_measures(world: World) -> None:
    champion(world, hyperparameters={"season": 24})
    verdict = challenge(world, cutoff=LATE, hyperparameters={"season": 7})
    values = readings(ONE).values[: 20 * 24]

    def mae(sensor: int, season: int) -> float:
        """Over the last 73 origins with six steps ahead of them."""
        origins = range(20 * 24 - 6 - 72, 20 * 24 - 6 + 1)
        errors = [
            abs(values[origin + step, sensor] - values[origin - season + step % season, sensor])
            for origin in origins
            for step in range(6)
        ]
        return float(np.mean(errors))

    ratio = np.mean([mae(sensor, 7) / mae(sensor, 24) for sensor in (0, 1)])
    assert verdict == f"failed: MAE {ratio - 1:+.1%} against version 1 on 73 origins"


def test_only_origins_after_the_champions_cutoff_count(world: World) -> None:
    champion(world, cutoff=Cutoff.parse("2025-01-18"))
    assert challenge(world, cutoff=LATE) == "passed: MAE +0.0% against version 1 on 43 origins"


def test_an_origin_at_the_champions_cutoff_counts(world: World) -> None:
    last = Cutoff.parse("2025-01-20T17:59:59.999999Z")
    assert last.end.hour == 18
    champion(world, cutoff=last)
    assert challenge(world, cutoff=LATE) == "passed: MAE +0.0% against version 1 on 1 origin"


def test_without_origins_after_the_champions_cutoff_they_cannot_be_compared(world: World) -> None:
    champion(world)
    assert challenge(world, revision=1) == (
        "not comparable: version 1: no backtest origin after its cutoff 2025-01-15 00:00 UTC"
    )


def test_a_champion_whose_files_are_lost_cannot_be_compared(world: World) -> None:
    champion(world)
    world.lose_artifact("p1-c1", 1)
    verdict = challenge(world, cutoff=LATE)
    assert verdict.startswith("not comparable: version 1: artifact ")
    assert verdict.endswith(" is not in the store")


def test_models_without_a_sensor_in_common_cannot_be_compared(world: World) -> None:
    champion(world, targets=("temperature",))
    assert challenge(world, cutoff=LATE, targets=("pressure",)) == (
        "not comparable: version 1: no readings to compare them on"
    )


def test_only_sensors_that_both_forecast_are_compared(world: World) -> None:
    champion(world, targets=("pressure",))
    assert challenge(world, cutoff=LATE).startswith("passed: MAE +0.0%")


def test_a_champion_that_makes_no_error_cannot_be_beaten_in_percent(world: World) -> None:
    repeated = np.where(HOURS % 2, 1.0, -1.0)
    world.table.commit(readings(ONE, temperature=repeated, pressure=repeated))
    champion(world, delta_version=1)
    assert challenge(world, cutoff=LATE) == ("not comparable: version 1: no readings to compare them on")


def test_a_sensor_without_readings_after_the_cutoff_counts_for_nothing(world: World) -> None:
    values = readings(ONE)
    silent = values.values[:, 1].copy()
    silent[14 * 24 :: 2] = np.nan
    champion(world, cleaning=replace(circuit().cleaning, fill_steps=0))
    world.table.commit(readings(ONE, pressure=silent))
    verdict = challenge(world, cutoff=LATE, delta_version=1)
    assert verdict == "passed: MAE +0.0% against version 1 on 70 origins"


def test_rows_that_were_lost_are_read_again_to_compare(world: World) -> None:
    champion(world)
    world.change(ONE, cutoff=LATE)
    world.upto("RegisterModels")
    world.lose_frozen_rows()
    world.run("PromoteModels")
    assert world.evidence("p1-c1")["champion"].startswith("passed: ")


def test_rows_that_the_table_does_not_give_any_more_cannot_be_compared_on(world: World) -> None:
    champion(world)
    world.change(ONE, cutoff=LATE)
    world.upto("RegisterModels")
    world.lose_frozen_rows()
    world.table.gone.add(0)
    world.run("PromoteModels")
    assert world.evidence("p1-c1")["champion"] == (
        "not comparable: version 1: version 0 was cleaned up; P1/C1 should train on it"
    )


# Models that were trained elsewhere


def test_an_adopted_champion_is_run_where_it_must_be_and_compared(world: World) -> None:
    world.declare(circuit(ONE))
    world.adopt(ONE)
    assert challenge(world, cutoff=LATE).startswith("passed: MAE -")


def test_an_adopted_champion_that_cannot_be_run_is_not_held_against_anybody(world: World) -> None:
    world.declare(circuit(ONE))
    world.adopt(ONE)
    world.foreign.broken = True
    assert challenge(world, cutoff=LATE) == (
        "not comparable: version 1: it was trained elsewhere and cannot be run: "
        "try `fleetcast forecast P1/C1`"
    )


def test_an_adopted_champion_without_a_sensor_in_common_cannot_be_compared(world: World) -> None:
    world.declare(circuit(ONE, targets=("temperature",)))
    world.adopt(ONE)
    assert challenge(world, cutoff=LATE, targets=("pressure",)) == (
        "not comparable: version 1: no readings to compare them on"
    )


def test_a_challenger_that_was_trained_elsewhere_has_no_backtest(world: World) -> None:
    champion(world)
    world.change(ONE, cutoff=LATE)
    world.adopt(ONE, shared=False)
    world.run("PromoteModels")
    assert world.evidence("p1-c1")["champion"] == (
        "not comparable: version 1: the challenger was trained elsewhere and has no backtest"
    )


def test_an_adopted_champion_is_asked_for_what_was_declared_when_it_was_adopted(world: World) -> None:
    world.declare(circuit(ONE))
    world.adopt(ONE)
    challenge(
        world, cutoff=LATE, features=("pressure", "temperature"), targets=("pressure",), horizon=3 * HOUR
    )
    (task,) = world.foreign.asked
    assert (task.name, task.features, task.targets) == ("p1-c1:1", SENSORS, SENSORS)
    assert (task.step, task.horizon) == (HOUR, 6)


def test_what_an_adopted_champion_does_not_say_is_as_its_circuit_declares(world: World) -> None:
    world.declare(circuit(ONE))
    world.adopt(ONE, unstated=("features", "targets", "frequency", "forecast_horizon"))
    challenge(world, cutoff=LATE, targets=("pressure",), horizon=3 * HOUR)
    (task,) = world.foreign.asked
    assert (task.features, task.targets) == (SENSORS, ("pressure",))
    assert (task.step, task.horizon) == (HOUR, 3)
