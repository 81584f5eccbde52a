"""What each reading adds to what is known of a sensor's level and spread, whatever its memory."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from fleetcast.forecasting.series import Floats

Ints = npt.NDArray[np.int64]
CLIPPED = 1.5
"""For the level surprises count as at most so many robust deviations: one heavy shock is no new level. Of what a window
can tell 96 % are told so, with normal shocks as with Student's of 4 degrees of freedom (Huber 1964, "Robust estimation
of a location parameter")."""
LOUD_CLIPPED = 3.0
"""The same for how restless a sensor is, which is told by large ones."""
FIRST_CLIPPED = 4.0
"""The same of the first reading of a window, which is held against the usual level itself."""
_LONGEST_MEMORY = 0.999
MAD = 1.4826
_ECHOES = (0, 1, 4, 12, 36)
"""Steps back: surprises since each of them and the one before it are averaged."""
ECHO = _ECHOES[-1]
"""So many steps before a window tell what is new in its first readings."""


@dataclass(frozen=True, slots=True)
class Memory:
    """How much of each sensor's departure from the usual is still there a step later: first-order autoregression."""

    kept: Floats
    """0 to below 1; shape (k,)."""
    spread: Floats
    """Standard deviation about what is usual, in the sensor's unit; shape (k,)."""
    typical: Floats
    """Robust standard deviation of a surprise, in units of what the model says; shape (k,)."""
    mean: Floats
    """Of surprises clipped for the level; shape (k,)."""
    deviation: Floats
    """Of the same; shape (k,)."""
    echo: Floats
    """How much of the surprises before each one repeats; shape (4, k)."""
    loud_mean: Floats
    """Of how large what is new in surprises is; shape (k,)."""
    loud_deviation: Floats


@dataclass(frozen=True, slots=True)
class Steps:
    """Surprises of a series, summed up from its start so that any window is two look-ups; shapes are (n + 1, k)."""

    level: Floats
    information: Floats
    loudness: Floats
    counted: Floats
    first: Floats
    """How far each reading is from the usual, in its spread, clipped; shape (n, k)."""
    next_known: Ints
    """The first reading from each step on; n where there is none; shape (n + 1, k)."""
    surprises: Floats
    """Standardised and clipped, NaN where there is none; shape (n, k)."""


@dataclass(frozen=True, slots=True)
class Windows:
    """What windows of a series say; shapes are (windows, k), NaN where a window has too few readings."""

    level: Floats
    """About standard normal while nothing has changed."""
    shift: Floats
    """The change of level, in the sensor's spread."""
    information: Floats
    """As how many independent readings the window counts for its level."""
    loudness: Floats
    """About standard normal while surprises are as large as ever."""


def learn_memory(rest: Floats) -> Memory:
    """Fit each sensor's memory to what its rhythm does not explain; shape (n, k), NaN is a hole."""
    with np.errstate(invalid="ignore", divide="ignore"):
        typical = MAD * _median(np.abs(rest - _median(rest)))
        plain = np.sqrt(_mean(rest**2))
        typical = np.where(typical > 1e-9 * plain, typical, plain)
        held = np.clip(rest, -5 * typical, 5 * typical)
        spread = np.sqrt(_mean(held**2))
        pairs = held[1:] * held[:-1]
        lagged = _mean(pairs) / spread**2
        kept = np.clip(np.nan_to_num(lagged), 0.0, _LONGEST_MEMORY)
    surprises, _, _ = _surprises(rest, kept, spread)
    with np.errstate(invalid="ignore", divide="ignore"):
        robust = MAD * _median(np.abs(surprises))
        robust = np.where(robust > 1e-9, robust, np.sqrt(_mean(surprises**2)))
        clipped = np.clip(surprises / robust, -CLIPPED, CLIPPED)
        mean, deviation = _mean(clipped), np.sqrt(np.maximum(_mean(clipped**2) - _mean(clipped) ** 2, 0.0))
        large = np.clip(surprises / robust, -LOUD_CLIPPED, LOUD_CLIPPED)
        before = _before(large)
        echo = _echo(large, before)
        loud = np.abs(large - (echo[:, None] * before).sum(axis=0))
        loud_mean = _mean(loud)
        loud_deviation = np.sqrt(np.maximum(_mean(loud**2) - loud_mean**2, 0.0))
    return Memory(kept, spread, robust, mean, deviation, echo, loud_mean, loud_deviation)


