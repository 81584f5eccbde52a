"""Forecasting as a release serves it: by its model, and down the chain where that gives nothing that can be true."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType

from fleetcast.domain.circuit import Circuit
from fleetcast.domain.errors import BadInput, FleetcastError
from fleetcast.domain.fallback import Origin, Source, Unused
from fleetcast.domain.health import Invalid
from fleetcast.domain.quality import SensorLimits
from fleetcast.domain.release import ServedModel
from fleetcast.domain.traffic import Override
from fleetcast.forecasting.bounds import Bounds
from fleetcast.forecasting.forecast import Forecast
from fleetcast.forecasting.forecaster import Forecaster, NotedForecast
from fleetcast.forecasting.plausible import invalid
from fleetcast.forecasting.series import Series
from fleetcast.pipeline.forecasters.chain import Opener, Quarantined, Wanted, forecast_down, why_unused

_MODEL = Origin(Source.MODEL)
_NOTHING: Mapping[str, float] = MappingProxyType({})
Open = Callable[[ServedModel], Forecaster]
"""Gives a model ready to forecast, from memory if it is there; raises what `open_forecaster` raises."""


@dataclass(frozen=True, slots=True)
class Serves:
    """What forecasts one circuit at this moment."""

    model: ServedModel | Unused
    """Or why none is to be used."""
    previous: ServedModel | None
    """What takes its place; None: there is none, and the seasonal naive forecast does."""
    sensors: tuple[str, ...]
    """What is to be forecast."""
    step: timedelta
    horizon: int
    """Steps."""
    limits: Mapping[str, SensorLimits] = field(default_factory=lambda: MappingProxyType({}))


def who_serves(
    circuit: Circuit,
    model: ServedModel,
    previous: ServedModel | None,
    override: Override | None,
    now: datetime,
) -> tuple[Serves, str]:
    """What forecasts a circuit at a moment, and why it is another than its release says; empty if it is not.

    Args:
        circuit: As declared.
        model: As its release says.
        previous: What was served before that.
        override: What somebody wants in its place, if anything.
        now: Aware.
    """
    used: ServedModel | Unused = model
    why = ""
    if override is not None and override.holds(now):
        why = override.why.value
        if override.model is None:
            used, previous = override.why, None
        else:
            used = override.model
            previous = previous if previous != used else None
    serves = Serves(used, previous, circuit.targets, circuit.frequency, circuit.steps, circuit.sensor_limits)
    return serves, why


@dataclass(frozen=True, slots=True)
class Scored:
    """A forecast that is complete and can be true."""

    forecast: Forecast
    origins: Mapping[str, Origin]
    """By sensor, where its numbers come from."""
    by: ServedModel | None
    """The model behind those that come from one; None: none does."""
    notes: tuple[str, ...]
    wrong: Invalid | None
    """What was wrong with what the release's own model gave."""
    quarantined: tuple[Quarantined, ...] = ()
    """What sources gave, and nobody is given."""


def score(
    serves: Serves, history: Series, open_model: Open, last_good: Mapping[str, float] = _NOTHING
) -> Scored:
    """Forecast a circuit.

    The usual case, a model whose forecast can be true, costs nothing but that forecast and looking at it once.

    Args:
        serves: What forecasts it.
        history: Its readings on the model's grid; NaN is a hole.
        open_model: Gives models.
        last_good: By sensor, the last reading from before the history.

    Raises:
        BadInput: The history is none that the model can be given: a sensor is missing, or the grid is another.
    """
    if history.step != serves.step:
        raise BadInput(
            f"the history has a step of {history.step}, the circuit one of {serves.step}",
            fix="give one value for each step of the circuit",
        )
    down = partial(_down, serves, history, open_model, last_good)
    if isinstance(serves.model, Unused):
        return down(serves.model)
    try:
        forecaster = open_model(serves.model)
    except FleetcastError as error:
        return down(why_unused(error))
    check_fits(forecaster, history)
    try:
        made = forecaster.forecast(history)
    except FleetcastError as error:
        return down(why_unused(error))
    wrong = _wrong(made.forecast, serves, history)
    if wrong is not None:
        return down(made, wrong=wrong)
    return Scored(made.forecast, dict.fromkeys(made.forecast.sensors, _MODEL), serves.model, made.notes, None)


def check_fits(forecaster: Forecaster, history: Series) -> None:
    """Make sure that a history has what a model reads.

    Raises:
        BadInput: A sensor is missing.
    """
    missing = [sensor for sensor in forecaster.reads if sensor not in history.sensors]
    if missing:
        raise BadInput(
            f"the history has no sensor {', '.join(missing)}",
            fix="give readings of every sensor the model reads",
        )


def _wrong(forecast: Forecast, serves: Serves, history: Series) -> Invalid | None:
    values = history.values
    if forecast.sensors != history.sensors:
        values = values[:, [history.sensors.index(sensor) for sensor in forecast.sensors]]
    bounds = Bounds.of(forecast.sensors, serves.limits)
    found = invalid(forecast.point, values, bounds, serves.horizon)
    return next((kind for kind in found if kind is not None), None)


@dataclass(frozen=True, slots=True)
class _Given:
    """A model that was asked already: it gives the same once more."""

    made: NotedForecast

    def forecast(self, _history: Series) -> NotedForecast:
        return self.made


def _down(
    serves: Serves,
    history: Series,
    open_model: Open,
    last_good: Mapping[str, float],
    given: NotedForecast | Unused,
    *,
    wrong: Invalid | None = None,
) -> Scored:
    """Ask the next in the chain, sensor by sensor.

    Args:
        serves: What forecasts the circuit.
        history: As of `score`.
        open_model: As of `score`.
        last_good: As of `score`.
        given: What the model gave, or why nothing.
        wrong: What was wrong with that.
    """
    previous = serves.previous
    models: dict[Source, Opener | Unused] = {
        Source.MODEL: given if isinstance(given, Unused) else lambda: _Given(given),
    }
    if previous is not None:
        models[Source.PREVIOUS_MODEL] = lambda: open_model(previous)
    published = forecast_down(
        Wanted(serves.sensors, serves.horizon, history, models, serves.limits, last_good)
    )
    used = {origin.source for origin in published.origins.values()}
    by = previous if Source.PREVIOUS_MODEL in used else None
    if Source.MODEL in used and isinstance(serves.model, ServedModel):
        by = serves.model
    return Scored(published.forecast, published.origins, by, (), wrong, published.quarantined)
