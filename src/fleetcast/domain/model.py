"""Registered models: immutable versions with their lineage, and what was decided about them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from fleetcast.domain.canonical import Json, canonical_json
from fleetcast.domain.errors import BadInput, FleetcastError
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.scores import ModelScores
from fleetcast.domain.training_hash import carries


class Refusal(StrEnum):
    """Why a version may not be used."""

    REJECTED = "rejected"
    """By an approver."""
    BLOCKED = "blocked"
    """By a rollback."""
    REMOVED = "removed by retention"
    """Its files are gone; nobody refused it, and what it stands for may be trained again."""


@dataclass(frozen=True, slots=True)
class TrainedLineage:
    """Where a model comes from that a job here has trained: enough to explain it, and to build it again."""

    training_hash: Digest
    hash_schema: int
    inputs: Mapping[str, Json]
    key: CircuitKey
    component: str
    component_version: str
    component_digest: Digest
    environment_version: str
    commit: str
    """Git commit of the fleet repository; `uncommitted` where there is none."""
    run: str
    job: str
    data_digest: Digest
    fingerprint: Digest


@dataclass(frozen=True, slots=True)
class AdoptedLineage:
    """Where a model comes from that was trained elsewhere. What nobody stated is unknown, and is not here."""

    training_hash: Digest
    """Of the circuit as it was declared when the model was adopted: the model stands for that declaration."""
    hash_schema: int
    inputs: Mapping[str, Json]
    """Of that declaration; the training itself may have used others."""
    key: CircuitKey
    commit: str
    """Git commit of the fleet repository when the model was adopted."""
    source: str
    """Where it was found: `folder plant001-circuit01`, `MLflow registry plant001-circuit01:3`."""
    lookback: int
    """Steps of history that it is given to forecast from."""
    stated: Mapping[str, str]
    """What its source says of it, in its own words: run, creation time, metrics, tags."""


Lineage = TrainedLineage | AdoptedLineage


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """A model that is ready to be registered."""

    name: str
    lineage: Lineage
    artifact: Digest
    artifact_bytes: int
    scores: ModelScores
    trained_seconds: float | None

    @property
    def made_by(self) -> str:
        """What made it: a job, or an adoption of these files. Registering the same twice is once."""
        if isinstance(self.lineage, TrainedLineage):
            return self.lineage.job
        return f"adopted:{self.name}:{self.artifact.hex[:32]}"


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One registered version of a circuit's model."""

    version: int
    model: TrainedModel
    registered_at: datetime

    @property
    def name(self) -> str:
        """The model's name."""
        return self.model.name

    @property
    def training_hash(self) -> Digest:
        """What it was trained on and with, as it was registered."""
        return self.model.lineage.training_hash

    def carries(self, wanted: Digest) -> bool:
        """Whether it stands for a training hash, by its label or, if that is of an earlier schema, by its inputs."""
        return carries(self.training_hash, canonical_json(self.model.lineage.inputs), wanted)

    @property
    def data_digest(self) -> Digest | None:
        """Of the data asset it was trained on; None if it was trained elsewhere."""
        lineage = self.model.lineage
        return lineage.data_digest if isinstance(lineage, TrainedLineage) else None

    @property
    def environment_version(self) -> str | None:
        """Of the environment it was trained in; None if it was trained elsewhere."""
        lineage = self.model.lineage
        return lineage.environment_version if isinstance(lineage, TrainedLineage) else None

    def __str__(self) -> str:
        return f"{self.name}:{self.version}"


FOREIGN_FAMILY = "mlflow"
"""What is shown as the family of a model that was trained elsewhere."""


def family_of(version: ModelVersion) -> str:
    """The family of a model; what its circuit declares says nothing of a model trained elsewhere."""
    if isinstance(version.model.lineage, AdoptedLineage):
        return FOREIGN_FAMILY
    return str(version.model.lineage.inputs.get("model", ""))


