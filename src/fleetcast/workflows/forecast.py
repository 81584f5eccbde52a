"""Forecast one circuit with one of its registered models, and say where the forecast comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from fleetcast.domain.audit import about_model
from fleetcast.domain.chronicle import NotBelieved, champion_disagreement
from fleetcast.domain.circuit import Circuit
from fleetcast.domain.duration import format_duration
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.model import FilesRemoved, Intent, Lineage, ModelVersion, family_of
from fleetcast.domain.place import Scope
from fleetcast.domain.role import Right
from fleetcast.domain.standing import PromotionState
from fleetcast.domain.training_hash import training_hash, training_inputs
from fleetcast.forecasting.artifact import ModelIdentity
from fleetcast.forecasting.forecast import Forecast
from fleetcast.forecasting.series import Series
from fleetcast.pipeline.forecast_window import STALE_AFTER_STEPS, ForecastWindow, TrainingSpan, WindowSearch
from fleetcast.pipeline.forecasters.opening import OpenedForecaster, open_forecaster
from fleetcast.ports.clock import Clock
from fleetcast.ports.platform import Platform
from fleetcast.ports.readings import ReadingsTable
from fleetcast.workflows.approved_by import ApprovedBy, approved_by
from fleetcast.workflows.standing import Standings

HORIZONS_TO_DRAW = 2
"""How much history is given with a forecast, in horizons, if there is as much."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a forecast comes from: enough to make it again, and to know who stands behind it."""

    model: str
    version: int
    standing: PromotionState
    family: str
    artifact: Digest
    training_hash: Digest
    cutoff: datetime
    """Aware UTC, exclusive: the end of the training data; of an adopted model, as its circuit declared it."""
    lineage: Lineage
    data_source: str
    delta_version_trained: int
    delta_version_read: int
    registered_at: datetime
    approvals: tuple[ApprovedBy, ...]


@dataclass(frozen=True, slots=True)
class Hindsight:
    """How one sensor's forecast compares with what was read since."""

    steps: int
    """Steps with a reading, at least 1."""
    mae: float
    """In the sensor's own unit."""
    inside_80: float
    """Share of those readings inside the 80 % interval."""


@dataclass(frozen=True, slots=True)
class CircuitForecast:
    """A circuit's forecast with what it continues, what came true of it, and where it comes from."""

    key: CircuitKey
    forecast: Forecast
    history: Series
    """Ends where the forecast begins; same sensors and step. NaN is a hole."""
    actuals: Series
    """What was read from the origin on, within the horizon; of length 0 if nothing was yet."""
    made_at: datetime
    """Aware UTC."""
    newest_reading: datetime
    """Aware UTC time of the newest reading that the forecast is made from."""
    provenance: Provenance
    notes: tuple[str, ...]
    """What a reader should know before relying on it."""
    units: Mapping[str, str]
    """By sensor, where the fleet says so."""

    @property
    def origin(self) -> datetime:
        """Aware UTC time where history ends and the forecast begins."""
        return self.forecast.start

    @property
    def is_past(self) -> bool:
        """Whether all of it lies before the moment it was made at."""
        return self.forecast.end <= self.made_at

    @property
    def is_stale(self) -> bool:
        """Whether its newest reading was more than a few steps old when it was made."""
        return self.made_at - self.newest_reading > STALE_AFTER_STEPS * self.forecast.step

    def hindsight(self, sensor: str) -> Hindsight | None:
        """How the forecast of a sensor turned out; None if nothing was read since."""
        column = self.forecast.sensors.index(sensor)
        actual = self.actuals.values[:, column]
        seen = np.isfinite(actual)
        if not seen.any():
            return None
        point, lower, upper = (
            values[: len(actual), column][seen]
            for values in (self.forecast.point, self.forecast.lower_80, self.forecast.upper_80)
        )
        inside = (actual[seen] >= lower) & (actual[seen] <= upper)
        mae = float(np.abs(actual[seen] - point).mean())
        return Hindsight(int(seen.sum()), mae, float(inside.mean()))


