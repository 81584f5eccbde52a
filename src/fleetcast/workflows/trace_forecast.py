"""From a published forecast to all that stands behind it, and from a version of the readings to all that came of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.model import ModelVersion, VersionEntry
from fleetcast.domain.place import EnvironmentName, Scope
from fleetcast.domain.release import Endpoint
from fleetcast.domain.role import Right
from fleetcast.pipeline.releases import SERVED_IN
from fleetcast.ports.forecasts import ForecastTable
from fleetcast.ports.platform import Platform
from fleetcast.workflows.approved_by import ApprovedBy, approved_by


@dataclass(frozen=True, slots=True)
class TracedModel:
    """A version that forecast something, and who stands behind it."""

    version: ModelVersion
    is_same: bool
    """Whether the registry still says of it what the rows of the forecast say."""
    approvals: tuple[ApprovedBy, ...]


@dataclass(frozen=True, slots=True)
class TracedSensor:
    """Where the forecast of one sensor comes from."""

    sensor: str
    source: str
    reason: str
    """Why it is not that of the release's model; empty if it is."""
    model: str | None
    """`NAME:VERSION`; None: no model made it."""
    quarantined: int
    """Steps at which a model gave something that nobody is given."""


@dataclass(frozen=True, slots=True)
class TracedForecast:
    """A circuit's published forecast, and all that it was made from."""

    key: CircuitKey
    endpoint: Endpoint
    day: date
    issue: int
    last_issue: int
    """Of that day, of whatever circuit."""
    made_at: datetime
    start: datetime
    steps: int
    commit: str
    """Of the fleet when it was made."""
    release: int
    override: str
    data_source: str
    delta_version: int
    newest_reading: datetime
    sensors: tuple[TracedSensor, ...]
    models: Mapping[str, TracedModel | None]
    """By `NAME:VERSION`; None: the registry does not know it any more."""


@dataclass(frozen=True, slots=True)
class ExplainForecast:
    """Says where a published forecast comes from."""

    platform: Platform

    def __call__(
        self, endpoint: Endpoint, circuit: str, *, day: date | None = None, version: int | None = None
    ) -> TracedForecast:
        """Trace one forecast.

        Args:
            endpoint: Whose.
            circuit: Which of its circuits.
            day: For which it was made; None: the last that there is.
            version: Of the table of forecasts; None: the newest, which shows the last issue.

        Raises:
            Denied: Whoever acts may not look there.
            BadInput: There is no such forecast.
        """
        self.platform.control.require(
            Right.VIEW, Scope(environment=endpoint.environment, plant=endpoint.plant)
        )
        key = CircuitKey(endpoint.plant, circuit)
        table = self.platform.workspace.forecasts(endpoint.environment)
        days = table.days()
        if not days:
            raise BadInput(
                f"no forecasts of {endpoint.environment} are published",
                fix=f"publish them with `fleetcast score {endpoint.environment}`",
            )
        day = day or days[-1]
        rows = table.read(day, [key], version)
        if rows.is_empty():
            raise BadInput(
                f"there is no forecast of {key} for {day}",
                fix=f"there are days from {days[0]} to {days[-1]}; see what `fleetcast score` said of the circuit",
            )
        return self._traced(endpoint, key, day, rows.rows(named=True), table)

    def _traced(
        self,
        endpoint: Endpoint,
        key: CircuitKey,
        day: date,
        rows: list[dict[str, Any]],
        table: ForecastTable,
    ) -> TracedForecast:
        first = rows[0]
        sensors: dict[str, list[dict[str, Any]]] = {}
        for row in rows:
            sensors.setdefault(row["sensor"], []).append(row)
        named = {_model(row): row for row in rows if row["model"] is not None}
        return TracedForecast(
            key,
            endpoint,
            day,
            first["issue"],
            table.issues(day)[-1].number,
            first["made_at"],
            first["timestamp"],
            len(sensors[first["sensor"]]),
            first["commit"],
            first["release"],
            first["override"],
            first["data_source"],
            first["delta_version"],
            first["newest_reading"],
            tuple(_sensor(name, held) for name, held in sensors.items()),
            {str(name): self._model(row) for name, row in named.items()},
        )

    def _model(self, row: Mapping[str, Any]) -> TracedModel | None:
        name = row["model"]
        held = self.platform.workspace.models.versions([name])[name]
        version = next((one for one in held if one.version == row["version"]), None)
        if version is None:
            return None
        same = (version.model.artifact, version.training_hash) == (
            Digest(row["artifact"]),
            Digest(row["training_hash"]),
        )
        return TracedModel(version, same, tuple(approved_by(self.platform.control.approvals, version)))


