"""The platform that lives in this process and is gone with it: for dummy pipelines and tests.

What exists is in memory. What fleetcast keeps itself is in a control database, as on every platform.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from fleetcast.domain.audit import Actor
from fleetcast.platforms.control.opening import control
from fleetcast.platforms.database.control import ControlDatabase
from fleetcast.platforms.database.migrate import ensure_schema
from fleetcast.platforms.database.session import Session
from fleetcast.platforms.database.sqlite import sqlite
from fleetcast.platforms.files.artifact_store import FileArtifactStore
from fleetcast.platforms.foreign.process import ProcessForeignModels
from fleetcast.platforms.memory.endpoints import MemoryEndpoints
from fleetcast.platforms.memory.jobs import MemoryFrozenRows, MemoryJobService
from fleetcast.platforms.memory.registries import (
    MemoryAssetRegistry,
    MemoryDataAssets,
    MemoryModelRegistry,
    MemorySharedRegistry,
)
from fleetcast.platforms.memory.world import World
from fleetcast.platforms.signing.sealing import own_sealing
from fleetcast.platforms.stores import Stores
from fleetcast.ports.clock import Clock
from fleetcast.ports.platform import Platform, Workspace
from fleetcast.ports.readings import ReadingsTable

_LEASE = timedelta(seconds=60)


def memory_platform(
    tables: Mapping[str, ReadingsTable],
    scratch: Path,
    *,
    actor: Actor,
    clock: Clock,
    database: ControlDatabase | None = None,
) -> Platform:
    """Make an empty platform, in one person's name.

    Args:
        tables: Tables of readings by the name of the data source.
        scratch: A folder for model files while the platform lives: MLflow models are folders.
        actor: Who changes things.
        clock: Tells the time.
        database: The control database; None: a SQLite file in the scratch folder.
    """
    database = database or ControlDatabase(
        sqlite(scratch / "control.db"), clock=clock, sealing=own_sealing(clock, os.environ)
    )
    ensure_schema(database)
    session = Session(database, actor)
    return Platform(
        memory_workspace(session, World(), tables, scratch, clock=clock), control(session, _LEASE)
    )


def memory_workspace(
    session: Session, world: World, tables: Mapping[str, ReadingsTable], scratch: Path, *, clock: Clock
) -> Workspace:
    """What exists in a world, as one person works with it.

    Args:
        session: In whose name things change.
        world: May be shared by many people.
        tables: Tables of readings by the name of the data source.
        scratch: A folder for model files while the world lives.
        clock: Tells the time.
    """
    artifacts = FileArtifactStore(scratch / "artifacts", durable=False)
    return Workspace(
        assets=MemoryAssetRegistry(world, session),
        data=MemoryDataAssets(world, session),
        tables=tables,
        frozen=MemoryFrozenRows(world),
        jobs=MemoryJobService(world, artifacts, scratch / "jobs", clock),
        artifacts=artifacts,
        foreign=ProcessForeignModels(),
        models=MemoryModelRegistry(world, session),
        shared=MemorySharedRegistry(world, clock),
        endpoints=MemoryEndpoints(world, clock),
        forecasts=Stores(scratch).forecasts,
        observations=Stores(scratch).observations,
        learnt=Stores(scratch).learnt(),
        workers=1,
    )
