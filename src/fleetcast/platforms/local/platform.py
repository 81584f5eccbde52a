"""The embedded platform: one state directory, no account and no server."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from fleetcast.domain.audit import Actor
from fleetcast.domain.foreign import ForeignLimits
from fleetcast.domain.settings import PlatformSettings
from fleetcast.platforms.control.opening import control
from fleetcast.platforms.cores import cores
from fleetcast.platforms.database.control import ControlDatabase
from fleetcast.platforms.database.migrate import ensure_schema
from fleetcast.platforms.database.session import Session
from fleetcast.platforms.database.sqlite import sqlite
from fleetcast.platforms.foreign.process import ProcessForeignModels
from fleetcast.platforms.local.asset_registry import LocalAssetRegistry, LocalDataAssets
from fleetcast.platforms.local.endpoints import LocalEndpoints
from fleetcast.platforms.local.job_service import LocalJobService
from fleetcast.platforms.local.model_registry import LocalModelRegistry, LocalSharedRegistry
from fleetcast.platforms.signing.sealing import own_sealing
from fleetcast.platforms.stores import Stores
from fleetcast.ports.clock import Clock
from fleetcast.ports.platform import Platform, Workspace
from fleetcast.ports.readings import ReadingsTable


def local_platform(
    state: Path,
    tables: Mapping[str, ReadingsTable],
    settings: PlatformSettings,
    *,
    actor: Actor,
    clock: Clock,
    database: ControlDatabase | None = None,
    foreign: ForeignLimits = ForeignLimits(),  # noqa: B008  # a frozen value
) -> Platform:
    """Open the platform in a state directory, made on first use, in one person's name.

    Args:
        state: The directory.
        tables: Tables of readings, by the name of the data source.
        settings: How it is driven.
        actor: Who changes things.
        clock: Tells the time.
        database: The control database, which many people may share; None: a SQLite file in the directory, sealed with
            the key of this process.
        foreign: What models that were trained elsewhere may take.

    Raises:
        Unavailable: The directory or its database cannot be used.
        BadInput: Another version of fleetcast made the database.
    """
    database = database or ControlDatabase(
        sqlite(state / "control.db"), clock=clock, sealing=own_sealing(clock, os.environ)
    )
    ensure_schema(database)
    session = Session(database, actor)
    workspace = local_workspace(session, state, tables, settings, foreign=foreign)
    return Platform(workspace, control(session, settings.lease))


def local_workspace(
    session: Session,
    state: Path,
    tables: Mapping[str, ReadingsTable],
    settings: PlatformSettings,
    *,
    foreign: ForeignLimits,
) -> Workspace:
    """What exists in a state directory, as one person works with it; arguments as of `local_platform`."""
    stores = Stores(state.resolve(), settings.storage)
    workers = settings.workers or cores()
    return Workspace(
        assets=LocalAssetRegistry(session),
        data=LocalDataAssets(session),
        tables=tables,
        frozen=stores.frozen(),
        jobs=LocalJobService(
            session, state / "jobs", stores, workers=workers, max_parallel=settings.max_parallel
        ),
        artifacts=stores.artifacts(),
        foreign=ProcessForeignModels(foreign),
        models=LocalModelRegistry(session),
        shared=LocalSharedRegistry(session),
        endpoints=LocalEndpoints(session),
        forecasts=stores.forecasts,
        observations=stores.observations,
        learnt=stores.learnt(),
        workers=workers,
    )