@dataclass(frozen=True, slots=True)
class MakeForecast:
    """Forecast a circuit from the newest readings, or from those known at an earlier moment."""

    platform: Platform
    clock: Clock

    def __call__(
        self,
        circuit: Circuit,
        *,
        at: datetime | None = None,
        version: int | None = None,
        delta_version: int | None = None,
    ) -> CircuitForecast:
        """Make the forecast; changes nothing.

        Args:
            circuit: As declared.
            at: Aware; only readings before this moment are used. None: all.
            version: Of the model. None: the champion; where there is none, the newest version that nobody refused.
            delta_version: Of the readings table. None: the newest.

        Raises:
            BadInput: There is no such model or table version, or no reading to forecast from.
            ArtifactMissing: The model's artifact is lost or damaged.
            NotBelieved: The champion is not what the audit log says.
        """
        self.platform.control.require(Right.VIEW, Scope(plant=circuit.key.plant))
        now = self.clock.now()
        workspace = self.platform.workspace
        standings = Standings.of_model(self.platform, circuit.model_name, now)
        champion = standings.intent.champions.get(circuit.model_name)
        chosen = self._model(circuit, version, standings.intent)
        if chosen.version == champion:
            self._check_champion(chosen)
        opened = open_forecaster(circuit, chosen, workspace.artifacts, workspace.foreign)
        forecaster, identity = opened.forecaster, opened.identity
        table = workspace.tables[circuit.data_source]
        read_version = _version_to_read(table, circuit, delta_version)
        drawn = HORIZONS_TO_DRAW * forecaster.horizon
        search = WindowSearch(circuit, forecaster, table, read_version, max(drawn, forecaster.more_history))
        window = search.window(at, self._trained_on(circuit, chosen, identity))
        made = forecaster.forecast(window.history)
        standing = standings.of(chosen.name, chosen.version)
        approvals = tuple(approved_by(self.platform.control.approvals, chosen))
        provenance = _provenance(circuit, chosen, standing, approvals, identity, read_version)
        return CircuitForecast(
            key=circuit.key,
            forecast=made.forecast,
            history=_tail(_only(window.history, forecaster.sensors), max(drawn, 2)),
            actuals=_only(window.actuals, forecaster.sensors),
            made_at=now,
            newest_reading=window.newest,
            provenance=provenance,
            notes=(
                *_past_notes(made.forecast.end, now),
                *made.notes,
                *_standing_notes(provenance, champion),
                *_age_notes(window.newest, forecaster.step, made.forecast.end, at, now),
                *_notes(circuit, chosen, opened, window, now),
            ),
            units=circuit.units,
        )

    def _model(self, circuit: Circuit, version: int | None, intent: Intent) -> ModelVersion:
        name = circuit.model_name
        versions = {held.version: held for held in self.platform.workspace.models.versions([name])[name]}
        if not versions:
            raise BadInput(
                f"{circuit.key} has no trained model yet",
                fix=f"run `fleetcast train --circuits {circuit.key}`",
            )
        if version is None:
            return versions[_to_use(circuit, list(versions), intent)]
        if version not in versions:
            raise BadInput(
                f"{name} has no version {version}, only {', '.join(map(str, versions))}",
                fix=f"see `fleetcast models show {circuit.key}`",
            )
        if (name, version) in intent.removed:
            raise FilesRemoved(name, version, intent.removed[name, version])
        return versions[version]

    def _check_champion(self, champion: ModelVersion) -> None:
        """Make sure that a champion is what the audit log says, files included: rows can be typed into a table."""
        audit, name = self.platform.control.audit, about_model(champion.name)
        entries = audit.vouched([name])[name]
        odd = champion_disagreement(champion.name, champion.version, champion.model.artifact, entries)
        if odd is not None:
            raise NotBelieved(odd)

    def _trained_on(self, circuit: Circuit, chosen: ModelVersion, identity: ModelIdentity) -> TrainingSpan:
        digest = chosen.data_digest
        asset = self.platform.workspace.data.held([digest]).get(digest) if digest else None
        if asset is None or asset.last is None:
            return TrainingSpan(identity.cutoff - circuit.training_window, identity.cutoff)
        return TrainingSpan(asset.start, asset.last)


def _to_use(circuit: Circuit, versions: Sequence[int], intent: Intent) -> int:
    """The champion, or else the newest version that nobody refused."""
    name = circuit.model_name
    usable = [number for number in versions if intent.refusal(name, number) is None]
    champion = intent.champions.get(name)
    if champion in usable:
        return champion
    if not usable:
        raise BadInput(
            f"every version of {name} was refused, or its files were removed: {', '.join(map(str, versions))}",
            fix=f"train another (raise `revision` of {circuit.key}), or name one with --model-version",
        )
    return max(usable)


