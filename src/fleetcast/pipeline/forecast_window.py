"""The readings a forecast is made from: as few rows as it needs, on the model's grid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import compress

import numpy as np

from fleetcast.domain.circuit import Circuit
from fleetcast.domain.errors import BadInput
from fleetcast.domain.quality import CleaningRules
from fleetcast.forecasting.forecaster import Forecaster, Looks
from fleetcast.forecasting.resampling import instant, micros, resample
from fleetcast.forecasting.series import Series
from fleetcast.ports.readings import Readings, ReadingsTable, ReadingsWanted

STALE_AFTER_STEPS = 3
"""A forecast from readings that are older says so."""
_ALWAYS = datetime.max.replace(tzinfo=UTC)
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_LEAST_LOOKED_AT = timedelta(weeks=2)
"""Of history, where no model says how much it reads."""


@dataclass(frozen=True, slots=True)
class TrainingSpan:
    """Where the readings lie that a model was trained on; aware UTC."""

    start: datetime
    last: datetime


def trained_span(circuit: Circuit) -> TrainingSpan:
    """Where the readings of a circuit lie that its declaration trains on."""
    return TrainingSpan(circuit.window_start, circuit.cutoff.end)


@dataclass(frozen=True, slots=True)
class _TwoWeeks:
    """What is read where there is no model."""

    reads: tuple[str, ...]
    step: timedelta
    lookback: int
    horizon: int
    more_history: int = 0


def looks_of(circuit: Circuit, forecaster: Forecaster | None) -> Looks:
    """What a forecast of a circuit is made from: what its model reads, or two weeks at least where there is none."""
    if forecaster is not None:
        return forecaster
    lookback = max(2 * circuit.steps, _LEAST_LOOKED_AT // circuit.frequency)
    return _TwoWeeks(circuit.targets, circuit.frequency, lookback, circuit.steps)


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
        readings = None
        for wanted in self.wanted(at, trained):
            (readings,) = self.table.read([wanted], self.version)
            if self.suffices(readings, wanted, at):
                break
        return self.found(readings, at)

    def wanted(self, at: datetime | None, trained: TrainingSpan) -> Iterator[ReadingsWanted]:
        """What to read, in turn, until something of it suffices."""
        end = _ALWAYS if at is None else _later(at, (self.forecaster.horizon + 1) * self.forecaster.step)
        for moment in [*([] if at is None else [at]), trained.last, trained.start]:
            if moment < end:
                yield ReadingsWanted(
                    self.circuit.key, self.forecaster.reads, _earlier(moment, self._span), end
                )

    def suffices(self, readings: Readings, wanted: ReadingsWanted, at: datetime | None) -> bool:
        """Whether what was read reaches over half of what the model looks back on."""
        known = _known(_seen(readings), at)
        return len(known.times) > 0 and instant(known.times[-1]) - wanted.start >= self._span / 2

    def found(self, readings: Readings | None, at: datetime | None) -> ForecastWindow:
        """The window, from what was read last.

        Raises:
            BadInput: The circuit has no reading before `at`.
        """
        if readings is None or not len(_known(_seen(readings), at).times):
            before = "" if at is None else f" before {at.astimezone(UTC):%Y-%m-%d %H:%M UTC}"
            raise BadInput(
                f"{self.circuit.key} has no reading of {', '.join(self.forecaster.reads)}{before} "
                f"in version {self.version} of the readings",
                fix="see `fleetcast data show` for what there is; leave out --at to use the newest reading",
            )
        return self._split(_seen(readings), at)

    def last_readings(self, sensors: Sequence[str], before: datetime) -> Mapping[str, float]:
        """The last reading of each sensor before a moment; those without any are not in it."""
        wanted = ReadingsWanted(self.circuit.key, tuple(sensors), _BEGINNING, before)
        (readings,) = self.table.read([wanted], self.version)
        found = {}
        for column, name in enumerate(readings.sensors):
            known = np.flatnonzero(np.isfinite(readings.values[:, column]))
            if len(known):
                found[name] = float(readings.values[known[-1], column])
        return found

    @property
    def _span(self) -> timedelta:
        return (self.forecaster.lookback + self.more) * self.forecaster.step

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


def _seen(readings: Readings) -> Readings:
    """The rows with a reading."""
    seen = np.isfinite(readings.values).any(axis=1)
    return Readings(
        readings.key, readings.sensors, readings.absent, readings.times[seen], readings.values[seen]
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
