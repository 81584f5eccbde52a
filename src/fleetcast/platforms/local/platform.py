"""The embedded platform: one state directory, no account and no server."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from fleetcast.domain.audit import Actor
from fleetcast.domain.settings import PlatformSettings
from fleetcast.platforms.local.approval_book import LocalApprovalBook
from fleetcast.platforms.local.artifact_store import LocalArtifactStore
from fleetcast.platforms.local.asset_registry import LocalAssetRegistry, LocalDataAssets
from fleetcast.platforms.local.database import BUSY_TIMEOUT, LocalAuditLog, open_database
from fleetcast.platforms.local.frozen_rows import LocalFrozenRows
from fleetcast.platforms.local.job_service import LocalJobService
from fleetcast.platforms.local.model_registry import LocalModelRegistry, LocalSharedRegistry
from fleetcast.platforms.local.run_book import LocalRunBook
from fleetcast.ports.clock import Clock
from fleetcast.ports.platform import Platform
from fleetcast.ports.readings import ReadingsTable


def local_platform(
    state: Path,
    tables: Mapping[str, ReadingsTable],
    settings: PlatformSettings,
    *,
    actor: Actor,
    clock: Clock,
    busy_timeout: timedelta = BUSY_TIMEOUT,
) -> Platform:
    """Open the platform in a state directory, made on first use.

    Raises:
        Unavailable: The directory or its database cannot be used.
        BadInput: Another version of fleetcast made the database.
    """
    database = open_database(state / "control.db", actor=actor, clock=clock, busy_timeout=busy_timeout)
    frozen = LocalFrozenRows(state / "frozen")
    artifacts = state / "artifacts"
    workers = settings.workers or _cores()
    return Platform(
        assets=LocalAssetRegistry(database),
        data=LocalDataAssets(database),
        tables=tables,
        frozen=frozen,
        jobs=LocalJobService(
            database,
            state / "jobs",
            artifacts,
            frozen,
            workers=workers,
            max_parallel=settings.max_parallel,
        ),
        artifacts=LocalArtifactStore(artifacts),
        models=LocalModelRegistry(database),
        shared=LocalSharedRegistry(database),
        approvals=LocalApprovalBook(database),
        audit=LocalAuditLog(database),
        runs=LocalRunBook(database, state / "train.lock"),
        workers=workers,
    )


def _cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
