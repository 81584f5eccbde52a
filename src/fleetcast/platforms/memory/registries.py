"""Assets, data, models and the shared registry, in memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from fleetcast.domain.assets import Asset, AssetKind, RegisteredAsset, VersionTaken
from fleetcast.domain.audit import AuditEvent
from fleetcast.domain.canonical import canonical_json
from fleetcast.domain.identity import Digest
from fleetcast.domain.model import (
    AdoptedLineage,
    FleetIndex,
    ModelVersion,
    TrainedModel,
    VersionEntry,
    VersionState,
    check_adoptable,
)
from fleetcast.domain.snapshot import DataAsset
from fleetcast.platforms.memory.world import World
from fleetcast.ports.models import Shared


class MemoryAssetRegistry:
    """Holds versions of environments and components."""

    def __init__(self, world: World) -> None:
        self._world = world

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
            held = RegisteredAsset(asset, self._world.clock.now())
            self._world.assets[asset.kind, asset.name, asset.version] = held
            event = AuditEvent(f"{asset.kind.value}.registered", str(asset), {"digest": asset.digest.hex})
            self._world.audit([event])
        elif held.asset.digest != asset.digest:
            raise VersionTaken(asset.name, asset.version, held.asset.digest, asset.digest)
        return held


class MemoryDataAssets:
    """Holds what is known of the data of circuits."""

    def __init__(self, world: World) -> None:
        self._world = world

    def held(self, digests: Collection[Digest]) -> Mapping[Digest, DataAsset]:
        """Those of the assets that are registered."""
        return {digest: self._world.data[digest] for digest in digests if digest in self._world.data}

    def register(self, assets: Sequence[DataAsset]) -> None:
        """Register assets; one that is already held is left as it is."""
        new = [asset for asset in assets if asset.digest not in self._world.data]
        self._world.data |= {asset.digest: asset for asset in new}
        self._world.audit(
            [AuditEvent("data.registered", asset.name, {"digest": asset.digest.hex}) for asset in new]
        )


class MemoryModelRegistry:
    """Holds the versions of every model, and which one is in use."""

    def __init__(self, world: World) -> None:
        self._world = world

    def index(self) -> FleetIndex:
        """Every version and selection."""
        return FleetIndex(
            {
                name: [_entry(version) for version in versions]
                for name, versions in self._world.versions.items()
            },
            dict(self._world.selected),
        )

    def versions(self, names: Collection[str]) -> Mapping[str, Sequence[ModelVersion]]:
        """All versions of these models, oldest first."""
        return {name: list(self._world.versions.get(name, ())) for name in names}

    def selected(self) -> Mapping[str, ModelVersion]:
        """The version in use of every model that has one."""
        return {name: self._world.versions[name][number - 1] for name, number in self._world.selected.items()}

    def register(self, models: Sequence[TrainedModel]) -> Sequence[ModelVersion]:
        """Give each model its next version and select it."""
        registered = []
        for model in models:
            versions = self._world.versions.setdefault(model.name, [])
            held = next((old for old in versions if old.model.made_by == model.made_by), None)
            if held is None:
                held = ModelVersion(
                    len(versions) + 1, model, VersionState.REGISTERED, self._world.clock.now()
                )
                versions.append(held)
                self._world.selected[model.name] = held.version
                digest = model.lineage.training_hash.hex
                verb = "adopted" if isinstance(model.lineage, AdoptedLineage) else "registered"
                self._world.audit([AuditEvent(f"model.{verb}", str(held), {"training_hash": digest})])
            registered.append(held)
        return registered

    def adopt(self, models: Sequence[TrainedModel]) -> Sequence[ModelVersion]:
        """Register models made elsewhere as first versions, in use, shared and champions."""
        known = {version.model.made_by for held in self._world.versions.values() for version in held}
        check_adoptable([model for model in models if model.made_by not in known], self._world.versions)
        adopted = self.register(models)
        MemorySharedRegistry(self._world).share_models(adopted)
        return adopted

    def select(self, choices: Mapping[str, int]) -> None:
        """Make earlier versions the ones in use."""
        self._world.selected |= choices
        self._world.audit(
            [AuditEvent("model.selected", f"{name}:{version}", {}) for name, version in choices.items()]
        )

    def deselect(self, names: Collection[str]) -> None:
        """Take models out of use; their versions stay."""
        for name in names:
            self._world.selected.pop(name, None)
        self._world.audit([AuditEvent("model.deselected", name, {}) for name in names])

    def reject(self, name: str, version: int) -> None:
        """Mark a version as rejected."""
        versions = self._world.versions[name]
        versions[version - 1] = replace(versions[version - 1], state=VersionState.REJECTED)
        self._world.audit([AuditEvent("model.rejected", f"{name}:{version}", {})])


class MemorySharedRegistry:
    """What dev, test and prod have in common."""

    def __init__(self, world: World) -> None:
        self._world = world

    def shared(self) -> Shared:
        """Everything in it, by name."""
        world = self._world
        return Shared(
            {name: frozenset(versions) for name, versions in world.shared_environments.items()},
            {name: frozenset(versions) for name, versions in world.shared_models.items()},
            dict(world.champions),
        )

    def share_environment(self, environment: Asset) -> None:
        """Copy an environment version."""
        versions = self._world.shared_environments.setdefault(environment.name, set())
        if environment.version not in versions:
            versions.add(environment.version)
            self._world.audit([AuditEvent("environment.shared", str(environment), {})])

    def share_models(self, versions: Sequence[ModelVersion]) -> None:
        """Copy model versions, and make each the champion."""
        for version in versions:
            numbers = self._world.shared_models.setdefault(version.name, set())
            if version.version not in numbers:
                numbers.add(version.version)
                self._world.champions[version.name] = version.version
                self._world.audit([AuditEvent("model.shared", str(version), {})])

    def crown(self, champions: Mapping[str, int]) -> None:
        """Make versions that are already shared the champions."""
        self._world.champions |= champions
        self._world.audit(
            [AuditEvent("model.crowned", f"{name}:{number}", {}) for name, number in champions.items()]
        )


def _entry(version: ModelVersion) -> VersionEntry:
    lineage = version.model.lineage
    return VersionEntry(
        version.name,
        version.version,
        lineage.key,
        version.training_hash,
        version.state,
        canonical_json(lineage.inputs),
    )
