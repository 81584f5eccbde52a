"""What people are shown of a forecast: one value behind the text, the JSON, the picture and the page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from fleetcast.domain.canonical import Json
from fleetcast.domain.duration import format_duration
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.model import AdoptedLineage, TrainedLineage
from fleetcast.domain.sensor import did_you_mean
from fleetcast.forecasting.series import Floats, Series
from fleetcast.views.moments import iso, shown
from fleetcast.views.names import circuit_ids
from fleetcast.workflows.forecast import CircuitForecast, Hindsight, Provenance
from fleetcast.workflows.forecast_many import NotForecast

Moments = npt.NDArray[np.datetime64]
"""UTC without an offset, to the microsecond: what plotting libraries take."""


@dataclass(frozen=True, slots=True)
class SensorView:
    """One sensor's part of a forecast, in its own unit; the arrays of one group have equal lengths."""

    name: str
    unit: str
    """What its numbers are in; empty if the fleet does not say."""
    history_times: Moments
    history: Floats
    """NaN is a hole."""
    times: Moments
    point: Floats
    lower_80: Floats
    upper_80: Floats
    lower_95: Floats
    upper_95: Floats
    actual_times: Moments
    actuals: Floats
    """What was read since; NaN is a hole."""
    hindsight: Hindsight | None

    @property
    def title(self) -> str:
        """Its name, and what its numbers are in."""
        return f"{self.name} [{self.unit}]" if self.unit else self.name

    def shown(self, value: float) -> str:
        """A value with as many digits as the width of the interval gives reason for."""
        if not math.isfinite(value):
            return "–"
        width = float(np.median(self.upper_80 - self.lower_80)) / 2 or abs(value)
        digits = 2 - math.floor(math.log10(width)) if width > 0 else 2
        if abs(value) >= 1e9 or digits > 9:
            return f"{value:.6g}"
        return f"{value:,.{min(max(digits, 0), 9)}f}"

    def said_of_hindsight(self) -> str:
        """One phrase on how the forecast turned out; empty if nothing was read since."""
        if self.hindsight is None:
            return ""
        seen = self.hindsight
        steps = "1 reading" if seen.steps == 1 else f"{seen.steps} readings"
        return f"{steps} since: MAE {self.shown(seen.mae)}, {100 * seen.inside_80:.0f} % inside the 80 % interval"


@dataclass(frozen=True, slots=True)
class ForecastView:
    """A forecast as people are shown it."""

    key: CircuitKey
    model: str
    version: int
    standing: str
    family: str
    steps: int
    step: timedelta
    origin: datetime
    until: datetime
    """Aware UTC time just after the last step."""
    made_at: datetime
    newest_reading: datetime
    is_past: bool
    """Whether all of it lies before the moment it was made at."""
    is_stale: bool
    """Whether its newest reading was more than three steps old then."""
    notes: tuple[str, ...]
    sensors: tuple[SensorView, ...]
    provenance: tuple[tuple[str, str], ...]
    """Label and value, in the order people ask."""

    @property
    def title(self) -> str:
        """The circuit and when it is forecast for; first of all, that this is over, where it is."""
        past = "in the past: " if self.is_past else ""
        return (
            f"{past}{self.key}: {self.steps} steps of {format_duration(self.step)} from {shown(self.origin)}"
        )

    @property
    def subtitle(self) -> str:
        """Which model, and how far its readings reach where they are old."""
        stale = f", from readings up to {shown(self.newest_reading)}" if self.is_stale else ""
        return f"{self.model}:{self.version}, {self.family}, {self.standing}{stale}"


def view_of(made: CircuitForecast, sensors: Sequence[str] = ()) -> ForecastView:
    """Lay a forecast out for people.

    Args:
        made: The forecast.
        sensors: Those to show, in this order; empty: all.

    Raises:
        BadInput: The forecast has no such sensor.
    """
    forecast, origin = made.forecast, made.provenance
    for name in sensors:
        if name not in forecast.sensors:
            raise BadInput(
                f"{made.key} is not forecast for a sensor {name!r}", fix=did_you_mean(name, forecast.sensors)
            )
    return ForecastView(
        key=made.key,
        model=origin.model,
        version=origin.version,
        standing=origin.standing,
        family=origin.family,
        steps=len(forecast),
        step=forecast.step,
        origin=forecast.start,
        until=forecast.end,
        made_at=made.made_at,
        newest_reading=made.newest_reading,
        is_past=made.is_past,
        is_stale=made.is_stale,
        notes=made.notes,
        sensors=tuple(_sensor(made, name) for name in dict.fromkeys(sensors or forecast.sensors)),
        provenance=tuple(_provenance(origin, made.newest_reading)),
    )


def as_json(view: ForecastView, origin: Provenance) -> Json:
    """The whole forecast for programs: a value of each sensor for each of `times`, and the digests in full.

    `actual` holds what was read since, from the first of `times` on and as far as there is any; null is a hole.
    """
    return {
        **circuit_ids(view.key),
        "model_name": view.model,
        "version": view.version,
        "standing": view.standing,
        "family": view.family,
        "made_at": iso(view.made_at),
        "origin_at": iso(view.origin),
        "newest_reading_at": iso(view.newest_reading),
        "is_past": view.is_past,
        "is_stale": view.is_stale,
        "step_seconds": view.step.total_seconds(),
        "steps": view.steps,
        "notes": list(view.notes),
        "times": [iso(view.origin + number * view.step) for number in range(view.steps)],
        "sensors": {sensor.name: _sensor_json(sensor) for sensor in view.sensors},
        "provenance": _provenance_json(origin),
    }


