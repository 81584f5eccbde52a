"""Circuits to look at: hourly readings with memory and a rhythm, and what may go wrong with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from fleetcast.domain.drift import Observation, Signal
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.settings.environments import DEFAULT_ENVIRONMENTS
from fleetcast.forecasting.resampling import micros
from fleetcast.forecasting.series import Floats
from fleetcast.pipeline.signals.watched import WatchedCircuit, Window

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NOW = datetime(2025, 6, 2, tzinfo=UTC)
"""A Monday."""
SENSORS = ("temperature", "pressure", "flow")
TRAINED = 90 * 24
SINCE = 14 * 24


def readings(seed: int = 1, hours: int = TRAINED + SINCE, memory: float = 0.9, weekly: float = 1.0) -> Floats:
    rng, k = np.random.default_rng(seed), len(SENSORS)
    shocks = rng.standard_t(4, (hours, k)) * np.sqrt((1 - memory**2) / 2)
    noise = np.zeros((hours, k))
    for hour in range(1, hours):
        noise[hour] = memory * noise[hour - 1] + shocks[hour]
    at = np.arange(hours)[:, None] - hours
    return noise + np.sin(2 * np.pi * at / 24) + weekly * (at // 24 % 7 >= 5)


def circuit(
    values: Floats | None = None,
    *,
    name: str = "LOOP1",
    plant: str = "PLANT1",
    sensors: Sequence[str] = SENSORS,
    trained: int = TRAINED,
) -> WatchedCircuit:
    values = readings() if values is None else values
    times = micros(NOW) + (np.arange(len(values)) - len(values)) * 3_600_000_000
    names = tuple(sensors)
    return WatchedCircuit(
        CircuitKey(plant, name),
        EnvironmentName.PROD,
        "plant1-loop1:3",
        HOUR,
        names,
        Window(times[:trained], values[:trained], names),
        Window(times[trained:], values[trained:], names),
        DEFAULT_ENVIRONMENTS[EnvironmentName.PROD],
        newest=NOW - HOUR,
        data_end=NOW - 14 * DAY,
    )


def with_current(watched: WatchedCircuit, values: Floats) -> WatchedCircuit:
    return replace(watched, current=replace(watched.current, values=values))


def seen(observations: Sequence[Observation], signal: Signal, sensor: str | None = None) -> Observation:
    (one,) = [one for one in observations if one.signal is signal and one.sensor == sensor]
    return one
