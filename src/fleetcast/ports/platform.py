"""Everything that workflows act on: what a platform holds, and what fleetcast keeps itself on every platform."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fleetcast.domain.audit import Actor
    from fleetcast.ports.approvals import ApprovalBook, AuditLog
    from fleetcast.ports.artifacts import ArtifactStore
    from fleetcast.ports.assets import AssetRegistry, DataAssets
    from fleetcast.ports.effects import EffectBook
    from fleetcast.ports.foreign_models import ForeignModels
    from fleetcast.ports.frozen_rows import FrozenRows
    from fleetcast.ports.jobs import JobService
    from fleetcast.ports.models import ModelRegistry, ModelStates, SharedRegistry
    from fleetcast.ports.policies import PolicyBook
    from fleetcast.ports.readings import ReadingsTable
    from fleetcast.ports.runs import RunBook


@dataclass(frozen=True, slots=True)
class Workspace:
    """What exists, on the platform that holds it: one object for each role."""

    assets: AssetRegistry
    data: DataAssets
    tables: Mapping[str, ReadingsTable]
    """Tables of readings, by the name of the data source."""
    frozen: FrozenRows
    jobs: JobService
    artifacts: ArtifactStore
    foreign: ForeignModels
    models: ModelRegistry
    shared: SharedRegistry
    workers: int
    """Jobs that run at the same time."""


@dataclass(frozen=True, slots=True)
class Control:
    """Intent, decisions and history, kept by fleetcast itself and written in one person's name."""

    actor: Actor
    """Whose name every change carries."""
    states: ModelStates
    effects: EffectBook
    approvals: ApprovalBook
    audit: AuditLog
    policies: PolicyBook
    runs: RunBook


@dataclass(frozen=True, slots=True)
class Platform:
    """The world of one person: what exists, and what fleetcast keeps of it."""

    workspace: Workspace
    control: Control
