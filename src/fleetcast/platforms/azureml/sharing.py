"""The Azure ML registry that dev, test and prod have in common, and the list of what was seen in it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fleetcast.domain.assets import Asset, AssetKind
from fleetcast.domain.errors import FleetcastError
from fleetcast.domain.model import ModelVersion
from fleetcast.platforms.azureml.client import AzureClients, Taken, asked
from fleetcast.platforms.azureml.operations import held, side_by_side
from fleetcast.platforms.local.asset_registry import LocalAssetRegistry
from fleetcast.platforms.local.model_registry import LocalModelRegistry, LocalSharedRegistry
from fleetcast.ports.models import Shared

_ACTIVE = "ActiveOnly"
"""As it is written on the wire: the SDK writes its own default as the name of a Python enumeration."""


@dataclass(slots=True)
class AzureSharedRegistry:
    """Copies versions from dev's workspace.

    One listing tells which names there are and the newest version of each; only a name with something new in it is
    looked at more closely. What others share there under names that are not this fleet's is not looked at.
    """

    clients: AzureClients
    index: LocalSharedRegistry
    models: LocalModelRegistry
    assets: LocalAssetRegistry

    def shared(self) -> Shared:
        """Everything of this fleet in it, by name."""
        noted = self.index.shared()
        registry = self.clients.registry()
        environments = _seen(
            noted.environments,
            registry.environments,
            self.assets.names(AssetKind.ENVIRONMENT),
            "environments",
        )
        models = _seen(
            {name: set(map(str, numbers)) for name, numbers in noted.models.items()},
            registry.models,
            self.models.latest().keys(),
            "models",
        )
        numbers = {
            name: {int(version) for version in versions if version.isdecimal()}
            for name, versions in models.items()
        }
        self._note(noted, environments, numbers)
        return Shared(environments, numbers)

    def share_environment(self, environment: Asset) -> None:
        """Copy an environment version."""
        self._share("environments", environment.name, environment.version)
        self.index.share_environment(environment)

    def share_models(self, versions: Sequence[ModelVersion]) -> None:
        """Copy model versions under the same numbers. One that cannot be copied keeps none of the others from it.

        Raises:
            FleetcastError: One could not be; what was copied is listed.
        """
        noted = self.index.shared().models
        wanted = {
            (one.name, one.version): one for one in versions if one.version not in noted.get(one.name, ())
        }
        wrong: list[FleetcastError] = []

        def share(version: ModelVersion) -> ModelVersion | None:
            try:
                self._share("models", version.name, str(version.version))
            except FleetcastError as error:
                wrong.append(error)
                return None
            return version

        copied = [version for version in side_by_side(share, wanted.values()) if version is not None]
        self.index.share_models(copied)
        if wrong:
            raise wrong[0]

    def _share(self, kind: str, name: str, version: str) -> None:
        """Copy one thing; that it is there already is no error."""
        # What `share` makes too; that looks workspace and registry up anew for each model.
        from azure.ai.ml.entities._assets.workspace_asset_reference import WorkspaceAssetReference

        operations = getattr(self.clients.registry(), kind)
        what = f"{kind[:-1]} {name}:{version} in the registry {self.clients.registry_name}"
        if held(what, lambda: operations.get(name, version)) is not None:
            return
        reference = WorkspaceAssetReference(
            name=name, version=version, asset_id=self.clients.asset_id(kind, name, version)
        )
        try:
            with asked(what):
                operations.create_or_update(reference)
        except Taken:
            return  # an earlier attempt, whose answer nobody heard; whoever shares reads back

    def _note(
        self,
        noted: Shared,
        environments: Mapping[str, Collection[str]],
        models: Mapping[str, Collection[int]],
    ) -> None:
        """List what is seen and was not listed: a sharing whose answer did not come, or that was cut short."""
        for name, versions in environments.items():
            for version in set(versions) - set(noted.environments.get(name, ())):
                found = self.assets.find(AssetKind.ENVIRONMENT, name, version)
                if found is not None:
                    self.index.share_environment(found.asset)
        new = {name for name, numbers in models.items() if set(numbers) - set(noted.models.get(name, ()))}
        if new:
            known = [one for versions in self.models.versions(new).values() for one in versions]
            self.index.share_models([one for one in known if one.version in models[one.name]])


def _seen(
    noted: Mapping[str, Collection[str]], operations: Any, ours: Iterable[str], kind: str
) -> dict[str, Collection[str]]:
    """By name, the versions that the registry holds.

    Args:
        noted: Those that were seen before.
        operations: The SDK's, of one kind of thing.
        ours: The names of this fleet.
        kind: For the text of an error.
    """
    names = set(ours)
    with asked(f"{kind} of the registry"):
        newest = {
            one.name: str(one.latest_version or "")
            for one in operations.list(list_view_type=_ACTIVE)
            if one.name in names
        }
    unseen = [name for name, version in newest.items() if version not in noted.get(name, ())]

    def versions(name: str) -> tuple[str, Collection[str]]:
        with asked(f"{kind} {name} of the registry"):
            return name, {str(one.version) for one in operations.list(name=name)}

    seen = dict(side_by_side(versions, unseen))
    return {name: seen.get(name, noted.get(name, ())) for name in newest}
