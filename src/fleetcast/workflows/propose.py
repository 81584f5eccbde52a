"""Propose retraining the circuits that would gain: a change of the fleet repository, for people to review."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fleetcast.config.edit_circuits import Edited, Values
from fleetcast.domain.alarm import CauseKind
from fleetcast.domain.circuit import Circuit, Cutoff
from fleetcast.domain.fleet import Fleet
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.model import ModelVersion
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.proposal import Candidate, GainMeasured, GainUnknown, Proposal
from fleetcast.domain.role import Right
from fleetcast.forecasting.resampling import instant
from fleetcast.pipeline.data import read_training_rows
from fleetcast.pipeline.retraining import ExpectedGain
from fleetcast.ports.branches import Branches, Committed
from fleetcast.ports.platform import Platform
from fleetcast.ports.readings import ReadingsWanted
from fleetcast.workflows.edit_circuits import EditCircuits

_A_RETRAIN_MAY_END = frozenset({CauseKind.PROCESS_CHANGED, CauseKind.MODEL_WORSE, CauseKind.MODEL_OLD})
_DAY = timedelta(days=1)
_FOREVER = datetime.max.replace(tzinfo=UTC)
Watch = Callable[[int, int, CircuitKey], None]
"""Told how many circuits are done, of how many, and which was the last."""
Editing = Callable[[Path], EditCircuits]
"""Editing a fleet repository in a folder."""


@dataclass(frozen=True, slots=True)
class FindGains:
    """Find out which circuits would gain by training on the newest readings; changes nothing."""

    platform: Platform
    gain: ExpectedGain

    def __call__(
        self,
        fleet: Fleet,
        keys: Sequence[CircuitKey],
        *,
        environment: EnvironmentName,
        cutoff: Cutoff | None = None,
        at_least: float,
        watch: Watch = lambda *_: None,
    ) -> Proposal:
        """Look at some circuits.

        Args:
            fleet: As declared.
            keys: Which.
            environment: Where the models are in use that a retrain is held against; where a plant has no live
                release there, its champions are.
            cutoff: The new end of their training data; None: the last whole day that each has readings of, or its
                newest reading where the whole training window is shorter than two days.
            at_least: The share of the error that a retrain has to save.
            watch: Is told how it goes.

        Raises:
            Denied: Whoever acts may not look.
            BadInput: A table of readings is empty, or cannot be read.
        """
        self.platform.control.require(Right.VIEW)
        wanted = set(keys)
        chosen = {circuit.key: circuit for circuit in fleet.circuits if circuit.key in wanted}
        used = self._in_use(list(chosen.values()), environment)
        renewed = {circuit.key: circuit for circuit in self._renewed(list(chosen.values()), cutoff)}
        found = [
            _candidate(circuit, circuit, GainUnknown(f"no readings came after {circuit.cutoff}"))
            for key, circuit in chosen.items()
            if key not in renewed
        ]
        for circuit, readings in read_training_rows(list(renewed.values()), self.platform.workspace.tables):
            gain = self.gain(circuit, readings, used.get(circuit.key))
            found.append(_candidate(chosen[circuit.key], circuit, gain))
            watch(len(found), len(chosen), circuit.key)
        return Proposal.of(found, at_least)

    def alarmed(self, fleet: Fleet, environment: EnvironmentName) -> list[CircuitKey]:
        """The circuits that an open alarm is about which a retrain may end, in the order they are declared.

        Raises:
            Denied: Whoever acts may not look.
        """
        self.platform.control.require(Right.VIEW)
        causes = [
            alarm.cause
            for alarm in self.platform.control.alarms.open_ones(environment)
            if alarm.cause.kind in _A_RETRAIN_MAY_END
        ]
        about = {(cause.plant, cause.circuit) for cause in causes}
        keys = [circuit.key for circuit in fleet.circuits]
        return [key for key in keys if not about.isdisjoint({(key.plant, None), (key.plant, key.circuit)})]

    def _renewed(self, circuits: Sequence[Circuit], cutoff: Cutoff | None) -> Iterator[Circuit]:
        """The circuits that have newer readings, as they would be declared."""
        for source in sorted({circuit.data_source for circuit in circuits}):
            members = {circuit.key: circuit for circuit in circuits if circuit.data_source == source}
            table = self.platform.workspace.tables[source]
            version = table.latest_version()
            if version is None:
                continue
            since = [
                ReadingsWanted(circuit.key, circuit.features, circuit.cutoff.end, _FOREVER)
                for circuit in members.values()
            ]
            for readings in table.read(since, version):
                if len(readings.times):
                    circuit = members[readings.key]
                    until = cutoff or newest_whole(circuit, instant(int(readings.times[-1])))
                    yield replace(circuit, cutoff=until, delta_version=version)

    def _in_use(
        self, circuits: Sequence[Circuit], environment: EnvironmentName
    ) -> Mapping[CircuitKey, ModelVersion]:
        control, registry = self.platform.control, self.platform.workspace.models
        champions = control.states.intent().champions
        live = control.releases.live(environment) if environment is not EnvironmentName.DEV else {}
        numbers: dict[CircuitKey, tuple[str, int]] = {}
        for circuit in circuits:
            release = live.get(circuit.key.plant)
            served = release.release.circuits.get(circuit.key.circuit) if release else None
            if served is not None:
                numbers[circuit.key] = served.name, served.version
            elif circuit.model_name in champions:
                numbers[circuit.key] = circuit.model_name, champions[circuit.model_name]
        held = registry.versions({name for name, _ in numbers.values()})
        return {
            key: version
            for key, (name, number) in numbers.items()
            for version in held[name]
            if version.version == number
        }


def newest_whole(circuit: Circuit, newest: datetime) -> Cutoff:
    """Up to when a circuit would be trained: the last day that its readings fill, or the newest of them.

    Args:
        circuit: As declared.
        newest: Aware UTC time of its newest reading.
    """
    if circuit.training_window < 2 * _DAY:
        return Cutoff.parse(newest.isoformat())
    day = (newest + circuit.frequency).astimezone(UTC).date() - _DAY
    return Cutoff.parse(day.isoformat())


def _candidate(declared: Circuit, renewed: Circuit, gain: GainMeasured | GainUnknown) -> Candidate:
    return Candidate(
        declared.key, declared.cutoff, renewed.cutoff, declared.delta_version, renewed.delta_version, gain
    )


@dataclass(frozen=True, slots=True)
class Propose:
    """Put a proposal on a branch: one commit that gives each circuit its new cutoff and version of the readings."""

    branches: Branches
    editing: Editing

    def __call__(self, proposal: Proposal, branch: str, message: str) -> tuple[Edited, Committed]:
        """Make the branch beside what is checked out; made once, the same proposal makes nothing new.

        Raises:
            BadInput: The fleet is in no git repository or not as it was committed, or there is
                such a branch with another change.
            InvalidFleet: The fleet has mistakes.
        """
        with self.branches.checkout() as folder:
            edited = declared_anew(self.editing(folder), proposal)
            return edited, self.branches.commit(folder, branch, message)


def declared_anew(editing: EditCircuits, proposal: Proposal) -> Edited:
    """Give each circuit of a proposal its new cutoff and version of the readings.

    Raises:
        InvalidFleet: The fleet has mistakes; nothing was written.
        BadInput: A file cannot be edited in this way.
    """
    return editing.give({one.key: _values(one) for one in proposal.proposed})


def _values(candidate: Candidate) -> Values:
    values: dict[str, str | int] = {}
    if candidate.cutoff != candidate.cutoff_before:
        values["cutoff_date"] = candidate.cutoff.text
    if candidate.version != candidate.version_before:
        values["delta_version"] = candidate.version
    return values
