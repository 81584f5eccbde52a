"""Forecasting as a release serves it: by its model, and down the chain where that gives nothing that can be true."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType

from fleetcast.domain.errors import BadInput, FleetcastError
from fleetcast.domain.fallback import Origin, Source, Unused
from fleetcast.domain.health import Invalid
from fleetcast.domain.quality import SensorLimits
from fleetcast.domain.release import ServedModel
from fleetcast.forecasting.bounds import Bounds
from fleetcast.forecasting.forecast import Forecast
from fleetcast.forecasting.forecaster import Forecaster, NotedForecast
from fleetcast.forecasting.plausible import invalid
from fleetcast.forecasting.series import Series
from fleetcast.pipeline.forecasters.chain import Opener, Wanted, forecast_down, why_unused

_MODEL = Origin(Source.MODEL)
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


def score(serves: Serves, history: Series, open_model: Open) -> Scored:
    """Forecast a circuit.

    The usual case, a model whose forecast can be true, costs nothing but that forecast and looking at it once.

    Args:
        serves: What forecasts it.
        history: Its readings on the model's grid; NaN is a hole.
        open_model: Gives models.

    Raises:
        BadInput: The history is none that the model can be given: a sensor is missing, or the grid is another.
    """
    if history.step != serves.step:
        raise BadInput(
            f"the history has a step of {history.step}, the circuit one of {serves.step}",
            fix="give one value for each step of the circuit",
        )
    if isinstance(serves.model, Unused):
        return _down(serves, history, open_model, serves.model)
    try:
        forecaster = open_model(serves.model)
    except FleetcastError as error:
        return _down(serves, history, open_model, why_unused(error))
    check_fits(forecaster, history)
    try:
        made = forecaster.forecast(history)
    except FleetcastError as error:
        return _down(serves, history, open_model, why_unused(error))
    wrong = _wrong(made.forecast, serves, history)
    if wrong is not None:
        return _down(serves, history, open_model, made, wrong=wrong)
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
    columns = [history.sensors.index(sensor) for sensor in forecast.sensors]
    bounds = Bounds.of(forecast.sensors, serves.limits)
    found = invalid(forecast.point, history.values[:, columns], bounds, serves.horizon)
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
    given: NotedForecast | Unused,
    *,
    wrong: Invalid | None = None,
) -> Scored:
    """Ask the next in the chain, sensor by sensor.

    Args:
        serves: What forecasts the circuit.
        history: As of `score`.
        open_model: As of `score`.
        given: What the model gave, or why nothing.
        wrong: What was wrong with that.
    """
    previous = serves.previous
    models: dict[Source, Opener | Unused] = {
        Source.MODEL: given if isinstance(given, Unused) else lambda: _Given(given),
    }
    if previous is not None:
        models[Source.PREVIOUS_MODEL] = lambda: open_model(previous)
    published = forecast_down(Wanted(serves.sensors, serves.horizon, history, models, serves.limits))
    used = {origin.source for origin in published.origins.values()}
    by = previous if Source.PREVIOUS_MODEL in used else None
    if Source.MODEL in used and isinstance(serves.model, ServedModel):
        by = serves.model
    return Scored(published.forecast, published.origins, by, (), wrong)