def views_of(
    made: Sequence[CircuitForecast], sensors: Sequence[str] = ()
) -> list[tuple[ForecastView, Provenance]]:
    """Lay forecasts of many circuits out: of each the sensors that it has, and those without any are left out.

    Raises:
        BadInput: A sensor is in none of them.
    """
    there = {name for one in made for name in one.forecast.sensors}
    for name in sensors:
        if made and name not in there:
            raise BadInput(
                f"none of these is forecast for a sensor {name!r}", fix=did_you_mean(name, sorted(there))
            )
    found = []
    for one in made:
        own = [name for name in sensors if name in one.forecast.sensors]
        if own or not sensors:
            found.append((view_of(one, own), one.provenance))
    return found


def many_as_json(
    made: Sequence[tuple[ForecastView, Provenance]], failed: Sequence[NotForecast]
) -> dict[str, Json]:
    """Forecasts of many circuits for programs, and why others have none."""
    return {
        "forecasts": [as_json(view, origin) for view, origin in made],
        "failed": [
            {**circuit_ids(one.key), "says": str(one.error), "fix": one.error.fix or None} for one in failed
        ],
    }


def _sensor(made: CircuitForecast, name: str) -> SensorView:
    forecast = made.forecast
    column = forecast.sensors.index(name)
    history_times, history = _line(made.history, name)
    actual_times, actuals = _line(made.actuals, name)
    return SensorView(
        name=name,
        unit=made.units.get(name, ""),
        history_times=history_times,
        history=history,
        times=_times(forecast.start, forecast.step, len(forecast)),
        point=forecast.point[:, column],
        lower_80=forecast.lower_80[:, column],
        upper_80=forecast.upper_80[:, column],
        lower_95=forecast.lower_95[:, column],
        upper_95=forecast.upper_95[:, column],
        actual_times=actual_times,
        actuals=actuals,
        hindsight=made.hindsight(name),
    )


def _line(series: Series, sensor: str) -> tuple[Moments, Floats]:
    return _times(series.start, series.step, len(series)), series.values[:, series.sensors.index(sensor)]


def _times(start: datetime, step: timedelta, count: int) -> Moments:
    first = np.datetime64(start.astimezone(UTC).replace(tzinfo=None), "us")
    times: Moments = first + np.arange(count) * np.timedelta64(step)
    return times


def _provenance(origin: Provenance, newest: datetime) -> Iterator[tuple[str, str]]:
    yield "model", f"{origin.model}:{origin.version} ({origin.standing})"
    yield "family", origin.family
    yield "registered", shown(origin.registered_at)
    yield "training hash", origin.training_hash.short
    yield "trained up to", shown(origin.cutoff)
    yield (
        "readings",
        (
            f"{origin.data_source}, version {origin.delta_version_trained} trained on, "
            f"version {origin.delta_version_read} read up to {shown(newest)}"
        ),
    )
    lineage = origin.lineage
    yield "artifact", origin.artifact.short
    yield "commit", lineage.commit
    if isinstance(lineage, AdoptedLineage):
        yield "adopted from", lineage.source
        yield "trained", "elsewhere: its job, rows, component and environment are unknown"
    else:
        yield "training rows", lineage.fingerprint.short
        yield "job", f"{lineage.job} in {lineage.run}"
        yield "component", f"{lineage.component}:{lineage.component_version}"
        yield "environment", lineage.environment_version
    for approval in origin.approvals:
        comment = f": {approval.comment}" if approval.comment else ""
        yield "approved", f"by {approval.person}, {shown(approval.at)}{comment}"
    if not origin.approvals:
        yield "approved", "by nobody"


def _sensor_json(sensor: SensorView) -> Json:
    seen = sensor.hindsight
    return {
        "unit": sensor.unit or None,
        "point": sensor.point.tolist(),
        "lower_80": sensor.lower_80.tolist(),
        "upper_80": sensor.upper_80.tolist(),
        "lower_95": sensor.lower_95.tolist(),
        "upper_95": sensor.upper_95.tolist(),
        "actual": _nulls(sensor.actuals),
        "hindsight": {"steps": seen.steps, "mae": seen.mae, "inside_80": seen.inside_80} if seen else None,
    }


def _nulls(values: Floats) -> Json:
    return [value if math.isfinite(value) else None for value in values.tolist()]


def _provenance_json(origin: Provenance) -> Json:
    lineage = origin.lineage
    trained = lineage if isinstance(lineage, TrainedLineage) else None
    return {
        "registered_at": iso(origin.registered_at),
        "artifact": origin.artifact.hex,
        "training_hash": origin.training_hash.hex,
        "cutoff_at": iso(origin.cutoff),
        "commit": lineage.commit,
        "adopted_from": lineage.source if isinstance(lineage, AdoptedLineage) else None,
        "run_id": trained.run if trained else None,
        "job_id": trained.job if trained else None,
        "data_source": origin.data_source,
        "delta_version_trained": origin.delta_version_trained,
        "delta_version_read": origin.delta_version_read,
        "fingerprint": trained.fingerprint.hex if trained else None,
        "environment_version": trained.environment_version if trained else None,
        "component_name": trained.component if trained else None,
        "component_version": trained.component_version if trained else None,
        "approvals": [
            {"by": approval.person, "comment": approval.comment, "decided_at": iso(approval.at)}
            for approval in origin.approvals
        ],
    }
