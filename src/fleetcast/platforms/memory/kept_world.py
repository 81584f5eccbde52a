"""What exists on the memory platform as files of a folder, for whoever goes on with it in another process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from fleetcast.domain.assets import RegisteredAsset
from fleetcast.domain.component import TrainingComponent
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.job import TrainingJob
from fleetcast.domain.model import ModelVersion
from fleetcast.domain.snapshot import DataAsset
from fleetcast.domain.traffic import CountedWindow, Traffic
from fleetcast.pipeline.rows import read_rows, write_rows
from fleetcast.platforms.memory.world import World
from fleetcast.stored.durable import write_durably
from fleetcast.stored.form import Stored

_FILE = "world.json"


@dataclass(frozen=True, slots=True)
class Counted:
    """An endpoint, and what was counted of its green."""

    traffic: Traffic
    windows: tuple[CountedWindow, ...]


@dataclass(frozen=True, slots=True)
class KeptWorld:
    """A world as one value; training rows are in files beside it."""

    assets: tuple[RegisteredAsset, ...] = ()
    data: tuple[DataAsset, ...] = ()
    rows: Mapping[str, str] = field(default_factory=dict)
    """By fingerprint, whose rows they were when they were frozen."""
    jobs: tuple[TrainingJob, ...] = ()
    components: tuple[TrainingComponent, ...] = ()
    versions: tuple[ModelVersion, ...] = ()
    """Of each model in order."""
    shared_environments: Mapping[str, Mapping[str, datetime]] = field(default_factory=dict)
    shared_models: Mapping[str, Mapping[int, datetime]] = field(default_factory=dict)
    endpoints: tuple[Counted, ...] = ()
    shows_after: timedelta = timedelta(0)
    failing: int = 0


_KEPT = Stored(KeptWorld, fix="remove the state and begin anew: it is a dummy's")


def keep_world(world: World, folder: Path) -> None:
    """Write a world down.

    Raises:
        Unavailable: The disk refuses.
    """
    for fingerprint, readings in world.rows.items():
        if not (file := _rows_file(folder, fingerprint.hex)).exists():
            write_rows(readings, file)
    kept = KeptWorld(
        tuple(world.assets.values()),
        tuple(world.data.values()),
        {fingerprint.hex: str(readings.key) for fingerprint, readings in world.rows.items()},
        tuple(world.jobs.values()),
        tuple(world.components.values()),
        tuple(version for versions in world.versions.values() for version in versions),
        world.shared_environments,
        world.shared_models,
        tuple(Counted(one, tuple(world.windows.get(at, ()))) for at, one in world.traffic.items()),
        world.shows_after,
        world.failing,
    )
    write_durably(folder / _FILE, _KEPT.to_json(kept).encode())


def kept_world(folder: Path) -> World:
    """The world that was written down there; an empty one if none was.

    Raises:
        Unreadable: It is torn.
    """
    file = folder / _FILE
    if not file.is_file():
        return World()
    kept = _KEPT.from_json(file.read_bytes(), str(file))
    world = World(
        assets={(one.asset.kind, one.asset.name, one.asset.version): one for one in kept.assets},
        data={one.digest: one for one in kept.data},
        jobs={one.id: one for one in kept.jobs},
        components={one.digest: one for one in kept.components},
        shared_environments={name: dict(held) for name, held in kept.shared_environments.items()},
        shared_models={name: dict(held) for name, held in kept.shared_models.items()},
        traffic={one.traffic.endpoint: one.traffic for one in kept.endpoints},
        windows={one.traffic.endpoint: list(one.windows) for one in kept.endpoints},
        shows_after=kept.shows_after,
        failing=kept.failing,
    )
    for version in kept.versions:
        world.versions.setdefault(version.name, []).append(version)
    for fingerprint, key in kept.rows.items():
        readings = read_rows(_rows_file(folder, fingerprint), CircuitKey.parse(key))
        world.rows[Digest(fingerprint)] = readings
    return world


def _rows_file(folder: Path, fingerprint: str) -> Path:
    return folder / "rows" / f"{fingerprint}.parquet"
