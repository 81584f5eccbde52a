"""What differs between the fleet repository and what exists, circuit by circuit, with the reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from fleetcast.domain.artifact import UnloadableModel
from fleetcast.domain.canonical import digest_of, plain
from fleetcast.domain.circuit import Circuit
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.model import FleetIndex, Refusal
from fleetcast.domain.money import Money
from fleetcast.domain.quota import QuotaUse
from fleetcast.domain.retry import NO_FAILURES, FailedAlike, PastFailures
from fleetcast.domain.settings import CostSettings
from fleetcast.domain.snapshot import DataAsset
from fleetcast.domain.training_hash import FieldChange, changes, data_digest, training_hash, training_inputs
from fleetcast.domain.wording import counted

FORMAT = 2
"""Of a plan's digest; format 1 hashed sentences."""


@dataclass(frozen=True, slots=True)
class Train:
    """No usable model carries the circuit's training hash."""

    key: CircuitKey
    model: str
    training_hash: Digest
    changes: tuple[FieldChange, ...]
    """What differs from the selected version; empty for a first model."""
    data_checked: bool

    action = "train"
    is_change = True

    @property
    def why(self) -> str:
        """The reason, for people."""
        return ", ".join(map(str, self.changes)) or "new circuit"


@dataclass(frozen=True, slots=True)
class Reuse:
    """An earlier version carries the circuit's training hash and becomes the selected one."""

    key: CircuitKey
    model: str
    training_hash: Digest
    version: int

    action = "reuse"
    is_change = True

    @property
    def why(self) -> str:
        """The reason, for people."""
        return f"version {self.version} has the same training hash"


@dataclass(frozen=True, slots=True)
class UpToDate:
    """The selected version carries the circuit's training hash."""

    key: CircuitKey
    model: str
    training_hash: Digest
    version: int

    action = "up to date"
    is_change = False

    @property
    def why(self) -> str:
        """The reason, for people."""
        return f"version {self.version}"


@dataclass(frozen=True, slots=True)
class DataUnfit:
    """The circuit's data cannot be trained on, as it was found when it was registered."""

    said: str


@dataclass(frozen=True, slots=True)
class VersionRefused:
    """The version that the declaration would give again was refused."""

    version: int
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Blocked:
    """The circuit is not trained: its data is unfit, people refused the model it would give, or it failed alike."""

    key: CircuitKey
    model: str
    training_hash: Digest
    reason: DataUnfit | VersionRefused | FailedAlike

    action = "blocked"
    is_change = False

    @property
    def why(self) -> str:
        """The reason, for people."""
        if isinstance(self.reason, DataUnfit):
            return self.reason.said
        if isinstance(self.reason, FailedAlike):
            return (
                f"failed {counted(self.reason.times, 'time')} in the same way: {self.reason.said}; "
                "fix the cause, then run `fleetcast train --retry-failed`"
            )
        said = f"version {self.reason.version} was {self.reason.refusal.value}"
        return f"{said}; change its configuration or raise `revision`"


@dataclass(frozen=True, slots=True)
class Removed:
    """The circuit is no longer declared; its versions stay."""

    key: CircuitKey
    model: str
    version: int

    action = "removed"
    is_change = True

    @property
    def why(self) -> str:
        """The reason, for people."""
        return f"no longer declared; version {self.version} and older stay registered"


CircuitAction = Train | Reuse | UpToDate | Blocked | Removed


@dataclass(frozen=True, slots=True)
class AssetAction:
    """A registration or a promotion, of an environment, a component or a model, that is still to happen."""

    verb: str
    """`register` or `promote`."""
    kind: str
    name: str
    version: str
    note: str = ""

    @property
    def waiting(self) -> bool:
        """Whether it needs nothing but people."""
        return bool(self.note)


@dataclass(frozen=True, slots=True)
class PastTraining:
    """How long fits took so far, to estimate the next ones."""

    median_seconds: Mapping[str, float]
    """By model family."""
    workers: int


@dataclass(frozen=True, slots=True)
class PlannedCost:
    """What training would cost, about."""

    money: Money
    jobs: int
    """That the platform would start, each a container."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything `train` would do, as a value: shown, saved, applied, or refused when the fleet moved on."""

    circuits: tuple[CircuitAction, ...]
    assets: tuple[AssetAction, ...]
    fleet: Digest
    """Of the fleet repository it was made from."""
    estimated: timedelta | None
    """Time to train on the platform's workers, from past runs; None if nothing like it ran yet."""
    warnings: tuple[str, ...] = ()
    """What may not be possible later; not part of what applying it would do."""
    unloadable: tuple[UnloadableModel, ...] = ()
    """Models in use whose files are lost or damaged, as far as it shows without reading them; as with warnings."""
    cost: PlannedCost | None = None
    """Of training, from past runs and the price of a node; None where there is no price, or nothing like it ran yet."""
    quota: QuotaUse | None = None
    """Of training; None where nobody limits it, or it was not asked for. It is no part of what applying would do."""

    @property
    def has_changes(self) -> bool:
        """Whether applying it would change anything."""
        return any(action.is_change for action in self.circuits) or bool(self.assets)

    @property
    def to_train(self) -> tuple[Train, ...]:
        """The circuits to train."""
        return tuple(action for action in self.circuits if isinstance(action, Train))

    def count(self, action: str) -> int:
        """How many circuits get this action."""
        return sum(1 for circuit in self.circuits if circuit.action == action)

    @property
    def digest(self) -> Digest:
        """Of what it would do; equal plans have equal digests."""
        return digest_of(
            {
                "format": FORMAT,
                "fleet": self.fleet.hex,
                "circuits": [[action.action, plain(action)] for action in self.circuits],
                "assets": [[a.verb, a.kind, a.name, a.version] for a in self.assets],
            }
        )


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """What is remembered of a plan that people agreed on."""

    format: int
    digest: Digest


