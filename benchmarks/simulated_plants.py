"""Made-up fleets for `monitoring.py`: readings with memory, rhythms and heavy shocks, and what goes wrong in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
from scipy.signal import lfilter

from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.settings.environments import DEFAULT_ENVIRONMENTS
from fleetcast.forecasting.resampling import micros
from fleetcast.forecasting.series import Floats
from fleetcast.pipeline.signals.watched import LOOK_BACK, WatchedCircuit, Window

HOUR = timedelta(hours=1)
SENSORS = ("temperature", "pressure", "vibration", "current", "voltage", "flow_rate")
START = datetime(2025, 1, 6, tzinfo=UTC)
"""A Monday."""
TRAINED = timedelta(days=180)
CIRCUITS_OF_A_PLANT = 40
FREEDOM = 4
"""Of Student's distribution of the shocks: their fourth moment is infinite."""
_BURN_IN = 300


def readings(rng: np.random.Generator, hours: int, memory: float, weekly: float = 1.0) -> Floats:
    """Hourly readings of one circuit: each sensor's noise has variance 1, to which rhythms come.

    Args:
        rng: Of this circuit.
        hours: From `START` on.
        memory: Correlation of the noise with that of the hour before.
        weekly: How many times as far weekends lie from weekdays, which is 0.3 to 1.
    """
    shocks = rng.standard_t(FREEDOM, (hours + _BURN_IN, len(SENSORS))) / np.sqrt(FREEDOM / (FREEDOM - 2))
    noise = lfilter([np.sqrt(1 - memory**2)], [1.0, -memory], shocks, axis=0)[_BURN_IN:]
    hour = np.arange(hours)[:, None]
    day = rng.uniform(0.3, 1.0, len(SENSORS)) * np.sin(
        2 * np.pi * (hour / 24 + rng.uniform(0, 1, len(SENSORS)))
    )
    week = weekly * rng.uniform(0.3, 1.0, len(SENSORS)) * (hour // 24 % 7 >= 5)
    found: Floats = noise + day + week
    return found


def shifted(values: Floats, at: int, sensors: int, deviations: float, rng: np.random.Generator) -> Floats:
    """The same with the level of some sensors moved from an hour on, each up or down.

    Args:
        values: Of a circuit; the first of them are those it was trained on.
        at: Hour.
        sensors: How many of them.
        deviations: By how many standard deviations of the sensor's own training readings, rhythms included.
        rng: Says up or down.
    """
    spread = values[: TRAINED // HOUR].std(axis=0)
    moved = np.arange(values.shape[1]) < sensors
    found = values.copy()
    found[at:] += deviations * spread * rng.choice([-1.0, 1.0], values.shape[1]) * moved
    return found


def watched(
    number: int, values: Floats, now: datetime, *, silent: Sequence[int] = (), hours: int = 0
) -> WatchedCircuit:
    """A circuit as it is at a moment.

    Args:
        number: Of the circuit in its fleet.
        values: From `START` on, the training readings first.
        now: When it is looked at.
        silent: Columns that stopped.
        hours: How long ago they did.
    """
    end = (now - START) // HOUR
    times = micros(START) + np.arange(end) * (micros(START + HOUR) - micros(START))
    trained, since = TRAINED // HOUR, end - LOOK_BACK // HOUR
    current = values[since:end].copy()
    if silent:
        current[len(current) - hours :, list(silent)] = np.nan
    newest = now - HOUR if len(silent) < len(SENSORS) else now - (hours + 1) * HOUR
    return WatchedCircuit(
        CircuitKey(f"plant{number // CIRCUITS_OF_A_PLANT:03d}", f"circuit{number:04d}"),
        EnvironmentName.PROD,
        f"plant-circuit{number:04d}:1",
        HOUR,
        SENSORS,
        Window(times[:trained], values[:trained], SENSORS),
        Window(times[since:end], current, SENSORS),
        DEFAULT_ENVIRONMENTS[EnvironmentName.PROD],
        newest=newest,
        data_end=START + TRAINED,
    )


def later(circuit: WatchedCircuit, number: int) -> WatchedCircuit:
    """The same readings as another circuit's, in other units."""
    scale, offset = 1.0 + number % 97, float(number % 1009)
    current, reference = circuit.current, circuit.reference
    return replace(
        circuit,
        key=CircuitKey(f"plant{number // CIRCUITS_OF_A_PLANT:03d}", f"circuit{number:05d}"),
        reference=replace(reference, values=reference.values * scale + offset),
        current=replace(current, values=current.values * scale + offset),
    )
