"""From a model as a release names it to what forecasts: its version, its files and their signature are looked at."""

from __future__ import annotations

from dataclasses import dataclass

from fleetcast.domain.circuit import Circuit
from fleetcast.domain.model import ModelVersion
from fleetcast.domain.place import Gate
from fleetcast.domain.release import ServedModel
from fleetcast.forecasting.forecaster import Forecaster
from fleetcast.pipeline.forecasters.opening import open_forecaster
from fleetcast.pipeline.manifests import Manifests
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
        found = next(
            (one for one in self.models.versions([model.name])[model.name] if one.version == model.version),
            None,
        )
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
        if why := self.check(model):
            raise ArtifactMissing(model.artifact, f"cannot be served: {why}")
        return open_forecaster(circuit, version, self.artifacts, self.foreign).forecaster