def steps_of(rest: Floats, memory: Memory) -> Steps:
    """Turn departures from the usual into surprises; shape (n, k)."""
    surprises, weights, known = _surprises(rest, memory.kept, memory.spread)
    with np.errstate(invalid="ignore", divide="ignore"):
        clipped = np.clip(surprises / memory.typical, -CLIPPED, CLIPPED)
        standard = (clipped - memory.mean) / memory.deviation
        large = np.clip(surprises / memory.typical, -LOUD_CLIPPED, LOUD_CLIPPED)
        new = large - (memory.echo[:, None] * _before(large)).sum(axis=0)
        loud = (np.abs(new) - memory.loud_mean) / memory.loud_deviation
        first = np.clip(rest / memory.spread, -FIRST_CLIPPED, FIRST_CLIPPED)
    counted = np.isfinite(standard)
    n = len(rest)
    later = np.where(known, np.arange(n)[:, None], n)
    following = np.full((n + 1, rest.shape[1]), n, dtype=np.int64)
    following[:n] = np.minimum.accumulate(later[::-1], axis=0)[::-1]
    return Steps(
        level=_summed(np.where(counted, weights * standard, 0.0)),
        information=_summed(np.where(counted, weights**2, 0.0)),
        loudness=_summed(np.where(counted & np.isfinite(loud), loud, 0.0)),
        counted=_summed(counted.astype(float)),
        first=first,
        next_known=following,
        surprises=np.where(counted, standard, np.nan),
    )


def windows_of(steps: Steps, starts: Ints, length: int, fewest: float = 0.5) -> Windows:
    """What windows of one length say of level and spread.

    The level is estimated as generalised least squares would for a first-order autoregression that starts anywhere
    (Prais & Winsten 1954): the first reading counts by itself, each further one by what it adds to the one before.

    Args:
        steps: Of the series.
        starts: Where windows begin, each within the series to its end.
        length: In steps.
        fewest: Share of its steps that a window needs readings of.
    """
    columns = np.arange(steps.first.shape[1])
    ends = starts + length
    first = steps.next_known[starts]
    enough = first < ends[:, None]
    first = np.where(enough, first, 0)
    end = ends[:, None]
    information = steps.information[end, columns] - steps.information[first + 1, columns] + 1.0
    level = steps.level[end, columns] - steps.level[first + 1, columns] + steps.first[first, columns]
    counted = steps.counted[end, columns] - steps.counted[first + 1, columns]
    loudness = steps.loudness[end, columns] - steps.loudness[first + 1, columns]
    enough &= counted + 1 >= fewest * length
    with np.errstate(invalid="ignore", divide="ignore"):
        return Windows(
            np.where(enough, level / np.sqrt(information), np.nan),
            np.where(enough, level / information, np.nan),
            np.where(enough, information, np.nan),
            np.where(enough, loudness / np.sqrt(counted), np.nan),
        )


def _surprises(rest: Floats, kept: Floats, spread: Floats) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """How far each reading is from what the one before it leads to, its weight for the level, and which are known."""
    known = ~np.isnan(rest)
    n = len(rest)
    steps = np.arange(n)[:, None]
    last = np.maximum.accumulate(np.where(known, steps, -1), axis=0)
    before = np.vstack([np.full((1, rest.shape[1]), -1), last[:-1]]) if n else last
    has = known & (before >= 0)
    remembered = np.where(has, kept ** np.maximum(steps - before, 1), 0.0)
    previous = np.take_along_axis(rest, np.maximum(before, 0), axis=0) if n else rest
    new = np.sqrt(1.0 - remembered**2)
    with np.errstate(invalid="ignore", divide="ignore"):
        surprises = np.where(has, (rest - remembered * previous) / (spread * new), np.nan)
    return surprises, (1.0 - remembered) / new, known


def _before(standard: Floats) -> Floats:
    """Means of the surprises before each step, over longer and longer stretches; shape (4, n, k)."""
    summed = _summed(np.where(np.isfinite(standard), standard, 0.0))
    n = len(standard)
    at = np.arange(n)
    found = np.empty((len(_ECHOES) - 1, *standard.shape))
    for place, (near, far) in enumerate(pairwise(_ECHOES)):
        found[place] = (summed[np.maximum(at - near, 0)] - summed[np.maximum(at - far, 0)]) / (far - near)
    return found


def _echo(standard: Floats, before: Floats) -> Floats:
    """What each surprise repeats of those before: a cascade (Corsi 2009, "A simple approximate long-memory model").

    Sensors whose memory is not that of a first-order autoregression answer one shock with many surprises; these are
    not as many signs that it became restless.
    """
    known = np.where(np.isfinite(standard), standard, 0.0)
    weight = np.isfinite(standard)
    by_sensor = np.ascontiguousarray((before * weight).transpose(2, 0, 1))
    products = by_sensor @ by_sensor.transpose(0, 2, 1)
    aims = (by_sensor @ known.T[..., None])[..., 0]
    # Never quite singular: columns may be nothing but zeros.
    ridge = 1e-6 * np.maximum(weight.sum(axis=0), 1)[:, None, None] * np.eye(len(before))
    found: Floats = np.linalg.solve(products + ridge, aims[..., None])[..., 0].T
    return found


def _summed(values: Floats) -> Floats:
    return np.vstack([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])


def _mean(values: Floats) -> Floats:
    """Of what is known, by column; NaN where nothing is."""
    known = np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: Floats = np.where(known, values, 0.0).sum(axis=0) / known.sum(axis=0)
    return mean


def _median(values: Floats) -> Floats:
    found = np.full(values.shape[1], np.nan)
    for column in range(values.shape[1]):
        known = values[~np.isnan(values[:, column]), column]
        if known.size:
            found[column] = np.median(known)
    return found
