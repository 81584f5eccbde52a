"""Seasons found in readings: after how many steps a pattern repeats, whatever the step and the calendar.

AUTOPERIOD (Vlachos, Yu & Castelli 2005, "On periodicity detection and structural periodic similarity"): a peak of
the periodogram proposes a period, and the autocorrelation confirms it by a hill of its own, or else it is leakage.
What a peak must exceed is taken from its neighbours in the spectrum, so that a drift is no season, and what a hill
must exceed from Bartlett's formula, so that noise is none.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from fleetcast.forecasting.gram import smooth_size
from fleetcast.forecasting.ridge import Singles
from fleetcast.forecasting.series import Floats
from fleetcast.forecasting.windows import Bools

MOST_STEPS = 65_536
"""How much of a long history is looked at, its newest part; bounds time and memory."""
MOST_SEASONS = 3
SHORTEST = 3
"""Steps; what changes from one step to the next and back is noise, not a season."""
FEWEST_CYCLES = 3
"""How often a pattern must be seen before it is a season."""
_FEWEST_STEPS = 24
_FALSE_ALARM = 0.001
"""Chance that noise alone proposes a period of one sensor."""
_DEVIATIONS = 5.0
"""Standard errors that a hill of the autocorrelation must rise above its valley."""
_LEAST_CORRELATION = 0.1
_MOST_PEAKS = 6
_BLOCK, _WIDENING = 12, 0.25
"""Neighbours in the spectrum that a peak is held against: this many, or this share of the frequency if more."""
_MULTIPLES = 8
_CLEARER = 0.02
"""How much higher the correlation must be after several cycles than after one, for a period that fits no step."""
_SAME = 0.1
"""Two periods this near to each other, as a share, are one."""
_FLANK = 1 / 8
"""How far beside its top a hill is looked at, as a share of the period; what is higher there is another's flank."""
_TRIED = 33
"""Periods between two frequencies of the spectrum that are compared."""
_EULER = 0.5772156649
_ROUNDING = 1e-9
"""A spread, as a share of the largest reading, below which a sensor does not change."""


def find_seasons(values: Floats) -> tuple[tuple[int, ...], ...]:
    """The seasons of each sensor, in steps, the one with the highest correlation first; at most three.

    A straight trend is taken out first. Holes count as unknown, never as readings. A sensor that never changes, or
    too short a history, has none; a pattern must have been seen three times.

    Args:
        values: Shape (n, k), oldest first; NaN is a hole.
    """
    by_sensor = np.ascontiguousarray(values[-MOST_STEPS:].T)
    sensors, steps = by_sensor.shape
    if steps < _FEWEST_STEPS:
        return tuple(() for _ in range(sensors))
    observed = np.isfinite(by_sensor)
    known = _without_trend(np.where(observed, by_sensor, 0.0), observed).astype(np.float32)
    power = np.square(np.abs(np.fft.rfft(known * _taper(steps)))).astype(np.float64)
    correlations = _autocorrelations(known, observed)
    return tuple(
        _confirmed(_proposed(power[sensor], steps), correlations[sensor], steps)
        if known[sensor].any()
        else ()
        for sensor in range(sensors)
    )


@lru_cache(maxsize=4)
def _taper(steps: int) -> Singles:
    """A Hann window: without it, a drift leaks over the whole spectrum."""
    return np.hanning(steps).astype(np.float32)


def _without_trend(known: Floats, observed: Bools) -> Floats:
    """Residuals of a straight line, by sensor, in standard deviations; zero where unknown or without any change."""
    count = np.maximum(observed.sum(axis=1, keepdims=True), 1)
    largest = np.max(np.abs(known), axis=1, keepdims=True)
    residuals: Floats = known / np.where(largest > 0, largest, 1.0)
    time = np.linspace(-1.0, 1.0, known.shape[1])
    if observed.all():
        residuals -= residuals.mean(axis=1, keepdims=True)
        slope = (residuals @ time)[:, None] / float(time @ time)
        residuals -= slope * time
    else:
        there = observed.astype(np.float64)
        centred = (time - (there @ time)[:, None] / count) * there
        residuals -= residuals.sum(axis=1, keepdims=True) / count * there
        square = (centred * centred).sum(axis=1, keepdims=True)
        residuals -= (centred * residuals).sum(axis=1, keepdims=True) / np.maximum(square, 1e-12) * centred
    spread = np.sqrt((residuals * residuals).sum(axis=1, keepdims=True) / count)
    changes = spread > _ROUNDING
    residuals *= np.where(changes, 1.0 / np.where(changes, spread, 1.0), 0.0)
    return residuals


