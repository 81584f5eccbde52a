"""Assets, data, models and the shared registry, in memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from fleetcast.domain import happened
from fleetcast.domain.assets import Asset, AssetKind, RegisteredAsset, VersionTaken
from fleetcast.domain.canonical import canonical_json
from fleetcast.domain.identity import Digest
from fleetcast.domain.model import ModelVersion, TrainedModel, VersionEntry
from fleetcast.domain.snapshot import DataAsset
from fleetcast.platforms.database.session import Session
from fleetcast.platforms.memory.world import World
from fleetcast.ports.clock import Clock
from fleetcast.ports.models import Shared

V = TypeVar("V")


class MemoryAssetRegistry:
    """Holds versions of environments and components."""

    def __init__(self, world: World, session: Session) -> None:
        self._world = world
        self._session = session

    def find(self, kind: AssetKind, name: str, version: str) -> RegisteredAsset | None:
        """One version, or None."""
        return self._world.assets.get((kind, name, version))

    def versions(self, kind: AssetKind, name: str) -> Sequence[RegisteredAsset]:
        """All versions of one asset, oldest first."""
        return [held for key, held in self._world.assets.items() if key[:2] == (kind, name)]

    def register(self, asset: Asset) -> RegisteredAsset:
        """Register a version; the same content again changes nothing."""
        held = self.find(asset.kind, asset.name, asset.version)
        if held is None:
            held = RegisteredAsset(asset, self._session.clock.now())
            self._session.tell([happened.asset_registered(asset)])
            self._world.assets[asset.kind, asset.name, asset.version] = held
        elif held.asset.digest != asset.digest:
            raise VersionTaken(asset.name, asset.version, held.asset.digest, asset.digest)
        return held


class MemoryDataAssets:
    """Holds what is known of the data of circuits."""

    def __init__(self, world: World, session: Session) -> None:
        self._world = world
        self._session = session

    def held(self, digests: Collection[Digest]) -> Mapping[Digest, DataAsset]:
        """Those of the assets that are registered."""
        return {digest: self._world.data[digest] for digest in digests if digest in self._world.data}

    def partial(self) -> Sequence[DataAsset]:
        """Those of whose sensors some are left out."""
        return [asset for asset in self._world.data.values() if asset.verdict.left_out]

    def register(self, assets: Sequence[DataAsset]) -> None:
        """Register assets; one that is already held is left as it is."""
        new = [asset for asset in assets if asset.digest not in self._world.data]
        self._session.tell([happened.data_registered(asset) for asset in new])
        self._world.data |= {asset.digest: asset for asset in new}


class MemoryModelRegistry:
    """Holds the versions of every model."""

    def __init__(self, world: World, session: Session) -> None:
        self._world = world
        self._session = session

    def entries(self) -> Mapping[str, Sequence[VersionEntry]]:
        """Every version by model name, oldest first."""
        return {
            name: [_entry(version) for version in versions] for name, versions in self._world.versions.items()
        }

    def versions(self, names: Collection[str]) -> Mapping[str, Sequence[ModelVersion]]:
        """All versions of these models, oldest first."""
        return {name: list(self._world.versions.get(name, ())) for name in names}

    def register(self, models: Sequence[TrainedModel]) -> Sequence[ModelVersion]:
        """Give each model its next version."""
        registered, new = [], []
        for model in models:
            versions = self._world.versions.setdefault(model.name, [])
            held = next((old for old in versions if old.model.made_by == model.made_by), None)
            if held is None:
                held = ModelVersion(len(versions) + 1, model, self._session.clock.now())
                versions.append(held)
                new.append(held)
            registered.append(held)
        self._session.tell([happened.model_registered(version) for version in new])
        return registered


class MemorySharedRegistry:
    """What dev, test and prod have in common."""

    def __init__(self, world: World, clock: Clock) -> None:
        self._world = world
        self._clock = clock

    def shared(self) -> Shared:
        """Everything in it, by name, that shows by now."""
        world = self._world
        return Shared(self._shown(world.shared_environments), self._shown(world.shared_models))

    def share_environment(self, environment: Asset) -> None:
        """Copy an environment version."""
        held = self._world.shared_environments.setdefault(environment.name, {})
        held.setdefault(environment.version, self._shows_at)

    def share_models(self, versions: Sequence[ModelVersion]) -> None:
        """Copy model versions."""
        for version in versions:
            held = self._world.shared_models.setdefault(version.name, {})
            held.setdefault(version.version, self._shows_at)

    def _shown(self, held: Mapping[str, Mapping[V, datetime]]) -> Mapping[str, Collection[V]]:
        now = self._clock.now()
        return {
            name: frozenset(version for version, at in versions.items() if at <= now)
            for name, versions in held.items()
        }

    @property
    def _shows_at(self) -> datetime:
        """When what is shared now shows."""
        return self._clock.now() + self._world.shows_after


def _entry(version: ModelVersion) -> VersionEntry:
    lineage = version.model.lineage
    return VersionEntry(
        version.name,
        version.version,
        lineage.key,
        version.training_hash,
        canonical_json(lineage.inputs),
        version.model.artifact,
        version.model.artifact_bytes,
    )
