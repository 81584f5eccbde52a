"""Whether a sensor measures at all: gone, stuck, jumping, or drowned in noise."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import numpy as np

from fleetcast.forecasting.resampling import instant, stretches
from fleetcast.forecasting.series import Floats
from fleetcast.pipeline.signals.cleaning import Clean, scaled

_MICROSECOND = timedelta(microseconds=1)
_FEWEST_STUCK = 12
_JUMP = 12.0
"""Robust deviations of the usual change between readings: off by more and back again is a jump."""
_NOISE = 3.0
"""How many times as large changes between readings are, where noise drowns them."""
_ZIGZAG = -0.35
"""Correlation of successive changes: about −0.5 for noise alone, near 0 for what has a memory."""
_FEWEST = 24
CHANCE = 1e-6
"""Of jumps as many as these in a sensor that jumps no oftener than it did."""


class Fault(StrEnum):
    """What is wrong with a sensor."""

    ABSENT = "absent"
    """There is no such column."""
    GONE = "gone"
    """It is silent, at least for as long as is too long."""
    STUCK = "stuck"
    JUMPS = "jumps"
    NOISE = "noise"


@dataclass(frozen=True, slots=True)
class Habits:
    """How a sensor behaved in the reference; shapes are (k,)."""

    longest_flat: Floats
    """Readings in the longest run of one value."""
    change: Floats
    """Robust deviation of the change between readings; NaN without any."""
    jump_rate: Floats
    """Jumps for each reading."""
    readings: Floats


@dataclass(frozen=True, slots=True)
class FaultFound:
    """What was found of one sensor."""

    fault: Fault | None
    since: datetime | None
    """Aware UTC: the last reading before; None: unknown."""
    value: float
    """Of what `unit` says."""
    unit: str
    chance: float | None = None


def learn_habits(reference: Clean, scales: Floats) -> Habits:
    """What is usual for each sensor."""
    k = reference.values.shape[1]
    flat, change, rate, readings = np.zeros(k), np.full(k, np.nan), np.zeros(k), np.zeros(k)
    for column in range(k):
        values = reference.values[:, column]
        values = scaled(values[~np.isnan(values)], scales[column])
        readings[column] = len(values)
        if len(values) < 3:
            continue
        flat[column] = _longest_run(values)
        change[column] = _usual_change(np.diff(values))
        rate[column] = _jumps(values, change[column]) / len(values)
    return Habits(flat, change, rate, readings)


def fault_of(
    column: int,
    current: Clean,
    habits: Habits,
    scales: Floats,
    since: int,
    silent_after: timedelta,
    now: datetime,
) -> FaultFound:
    """Look at one sensor.

    Args:
        column: Which one.
        current: The newest readings.
        habits: What is usual.
        scales: What readings are divided by.
        since: Microseconds; jumps and noise are looked for from here on.
        silent_after: From which age on of its newest reading it is gone.
        now: Aware UTC.
    """
    known = ~np.isnan(current.values[:, column])
    times, values = current.times[known], scaled(current.values[known, column], scales[column])
    if not len(times):
        return FaultFound(Fault.GONE, None, float("inf"), "s")
    last = instant(int(times[-1]))
    if now - last > silent_after:
        return FaultFound(Fault.GONE, last, (now - last).total_seconds(), "s")
    run = _last_run(values)
    if habits.readings[column] >= _FEWEST and run >= max(_FEWEST_STUCK, 2 * habits.longest_flat[column] + 1):
        return FaultFound(Fault.STUCK, instant(int(times[-run])), float(run), "readings")
    recent = values[times >= since]
    usual = habits.change[column]
    if len(recent) < _FEWEST or habits.readings[column] < _FEWEST or not usual > 0:
        return FaultFound(None, None, float(run), "readings")
    changes = np.diff(recent)
    jumps = _jumps(recent, usual)
    noise = _usual_change(changes) / usual
    if noise > _NOISE and _zigzag(changes) < _ZIGZAG:
        return FaultFound(Fault.NOISE, instant(since), float(noise), "times the usual change")
    from scipy.special import pdtrc

    # A reference without any jump does not say that none can be: one in all of it is allowed for.
    allowed = max(habits.jump_rate[column], 1.0 / habits.readings[column]) * len(recent)
    chance = float(pdtrc(jumps - 1, allowed)) if jumps else 1.0
    if chance < CHANCE and jumps >= 3:
        return FaultFound(Fault.JUMPS, instant(since), float(jumps), "jumps", chance)
    return FaultFound(None, None, float(run), "readings", chance)


def _longest_run(values: Floats) -> int:
    _, lengths = stretches(np.diff(values) == 0)
    return int(lengths.max()) + 1 if len(lengths) else 1


def _last_run(values: Floats) -> int:
    other = np.flatnonzero(values != values[-1])
    return len(values) - (int(other[-1]) + 1 if len(other) else 0)


def _usual_change(changes: Floats) -> float:
    usual = 1.4826 * float(np.median(np.abs(changes)))
    return usual if usual > 0 else float(np.sqrt(np.mean(changes**2)))


def _jumps(values: Floats, usual: float) -> int:
    """How often readings are off by much, and back within one."""
    if not usual > 0 or len(values) < 3:
        return 0
    off, back = np.diff(values[:-1]), np.diff(values[1:])
    bound = _JUMP * usual
    return int(((np.abs(off) > bound) & (np.abs(back) > bound) & (off * back < 0)).sum())


def _zigzag(changes: Floats) -> float:
    total = float(np.dot(changes, changes))
    return float(np.dot(changes[1:], changes[:-1])) / total if total > 0 else 0.0
