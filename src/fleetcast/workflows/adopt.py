"""Take over what a team has: circuits of another layout, and the models they use."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path

import numpy as np

from fleetcast.config.adopted_files import NewFile, more_circuits, new_repository, write_files
from fleetcast.config.assets import COMPONENT_FILE
from fleetcast.config.layout import Layout
from fleetcast.config.other_layout import OtherCircuit, OtherFleet, Surroundings, read_other_fleet
from fleetcast.config.reader import circuit_nodes, load_fleet
from fleetcast.config.settings import SETTINGS_FILE, adopted_sources
from fleetcast.config.yaml_nodes import Block
from fleetcast.domain.circuit import Circuit
from fleetcast.domain.errors import BadInput, FleetcastError, Unavailable
from fleetcast.domain.fleet import Fleet
from fleetcast.domain.foreign import ForeignLimits, ModelInput, NamedColumns, check_wanted
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.model import AdoptedLineage, TrainedModel, check_adoptable
from fleetcast.domain.place import EnvironmentName, Scope
from fleetcast.domain.quality import SensorLimits
from fleetcast.domain.role import Right
from fleetcast.domain.scores import ModelScores, Scores
from fleetcast.domain.settings import Settings
from fleetcast.domain.training_hash import HASH_SCHEMA, training_hash, training_inputs
from fleetcast.domain.wording import counted
from fleetcast.pipeline.concurrently import in_order
from fleetcast.pipeline.effects import CarryOut
from fleetcast.pipeline.sharing import Share
from fleetcast.ports.clock import Clock
from fleetcast.ports.foreign_models import Floats, ForeignModelFailed, ForeignModels, ForeignTask
from fleetcast.ports.model_sources import Found, FoundModel, ModelSource
from fleetcast.ports.platform import Platform
from fleetcast.workflows.exclusive import alone

LOOKBACK_HORIZONS = 4
"""How much history a model is given that does not say how much it wants."""
COMPONENT_VERSION = "1.0.0"
"""Of the training component in a new repository."""
_AT_ONCE = 2
"""Models that are tried at the same time."""
_MANY = 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOT_MEASURED = ModelScores(Scores(*[None] * 11), {})


class CannotForecast(FleetcastError):
    """Models that cannot be adopted, as they gave no forecast when they were tried."""

    def __init__(self, failed: Sequence[ForeignModelFailed]) -> None:
        shown = [str(error) for error in failed[:_MANY]]
        if len(failed) > _MANY:
            shown.append(f"and {len(failed) - _MANY} more")
        wrong = counted(len(failed), "model gives", "models give")
        super().__init__(
            f"{wrong} no forecast, and nothing was adopted:\n" + "\n".join(f"  {line}" for line in shown)
        )
        self.fix = failed[0].fix


class Fate(StrEnum):
    """What became of one circuit's model."""

    ADOPTED = "adopted"
    WOULD_ADOPT = "would adopt"
    BEFORE = "adopted before"
    HAS_VERSIONS = "has versions"
    """Of its own: the model found is left where it is."""
    NONE = "no model"


@dataclass(frozen=True, slots=True)
class AdoptedModel:
    """One circuit and its model."""

    key: CircuitKey
    model: str
    outcome: Fate
    source: str = ""
    lookback: int | None = None
    stated: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Adoption:
    """What an adoption did, or would do."""

    directory: Path
    fleet: OtherFleet
    files: tuple[str, ...]
    """Written, or to be written, relative to the directory."""
    declared_before: int
    """Circuits that the repository declared already; its declaration stands."""
    models: tuple[AdoptedModel, ...]
    unused: tuple[str, ...]
    """Models in the source that belong to no circuit."""
    written: bool


@dataclass(frozen=True, slots=True)
class ToAdopt:
    """What is to be adopted."""

    source: Path
    layout: Layout
    directory: Path
    data_sources: tuple[str, Block] | None = None
    """The file they are written in, and the sources by name."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The fleet repository that circuits came into, with its platform."""

    fleet: Fleet
    platform: Platform
    commit: str
    scratch: Path
    """On the disk of the artifact store."""


