"""What a stage is given: what should be, and in which run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from fleetcast.domain.canonical import Json
from fleetcast.domain.circuit import Circuit
from fleetcast.domain.commit import Writer
from fleetcast.domain.environment import TrainingEnvironment
from fleetcast.domain.errors import BadInput
from fleetcast.domain.fleet import Fleet
from fleetcast.domain.gate import DEFAULT_GATES, GatePolicy
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.model import FleetIndex
from fleetcast.domain.place import Gate
from fleetcast.domain.plan import CircuitAction, Train, plan_circuit
from fleetcast.domain.retry import NO_FAILURES, PastFailures
from fleetcast.domain.run import Ending, Run
from fleetcast.domain.training_hash import data_digest, training_hash, training_inputs
from fleetcast.ports.assets import DataAssets
from fleetcast.ports.jobs import JobService
from fleetcast.ports.writers import Writers


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a stage has come."""

    done: int
    total: int
    failed: int = 0
    note: str = ""


Report = Callable[[Progress], None]


def silent(_progress: Progress) -> None:
    """Report to nobody."""


class UnknownWriters:
    """Nobody knows who wrote anything."""

    def of_settings(self) -> tuple[Writer, ...]:
        """Nobody."""
        return ()

    def of_environment(self) -> tuple[Writer, ...]:
        """Nobody."""
        return ()

    def of_circuit(self, _key: CircuitKey) -> tuple[Writer, ...]:
        """Nobody."""
        return ()


@dataclass(frozen=True, slots=True)
class Situation:
    """One run over one state of the fleet repository."""

    fleet: Fleet
    run: Run
    only: frozenset[CircuitKey] | None = None
    """The circuits that were asked for; None for all."""
    policies: Mapping[Gate, GatePolicy] = field(default_factory=lambda: DEFAULT_GATES)
    """In force at this moment."""
    policies_wait: bool = False
    """Whether people have yet to decide on a change of a policy."""
    retry_failed: bool = False
    """Whether somebody asked that what failed in the same way again and again is tried once more."""
    report: Report = field(default=silent)
    writers: Writers = field(default_factory=UnknownWriters)
    """Who wrote what the fleet repository declares."""

    def policy(self, gate: Gate) -> GatePolicy:
        """The policy in force at a gate, whatever the fleet repository says by now."""
        return self.policies[gate]

    @property
    def circuits(self) -> Sequence[Circuit]:
        """The declared circuits that this run is about."""
        if self.only is None:
            return self.fleet.circuits
        return [circuit for circuit in self.fleet.circuits if circuit.key in self.only]


class StageResult(Protocol):
    """What every stage gives back."""

    @property
    def ending(self) -> Ending:
        """Whether it is done, failed, or waits for people or jobs."""
        ...

    @property
    def says(self) -> str:
        """One line for people."""
        ...

    def document(self) -> Json:
        """What the stage's JSON artifact holds."""
        ...


class Stage(Protocol):
    """One of the eight: compares what should be with what is, and does only what is missing."""

    def run(self, situation: Situation) -> StageResult:
        """Do what is missing."""
        ...


def only_known(fleet: Fleet, keys: Collection[CircuitKey]) -> frozenset[CircuitKey]:
    """The keys, if the fleet declares them all.

    Raises:
        BadInput: It does not declare one of them; the text names the nearest.
    """
    for key in keys:
        fleet.circuit(key)
    if not keys:
        raise BadInput("no circuit was named", fix="write --circuits PLANT/CIRCUIT,PLANT/CIRCUIT")
    return frozenset(keys)


FailuresAt = Callable[[Collection[Digest]], PastFailures]


def no_failures(_hashes: Collection[Digest]) -> PastFailures:
    """Ask nobody."""
    return NO_FAILURES


def failures_in(jobs: JobService, environment: TrainingEnvironment) -> FailuresAt:
    """What the job service knows of failures, for training in this environment."""

    def failures(hashes: Collection[Digest]) -> PastFailures:
        return PastFailures(str(environment.version), jobs.failing(hashes)) if hashes else NO_FAILURES

    return failures


def actions(
    circuits: Sequence[Circuit],
    index: FleetIndex,
    data: DataAssets,
    failures: FailuresAt = no_failures,
) -> list[tuple[Circuit, CircuitAction]]:
    """What each circuit needs. Only for those that would train it is asked what is known of their data and jobs."""
    first = [(circuit, plan_circuit(circuit, index, {})) for circuit in circuits]
    training = [circuit for circuit, action in first if isinstance(action, Train)]
    checked = data.held([data_digest_of(circuit) for circuit in training])
    failed = failures([training_hash(training_inputs(circuit)) for circuit in training])
    return [
        (circuit, plan_circuit(circuit, index, checked, failed) if isinstance(action, Train) else action)
        for circuit, action in first
    ]


def data_digest_of(circuit: Circuit) -> Digest:
    """The digest under which a circuit's data asset is registered."""
    return data_digest(training_inputs(circuit))
