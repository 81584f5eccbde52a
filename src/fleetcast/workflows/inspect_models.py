"""Look at registered models: all circuits at a glance, or every version of one model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from fleetcast.domain.approval import Request
from fleetcast.domain.errors import BadInput
from fleetcast.domain.fleet import Fleet
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.model import ModelVersion, family_of, in_words
from fleetcast.domain.role import Right
from fleetcast.domain.sensor import did_you_mean
from fleetcast.domain.snapshot import DataAsset
from fleetcast.domain.standing import PromotionState
from fleetcast.domain.training_hash import FieldChange, changes
from fleetcast.pipeline.index import ReadIndex
from fleetcast.pipeline.models import in_full, selected
from fleetcast.ports.artifacts import ArtifactMissing
from fleetcast.ports.clock import Clock
from fleetcast.ports.models import ModelRegistry
from fleetcast.ports.platform import Platform
from fleetcast.workflows.inspect_retired import ListRetired, Retired, undeclared
from fleetcast.workflows.requests import Requests
from fleetcast.workflows.standing import Standings


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One circuit and the model it uses."""

    key: CircuitKey
    model: str
    champion: int | None
    """The version that was promoted last."""
    selected: SelectedVersion | None
    """None before the first training, and of a retired circuit."""
    retired: bool = False
    """Whether it is no longer declared, and its versions alone are left."""


@dataclass(frozen=True, slots=True)
class SelectedVersion:
    """The version a circuit uses now. Metrics are means over its sensors; None could not be measured."""

    version: int
    standing: PromotionState
    family: str
    skill: float | None
    """1 − MAE / MAE of the baseline: the strongest of last reading, found season, day and week."""
    mase: float | None
    coverage_80: float | None
    """Share of held-out readings inside the 80 % interval."""
    registered_at: datetime
    cutoff: str
    training_hash: str
    """In full, as hex."""


@dataclass(frozen=True, slots=True)
class ListModels:
    """One row for each declared circuit, then one for each that was retired; read in bulk."""

    platform: Platform
    clock: Clock

    def __call__(self, fleet: Fleet, plant: str | None = None) -> tuple[ModelRow, ...]:
        """List the fleet's models, or those of one plant.

        Raises:
            BadInput: The fleet has no such plant.
        """
        self.platform.control.require(Right.VIEW)
        plants = sorted({circuit.key.plant for circuit in fleet.circuits})
        if plant is not None and plant not in plants:
            raise BadInput(f"the fleet has no plant {plant!r}", fix=did_you_mean(plant, plants))
        standings = Standings.read(self.platform, self.clock.now())
        index = ReadIndex.of(self.platform)()
        chosen = {
            version.name: version
            for _, version in in_full(selected(fleet.circuits, index), self.platform.workspace.models)
        }
        declared = [
            ModelRow(
                key=circuit.key,
                model=circuit.model_name,
                champion=standings.intent.champions.get(circuit.model_name),
                selected=_selected(chosen[circuit.model_name], standings)
                if circuit.model_name in chosen
                else None,
            )
            for circuit in fleet.circuits
        ]
        retired = [
            ModelRow(versions[-1].key, name, standings.intent.champions.get(name), None, retired=True)
            for name, versions in undeclared(fleet, index.versions).items()
        ]
        rows = (*declared, *sorted(retired, key=lambda row: row.key))
        return tuple(row for row in rows if plant is None or row.key.plant == plant)


@dataclass(frozen=True, slots=True)
class VersionHistory:
    """One version of a model, and what is known of it."""

    version: ModelVersion
    standing: PromotionState
    selected: bool
    """Whether it is what the circuit declares, as of the last run."""
    changed: tuple[FieldChange, ...]
    """Training inputs that differ from the version before; empty for the first."""
    requests: tuple[Request, ...]
    """Asking for its promotion, with their decisions, oldest first."""
    removed_at: datetime | None = None
    """When retention removed its files, aware UTC; None: it did not."""


@dataclass(frozen=True, slots=True)
class ModelHistory:
    """All versions of one circuit's model, oldest first, and one of them in detail."""

    key: CircuitKey
    model: str
    champion: int | None
    versions: tuple[VersionHistory, ...]
    detail: VersionHistory
    artifact: Path | None
    """Where the files of the detailed version are; None if they are lost, damaged or removed."""
    artifact_problem: str
    """Why, then; else empty."""
    data: DataAsset | None
    """What the detailed version was trained on; None if the registry does not know it any more."""
    retired: Retired | None = None
    """None: its circuit is declared."""


