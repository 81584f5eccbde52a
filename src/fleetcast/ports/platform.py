"""Everything a platform offers, in one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fleetcast.ports.approvals import ApprovalBook, AuditLog
from fleetcast.ports.artifacts import ArtifactStore
from fleetcast.ports.assets import AssetRegistry, DataAssets
from fleetcast.ports.foreign_models import ForeignModels
from fleetcast.ports.frozen_rows import FrozenRows
from fleetcast.ports.jobs import JobService
from fleetcast.ports.models import ModelRegistry, SharedRegistry
from fleetcast.ports.readings import ReadingsTable
from fleetcast.ports.runs import RunBook


@dataclass(frozen=True, slots=True)
class Platform:
    """The world that workflows act on: one object for each role."""

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
    approvals: ApprovalBook
    audit: AuditLog
    runs: RunBook
    workers: int
    """Jobs that run at the same time."""
