"""The Azure ML registry that dev, test and prod have in common, and the list of what was seen in it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from fleetcast.domain.assets import Asset, AssetKind
from fleetcast.domain.errors import FleetcastError
from fleetcast.domain.model import ModelVersion
from fleetcast.platforms.azureml.client import AzureClients, NotThere, Taken, asked
from fleetcast.platforms.azureml.operations import held, side_by_side
from fleetcast.platforms.local.asset_registry import LocalAssetRegistry
from fleetcast.platforms.local.model_registry import LocalModelRegistry, LocalSharedRegistry
from fleetcast.ports.models import Shared

_FEW = 3
"""So many names are asked for one by one; more are listed together."""
_ACTIVE = "ActiveOnly"
"""As it is written on the wire: the SDK writes its own default as the name of a Python enumeration."""


@dataclass(slots=True)
class AzureSharedRegistry:
    """Copies versions from dev's workspace.

    What was seen in it is listed and asked for no more. A name whose newest version was not seen is looked at: few by
    themselves, many by one listing, which tells the newest version of each. What others share there under names
    that are not this fleet's is not looked at.
    """

    clients: AzureClients
    index: LocalSharedRegistry
    models: LocalModelRegistry
    assets: LocalAssetRegistry

    def shared(self) -> Shared:
        """Everything of this fleet in it, by name."""
        noted = self.index.shared()
        environments = self._seen("environments", noted.environments, self._newest_environments())
        models = self._seen(
            "models",
            {name: set(map(str, numbers)) for name, numbers in noted.models.items()},
            {name: str(number) for name, number in self.models.latest().items()},
        )
        numbers = {
            name: {int(version) for version in versions if version.isdecimal()}
            for name, versions in models.items()
        }
        self._note(noted, environments, numbers)
        return Shared(environments, numbers)

    def share_environment(self, environment: Asset) -> None:
        """Copy an environment version."""
        if self._share("environments", environment.name, environment.version):
            self.index.share_environment(environment)

    def share_models(self, versions: Sequence[ModelVersion]) -> None:
        """Copy model versions under the same numbers. One that cannot be copied keeps none of the others from it.
        What Azure took and does not show yet is listed when it is seen.

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
                return version if self._share("models", version.name, str(version.version)) else None
            except FleetcastError as error:
                wrong.append(error)
                return None

        copied = [version for version in side_by_side(share, wanted.values()) if version is not None]
        self.index.share_models(copied)
        if wrong:
            raise wrong[0]

    def _share(self, kind: str, name: str, version: str) -> bool:
        """Copy one thing; that it is there already is no error. Gives whether it shows, which may come later."""
        # What `share` makes too; that looks workspace and registry up anew for each model.
        from azure.ai.ml.entities._assets.workspace_asset_reference import WorkspaceAssetReference

        operations = getattr(self.clients.registry(), kind)
        what = f"{kind[:-1]} {name}:{version} in the registry {self.clients.registry_name}"
        if held(what, lambda: operations.get(name, version)) is not None:
            return True
        reference = WorkspaceAssetReference(
            name=name, version=version, asset_id=self.clients.asset_id(kind, name, version)
        )
        try:
            with asked(what):
                operations.create_or_update(reference)
        except Taken:
            return False  # an earlier attempt, whose answer nobody heard; whoever shares reads back
        except NotThere:
            return False  # the SDK reads back once, and that may be too early
        return True

    def _newest_environments(self) -> Mapping[str, str]:
        """By name, the version that was registered last."""
        versions = {
            name: self.assets.versions(AssetKind.ENVIRONMENT, name)
            for name in self.assets.names(AssetKind.ENVIRONMENT)
        }
        return {name: held[-1].asset.version for name, held in versions.items() if held}

    def _seen(
        self, kind: str, noted: Mapping[str, Collection[str]], newest: Mapping[str, str]
    ) -> Mapping[str, Collection[str]]:
        """By name, the versions that the registry holds.

        Args:
            kind: Of thing, as the SDK calls it.
            noted: Those that were seen before.
            newest: By name, this fleet's newest version.
        """
        unseen = [name for name, version in newest.items() if version not in noted.get(name, ())]
        if not unseen:
            return noted
        operations = getattr(self.clients.registry(), kind)
        if len(unseen) > _FEW:
            wanted = set(unseen)
            with asked(f"{kind} of the registry"):
                unseen = [
                    one.name
                    for one in operations.list(list_view_type=_ACTIVE)
                    if one.name in wanted and str(one.latest_version or "") not in noted.get(one.name, ())
                ]

        def versions(name: str) -> tuple[str, Collection[str]]:
            there = held(
                f"{kind} {name} of the registry",
                lambda: {str(one.version) for one in operations.list(name=name)},
            )
            return name, {*(there or ()), *noted.get(name, ())}

        return {**noted, **{name: there for name, there in side_by_side(versions, unseen) if there}}

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
