"""Looking whether circuits can be trained on what they name, before anybody runs anything; writes nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from fleetcast.domain.circuit import Circuit
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.quality import QualityVerdict
from fleetcast.pipeline.concurrently import in_order
from fleetcast.pipeline.data import check_versions, judged, read_training_rows
from fleetcast.ports.readings import Readings, ReadingsTable


class Concern(StrEnum):
    """The setting of a circuit that a finding is about, as files write it."""

    VERSION = "delta_version"
    SENSORS = "features"
    CUTOFF = "cutoff_date"
    WINDOW = "training_days"


_FIXES = {
    Concern.VERSION: "have the table's owner mend it, then name the version that is whole",
    Concern.SENSORS: "declare sensors that the table has",
    Concern.CUTOFF: "see `fleetcast data show` for what the table holds of it",
    Concern.WINDOW: "see `fleetcast data quality` for what was measured",
}


@dataclass(frozen=True, slots=True)
class DataFinding:
    """One thing about the data of a circuit."""

    key: CircuitKey
    concern: Concern
    says: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class DataChecked:
    """What was found out about the data of some circuits."""

    circuits: int
    """How many were asked about."""
    blocked: tuple[DataFinding, ...]
    """Why a circuit cannot be trained."""
    notes: tuple[DataFinding, ...]
    """What a circuit is trained in spite of."""


@dataclass(frozen=True, slots=True)
class CheckData:
    """Read what circuits are to be trained on, and judge it as the stage RegisterData does.

    Raises:
        Unavailable: A table cannot be reached.
    """

    tables: Mapping[str, ReadingsTable]
    threads: int
    """Circuits judged at the same time."""

    def __call__(self, circuits: Sequence[Circuit]) -> DataChecked:
        """Check circuits, each at the version of the table that it names; findings by circuit."""
        groups: defaultdict[tuple[str, int], list[Circuit]] = defaultdict(list)
        for circuit in circuits:
            groups[circuit.data_source, circuit.delta_version].append(circuit)
        blocked: list[DataFinding] = []
        notes: list[DataFinding] = []
        for members in groups.values():
            try:
                check_versions(members, self.tables)
                found = list(in_order(self._judged, read_training_rows(members, self.tables), self.threads))
            except BadInput as error:
                blocked += [
                    DataFinding(circuit.key, Concern.VERSION, str(error), error.fix) for circuit in members
                ]
                continue
            for key, concern, verdict in found:
                if verdict.blocked:
                    blocked.append(DataFinding(key, concern, f"{key}: {verdict.blocked}", _FIXES[concern]))
                else:
                    notes += _in_spite_of(key, verdict)
        return DataChecked(len(circuits), _by_circuit(blocked), _by_circuit(notes))

    def _judged(self, read: tuple[Circuit, Readings]) -> tuple[CircuitKey, Concern, QualityVerdict]:
        circuit, readings = read
        table = self.tables[circuit.data_source]
        return circuit.key, _concern(circuit, readings, table), judged(circuit, readings, table)


def _concern(circuit: Circuit, readings: Readings, table: ReadingsTable) -> Concern:
    """Which setting decides what stands in the way, if anything does; what the window holds is its own matter."""
    if readings.conflict:
        return Concern.VERSION
    if readings.absent and readings.absent.difference(table.sensors(circuit.delta_version)):
        return Concern.SENSORS
    return Concern.WINDOW if len(readings.times) else Concern.CUTOFF


def _in_spite_of(key: CircuitKey, verdict: QualityVerdict) -> Iterator[DataFinding]:
    for gone in verdict.left_out:
        yield DataFinding(key, Concern.SENSORS, f"{key}: {gone.sensor} is left out: {gone.reason}")
    for warning in verdict.warnings:
        yield DataFinding(key, Concern.WINDOW, f"{key}: {warning}")


def _by_circuit(findings: Iterable[DataFinding]) -> tuple[DataFinding, ...]:
    return tuple(sorted(findings, key=lambda finding: finding.key))