@dataclass(frozen=True, slots=True)
class AffectedForecasts:
    """Forecasts of one day that something is behind."""

    environment: EnvironmentName
    day: date
    read_from_it: tuple[CircuitKey, ...]
    """Made from readings of that version."""
    by_its_models: tuple[CircuitKey, ...]
    """Made by models that were trained on it."""


@dataclass(frozen=True, slots=True)
class Affected:
    """Everything that came of one version of a table of readings."""

    data_source: str
    delta_version: int
    models: tuple[VersionEntry, ...]
    """Trained on it."""
    serving: Mapping[str, tuple[str, ...]]
    """Those of them that serve, as `NAME:VERSION`, by `ENVIRONMENT/PLANT:RELEASE`."""
    forecasts: tuple[AffectedForecasts, ...]


@dataclass(frozen=True, slots=True)
class FindAffected:
    """Finds what came of a version of the readings that turned out to be wrong."""

    platform: Platform

    def __call__(self, data_source: str, delta_version: int) -> Affected:
        """Look through models, live releases and published forecasts.

        Raises:
            Denied: Whoever acts may not look everywhere.
            BadInput: There is no such data source.
        """
        self.platform.control.require(Right.VIEW)
        known = self.platform.workspace.tables
        if data_source not in known:
            raise BadInput(
                f"there is no data source {data_source!r}", fix=f"known are {', '.join(sorted(known))}"
            )
        models = tuple(self._trained_on(data_source, delta_version))
        names = {f"{one.name}:{one.version}" for one in models}
        return Affected(
            data_source,
            delta_version,
            models,
            self._serving(names),
            tuple(
                found
                for environment in SERVED_IN
                for found in _forecasts(
                    environment,
                    self.platform.workspace.forecasts(environment),
                    data_source,
                    delta_version,
                    names,
                )
            ),
        )

    def _trained_on(self, data_source: str, delta_version: int) -> Iterator[VersionEntry]:
        for held in self.platform.workspace.models.entries().values():
            for one in held:
                inputs = one.inputs
                if inputs.get("data_source") == data_source and inputs.get("delta_version") == delta_version:
                    yield one

    def _serving(self, names: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for environment in SERVED_IN:
            for release in self.platform.control.releases.live(environment).values():
                mine = tuple(str(one) for one in release.release.circuits.values() if str(one) in names)
                if mine:
                    found[str(release)] = mine
        return found


def _forecasts(
    environment: EnvironmentName,
    table: ForecastTable,
    data_source: str,
    delta_version: int,
    models: Collection[str],
) -> Iterator[AffectedForecasts]:
    for day in table.days():
        made_from = table.made_from(day)
        read = {
            one.key
            for one in made_from
            if (one.data_source, one.delta_version) == (data_source, delta_version)
        }
        by_model = {one.key for one in made_from if one.model in models}
        if read or by_model:
            yield AffectedForecasts(environment, day, tuple(sorted(read)), tuple(sorted(by_model)))


def _model(row: Mapping[str, Any]) -> str:
    return f"{row['model']}:{row['version']}"


def _sensor(name: str, rows: list[dict[str, Any]]) -> TracedSensor:
    first = rows[0]
    return TracedSensor(
        name,
        first["source"],
        first["reason"],
        None if first["model"] is None else _model(first),
        sum(row["quarantined"] is not None for row in rows),
    )