def _provenance(
    circuit: Circuit,
    chosen: ModelVersion,
    standing: PromotionState,
    approvals: tuple[ApprovedBy, ...],
    identity: ModelIdentity,
    read_version: int,
) -> Provenance:
    return Provenance(
        model=chosen.name,
        version=chosen.version,
        standing=standing,
        family=family_of(chosen) or circuit.family,
        artifact=chosen.model.artifact,
        training_hash=chosen.training_hash,
        cutoff=identity.cutoff,
        lineage=chosen.model.lineage,
        data_source=circuit.data_source,
        delta_version_trained=identity.delta_version,
        delta_version_read=read_version,
        registered_at=chosen.registered_at,
        approvals=approvals,
    )


def _only(series: Series, sensors: tuple[str, ...]) -> Series:
    """The same steps of some of the sensors."""
    columns = [series.sensors.index(name) for name in sensors]
    return Series(series.start, series.step, sensors, series.values[:, columns])


def _version_to_read(table: ReadingsTable, circuit: Circuit, asked: int | None) -> int:
    latest = table.latest_version()
    if latest is None:
        raise BadInput(
            f"data source {circuit.data_source!r} holds no readings",
            fix="write some with `fleetcast ingest` or `fleetcast simulate`",
        )
    if asked is not None and not 0 <= asked <= latest:
        raise BadInput(
            f"{circuit.data_source!r} has no version {asked}, only 0 to {latest}",
            fix="see `fleetcast data versions`",
        )
    return latest if asked is None else asked


def _tail(series: Series, steps: int) -> Series:
    """The last steps, beginning with one that holds a reading."""
    values = series.values[-steps:]
    seen = np.flatnonzero(np.isfinite(values).any(axis=1))
    values = values[int(seen[0]) if len(seen) else 0 :]
    return Series(series.end - len(values) * series.step, series.step, series.sensors, values)


def _standing_notes(origin: Provenance, champion: int | None) -> Iterator[str]:
    if origin.standing is not PromotionState.PROMOTED:
        instead = "" if champion in (None, origin.version) else f"; the champion is version {champion}"
        yield f"{origin.model}:{origin.version} is {origin.standing.value}{instead}"


def _past_notes(end: datetime, now: datetime) -> Iterator[str]:
    if end <= now:
        yield f"this forecast lies wholly in the past: it ends {_shown(end)}, {_length(now - end)} ago"


def _age_notes(
    newest: datetime, step: timedelta, end: datetime, at: datetime | None, now: datetime
) -> Iterator[str]:
    """How old its readings are: at the moment asked for, and now unless it was asked for a past one."""
    if at is not None and at - newest > STALE_AFTER_STEPS * step:
        yield f"the newest reading is {_length(at - newest)} older than {_shown(at)}"
    if now - newest > STALE_AFTER_STEPS * step and (at is None or end > now):
        yield f"the newest reading is {_length(now - newest)} older than now"


def _notes(
    circuit: Circuit,
    chosen: ModelVersion,
    opened: OpenedForecaster,
    window: ForecastWindow,
    now: datetime,
) -> Iterator[str]:
    forecaster, identity = opened.forecaster, opened.identity
    if not chosen.carries(training_hash(training_inputs(circuit))):
        yield "the circuit is declared differently than this model was trained; see `fleetcast plan`"
    if window.newest > now + forecaster.step:
        yield f"the newest reading lies {_length(window.newest - now)} in the future"
    if window.history.end < identity.cutoff:
        yield f"the model was trained on readings up to {_shown(identity.cutoff)}, after this forecast begins"
    if len(window.history) < forecaster.lookback:
        yield (
            f"only {len(window.history)} of the {forecaster.lookback} steps the model looks back on are there; "
            "the rest is taken as the sensor's mean in training"
        )
    if window.silent:
        yield f"no recent reading of {', '.join(window.silent)}: forecast from the mean in training"
    if window.held:
        yield f"the readings of {', '.join(window.held)} end earlier; their last reading is held"


def _length(length: timedelta) -> str:
    """A duration in the largest unit that says it well."""
    if length >= timedelta(days=2):
        return f"{length // timedelta(days=1)} days"
    if length >= timedelta(hours=2):
        return f"{length // timedelta(hours=1)} hours"
    return format_duration(timedelta(seconds=round(length.total_seconds())))


def _shown(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
