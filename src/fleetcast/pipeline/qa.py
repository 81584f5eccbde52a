"""What a version that serves does with recent readings: whether its forecast can be true, how it would have fared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

import numpy as np

from fleetcast.domain.circuit import Circuit
from fleetcast.domain.errors import BadInput, FleetcastError
from fleetcast.domain.fallback import Source
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.release import ServedModel
from fleetcast.forecasting.forecaster import Forecaster
from fleetcast.forecasting.series import Series
from fleetcast.pipeline.batch_scoring import OpenModel
from fleetcast.pipeline.fared import apart, naive_errors, whole_horizons
from fleetcast.pipeline.forecast_window import WindowSearch, looks_of, trained_span
from fleetcast.pipeline.scoring import Serves, score
from fleetcast.ports.readings import ReadingsTable

_ORIGINS = 7
"""A day apart, or as far as a horizon is shorter than a day."""
_NOTHING: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Checked:
    """One version on the newest readings of its circuit."""

    key: CircuitKey
    model: ServedModel
    why_not: str
    """Why it is not fit to be served; empty if it is."""
    newest_reading: datetime | None = None
    """Aware UTC; None: there is none."""
    skill: Mapping[str, float] = field(default_factory=lambda: _NOTHING)
    """By sensor, 1 less the ratio of its mean absolute error to that of the seasonal naive forecast, from the same
    origins; a sensor of which it cannot be measured is not in it."""


@dataclass(frozen=True, slots=True)
class CheckOnRecent:
    """Has versions forecast from the newest readings, and looks back how they would have fared in the last week."""

    tables: Mapping[str, ReadingsTable]
    open_model: OpenModel

    def __call__(self, circuit: Circuit, model: ServedModel) -> Checked:
        """Check one version; what is wrong with it, or with its readings, is said and not raised."""
        key = circuit.key
        try:
            forecaster = self.open_model(circuit, model)
            history, newest = self._history(circuit, forecaster)
            serves = Serves(
                model, None, circuit.targets, circuit.frequency, circuit.steps, circuit.sensor_limits
            )
            scored = score(serves, history, lambda _: forecaster)
        except FleetcastError as error:
            return Checked(key, model, str(error))
        wrong = [
            f"{sensor}: {origin.code}"
            for sensor, origin in scored.origins.items()
            if origin.source is not Source.MODEL
        ]
        return Checked(key, model, ", ".join(wrong), newest, _skill(forecaster, history))

    def _history(self, circuit: Circuit, forecaster: Forecaster) -> tuple[Series, datetime]:
        table = self.tables[circuit.data_source]
        version = table.latest_version()
        if version is None:
            raise BadInput(f"there are no readings of {circuit.data_source}")
        looks = looks_of(circuit, forecaster)
        more = max(looks.more_history, looks.horizon + _ORIGINS * apart(looks))
        window = WindowSearch(circuit, looks, table, version, more).window(None, trained_span(circuit))
        return window.history, window.newest


def _skill(forecaster: Forecaster, history: Series) -> Mapping[str, float]:
    origins = whole_horizons(forecaster, history, _ORIGINS)
    naive = naive_errors(forecaster, history, origins) if origins else None
    if naive is None:
        return _NOTHING
    try:
        errors = forecaster.replay(history, origins)
    except FleetcastError:
        return _NOTHING
    found = {}
    for column, sensor in enumerate(forecaster.sensors):
        known = np.isfinite(errors[:, column]) & np.isfinite(naive[:, column])
        by_naive = float(naive[known, column].sum())
        if by_naive > 0:
            found[sensor] = 1 - float(errors[known, column].sum()) / by_naive
    return MappingProxyType(found)
