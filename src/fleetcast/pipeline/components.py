"""Stage 3: register the training pipeline component in the dev workspace."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from fleetcast.domain.assets import Asset, AssetKind
from fleetcast.domain.canonical import Json
from fleetcast.domain.circuit import Circuit
from fleetcast.domain.component import Step, TrainingComponent
from fleetcast.domain.errors import BadInput
from fleetcast.domain.run import Ending
from fleetcast.domain.semver import SemVer
from fleetcast.pipeline.situation import Situation
from fleetcast.ports.assets import AssetRegistry
from fleetcast.ports.jobs import JobService


def component_asset(component: TrainingComponent) -> Asset:
    """The declared component as it is registered."""
    return Asset(
        AssetKind.COMPONENT, component.name, str(component.version), component.digest, component.content
    )


@dataclass(frozen=True, slots=True)
class ComponentsRegistered:
    """What stage 3 did."""

    component: Asset
    new: bool

    @property
    def ending(self) -> Ending:
        """Always done."""
        return Ending.DONE

    @property
    def says(self) -> str:
        """One line for people."""
        return f"{self.component} {'registered' if self.new else 'is registered'}"

    def document(self) -> Json:
        """For `components.json`."""
        return {
            "components": [
                {
                    "name": self.component.name,
                    "version": self.component.version,
                    "digest": self.component.digest.hex,
                }
            ],
            "newComponentRegistered": self.new,
        }


@dataclass(frozen=True, slots=True)
class RegisterComponents:
    """Register the declared component if that version is not there, after making sure that it can run."""

    assets: AssetRegistry
    jobs: JobService

    def run(self, situation: Situation) -> ComponentsRegistered:
        """Register it; check that every version the circuits name is registered then."""
        component = situation.fleet.component
        self.jobs.check(component)
        asset = component_asset(component)
        held = self.assets.find(AssetKind.COMPONENT, asset.name, asset.version)
        self.assets.register(asset)
        check_component_versions(situation.circuits, asset, self.assets)
        return ComponentsRegistered(asset, new=held is None)


def check_component_versions(circuits: Iterable[Circuit], declared: Asset, assets: AssetRegistry) -> None:
    """Make sure that every component version the circuits name is the declared one or registered.

    Raises:
        BadInput: One is neither; the text names its circuit and the versions there are.
    """
    held = assets.versions(AssetKind.COMPONENT, declared.name)
    known = {registered.asset.version for registered in held} | {declared.version}
    for circuit in circuits:
        if circuit.component_version not in known:
            raise BadInput(
                f"{circuit.key} names {declared.name}:{circuit.component_version}, neither declared nor registered",
                fix=f"there are {', '.join(sorted(known))}",
            )


def component_from(asset: Asset) -> TrainingComponent:
    """The component that a registered version stands for."""
    content = asset.content
    steps, retry = content["steps"], content["retry"]
    assert isinstance(steps, list | tuple)  # noqa: S101  # the shape that `TrainingComponent.content` gives
    assert isinstance(retry, Mapping)  # noqa: S101
    return TrainingComponent(
        name=asset.name,
        version=SemVer.parse(asset.version),
        steps=tuple(
            Step(
                str(step["name"]),
                str(step["command"]),
                tuple(map(str, step["inputs"])),
                tuple(map(str, step["outputs"])),
            )
            for step in steps
            if isinstance(step, Mapping)
        ),
        max_retries=int(str(retry["max_retries"])),
        timeout=timedelta(seconds=int(str(retry["timeout"]))),
    )
