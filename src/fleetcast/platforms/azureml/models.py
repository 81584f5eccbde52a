"""Model versions of a fleet in its workspace: Azure holds each with its lineage, the control database lists them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleetcast.domain.model import AdoptedLineage, ModelVersion, TrainedModel, VersionEntry
from fleetcast.platforms.azureml.client import AzureClients
from fleetcast.platforms.azureml.operations import DIGEST_TAG, made_once, side_by_side
from fleetcast.platforms.azureml.places import DatastorePlaces
from fleetcast.platforms.local.model_registry import LocalModelRegistry
from fleetcast.ports.clock import Clock

if TYPE_CHECKING:
    from azure.ai.ml.entities import Model

MAKER_TAG = "fleetcast_made_by"
"""The job or adoption that a version comes from: by it a version is found again whose registration was cut short."""


@dataclass(slots=True)
class AzureModelRegistry:
    """Holds the versions of every model; a number that somebody else took in the workspace is passed over."""

    clients: AzureClients
    index: LocalModelRegistry
    places: DatastorePlaces
    clock: Clock

    def entries(self) -> Mapping[str, Sequence[VersionEntry]]:
        """Every version by model name, oldest first, in one reading."""
        return self.index.entries()

    def versions(self, names: Collection[str]) -> Mapping[str, Sequence[ModelVersion]]:
        """All versions of these models, oldest first."""
        return self.index.versions(names)

    def register(self, models: Sequence[TrainedModel]) -> Sequence[ModelVersion]:
        """Give each model its next version, in order; what was registered before an error stays so."""
        held = dict(self.index.registered_by([model.made_by for model in models]))
        new = list({model.made_by: model for model in models if model.made_by not in held}.values())
        by_name: dict[str, list[TrainedModel]] = {}
        for model in new:
            by_name.setdefault(model.name, []).append(model)
        latest = self.index.latest() if new else {}

        def made(name: str) -> list[ModelVersion]:
            number, given = latest.get(name, 0), []
            for model in by_name[name]:
                given.append(self._next(model, number + 1))
                number = given[-1].version
            return given

        for given in side_by_side(made, by_name):
            self.index.note(given)
            held |= {version.model.made_by: version for version in given}
        return [held[model.made_by] for model in models]

    def _next(self, model: TrainedModel, number: int) -> ModelVersion:
        """Register it under the first number from here on that is free, or that an interrupted registration gave it."""
        while True:
            made = self._make(model, number)
            if (made.tags or {}).get(MAKER_TAG) == model.made_by:
                return ModelVersion(number, model, self.clock.now())
            number += 1

    def _make(self, model: TrainedModel, number: int) -> Model:
        from azure.ai.ml.constants import AssetTypes
        from azure.ai.ml.entities import Model as AzureModel

        models, digest = self.clients.workspace().models, model.artifact.hex
        described = AzureModel(
            name=model.name,
            version=str(number),
            type=AssetTypes.MLFLOW_MODEL,
            path=self.places.uri(f"artifacts/{digest[:2]}/{digest}"),
            tags=lineage_tags(model),
            description=f"Forecasts circuit {model.lineage.key}.",
        )
        made: AzureModel = made_once(
            f"model {model.name}:{number}",
            lambda: models.get(model.name, str(number)),
            lambda: models.create_or_update(described),
        )
        return made


def lineage_tags(model: TrainedModel) -> dict[str, str]:
    """What a version says of where it comes from, as short texts that people search by."""
    lineage = model.lineage
    tags = {
        MAKER_TAG: model.made_by,
        DIGEST_TAG: model.artifact.hex,
        "plant_id": lineage.key.plant,
        "circuit_id": lineage.key.circuit,
        "training_hash": lineage.training_hash.hex,
        "commit": lineage.commit,
    }
    if isinstance(lineage, AdoptedLineage):
        return tags | {"source": lineage.source}
    return tags | {
        "run": lineage.run,
        "component": f"{lineage.component}:{lineage.component_version}",
        "environment_version": lineage.environment_version,
        "data_digest": lineage.data_digest.hex,
        "data_fingerprint": lineage.fingerprint.hex,
    }