@dataclass(frozen=True, slots=True)
class Adopt:
    """Read everything, check everything, then write and register; a repeat does what is missing."""

    models: ModelSource | None
    foreign: Callable[[ForeignLimits], ForeignModels]
    """What runs models, within what they may take."""
    open: Callable[[Path], Opened]
    clock: Clock

    def __call__(self, request: ToAdopt, *, dry_run: bool) -> Adoption:
        """Adopt a fleet.

        Raises:
            NotAdopted: The source or the mapping has mistakes; nothing was written.
            BadInput: A model is not one, or does not fit its circuit; nothing was written.
            CannotForecast: Models that were tried gave no forecast; nothing was written.
            Unavailable: A model, the disk or the database cannot be read or written; what is done is kept.
        """
        with tempfile.TemporaryDirectory(prefix="fleetcast-adopt-") as scratch:
            prepared = _prepare(request, self.clock, Path(scratch) / "fleet")
            found = self._found(prepared)
            foreign = self.foreign(prepared.limits)
            fetched = {
                key: self._fetch(
                    foreign, prepared.circuits[key], model, Path(scratch) / "models" / str(number)
                )
                for number, (key, model) in enumerate(found.models.items())
            }
            self._try_all(foreign, prepared, fetched)
            if not dry_run:
                write_files(request.directory, prepared.files)
            rows = self._rows(prepared, fetched, dry_run=dry_run)
        return Adoption(
            request.directory,
            prepared.other,
            tuple(file.path for file in prepared.files),
            prepared.declared_before,
            tuple(rows),
            tuple(found.unused),
            written=not dry_run,
        )

    def _found(self, prepared: _Prepared) -> Found:
        if self.models is None:
            return Found({})
        return self.models.find({circuit.key: circuit.registered_as for circuit in prepared.other.found})

    def _fetch(self, foreign: ForeignModels, circuit: Circuit, model: FoundModel, folder: Path) -> _Fetched:
        if self.models is None:
            raise TypeError("there is no source of models to fetch from")
        self.models.fetch(model, folder)
        try:
            described = foreign.describe(folder)
        except BadInput as error:
            raise BadInput(f"{model.source}: {error}".replace(f"{folder}/", ""), fix=error.fix) from error
        check_wanted(model.source, described.wants, circuit.features)
        lookback = model.lookback or described.lookback or LOOKBACK_HORIZONS * circuit.steps
        return _Fetched(model, folder, lookback, {**described.stated, **model.stated}, described.wants)

    def _try_all(
        self, foreign: ForeignModels, prepared: _Prepared, fetched: Mapping[CircuitKey, _Fetched]
    ) -> None:
        """Make one forecast with every model."""
        now = self.clock.now()

        def tried(key: CircuitKey) -> ForeignModelFailed | None:
            try:
                _try(foreign, prepared.circuits[key], fetched[key], now)
            except ForeignModelFailed as error:
                return error
            return None

        failed = [error for error in in_order(tried, fetched, _AT_ONCE) if error is not None]
        if failed:
            raise CannotForecast(failed)

    def _rows(
        self, prepared: _Prepared, fetched: Mapping[CircuitKey, _Fetched], *, dry_run: bool
    ) -> list[AdoptedModel]:
        circuits = [prepared.circuits[circuit.key] for circuit in prepared.other.found]
        if dry_run or not fetched:
            done = dict.fromkeys(fetched, Fate.WOULD_ADOPT)
        else:
            done = _register(self.open(prepared.directory), prepared, fetched, self.clock)
        return [
            _row(circuit, done.get(circuit.key, Fate.NONE), fetched.get(circuit.key)) for circuit in circuits
        ]


@dataclass(frozen=True, slots=True)
class _Fetched:
    """A model's files, copied and checked."""

    found: FoundModel
    folder: Path
    lookback: int
    stated: Mapping[str, str]
    wants: ModelInput


@dataclass(frozen=True, slots=True)
class _Prepared:
    """Everything that is to be written, valid as a whole."""

    directory: Path
    other: OtherFleet
    files: tuple[NewFile, ...]
    circuits: Mapping[CircuitKey, Circuit]
    """Of the source, as the repository will declare them."""
    declared_before: int
    limits: ForeignLimits
    """What one forecast of a model may take."""


