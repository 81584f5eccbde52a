"""After a rollback: let the fleet repository declare what is served again, so that git says it too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from fleetcast.config.edit_circuits import Edited
from fleetcast.domain.fleet import Fleet
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.model import ModelVersion
from fleetcast.domain.release import ServedModel, changes
from fleetcast.domain.training_hash import training_inputs
from fleetcast.ports.platform import Platform
from fleetcast.workflows.edit_circuits import EditCircuits
from fleetcast.workflows.rollback import RolledBack

_ONE_VALUE = (
    "cutoff_date",
    "data_source",
    "delta_version",
    "forecast_horizon",
    "frequency",
    "model",
    "pipeline_component_version",
    "revision",
    "training_window",
)
"""Settings that are one value on one line; an edit of the others is left to people."""


@dataclass(frozen=True, slots=True)
class WrittenBack:
    """What was written into the fleet repository; nothing is committed."""

    edited: Edited
    by_hand: Mapping[CircuitKey, tuple[str, ...]]
    """Settings that differ too and could not be written: `features`, `hyperparameters` …"""


@dataclass(frozen=True, slots=True)
class WriteBack:
    """Gives circuits the settings that the versions were trained with which serve them again."""

    platform: Platform
    editing: EditCircuits

    def __call__(self, fleet: Fleet, done: Sequence[RolledBack]) -> WrittenBack:
        """Edit the circuit files.

        Args:
            fleet: As declared.
            done: What was rolled back.

        Raises:
            InvalidFleet: The fleet has mistakes; nothing was written.
            BadInput: A file cannot be edited in this way; the text says which line and why.
        """
        declared = {circuit.key: training_inputs(circuit) for circuit in fleet.circuits}
        wanted: dict[CircuitKey, dict[str, str | int]] = {}
        by_hand: dict[CircuitKey, tuple[str, ...]] = {}
        for key, version in self._served_again(done):
            if key not in declared:
                continue
            before, after = declared[key], version.model.lineage.inputs
            others = [name for name in {*before, *after} if before.get(name) != after.get(name)]
            values = {name: after[name] for name in others if name in _ONE_VALUE and name in after}
            if left := tuple(sorted(set(others) - set(values))):
                by_hand[key] = left
            if values:
                wanted[key] = {name: _written(value) for name, value in sorted(values.items())}
        return WrittenBack(self.editing.give(wanted), by_hand)

    def _served_again(self, done: Sequence[RolledBack]) -> Iterator[tuple[CircuitKey, ModelVersion]]:
        found: dict[CircuitKey, ServedModel] = {
            CircuitKey(one.endpoint.plant, change.circuit): change.after
            for one in done
            for change in changes(one.before.release, one.after.release)
            if change.after is not None
        }
        versions = self.platform.workspace.models.versions([model.name for model in found.values()])
        for key, model in found.items():
            for version in versions[model.name]:
                if version.version == model.version:
                    yield key, version


def _written(value: object) -> str | int:
    return value if isinstance(value, int) else str(value)
