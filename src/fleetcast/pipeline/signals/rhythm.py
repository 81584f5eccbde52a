"""What a sensor usually shows at this time of the week, learnt from its reference: Monday is not drift."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from fleetcast.forecasting.resampling import Grid
from fleetcast.forecasting.series import Floats

_WEEK = timedelta(days=7) // timedelta(microseconds=1)
_DAY = timedelta(days=1) // timedelta(microseconds=1)
_WEEKS_FOR_EACH_STEP = 6
_TRIMMED = 0.1


@dataclass(frozen=True, slots=True)
class Rhythm:
    """The usual course of each sensor."""

    usual: Floats
    """By step of the week, of the day, or one for always; shape (phases, k)."""
    step: int
    """Microseconds."""
    repeats: Floats
    """Readings of each sensor for each number that describes its course; shape (k,)."""

    def without(self, grid: Grid, values: Floats) -> Floats:
        """Readings on a grid, less what is usual at their times."""
        phases = (grid.start // grid.step + np.arange(grid.steps)) % len(self.usual)
        rest: Floats = values - self.usual[phases]
        return rest

    def unseen(self, grid: Grid, values: Floats) -> Floats:
        """The readings that it was learnt from, less what would be usual had each not been among them.

        A mean of n readings is nearer to each of them than to one to come; leaving each out makes its rest n / (n − 1)
        times as large.
        """
        rest: Floats = self.without(grid, values) * (self.repeats / np.maximum(self.repeats - 1.0, 1.0))
        return rest


def learn_rhythm(grid: Grid, values: Floats) -> Rhythm:
    """Learn the course of a week; of a day and of the days of a week, or of a day, where weeks are few.

    Args:
        grid: Of the reference.
        values: Shape (n, k); NaN is a hole.
    """
    span = grid.steps * grid.step
    week, day = _phases(grid, _WEEK, span, _WEEKS_FOR_EACH_STEP), _phases(grid, _DAY, span, 4)
    if week:
        return _rhythm(_by_phase(grid, values, week), grid, values, week)
    if not day:
        return _rhythm(_by_phase(grid, values, 1), grid, values, 1)
    course, numbers = _by_phase(grid, values, day), day
    if span >= 2 * _WEEK:
        rest = Rhythm(course, grid.step, np.ones(values.shape[1])).without(grid, values)
        of_days = _by_phase(Grid(grid.start, grid.step, grid.steps), rest, 7, day)
        course, numbers = np.repeat(of_days, day, axis=0) + np.tile(course, (7, 1)), day + 6
    return _rhythm(course, grid, values, numbers)


def _rhythm(usual: Floats, grid: Grid, values: Floats, numbers: int) -> Rhythm:
    known = np.count_nonzero(~np.isnan(values), axis=0)
    return Rhythm(usual, grid.step, np.maximum(known / numbers, 1.0))


def _phases(grid: Grid, period: int, span: int, needed: int) -> int:
    """How many steps a period has; 0 where it has no whole number of them, or was not seen often enough."""
    return period // grid.step if period % grid.step == 0 and span >= needed * period else 0


def _by_phase(grid: Grid, values: Floats, phases: int, steps: int = 1) -> Floats:
    """The trimmed mean of what was read at each phase, each of so many steps; shape (phases, k)."""
    length = phases * steps
    before = (grid.start // grid.step) % length
    periods = -(-(before + grid.steps) // length)
    laid = np.full((periods * length, values.shape[1]), np.nan)
    laid[before : before + grid.steps] = values
    by_step = laid.reshape(periods, phases, steps, values.shape[1]).transpose(0, 2, 1, 3)
    folded = by_step.reshape(periods * steps, phases, values.shape[1])
    ordered = np.sort(folded, axis=0)
    counts = np.count_nonzero(~np.isnan(ordered), axis=0)
    cut = np.floor(counts * _TRIMMED)
    rank = np.arange(len(ordered))[:, None, None]
    kept = (rank >= cut) & (rank < counts - cut)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: Floats = np.where(kept, ordered, 0.0).sum(axis=0) / kept.sum(axis=0)
    return mean
