"""Registered models: immutable versions with their lineage, and which one a circuit uses."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fleetcast.domain.canonical import Json
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.scores import ModelScores


class VersionState(StrEnum):
    """Whether a version may be used: rejected by an approver and blocked by a rollback are not."""

    REGISTERED = "registered"
    REJECTED = "rejected"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a model comes from: enough to explain it, and to build it again."""

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
class TrainedModel:
    """A model that is ready to be registered."""

    name: str
    lineage: Lineage
    artifact: Digest
    artifact_bytes: int
    scores: ModelScores
    trained_seconds: float | None


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One registered version of a circuit's model."""

    version: int
    model: TrainedModel
    state: VersionState
    registered_at: datetime

    @property
    def name(self) -> str:
        """The model's name."""
        return self.model.name

    @property
    def training_hash(self) -> Digest:
        """What it was trained on and with."""
        return self.model.lineage.training_hash

    @property
    def usable(self) -> bool:
        """Whether a plan may reuse it."""
        return self.state is VersionState.REGISTERED

    def __str__(self) -> str:
        return f"{self.name}:{self.version}"


@dataclass(frozen=True, slots=True)
class VersionEntry:
    """A registered version as the index lists it: what a plan needs, without the artifact's details."""

    name: str
    version: int
    key: CircuitKey
    training_hash: Digest
    state: VersionState
    inputs_json: str
    """The training inputs as stored: a plan of thousands needs few of them as values."""

    @property
    def inputs(self) -> Mapping[str, Json]:
        """The training inputs."""
        found: Mapping[str, Json] = json.loads(self.inputs_json)
        return found

    @property
    def usable(self) -> bool:
        """Whether a plan may reuse it."""
        return self.state is VersionState.REGISTERED


@dataclass(frozen=True, slots=True)
class FleetIndex:
    """What exists, read in bulk: every version by model name, newest last, and the selected ones."""

    versions: Mapping[str, Sequence[VersionEntry]]
    selected: Mapping[str, int]

    def with_hash(self, name: str, training_hash: Digest) -> VersionEntry | None:
        """The newest usable version of a model that carries this hash."""
        for entry in reversed(self.versions.get(name, ())):
            if entry.training_hash == training_hash and entry.usable:
                return entry
        return None

    def selected_entry(self, name: str) -> VersionEntry | None:
        """The version a circuit uses now; None before its first."""
        number = self.selected.get(name)
        return next((entry for entry in self.versions.get(name, ()) if entry.version == number), None)
