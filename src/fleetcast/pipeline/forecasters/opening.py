"""From a registered version to what forecasts: its artifact is fetched and checked once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from fleetcast.domain.artifact import ArtifactFiles
from fleetcast.domain.circuit import Circuit, Cutoff
from fleetcast.domain.model import AdoptedLineage, ModelVersion
from fleetcast.forecasting.artifact import ModelIdentity, load, load_identity
from fleetcast.forecasting.bounds import Bounds
from fleetcast.forecasting.forecaster import Forecaster
from fleetcast.pipeline.forecasters.fitted import FittedForecaster
from fleetcast.pipeline.forecasters.foreign import ForeignForecaster, adopted_task
from fleetcast.ports.artifacts import ArtifactStore
from fleetcast.ports.foreign_models import ForeignModels


@dataclass(frozen=True, slots=True)
class OpenedForecaster:
    """A forecaster with whose model it is."""

    forecaster: Forecaster
    identity: ModelIdentity
    """As its artifact says; of an adopted model, as its circuit was declared then."""


def open_forecaster(
    circuit: Circuit, version: ModelVersion, artifacts: ArtifactStore, foreign: ForeignModels
) -> OpenedForecaster:
    """Open a version of a circuit's model.

    A fitted model is read once; one that was trained elsewhere is checked now, and each of its processes is given a
    copy that is checked again.

    Args:
        circuit: As declared now: it says what an adopted version's own declaration leaves open, and what its
            sensors can read, which no forecast leaves.
        version: Registered; its state does not matter.
        artifacts: Where its files are.
        foreign: Runs the model if it was trained elsewhere; not asked for anything yet.

    Raises:
        ArtifactMissing: The model's files are lost or damaged.
        BadInput: They are no model that this release can read.
    """
    artifact, lineage = version.model.artifact, version.model.lineage
    if isinstance(lineage, AdoptedLineage):
        artifacts.folder(artifact)
        task = adopted_task(circuit, version, lineage, partial(artifacts.copy, artifact))
        return OpenedForecaster(
            ForeignForecaster(
                task, lineage.lookback, foreign, Bounds.of(task.targets, circuit.sensor_limits)
            ),
            _declared(version, lineage),
        )
    files = artifacts.load(artifact)
    return OpenedForecaster(fitted_forecaster(circuit, files), load_identity(files))


def fitted_forecaster(circuit: Circuit, files: ArtifactFiles) -> FittedForecaster:
    """A model that was trained here, from its files.

    Raises:
        BadInput: They are no model that this release can read.
    """
    return FittedForecaster(load(files).within(circuit.sensor_limits))


def _declared(version: ModelVersion, lineage: AdoptedLineage) -> ModelIdentity:
    """What an adopted model stands for."""
    return ModelIdentity(
        lineage.key,
        version.name,
        version.training_hash,
        Cutoff.parse(str(lineage.inputs["cutoff_date"])).end,
        int(str(lineage.inputs["delta_version"])),
    )