def _autocorrelations(known: Singles, observed: Bools) -> Floats:
    """By sensor and lag, over the pairs of readings that are both known, up to a lag of a third of the history."""
    steps = known.shape[1]
    lags = steps // FEWEST_CYCLES + 1
    size = smooth_size(steps + lags)
    sums = _squared_spectrum(known, size, lags)
    if observed.all():
        pairs = steps - np.arange(lags, dtype=np.float64)
    else:
        pairs = _squared_spectrum(observed.astype(np.float32), size, lags).round()
    mean = np.where(pairs >= _FEWEST_STEPS / 2, sums / np.maximum(pairs, 1.0), 0.0)
    found: Floats = mean / np.where(mean[:, :1] > 0, mean[:, :1], 1.0)
    return found


def _squared_spectrum(rows: Singles, size: int, lags: int) -> Floats:
    """Sums of products of each row with itself, by lag (Wiener & Khinchin)."""
    spectrum = np.fft.rfft(rows, size)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    return np.fft.irfft(power, size)[:, :lags].astype(np.float64)


def _proposed(power: Floats, steps: int) -> list[float]:
    """Periods in steps of the highest peaks that stand out of the spectrum around them, the highest first."""
    background = _background(power)
    least = math.log(len(power) / _FALSE_ALARM)
    inner = power[1:-1]
    peaks = (inner >= power[:-2]) & (inner >= power[2:]) & (inner > least * background[1:-1])
    numbers = np.flatnonzero(peaks) + 1
    numbers = numbers[numbers >= FEWEST_CYCLES]
    highest = numbers[np.argsort(-power[numbers], kind="stable")][:_MOST_PEAKS]
    return [steps / float(number) for number in highest]


def _background(power: Floats) -> Floats:
    """What noise gives at each frequency: the mean of its neighbours' logarithms, which a single peak hardly moves."""
    edges = [0]
    while edges[-1] < len(power):
        edges.append(edges[-1] + max(_BLOCK, int(_WIDENING * edges[-1])))
    if len(edges) > 2 and len(power) - edges[-2] < _BLOCK:
        del edges[-2]
    edges[-1] = len(power)
    widths = np.diff(edges)
    logs = np.log(np.maximum(power, 1e-300))
    means = np.add.reduceat(logs, edges[:-1]) / widths
    level: Floats = np.repeat(np.exp(means + _EULER), widths)
    return level


def _confirmed(periods: list[float], correlation: Floats, steps: int) -> tuple[int, ...]:
    """The lags of those periods at which the autocorrelation has a hill."""
    found: list[tuple[float, int]] = []
    for period in periods:
        for lag in _hills(period, correlation, steps):
            if not any(abs(lag - other) <= max(1.0, _SAME * other) for _, other in found):
                found.append((float(correlation[lag]), lag))
    found.sort(key=lambda each: (-each[0], each[1]))
    return tuple(lag for _, lag in found[:MOST_SEASONS])


def _hills(proposed: float, correlation: Floats, steps: int) -> list[int]:
    """The lag of the hill around a period, and of several cycles where those fit the steps better; or none."""
    number = steps / proposed
    nearest = round(proposed)
    if np.max(correlation[max(1, nearest - 1) : nearest + 2], initial=0.0) < _LEAST_CORRELATION:
        return []
    period = _sharpened(steps / (number + 1), steps / (number - 1), correlation)
    lag = round(period)
    if lag < SHORTEST or lag + 1 >= len(correlation):
        return []
    valley = float(np.min(correlation[lag // 2 : lag]))
    error = math.sqrt((1.0 + 2.0 * float(np.sum(np.square(correlation[1:lag])))) / steps)
    height = float(correlation[lag])
    beside = max(1, round(lag * _FLANK))
    if height < max(correlation[lag - beside], correlation[min(lag + beside, len(correlation) - 1)]):
        return []
    if height < _LEAST_CORRELATION or height - valley < _DEVIATIONS * error:
        return []
    cycles = [round(times * period) for times in range(2, _MULTIPLES + 1)]
    longer = [each for each in cycles if each < len(correlation) and correlation[each] > height + _CLEARER]
    return [lag, *([max(longer, key=lambda each: float(correlation[each]))] if longer else [])]


def _sharpened(shortest: float, longest: float, correlation: Floats) -> float:
    """The period, not always whole, after whose multiples the correlation is highest: cycles add up what one hides."""
    whole = np.arange(math.ceil(shortest), math.floor(longest) + 1, dtype=np.float64)
    periods = np.concatenate((whole, np.linspace(shortest, longest, _TRIED)))
    cycles = max(1, min(_MULTIPLES, int((len(correlation) - 1) / longest)))
    lags = (np.arange(1, cycles + 1) * periods[:, None] + 0.5).astype(np.int64)
    summed = correlation[np.minimum(lags, len(correlation) - 1)].sum(axis=1)
    return float(periods[int(np.argmax(summed))])