def _prepare(request: ToAdopt, clock: Clock, scratch: Path) -> _Prepared:
    directory, name = request.directory, request.source.name
    exists = (directory / SETTINGS_FILE).exists()
    held = load_fleet(directory, now=clock.now()) if exists else None
    settings, new_sources = _settings(request, held)
    around = Surroundings(
        thresholds=settings.environments[EnvironmentName.DEV].thresholds,
        data_sources=settings.data_sources,
        given={
            "data_source": _source_of_all(request, settings),
            "pipeline_component_version": str(held.component.version) if held else COMPONENT_VERSION,
        },
        now=clock.now(),
        declared=frozenset(circuit.key for circuit in held.circuits) if held else frozenset(),
        beside=circuit_nodes(directory) if held else (),
    )
    other = read_other_fleet(request.source, request.layout, around)
    if held is None:
        files = new_repository(name, other, new_sources)
    else:
        new = [circuit for circuit in other.found if circuit.key not in around.declared]
        files = more_circuits(directory, name, other, new, new_sources)
        _copy_declarations(directory, scratch)
    write_files(scratch, files)
    fleet = load_fleet(scratch, now=clock.now())
    circuits = {circuit.key: circuit for circuit in fleet.circuits}
    if fleet.circuits != other.circuits:
        raise AssertionError("the circuits would not be read back as they were found")
    before = sum(1 for circuit in other.found if circuit.key in around.declared)
    return _Prepared(directory, other, files, circuits, before, fleet.settings.foreign)


def _try(foreign: ForeignModels, circuit: Circuit, model: _Fetched, now: datetime) -> None:
    """Forecast once, from made-up readings: there may be none yet."""
    task = ForeignTask(
        model.found.source,
        partial(shutil.copytree, model.folder),
        circuit.features,
        circuit.targets,
        circuit.frequency,
        circuit.steps,
    )
    origin = now - (now - _EPOCH) % circuit.frequency
    foreign.points(task, made_up_window(circuit, model.lookback, model.wants)[None], [origin])


def made_up_window(circuit: Circuit, steps: int, wants: ModelInput) -> Floats:
    """Readings that a circuit could have, shape (steps, features): positive, never constant, within its limits."""
    whole = wants.casts if isinstance(wants, NamedColumns) else {}
    columns = []
    for number, name in enumerate(circuit.features):
        limits = circuit.sensor_limits.get(name, SensorLimits())
        low, high = limits.minimum, limits.maximum
        low = (9.0 if high is None else high - 2.0) if low is None else low
        high = low + 2.0 if high is None else high
        share = 0.5 + 0.4 * np.sin(np.arange(steps) * (0.26 + 0.07 * number))
        columns.append(np.rint(share) if whole.get(name) == "bool" else low + (high - low) * share)
    return np.column_stack(columns)


def _settings(request: ToAdopt, held: Fleet | None) -> tuple[Settings, Block | None]:
    """The settings that circuits are resolved in, and the data sources to write: those not there yet."""
    known = held.settings if held else Settings()
    if request.data_sources is None:
        return known, None
    file, block = request.data_sources
    added = adopted_sources(block, file, request.directory)
    if held is None:
        return replace(known, data_sources=added), block
    new = block.without(frozenset(held.settings.data_sources))
    return replace(known, data_sources={**added, **known.data_sources}), new or None


def _source_of_all(request: ToAdopt, settings: Settings) -> str:
    """The data source of adopted circuits: the first that comes with them, else the fleet's first."""
    names = request.data_sources[1] if request.data_sources else settings.data_sources
    return next(iter(names))


def _copy_declarations(directory: Path, scratch: Path) -> None:
    """What a repository declares, without its state, to try the new files with."""
    scratch.mkdir(parents=True)
    try:
        shutil.copy(directory / SETTINGS_FILE, scratch / SETTINGS_FILE)
        for folder in ("config", str(Path(COMPONENT_FILE).parent)):
            shutil.copytree(directory / folder, scratch / folder)
    except OSError as error:
        raise Unavailable(f"cannot read {directory}: {error}", fix="check its rights") from error


