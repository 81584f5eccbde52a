"""Resolving each circuit from its layers, and checking what only the resolved circuit can show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from fleetcast.config.circuit_files import CircuitFinder, FoundCircuit
from fleetcast.config.complaints import Complaints, looks_like, nearest
from fleetcast.config.layers import Chain, Origin, origin, overlay, thresholds
from fleetcast.config.schema import CircuitWritten, CleaningWritten, DefaultsWritten, LimitsWritten
from fleetcast.config.written import ThresholdsWritten
from fleetcast.domain.canonical import Json
from fleetcast.domain.circuit import Circuit, HyperparameterValue, Serving
from fleetcast.domain.errors import BadInput
from fleetcast.domain.family import FAMILIES, Number, hyperparameter_complaints
from fleetcast.domain.identity import CircuitKey, checked_id
from fleetcast.domain.quality import CleaningRules, SensorLimits
from fleetcast.domain.settings import DataSource, ExternalTable
from fleetcast.domain.thresholds import Thresholds

_REQUIRED = (
    "features",
    "frequency",
    "forecast_horizon",
    "training_window",
    "cutoff_date",
    "data_source",
    "delta_version",
    "pipeline_component_version",
    "model",
)
_NOTHING = CircuitWritten()
_DEFAULT_CLEANING = CleaningRules()
_NO_UNITS: Mapping[str, str] = {}
"""Shared by the many circuits that name none; nobody writes to it."""


class CircuitResolver:
    """Turns the circuits that were found into domain values, sharing what they inherit."""

    def __init__(
        self,
        complaints: Complaints,
        *,
        base: Thresholds,
        data_sources: Mapping[str, DataSource],
        now: datetime,
    ) -> None:
        self._complaints = complaints
        self._base = base
        self._data_sources = data_sources
        self._now = now
        self._parents: dict[int, CircuitWritten] = {}
        self._sensors_below: dict[int, set[str]] = {}
        self._names: dict[str, tuple[str, Origin]] = {}
        self._cleaning: dict[int, tuple[CleaningWritten, CleaningRules]] = {}
        self._chains: dict[CircuitKey, Chain] = {}

    def resolve(self, finder: CircuitFinder) -> tuple[tuple[Circuit, ...], Mapping[CircuitKey, Chain]]:
        """All circuits, sorted by key, and the layers that each one comes from."""
        for chain in finder.defaults():
            if chain:
                self._check_defaults(chain)
        circuits = [circuit for found in finder.found() if (circuit := self._resolve(found))]
        for chain in finder.defaults():
            if chain:
                self._check_sensors_exist_below(chain)
        return tuple(sorted(circuits, key=lambda circuit: circuit.key)), self._chains

    def _inherited(self, chain: Chain) -> CircuitWritten:
        """What a chain of defaults says together; computed once for each plant."""
        if not chain:
            return _NOTHING
        known = self._parents.get(id(chain[0]))
        if known is None:
            nearer = CircuitWritten.model_construct(
                chain[0].written.model_fields_set, **chain[0].written.__dict__
            )
            known = self._parents[id(chain[0])] = overlay(nearer, self._inherited(chain[1:]))
        return known

    def _resolve(self, found: FoundCircuit) -> Circuit | None:
        key, chain = found.key, found.chain
        own = chain[0].written
        if not isinstance(own, CircuitWritten):
            raise TypeError(f"{found.key} was read as defaults")
        self._check_window(chain)
        merged = overlay(own, self._inherited(chain[1:]))
        self._chains[key] = chain
        name = self._model_name(found, merged)
        features = merged.features
        if features is not None:
            for layer in chain[1:]:
                self._sensors_below.setdefault(id(layer), set()).update(features)
            self._check_own_sensors(chain, features)
        self._check_values(chain, merged)
        if not self._complete(found, merged) or name is None or features is None:
            return None
        targets = merged.targets or features
        if unknown := [target for target in targets if target not in features]:
            line = origin(chain, "targets")
            what = f"targets {', '.join(unknown)} are not among the features of {key}"
            self._complaints.add(line.file, line.line, what, f"features are {', '.join(features)}")
            return None
        return self._made(found, merged, name, tuple(features), frozenset(targets))

    def _made(
        self,
        found: FoundCircuit,
        merged: CircuitWritten,
        name: str,
        features: tuple[str, ...],
        targets: frozenset[str],
    ) -> Circuit | None:
        known = merged.__dict__
        try:
            return Circuit(
                key=found.key,
                model_name=name,
                features=features,
                targets=tuple(sensor for sensor in features if sensor in targets),
                frequency=known["frequency"],
                horizon=known["forecast_horizon"],
                training_window=known["training_window"],
                cutoff=known["cutoff_date"],
                data_source=known["data_source"],
                delta_version=known["delta_version"],
                component_version=str(known["pipeline_component_version"]),
                family=known["model"],
                hyperparameters=_hyperparameters(known["model"], merged.hyperparameters or {}),
                sensor_limits=self._limits(found.chain, merged.sensor_limits or {}, features),
                cleaning=self._rules(merged.cleaning),
                source_mapping=self._source_mapping(found.key, known["data_source"], features),
                revision=merged.revision or 0,
                serving=Serving(merged.serving) if merged.serving else Serving.ENDPOINT,
                thresholds=self._thresholds(merged.thresholds, features),
                description=merged.description or "",
                owner=merged.owner or "",
                units=_of_features(merged.units, features),
                tags=merged.tags or {},
            )
        except BadInput as error:
            line = origin(found.chain, "forecast_horizon")
            self._complaints.add_error(line.file, line.line, error)
            return None

    def _source_mapping(self, key: CircuitKey, source: str, features: tuple[str, ...]) -> Mapping[str, Json]:
        declared = self._data_sources.get(source)
        return declared.mapping.inputs(key, features) if isinstance(declared, ExternalTable) else {}

    def _model_name(self, found: FoundCircuit, merged: CircuitWritten) -> str | None:
        name = merged.model_name or f"{found.key.plant}-{found.key.circuit}".lower()
        where = Origin(found.chain[0].file, found.line)
        if merged.model_name:
            where = origin(found.chain, "model_name")
        try:
            checked_id("model_name", name)
        except BadInput as error:
            self._complaints.add(where.file, where.line, str(error), "write a shorter `model_name`")
            return None
        other, first = self._names.setdefault(looks_like(name), (name, where))
        if first is not where:
            what = f"model name {name!r} " + (
                f"is taken at {first}" if other == name else f"looks like {other!r} at {first}"
            )
            self._complaints.add(where.file, where.line, what, "write another `model_name`")
        return name

    def _complete(self, found: FoundCircuit, merged: CircuitWritten) -> bool:
        complete = True
        for field in _REQUIRED:
            if merged.__dict__[field] is not None:
                continue
            complete = False
            spellings = {field, "training_days"} if field == "training_window" else {field}
            if not any(spellings & layer.refused for layer in found.chain):
                self._complaints.add(
                    found.chain[0].file,
                    found.line,
                    f"`{field}` of {found.key} is not set",
                    "write it in the circuit, in `defaults:` of its plant, "
                    "or in `defaults:` of config/circuits.yaml",
                )
        return complete

    def _check_defaults(self, chain: Chain) -> None:
        self._check_window(chain)
        merged = self._inherited(chain)
        self._check_values(chain, merged)

    def _check_window(self, chain: Chain) -> None:
        layer = chain[0]
        if "training_days" in layer.block and "training_window" in layer.block:
            self._complaints.add(
                layer.file,
                layer.block.line_of("training_window"),
                f"line {layer.block.line_of('training_days')} says already how long training data reach back",
                "keep one of the two",
            )

    def _check_values(self, chain: Chain, merged: CircuitWritten) -> None:
        if merged.cutoff_date is not None and merged.cutoff_date.end > self._now:
            yesterday = (self._now.astimezone(UTC) - timedelta(days=1)).date()
            line = origin(chain, "cutoff_date")
            what = f"cutoff_date {merged.cutoff_date} is in the future or not over yet"
            self._complaints.add(line.file, line.line, what, f"the last whole UTC day is {yesterday}")
        if merged.data_source is not None and merged.data_source not in self._data_sources:
            line = origin(chain, "data_source")
            what = f"unknown data source {merged.data_source!r}"
            fix = f"{nearest(merged.data_source, self._data_sources)}; see `data_sources:` in fleetcast.yaml"
            self._complaints.add(line.file, line.line, what, fix)
        if merged.hyperparameters and not any("model" in layer.refused for layer in chain):
            self._check_hyperparameters(chain, merged.model, merged.hyperparameters)

    def _check_hyperparameters(
        self, chain: Chain, family: str | None, values: Mapping[str, HyperparameterValue]
    ) -> None:
        if family is None:
            line = origin(chain, "hyperparameters")
            what = "`hyperparameters` without a `model` they belong to"
            self._complaints.add(line.file, line.line, what, "write `model` here or above")
            return
        for name, wrong in hyperparameter_complaints(family, values).items():
            line = origin(chain, "hyperparameters", name)
            self._complaints.add(line.file, line.line, f"`hyperparameters.{name}`: {wrong}")

    def _check_own_sensors(self, chain: Chain, features: list[str]) -> None:
        own = chain[0].written
        for field, named in _per_sensor(own):
            for sensor in named:
                if sensor not in features:
                    line = origin(chain, *field, sensor)
                    what = f"`{'.'.join(field)}` names {sensor!r}, which is not a feature of this circuit"
                    self._complaints.add(line.file, line.line, what, nearest(sensor, features))

    def _check_sensors_exist_below(self, chain: Chain) -> None:
        """A sensor in defaults that no circuit has is a slip of the pen."""
        layer = chain[0]
        below = self._sensors_below.get(id(layer), set())
        for field, named in _per_sensor(layer.written):
            for sensor in named:
                if below and sensor not in below:
                    line = origin(chain, *field, sensor)
                    what = f"`{'.'.join(field)}` names {sensor!r}, which no circuit below has as a feature"
                    self._complaints.add(line.file, line.line, what, nearest(sensor, below))

    def _limits(
        self, chain: Chain, written: Mapping[str, LimitsWritten], features: tuple[str, ...]
    ) -> dict[str, SensorLimits]:
        limits = {}
        for sensor, entry in written.items():
            if sensor in features:
                try:
                    limits[sensor] = SensorLimits(entry.min, entry.max)
                except BadInput as error:
                    line = origin(chain, "sensor_limits", sensor)
                    self._complaints.add_error(line.file, line.line, error)
        return limits

    def _rules(self, written: CleaningWritten | None) -> CleaningRules:
        if written is None:
            return _DEFAULT_CLEANING
        known = self._cleaning.get(id(written))
        if known is None:
            said = {name: value for name, value in written.__dict__.items() if value is not None}
            known = self._cleaning[id(written)] = (written, CleaningRules(**said))
        return known[1]

    def _thresholds(self, written: ThresholdsWritten | None, features: tuple[str, ...]) -> Thresholds:
        if written is None and not self._base.sensors:
            return self._base
        full = thresholds(written, self._base)
        return Thresholds(
            full.circuit, {sensor: limits for sensor, limits in full.sensors.items() if sensor in features}
        )


def _of_features(units: Mapping[str, str] | None, features: tuple[str, ...]) -> Mapping[str, str]:
    return {sensor: unit for sensor, unit in units.items() if sensor in features} if units else _NO_UNITS


def _per_sensor(written: DefaultsWritten) -> Iterable[tuple[tuple[str, ...], Iterable[str]]]:
    """Settings that name sensors, and which."""
    if written.sensor_limits:
        yield ("sensor_limits",), written.sensor_limits
    if written.units:
        yield ("units",), written.units
    if written.thresholds and written.thresholds.sensors:
        yield ("thresholds", "sensors"), written.thresholds.sensors


def _hyperparameters(
    family: str, values: Mapping[str, HyperparameterValue]
) -> Mapping[str, HyperparameterValue]:
    """Numbers in one spelling, so that `1` and `1.0` train the same model."""
    real = {known.name for known in FAMILIES[family] if isinstance(known, Number) and not known.whole}
    return {
        name: float(value) if name in real and isinstance(value, int) else value
        for name, value in values.items()
    }
