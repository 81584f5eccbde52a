"""Whether a new model is good enough to be asked for: thresholds, the strongest baseline and the champion."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from fleetcast.domain.evidence import Bound, BoundCheck, ChampionCheck, Check, Comparison
from fleetcast.domain.scores import ModelScores, Scores
from fleetcast.domain.thresholds import Limits, Thresholds


def promotion_checks(
    scores: ModelScores, thresholds: Thresholds, comparison: Comparison
) -> tuple[Check, ...]:
    """Hold a model against its thresholds and against the champion, in the order people read them."""
    checks = list(_bounds("", scores.overall, _without_units(thresholds.circuit)))
    for sensor, measured in scores.sensors.items():
        checks += _bounds(sensor, measured, _of_sensor(sensor, thresholds))
    return (*checks, ChampionCheck(comparison))


def _without_units(limits: Limits) -> Limits:
    """What the mean over the sensors is held against."""
    return replace(limits, max_mae=None, max_rmse=None)


def _of_sensor(sensor: str, thresholds: Thresholds) -> Limits:
    """What one sensor is held against: its own bounds, and those of all sensors on errors, which are in its unit."""
    of_all = Limits(max_mae=thresholds.circuit.max_mae, max_rmse=thresholds.circuit.max_rmse)
    return thresholds.sensors.get(sensor, Limits()).over(of_all)


def against_the_strongest(scores: ModelScores) -> ModelScores:
    """The scores without a skill that was measured against a weaker baseline: it says nothing, and may flatter."""
    if scores.baselines:
        return scores
    sensors = {name: replace(each, skill=None) for name, each in scores.sensors.items()}
    return ModelScores(replace(scores.mean, skill=None), sensors)


def _bounds(sensor: str, scores: Scores, limits: Limits) -> Iterator[BoundCheck]:
    for bound in Bound:
        limit: float | None = getattr(limits, bound.value)
        if limit is not None:
            yield BoundCheck(bound, getattr(scores, bound.metric), limit, sensor)