@dataclass(frozen=True, slots=True)
class VersionEntry:
    """A registered version as the index lists it: what a plan needs, without the artifact's details."""

    name: str
    version: int
    key: CircuitKey
    training_hash: Digest
    """As it was registered; ask `carries` what it stands for now."""
    inputs_json: str
    """The training inputs as stored: a plan of thousands needs few of them as values."""
    artifact: Digest
    artifact_bytes: int

    @property
    def inputs(self) -> Mapping[str, Json]:
        """The training inputs.

        Raises:
            BadInput: They cannot be read.
        """
        try:
            found = json.loads(self.inputs_json)
        except (ValueError, TypeError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise BadInput(
                f"the training inputs of model_versions {self.name}:{self.version} cannot be read",
                fix="restore the control database from a backup: it was changed outside fleetcast or torn",
            )
        return found

    def carries(self, wanted: Digest) -> bool:
        """Whether it stands for a training hash, by its label or, if that is of an earlier schema, by its inputs."""
        return carries(self.training_hash, self.inputs_json, wanted)


@dataclass(frozen=True, slots=True)
class Intent:
    """What was decided about the versions of all models, whatever the platform that holds them."""

    selected: Mapping[str, int]
    """The version that each circuit uses."""
    champions: Mapping[str, int]
    """The version of each model that was promoted last."""
    refused: Mapping[tuple[str, int], Refusal]
    """Versions that may not be used, by name and number."""
    passed_qa: frozenset[tuple[str, int]] = frozenset()
    """Versions that somebody signed off for production."""
    removed: Mapping[tuple[str, int], datetime] = field(default_factory=lambda: MappingProxyType({}))
    """Versions whose files retention removed, and when that was written down, aware UTC."""

    def refusal(self, name: str, version: int) -> Refusal | None:
        """Why a version may not be used; None if it may. What people said of it comes before what retention did."""
        refused = self.refused.get((name, version))
        return Refusal.REMOVED if refused is None and (name, version) in self.removed else refused


@dataclass(frozen=True, slots=True)
class FleetIndex:
    """What exists and what was decided about it, read in bulk: versions by model name, newest last."""

    versions: Mapping[str, Sequence[VersionEntry]]
    intent: Intent

    def refusal(self, name: str, version: int) -> Refusal | None:
        """Why a version may not be used; None if it may."""
        return self.intent.refusal(name, version)

    def with_hash(self, name: str, training_hash: Digest) -> VersionEntry | None:
        """The newest usable version of a model that carries this hash."""
        for entry in reversed(self.versions.get(name, ())):
            if entry.carries(training_hash) and self.refusal(name, entry.version) is None:
                return entry
        return None

    def selected_entry(self, name: str) -> VersionEntry | None:
        """The version a circuit uses now; None before its first."""
        return self.entry(name, self.intent.selected.get(name))

    def entry(self, name: str, version: int | None) -> VersionEntry | None:
        """One version, if it is registered."""
        return next((entry for entry in self.versions.get(name, ()) if entry.version == version), None)


class FilesRemoved(BadInput):
    """A version cannot be used, as retention removed its files; what is known of it stays."""

    def __init__(self, name: str, version: int, at: datetime) -> None:
        super().__init__(f"the files of {name}:{version} were {in_words(at)}")
        self.fix = (
            f"choose another version: `fleetcast models show {name}`, or train it again by raising `revision`"
        )


def in_words(removed_at: datetime) -> str:
    """What became of a version's files, for people."""
    return f"{Refusal.REMOVED.value} on {removed_at:%Y-%m-%d}"


class NamedTwice(FleetcastError):
    """A model's name can be adopted once: its next version comes from training."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(f"{', '.join(names)} cannot be adopted: several models have that name")
        self.fix = "leave all but one of these circuits out"


def check_adoptable(models: Sequence[TrainedModel]) -> None:
    """Make sure that each model would be the first version of its name.

    Raises:
        NamedTwice: A name comes twice.
    """
    times = Counter(model.name for model in models)
    taken = sorted(name for name, count in times.items() if count > 1)
    if taken:
        raise NamedTwice(taken)
