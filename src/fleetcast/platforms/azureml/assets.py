"""Environments, components and data of a fleet in a workspace: Azure holds them, the control database lists them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fleetcast import __version__
from fleetcast.domain.assets import Asset, AssetKind, RegisteredAsset, VersionTaken
from fleetcast.domain.identity import Digest
from fleetcast.domain.snapshot import DataAsset
from fleetcast.platforms.azureml.client import AzureClients
from fleetcast.platforms.azureml.graphs import (
    COMMAND_SUFFIX,
    command_component,
    component_name,
    pipeline_component,
)
from fleetcast.platforms.azureml.operations import DIGEST_TAG, made_once, side_by_side
from fleetcast.platforms.azureml.places import DatastorePlaces
from fleetcast.platforms.local.asset_registry import LocalAssetRegistry, LocalDataAssets

if TYPE_CHECKING:
    from azure.ai.ml.entities import Component, Data, Environment


class AzureAssetRegistry:
    """Holds versions of environments and components; each carries the digest of what fleetcast declared."""

    def __init__(self, clients: AzureClients, index: LocalAssetRegistry) -> None:
        self._clients = clients
        self._index = index

    def find(self, kind: AssetKind, name: str, version: str) -> RegisteredAsset | None:
        """One version, or None if it is not registered."""
        return self._index.find(kind, name, version)

    def versions(self, kind: AssetKind, name: str) -> Sequence[RegisteredAsset]:
        """All versions of one asset, oldest first."""
        return self._index.versions(kind, name)

    def register(self, asset: Asset) -> RegisteredAsset:
        """Register a version; the same content again changes nothing, and asks Azure nothing."""
        known = self._index.find(asset.kind, asset.name, asset.version)
        if known is None:
            if asset.kind is AssetKind.ENVIRONMENT:
                self._environment(asset)
            else:
                self._component(asset)
        return self._index.register(asset)

    def component_for(self, name: str, version: str, digest: Digest, environment: str) -> str:
        """What a job is submitted with: the component in an environment, made if it is not there yet.

        A component of Azure is bound to one environment; what fleetcast declares is not. So there is one for each pair,
        and for each content.

        Args:
            name: Of the component.
            version: Its version.
            digest: Of what was declared.
            environment: `name:version`.

        Returns:
            How jobs name it.
        """
        components, name = self._clients.workspace().components, component_name(name)
        joint = f"{version}-env{environment.rpartition(':')[2]}-{digest.short}"
        tags = {DIGEST_TAG: digest.hex, "fleetcast_version": version}
        wanted = (
            (f"{name}{COMMAND_SUFFIX}", command_component(name, joint, environment, tags)),
            (name, pipeline_component(name, joint, tags)),
        )
        for called, described in wanted:
            made: Component = made_once(
                f"component {called}:{joint}",
                lambda called=called: components.get(called, joint),  # type: ignore[misc]
                lambda described=described: components.create_or_update(described()),  # type: ignore[misc]
            )
            _check(made, called, joint, digest)
        return f"azureml:{name}:{joint}"

    def environment_with(self, version: str) -> str | None:
        """The name of the environment that has a version, the one registered last; None if none has."""
        found = self._index.newest(AssetKind.ENVIRONMENT, version)
        return None if found is None else found.asset.name

    def _environment(self, asset: Asset) -> None:
        from azure.ai.ml.entities import Environment

        environments = self._clients.workspace().environments
        described = Environment(
            name=asset.name,
            version=asset.version,
            image=self._clients.settings.image,
            conda_file=_conda(asset),
            tags={DIGEST_TAG: asset.digest.hex},
            description="Made by fleetcast from config/environment.yaml.",
        )
        made: Environment = made_once(
            f"environment {asset}",
            lambda: environments.get(asset.name, asset.version),
            lambda: environments.create_or_update(described),
        )
        _check(made, asset.name, asset.version, asset.digest)

    def _component(self, asset: Asset) -> None:
        """Make it in the newest environment, so that it is seen in the workspace; without one, the first job does."""
        newest = self._index.newest(AssetKind.ENVIRONMENT)
        if newest is not None:
            self.component_for(asset.name, asset.version, asset.digest, str(newest.asset))


class AzureDataAssets:
    """Holds what is known of the data of circuits; in the workspace each is an MLTable at a pinned Delta version."""

    def __init__(self, clients: AzureClients, index: LocalDataAssets, places: DatastorePlaces) -> None:
        self._clients = clients
        self._index = index
        self._places = places

    def held(self, digests: Collection[Digest]) -> Mapping[Digest, DataAsset]:
        """Those of the assets that are registered."""
        return self._index.held(digests)

    def partial(self) -> Sequence[DataAsset]:
        """Those of whose sensors some are left out."""
        return self._index.partial()

    def register(self, assets: Sequence[DataAsset]) -> None:
        """Register assets; after an error some may be in the workspace, and doing it again does the rest."""
        known = self._index.held([asset.digest for asset in assets])
        list(side_by_side(self._make, [asset for asset in assets if asset.digest not in known]))
        self._index.register(assets)

    def _make(self, asset: DataAsset) -> None:
        from azure.ai.ml.constants import AssetTypes
        from azure.ai.ml.entities import Data

        data, version = self._clients.workspace().data, asset.digest.short
        folder = f"mltables/{asset.digest.hex}"
        self._places.put(f"{folder}/MLTable", json.dumps(_mltable(asset, self._places)).encode())
        described = Data(
            name=asset.name,
            version=version,
            type=AssetTypes.MLTABLE,
            path=self._places.uri(folder),
            tags={
                DIGEST_TAG: asset.digest.hex,
                "delta_version": str(asset.delta_version),
                "fingerprint": asset.fingerprint.hex,
            },
            description=f"{asset.rows} rows of {asset.key} that fleetcast trains on.",
            skip_validation=True,
        )
        made: Data = made_once(
            f"data {asset.name}:{version}",
            lambda: data.get(asset.name, version),
            lambda: data.create_or_update(described),
        )
        _check(made, asset.name, version, asset.digest)


def _check(made: Any, name: str, version: str, digest: Digest) -> None:
    """Make sure that what Azure holds is what was asked for.

    Raises:
        VersionTaken: It was made from something else.
    """
    said = str((made.tags or {}).get(DIGEST_TAG, ""))
    if said != digest.hex:
        raise VersionTaken(
            name, version, Digest(said) if len(said) == len(digest.hex) else Digest.of(b""), digest
        )


def _conda(asset: Asset) -> dict[str, object]:
    """The declared Python and packages, and fleetcast itself, which runs the steps."""
    packages = asset.content.get("packages")
    assert isinstance(packages, list | tuple)  # noqa: S101  # an environment's content always has them
    return {
        "name": asset.name,
        "channels": ["conda-forge"],
        "dependencies": [
            f"python={asset.content.get('python', '3.11')}",
            "pip",
            {"pip": [*map(str, packages), f"fleetcast=={__version__}"]},
        ],
    }


def _mltable(asset: DataAsset, places: DatastorePlaces) -> dict[str, object]:
    """What Azure reads a table by; JSON is YAML."""
    return {
        "type": "mltable",
        "paths": [{"folder": places.uri(f"tables/{asset.source}")}],
        "transformations": [{"read_delta_lake": {"version_as_of": asset.delta_version}}],
        "metadata": {
            "circuit": str(asset.key),
            "start": asset.start.isoformat(),
            "end": asset.end.isoformat(),
            "sensors": list(asset.sensors),
        },
    }