@dataclass(frozen=True, slots=True)
class ShowModel:
    """Every version of one model, and one of them in detail."""

    platform: Platform
    clock: Clock

    def __call__(self, fleet: Fleet, what: str) -> ModelHistory:
        """Show a model.

        Args:
            fleet: As declared.
            what: `PLANT/CIRCUIT` or a model's name; with `:VERSION` for the one to detail, by default the
                selected one, else the newest.

        Raises:
            BadInput: There is no such circuit, model or version.
        """
        self.platform.control.require(Right.VIEW)
        name, number = _asked(fleet, what, self.platform.workspace.models)
        versions = self.platform.workspace.models.versions([name])[name]
        if not versions:
            raise BadInput(f"{what} has no trained model yet", fix="run `fleetcast train`")
        now = self.clock.now()
        standings = Standings.of_model(self.platform, name, now)
        requests = Requests(self.platform.control, now).of_models([name])
        known = {entry.version.version: entry for entry in _histories(versions, standings, requests)}
        if number is None:
            number = standings.intent.selected.get(name, versions[-1].version)
        if number not in known:
            raise BadInput(
                f"{name} has no version {number}, only {', '.join(map(str, known))}",
                fix=f"see `fleetcast models show {name}`",
            )
        chosen = known[number]
        digest = chosen.version.data_digest
        artifact, problem = self._artifact(chosen)
        return ModelHistory(
            key=chosen.version.model.lineage.key,
            model=name,
            champion=standings.intent.champions.get(name),
            versions=tuple(known.values()),
            detail=chosen,
            artifact=artifact,
            artifact_problem=problem,
            data=self.platform.workspace.data.held([digest]).get(digest) if digest else None,
            retired=ListRetired(self.platform).of_model(fleet, name),
        )

    def _artifact(self, chosen: VersionHistory) -> tuple[Path | None, str]:
        if chosen.removed_at is not None:
            return None, in_words(chosen.removed_at)
        try:
            return self.platform.workspace.artifacts.folder(chosen.version.model.artifact), ""
        except ArtifactMissing as error:
            return None, f"{error} ({error.fix})"


def _asked(fleet: Fleet, what: str, registry: ModelRegistry) -> tuple[str, int | None]:
    subject, colon, version = what.partition(":")
    if colon and not (version.isascii() and version.isdigit()):
        raise BadInput(f"{version!r} is not a model version", fix="write a whole number: PLANT/CIRCUIT:2")
    number = int(version) if colon else None
    if "/" in subject:
        return _model_of(fleet, CircuitKey.parse(subject), registry), number
    names = {*registry.entries(), *(circuit.model_name for circuit in fleet.circuits)}
    if subject not in names:
        near = did_you_mean(subject, sorted(names)) if len(names) <= 1_000 else "see `fleetcast models list`"
        raise BadInput(f"there is no model {subject!r}", fix=near)
    return subject, number


def _model_of(fleet: Fleet, key: CircuitKey, registry: ModelRegistry) -> str:
    """The model of a circuit; of one that is no longer declared, the one that it had."""
    declared = next((circuit.model_name for circuit in fleet.circuits if circuit.key == key), None)
    if declared is not None:
        return declared
    entries = registry.entries()
    retired = next((name for name, versions in entries.items() if versions and versions[-1].key == key), None)
    return retired or fleet.circuit(key).model_name


def _histories(
    versions: Iterable[ModelVersion], standings: Standings, requests: Sequence[Request]
) -> Iterable[VersionHistory]:
    for before, version in pairwise([None, *versions]):
        assert version is not None  # noqa: S101  # only the first of the list is None
        inputs = version.model.lineage.inputs
        yield VersionHistory(
            version=version,
            standing=standings.of(version.name, version.version),
            selected=version.version == standings.intent.selected.get(version.name),
            changed=changes(before.model.lineage.inputs, inputs) if before is not None else (),
            requests=tuple(
                request for request in requests if request.subject.version == str(version.version)
            ),
            removed_at=standings.intent.removed.get((version.name, version.version)),
        )


def _selected(version: ModelVersion, standings: Standings) -> SelectedVersion:
    inputs, mean = version.model.lineage.inputs, version.model.scores.mean
    return SelectedVersion(
        version=version.version,
        standing=standings.of(version.name, version.version),
        family=family_of(version),
        skill=mean.skill,
        mase=mean.mase,
        coverage_80=mean.coverage_80,
        registered_at=version.registered_at,
        cutoff=str(inputs["cutoff_date"]),
        training_hash=version.training_hash.hex,
    )
