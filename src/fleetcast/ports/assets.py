"""What fleetcast needs from a workspace's lists of environments, components and data."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from fleetcast.domain.assets import Asset, AssetKind, RegisteredAsset
from fleetcast.domain.identity import Digest
from fleetcast.domain.snapshot import DataAsset


class AssetRegistry(Protocol):
    """Holds versions of environments and components; a version never changes."""

    def find(self, kind: AssetKind, name: str, version: str) -> RegisteredAsset | None:
        """One version, or None if it is not registered."""
        ...

    def versions(self, kind: AssetKind, name: str) -> Sequence[RegisteredAsset]:
        """All versions of one asset, oldest first."""
        ...

    def register(self, asset: Asset) -> RegisteredAsset:
        """Register a version; the same content again changes nothing.

        Raises:
            VersionTaken: That version is registered with other content.
        """
        ...


class DataAssets(Protocol):
    """Holds what is known of the data of circuits, by the digest of the training inputs that select it."""

    def held(self, digests: Collection[Digest]) -> Mapping[Digest, DataAsset]:
        """Those of the assets that are registered, read in bulk."""
        ...

    def partial(self) -> Sequence[DataAsset]:
        """Those of whose sensors some are left out; few, so that they can be asked for at any time."""
        ...

    def register(self, assets: Sequence[DataAsset]) -> None:
        """Register assets, all or none; one that is already held is left as it is."""
        ...
