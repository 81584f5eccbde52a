"""A forecast of every sensor, whatever breaks: sources are asked in turn, and only what can be true is published."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

import numpy as np

from fleetcast.domain.errors import BadInput, FleetcastError, Unavailable
from fleetcast.domain.fallback import Chain, Origin, Source, Tried, Unused, used
from fleetcast.domain.health import Invalid
from fleetcast.domain.quality import SensorLimits
from fleetcast.forecasting.bounds import Bounds
from fleetcast.forecasting.errors import HistoryTooShort
from fleetcast.forecasting.forecast import Forecast
from fleetcast.forecasting.forecaster import NotedForecast
from fleetcast.forecasting.plausible import invalid
from fleetcast.forecasting.series import Floats, Series
from fleetcast.forecasting.training import TrainingTask, train
from fleetcast.ports.artifacts import ArtifactMissing


class Forecasts(Protocol):
    """As much of a `Forecaster` as the chain asks for."""

    def forecast(self, history: Series) -> NotedForecast:
        """Forecast the horizon that begins where the history ends; raises what a `Forecaster` raises."""
        ...


Opener = Callable[[], Forecasts]
"""Opens a model; raises what `open_forecaster` raises."""
_LINES = ("lower_95", "lower_80", "point", "upper_80", "upper_95")
_WHY: Mapping[Invalid, Unused] = MappingProxyType(
    {
        Invalid.NOT_FINITE: Unused.NOT_FINITE,
        Invalid.WRONG_LENGTH: Unused.WRONG_LENGTH,
        Invalid.OUTSIDE_LIMITS: Unused.OUTSIDE_LIMITS,
        Invalid.CONSTANT: Unused.CONSTANT,
        Invalid.OFF_SCALE: Unused.OFF_SCALE,
    }
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be forecast, and from what."""

    sensors: tuple[str, ...]
    horizon: int
    """Steps, from the end of the history on."""
    history: Series
    """As much as any of the sources reads; NaN is a hole."""
    models: Mapping[Source, Opener | Unused]
    """For `MODEL` and `PREVIOUS_MODEL` how to open it, or why there is none to open. What is missing is absent."""
    limits: Mapping[str, SensorLimits] = field(default_factory=lambda: MappingProxyType({}))
    last_good: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """By sensor, the last reading from before the history, in its unit: for those that have none in it."""
    chain: Chain = field(default_factory=Chain)


@dataclass(frozen=True, slots=True)
class Quarantined:
    """What a source gave for a sensor, and nobody is given."""

    sensor: str
    source: Source
    why: Unused
    point: Floats
    """As it came, shape (h,)."""


@dataclass(frozen=True, slots=True)
class Published:
    """A forecast that is complete and can be true."""

    forecast: Forecast
    origins: Mapping[str, Origin]
    """By sensor, where its numbers come from."""
    quarantined: tuple[Quarantined, ...] = ()


def forecast_down(wanted: Wanted) -> Published:
    """Forecast each sensor by the first source of the chain that gives something which can be true.

    A source that fails, or gives what cannot be true, costs its own sensors alone: the others keep what it gave them.

    Raises:
        BadInput: A sensor has never been read, or is not in the history: nobody can say anything of it.
    """
    places = {sensor: _place(wanted.history, sensor) for sensor in wanted.sensors}
    lines = {name: np.full((wanted.horizon, len(places)), np.nan) for name in _LINES}
    tried: dict[str, list[Tried]] = {sensor: [] for sensor in places}
    origins: dict[str, Origin] = {}
    quarantined: list[Quarantined] = []
    bounds = Bounds.of(wanted.sensors, wanted.limits)
    recent = wanted.history.values[:, list(places.values())]
    for source in wanted.chain.sources:
        left = [sensor for sensor in places if sensor not in origins]
        if not left:
            break
        given = _given(source, wanted)
        for number, sensor in enumerate(places):
            if sensor not in left:
                continue
            if isinstance(given, Unused):
                tried[sensor].append(Tried(source, given))
                continue
            if source is Source.SEASONAL_NAIVE and not np.isfinite(recent[:, number]).any():
                # It repeats what was read; of a sensor without a reading it would make up a zero.
                tried[sensor].append(Tried(source, Unused.TOO_LITTLE_HISTORY))
                continue
            one = [line[:, [number]] for line in given]
            why = _wrong(source, one, recent[:, [number]], bounds, number, wanted.horizon)
            if why is None:
                origins[sensor] = used(wanted.chain, tried[sensor])
                for name, line in zip(_LINES, one, strict=True):
                    lines[name][:, number] = line[:, 0]
            else:
                tried[sensor].append(Tried(source, why))
                quarantined.append(Quarantined(sensor, source, why, one[2][:, 0]))
    forecast = Forecast(wanted.history.end, wanted.history.step, wanted.sensors, **lines)
    return Published(forecast, MappingProxyType(origins), tuple(quarantined))


def _place(history: Series, sensor: str) -> int:
    if sensor not in history.sensors:
        raise BadInput(f"the history has no sensor {sensor}", fix="read it from the circuit's data source")
    return history.sensors.index(sensor)


def _given(source: Source, wanted: Wanted) -> list[Floats] | Unused:
    """The five lines from the lowest to the highest, each of shape (h, k), or why there are none."""
    if source is Source.LAST_VALUE:
        return _last_values(wanted)
    try:
        if source is Source.SEASONAL_NAIVE:
            task = TrainingTask(
                wanted.sensors, wanted.horizon, "seasonal_naive", MappingProxyType({}), wanted.limits
            )
            forecast = train(wanted.history, task).model.forecast(wanted.history)
        else:
            model = wanted.models.get(source, Unused.ABSENT)
            if isinstance(model, Unused):
                return model
            forecast = model().forecast(wanted.history).forecast
    except FleetcastError as error:
        return why_unused(error)
    if any(sensor not in forecast.sensors for sensor in wanted.sensors):
        return Unused.BROKE
    columns = [forecast.sensors.index(sensor) for sensor in wanted.sensors]
    return [getattr(forecast, name)[:, columns] for name in _LINES]


def why_unused(error: FleetcastError) -> Unused:
    """What a source's error means for whoever needs a forecast."""
    match error:
        case ArtifactMissing():
            return Unused.DAMAGED
        case HistoryTooShort():
            return Unused.TOO_LITTLE_HISTORY
        case Unavailable():
            return Unused.UNREACHABLE
        case _:
            return Unused.BROKE


def _last_values(wanted: Wanted) -> list[Floats]:
    values = []
    for sensor in wanted.sensors:
        column = wanted.history.values[:, _place(wanted.history, sensor)]
        known = column[np.isfinite(column)]
        if not known.size and sensor not in wanted.last_good:
            raise BadInput(
                f"sensor {sensor} has never been read", fix="see whether its data source brings it at all"
            )
        values.append(float(known[-1]) if known.size else wanted.last_good[sensor])
    bounded = Bounds.of(wanted.sensors, wanted.limits).applied(np.array([values]))
    return [np.repeat(bounded, wanted.horizon, axis=0)] * len(_LINES)


def _wrong(
    source: Source, lines: list[Floats], recent: Floats, bounds: Bounds, number: int, horizon: int
) -> Unused | None:
    """What is wrong with what a source gave for one sensor; the last value is what it is."""
    if source is Source.LAST_VALUE:
        return None
    own = Bounds(bounds.lower[[number]], bounds.upper[[number]])
    (found,) = invalid(lines[2], recent, own, horizon)
    if found is not None:
        return _WHY[found]
    return None if all(np.isfinite(line).all() for line in lines) else Unused.NOT_FINITE
