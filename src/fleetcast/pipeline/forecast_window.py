"""The readings a forecast is made from: as few rows as it needs, on the model's grid."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import compress

import numpy as np

from fleetcast.domain.circuit import Circuit
from fleetcast.domain.errors import BadInput
from fleetcast.domain.quality import CleaningRules
from fleetcast.forecasting.forecaster import Looks
from fleetcast.forecasting.resampling import instant, micros, resample
from fleetcast.forecasting.series import Series
from fleetcast.ports.readings import Readings, ReadingsTable, ReadingsWanted

_ALWAYS = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class TrainingSpan:
    """Where the readings lie that a model was trained on; aware UTC."""

    start: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class ForecastWindow:
    """The readings around an origin, on the model's grid."""

    history: Series
    """Ends with the last whole step that a reading lies in: where the forecast begins."""
    actuals: Series
    """What was read from there on, within the horizon: no hole is closed. Of length 0 if nothing was read yet."""
    newest: datetime
    """Aware UTC time of the newest reading in the history."""
    silent: tuple[str, ...]
    """Sensors without a single reading in the model's lookback."""
    held: tuple[str, ...]
    """Sensors whose readings stop before the origin."""


@dataclass(frozen=True, slots=True)
class WindowSearch:
    """Looks for as few rows as a forecast needs: at the moment asked for, else where training ended."""

    circuit: Circuit
    forecaster: Looks
    table: ReadingsTable
    version: int
    """Of the table."""
    more: int
    """Steps of history to find before those that the model looks back on."""

    def window(self, at: datetime | None, trained: TrainingSpan) -> ForecastWindow:
        """Read the history that the forecast continues, and what came after.

        Raises:
            BadInput: The circuit has no reading before `at`.
        """
        step = self.forecaster.step
        span = (self.forecaster.lookback + self.more) * step
        end = _ALWAYS if at is None else _later(at, (self.forecaster.horizon + 1) * step)
        begins = [*([] if at is None else [at]), trained.last, trained.start]
        readings = None
        for moment in begins:
            if moment >= end:
                continue
            readings = self._read(_earlier(moment, span), end)
            known = _known(readings, at)
            if len(known.times) and instant(known.times[-1]) - _earlier(moment, span) >= span / 2:
                break
        if readings is None or not len(_known(readings, at).times):
            before = "" if at is None else f" before {at.astimezone(UTC):%Y-%m-%d %H:%M UTC}"
            raise BadInput(
                f"{self.circuit.key} has no reading of {', '.join(self.forecaster.reads)}{before} "
                f"in version {self.version} of the readings",
                fix="see `fleetcast data show` for what there is; leave out --at to use the newest reading",
            )
        return self._split(readings, at)

    def _read(self, start: datetime, end: datetime) -> Readings:
        wanted = ReadingsWanted(self.circuit.key, self.forecaster.reads, start, end)
        (readings,) = self.table.read([wanted], self.version)
        seen = np.isfinite(readings.values).any(axis=1)
        return Readings(
            readings.key, readings.sensors, readings.absent, readings.times[seen], readings.values[seen]
        )

    def _split(self, readings: Readings, at: datetime | None) -> ForecastWindow:
        known = _known(readings, at)
        history = self._series(known, None, None, self.circuit.cleaning)
        if at is not None:
            history = _whole_steps(history, at)
        after = readings.times >= micros(history.end)
        later = Readings(
            readings.key, readings.sensors, readings.absent, readings.times[after], readings.values[after]
        )
        finish = min(history.end + self.forecaster.horizon * self.forecaster.step, _ALWAYS)
        actuals = self._series(later, history.end, finish, replace(self.circuit.cleaning, fill_steps=0))
        rows = np.flatnonzero(np.isfinite(actuals.values).any(axis=1))
        read = int(rows[-1]) + 1 if len(rows) else 0
        actuals = Series(actuals.start, actuals.step, actuals.sensors, actuals.values[:read])
        recent = np.isfinite(history.values[-self.forecaster.lookback :])
        silent = [not recent[:, column].any() for column in range(recent.shape[1])]
        held = [not silent[column] and not recent[-1, column] for column in range(recent.shape[1])]
        inside = int(np.searchsorted(known.times, micros(history.end)))
        return ForecastWindow(
            history,
            actuals,
            newest=instant(known.times[max(inside - 1, 0)]),
            silent=tuple(compress(history.sensors, silent)),
            held=tuple(compress(history.sensors, held)),
        )

    def _series(
        self, readings: Readings, start: datetime | None, end: datetime | None, cleaning: CleaningRules
    ) -> Series:
        return resample(
            readings.times,
            readings.values,
            readings.sensors,
            self.forecaster.step,
            self.circuit.sensor_limits,
            cleaning,
            start,
            end,
        )


def _known(readings: Readings, at: datetime | None) -> Readings:
    """The rows before `at`."""
    if at is None:
        return readings
    count = int(np.searchsorted(readings.times, micros(at)))
    return Readings(
        readings.key, readings.sensors, readings.absent, readings.times[:count], readings.values[:count]
    )


def _whole_steps(history: Series, at: datetime) -> Series:
    """Without a last step that was not over at that moment, unless it is the only one."""
    if history.end <= at or len(history) < 2:
        return history
    return Series(history.start, history.step, history.sensors, history.values[:-1])


def _earlier(moment: datetime, length: timedelta) -> datetime:
    try:
        return moment - length
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)


def _later(moment: datetime, length: timedelta) -> datetime:
    try:
        return moment + length
    except OverflowError:
        return _ALWAYS