def _register(
    opened: Opened, prepared: _Prepared, fetched: Mapping[CircuitKey, _Fetched], clock: Clock
) -> dict[CircuitKey, Fate]:
    """Keep the files of all models, then register them; what an earlier adoption left undone is done."""
    circuits = {found.key: found for found in prepared.other.found}
    models = {
        key: _kept(opened, prepared.circuits[key], circuits[key], model) for key, model in fetched.items()
    }
    plants = sorted({key.plant for key in fetched})
    opened.platform.control.require(Right.OPERATE, *(Scope(plant=plant) for plant in plants))
    with alone(opened.platform.control, clock, timedelta(0)):
        taken = _TakeOver(opened.platform, clock)
        outcomes = taken.outcomes(models)
        taken(models[key] for key, outcome in outcomes.items() if outcome is Fate.ADOPTED)
    return outcomes


@dataclass(frozen=True, slots=True)
class _TakeOver:
    """Makes models first versions, selected, shared and champions; a repeat does what is missing."""

    platform: Platform
    clock: Clock

    def outcomes(self, models: Mapping[CircuitKey, TrainedModel]) -> dict[CircuitKey, Fate]:
        """What is to become of each model."""
        held = self.platform.workspace.models.versions([model.name for model in models.values()])
        champions = self.platform.control.states.intent().champions
        return {
            key: _outcome(model, [version.model for version in held[model.name]], model.name in champions)
            for key, model in models.items()
        }

    def __call__(self, wanted: Iterable[TrainedModel]) -> None:
        """Take models over.

        Raises:
            NamedTwice: Two of them have one name; nothing was registered.
        """
        models = list(wanted)
        check_adoptable(models)
        if not models:
            return
        workspace, control = self.platform.workspace, self.platform.control
        adopted = workspace.models.register(models)
        numbers = {version.name: version.version for version in adopted}
        control.states.select(numbers)
        Share(workspace.shared, CarryOut(control.effects, self.clock)).models(adopted)
        control.states.crown(numbers)


def _outcome(model: TrainedModel, held: Sequence[TrainedModel], promoted: bool) -> Fate:  # noqa: FBT001
    """An adoption that was interrupted before its end has one version, and no champion."""
    if [one.made_by for one in held] == [model.made_by] and not promoted:
        return Fate.ADOPTED
    if any(one.made_by == model.made_by for one in held):
        return Fate.BEFORE
    return Fate.HAS_VERSIONS if held else Fate.ADOPTED


def _kept(opened: Opened, circuit: Circuit, other: OtherCircuit, fetched: _Fetched) -> TrainedModel:
    size = sum(path.stat().st_size for path in fetched.folder.rglob("*") if path.is_file())
    opened.scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=opened.scratch, prefix="adopting-") as beside:
        folder = Path(beside) / "model"
        try:
            shutil.copytree(fetched.folder, folder)
        except OSError as error:
            raise Unavailable(
                f"cannot copy the model of {circuit.key}: {error}", fix="check the disk, then adopt again"
            ) from error
        artifact = opened.platform.workspace.artifacts.keep(folder)
    inputs = training_inputs(circuit)
    lineage = AdoptedLineage(
        training_hash=training_hash(inputs),
        hash_schema=HASH_SCHEMA,
        inputs=inputs,
        key=circuit.key,
        commit=opened.commit,
        source=fetched.found.source,
        lookback=fetched.lookback,
        stated={**fetched.stated, **{f"circuit {name}": text for name, text in other.stated.items()}},
    )
    return TrainedModel(circuit.model_name, lineage, artifact, size, _NOT_MEASURED, None)


def _row(circuit: Circuit, outcome: Fate, fetched: _Fetched | None) -> AdoptedModel:
    if fetched is None:
        return AdoptedModel(circuit.key, circuit.model_name, Fate.NONE)
    return AdoptedModel(
        circuit.key, circuit.model_name, outcome, fetched.found.source, fetched.lookback, fetched.stated
    )