def plan_circuit(
    circuit: Circuit,
    index: FleetIndex,
    checked: Mapping[Digest, DataAsset],
    failures: PastFailures = NO_FAILURES,
) -> CircuitAction:
    """Decide what one circuit needs.

    Args:
        circuit: As declared, resolved.
        index: What is registered and selected.
        checked: The data assets checked so far, by data digest.
        failures: Of attempts that were made before.
    """
    inputs = training_inputs(circuit)
    wanted = training_hash(inputs)
    name = circuit.model_name
    selected = index.selected_entry(name)
    held = index.with_hash(name, wanted)
    if held is not None:
        if (
            selected is not None
            and selected.carries(wanted)
            and index.refusal(name, selected.version) is None
        ):
            return UpToDate(circuit.key, name, wanted, selected.version)
        return Reuse(circuit.key, name, wanted, held.version)
    data = checked.get(data_digest(inputs))
    if data is not None and data.blocked:
        return Blocked(circuit.key, name, wanted, DataUnfit(data.blocked))
    refused = _refused(index, name, wanted)
    if refused is not None:
        return Blocked(circuit.key, name, wanted, refused)
    alike = failures.alike(wanted, data.fingerprint if data is not None else None)
    if alike is not None:
        return Blocked(circuit.key, name, wanted, alike)
    latest = selected or next(iter(reversed(index.versions.get(name, ()))), None)
    differs = changes(latest.inputs, inputs) if latest else ()
    if not differs and latest is not None and index.refusal(name, latest.version) is Refusal.REMOVED:
        differs = (FieldChange("files", f"of version {latest.version}", Refusal.REMOVED.value),)
    return Train(circuit.key, name, wanted, differs, data_checked=data is not None)


def plan_removed(circuits: Sequence[Circuit], index: FleetIndex) -> list[Removed]:
    """The circuits that have a selected version but are no longer declared, in order of their keys."""
    declared = {circuit.model_name for circuit in circuits}
    gone = [
        entry
        for name in index.intent.selected
        if name not in declared and (entry := index.selected_entry(name))
    ]
    return sorted(
        (Removed(entry.key, entry.name, entry.version) for entry in gone), key=lambda item: item.key
    )


def estimate(
    plan: Sequence[CircuitAction], circuits: Sequence[Circuit], past: PastTraining
) -> timedelta | None:
    """Estimate the time to train, from the median fit of each family; None if a family never ran."""
    families = {circuit.key: circuit.family for circuit in circuits}
    wanted = [families[action.key] for action in plan if isinstance(action, Train)]
    if not wanted or any(family not in past.median_seconds for family in wanted):
        return None
    return timedelta(seconds=sum(past.median_seconds[family] for family in wanted) / max(1, past.workers))


def estimate_cost(
    plan: Sequence[CircuitAction],
    circuits: Sequence[Circuit],
    past: PastTraining,
    prices: CostSettings,
    batch_size: int,
) -> PlannedCost | None:
    """Estimate what training costs: the time of nodes, with a start of each job, at the price of a node's hour.

    Args:
        plan: What each circuit needs.
        circuits: As declared.
        past: How long fits took.
        prices: What a node costs, and how many circuits it trains at the same time.
        batch_size: Circuits in one job at most.

    Returns:
        None without a price, without anything to train, or if a family never ran.
    """
    alone = estimate(plan, circuits, PastTraining(past.median_seconds, workers=1))
    if prices.node_hour is None or alone is None:
        return None
    jobs = -(-sum(isinstance(action, Train) for action in plan) // batch_size)
    hours = (alone / prices.at_once + jobs * prices.start) / timedelta(hours=1)
    return PlannedCost(prices.node_hour.times(Decimal(repr(hours))), jobs)


def _refused(index: FleetIndex, name: str, wanted: Digest) -> VersionRefused | None:
    for entry in reversed(index.versions.get(name, ())):
        refusal = index.refusal(name, entry.version)
        if refusal not in (None, Refusal.REMOVED) and entry.carries(wanted):
            return VersionRefused(entry.version, refusal)
    return None
