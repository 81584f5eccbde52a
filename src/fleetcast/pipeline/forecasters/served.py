"""From a model as a release names it to what forecasts: its version, its files and their signature are looked at."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from fleetcast.domain.circuit import Circuit
from fleetcast.domain.errors import BadInput
from fleetcast.domain.manifest import manifest_files
from fleetcast.domain.model import AdoptedLineage, ModelVersion
from fleetcast.domain.place import Gate
from fleetcast.domain.release import ServedModel
from fleetcast.forecasting.forecaster import Forecaster
from fleetcast.pipeline.forecasters.opening import fitted_forecaster, open_forecaster
from fleetcast.pipeline.manifests import Files, Manifests
from fleetcast.ports.artifacts import ArtifactMissing, ArtifactStore
from fleetcast.ports.foreign_models import ForeignModels
from fleetcast.ports.models import ModelRegistry
from fleetcast.ports.platform import Platform


@dataclass(frozen=True, slots=True)
class OpenServed:
    """Opens models for whoever serves them; blocks while files are read."""

    models: ModelRegistry
    artifacts: ArtifactStore
    foreign: ForeignModels
    manifests: Manifests
    unsigned_allowed: bool = False
    """Whether a model may be served whose manifest nobody has signed."""
    known: Mapping[str, Sequence[ModelVersion]] = field(default_factory=lambda: MappingProxyType({}))
    """By model, all versions, where they were read ahead."""

    @classmethod
    def of(cls, platform: Platform, *, unsigned_allowed: bool) -> OpenServed:
        """For a platform."""
        workspace = platform.workspace
        manifests = Manifests.of(platform)
        return cls(workspace.models, workspace.artifacts, workspace.foreign, manifests, unsigned_allowed)

    @classmethod
    def in_force(cls, platform: Platform) -> OpenServed:
        """For a platform, by what its policy in force says of models that nobody has signed."""
        policy = platform.control.policies.in_force()[Gate.REGISTRY_PROMOTION]
        return cls.of(platform, unsigned_allowed=policy.unsigned_allowed)

    def version(self, model: ServedModel) -> ModelVersion:
        """The registered version that a release names.

        Raises:
            ArtifactMissing: There is none, or it has other files than the release says.
        """
        held = self.known.get(model.name)
        versions = self.models.versions([model.name])[model.name] if held is None else held
        found = next((one for one in versions if one.version == model.version), None)
        if found is None:
            raise ArtifactMissing(model.artifact, f"is said to be {model}, which is not registered")
        if found.model.artifact != model.artifact:
            raise ArtifactMissing(
                model.artifact, f"is not that of {model}, which is registered with {found.model.artifact}"
            )
        return found

    def check(self, model: ServedModel) -> str:
        """Why a model cannot be served, after reading every byte of it; empty if it can."""
        try:
            self.version(model)
        except ArtifactMissing as error:
            return str(error)
        return self.manifests.amiss(
            model.name, model.version, model.artifact, unsigned_allowed=self.unsigned_allowed
        )

    def __call__(self, circuit: Circuit, model: ServedModel) -> Forecaster:
        """Open a model.

        Raises:
            ArtifactMissing: Its files are lost, damaged, others than the release says, or not those that were signed.
            BadInput: They are no model that this release of fleetcast can read.
            Unavailable: What keeps them does not answer.
        """
        version = self.version(model)
        if isinstance(version.model.lineage, AdoptedLineage):
            self._require(model, self.artifacts.files(model.artifact))
            return open_forecaster(circuit, version, self.artifacts, self.foreign).forecaster
        loaded = self.artifacts.load(model.artifact)
        self._require(model, manifest_files(loaded))
        return fitted_forecaster(circuit, loaded)

    def ahead(self, models: Collection[ServedModel]) -> OpenServed:
        """The same for whoever opens all of these: what is on record of them is read now, and at once."""
        known: Mapping[str, Sequence[ModelVersion]] = {}
        with suppress(BadInput):  # a row is torn: each is read by itself, and the others are opened
            known = self.models.versions(sorted({model.name for model in models}))
        manifests = self.manifests.ahead([(model.name, model.version) for model in models])
        return replace(self, manifests=manifests, known=known)

    def _require(self, model: ServedModel, files: Files) -> None:
        why = self.manifests.differs(model.name, model.version, files, unsigned_allowed=self.unsigned_allowed)
        if why:
            raise ArtifactMissing(model.artifact, f"cannot be served: {why}")
