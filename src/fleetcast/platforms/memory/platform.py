"""The platform that lives in this process and is gone with it: for dummy pipelines and tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fleetcast.domain.audit import Actor
from fleetcast.platforms.foreign.process import ProcessForeignModels
from fleetcast.platforms.local.artifact_store import LocalArtifactStore
from fleetcast.platforms.memory.books import MemoryApprovalBook, MemoryAuditLog, MemoryRunBook
from fleetcast.platforms.memory.jobs import MemoryFrozenRows, MemoryJobService
from fleetcast.platforms.memory.registries import (
    MemoryAssetRegistry,
    MemoryDataAssets,
    MemoryModelRegistry,
    MemorySharedRegistry,
)
from fleetcast.platforms.memory.world import World
from fleetcast.ports.clock import Clock
from fleetcast.ports.platform import Platform
from fleetcast.ports.readings import ReadingsTable


def memory_platform(
    tables: Mapping[str, ReadingsTable], scratch: Path, *, actor: Actor, clock: Clock
) -> Platform:
    """Make an empty platform.

    Args:
        tables: Tables of readings by the name of the data source.
        scratch: A folder for model files while the platform lives: MLflow models are folders.
        actor: Who changes things.
        clock: Tells the time.
    """
    world = World(actor, clock)
    artifacts = LocalArtifactStore(scratch / "artifacts")
    return Platform(
        assets=MemoryAssetRegistry(world),
        data=MemoryDataAssets(world),
        tables=tables,
        frozen=MemoryFrozenRows(world),
        jobs=MemoryJobService(world, artifacts, scratch / "jobs"),
        artifacts=artifacts,
        foreign=ProcessForeignModels(),
        models=MemoryModelRegistry(world),
        shared=MemorySharedRegistry(world),
        approvals=MemoryApprovalBook(world),
        audit=MemoryAuditLog(world),
        runs=MemoryRunBook(world),
        workers=1,
    )
