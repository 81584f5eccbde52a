"""Circuits that are no longer declared: since when, and what is left of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fleetcast.domain.audit import AuditEntry, about_model
from fleetcast.domain.fleet import Fleet
from fleetcast.domain.identity import CircuitKey, matching
from fleetcast.domain.model import Intent, VersionEntry
from fleetcast.domain.role import Right
from fleetcast.domain.run import Run
from fleetcast.pipeline.releases import SERVED_IN
from fleetcast.ports.platform import Platform

_DESELECTED = "model.deselected"


@dataclass(frozen=True, slots=True)
class Retired:
    """A circuit that was declared once."""

    key: CircuitKey
    model: str
    last_version: int
    versions: int
    """That stay registered."""
    champion: int | None
    served_in: tuple[str, ...]
    """Environments whose clients are still answered by its model."""
    at: datetime | None
    """When a run took it out of use, aware UTC; None: the next one does."""
    run: str = ""
    """Which; empty: that is not known."""
    commit: str = ""
    """The commit that this run was of, which declares the circuit no more; empty: that is not known."""


@dataclass(frozen=True, slots=True)
class ListRetired:
    """Says which circuits were retired, to whoever may look; read in bulk."""

    platform: Platform

    def __call__(self, fleet: Fleet, patterns: Sequence[str] = ()) -> tuple[Retired, ...]:
        """Those that match a pattern, in the order of their keys.

        Raises:
            Denied: Whoever acts may not look.
            BadInput: A pattern matches none.
        """
        self.platform.control.require(Right.VIEW)
        gone = undeclared(fleet, self.platform.workspace.models.entries())
        wanted = set(matching(sorted(versions[-1].key for versions in gone.values()), patterns))
        chosen = {name: versions for name, versions in gone.items() if versions[-1].key in wanted}
        return tuple(sorted(self._found(chosen), key=lambda one: one.key))

    def of_model(self, fleet: Fleet, name: str) -> Retired | None:
        """The circuit of one model; None if it is declared, or nothing is registered."""
        if any(circuit.model_name == name for circuit in fleet.circuits):
            return None
        versions = self.platform.workspace.models.entries().get(name, ())
        return next(iter(self._found(undeclared(fleet, {name: versions}))), None)

    def _found(self, gone: Mapping[str, Sequence[VersionEntry]]) -> Iterable[Retired]:
        if not gone:
            return
        control = self.platform.control
        intent = control.states.intent()
        told = control.audit.about([about_model(name) for name in gone])
        runs = control.runs.listed()
        for name, versions in gone.items():
            at = _taken_out(name, intent, told.get(about_model(name), ()))
            run = None if at is None else _run_at(at, runs)
            yield Retired(
                versions[-1].key,
                name,
                versions[-1].version,
                len(versions),
                intent.champions.get(name),
                self._served(versions[-1].key),
                at,
                "" if run is None else run.id,
                "" if run is None else run.commit,
            )

    def _served(self, key: CircuitKey) -> tuple[str, ...]:
        found = []
        for environment in SERVED_IN:
            live = self.platform.control.releases.live(environment).get(key.plant)
            if live is not None and key.circuit in live.release.circuits:
                found.append(environment.value)
        return tuple(found)


def undeclared(fleet: Fleet, held: Mapping[str, Sequence[VersionEntry]]) -> dict[str, Sequence[VersionEntry]]:
    """The models whose circuit is no longer declared, by whatever name."""
    names = {circuit.model_name for circuit in fleet.circuits}
    keys = {circuit.key for circuit in fleet.circuits}
    return {
        name: versions
        for name, versions in held.items()
        if versions and name not in names and versions[-1].key not in keys
    }


def _taken_out(name: str, intent: Intent, entries: Sequence[AuditEntry]) -> datetime | None:
    if name in intent.selected:
        return None
    return max((entry.at for entry in entries if entry.event.action == _DESELECTED), default=None)


def _run_at(at: datetime, runs: Sequence[Run]) -> Run | None:
    """The run that was at work at a moment: the last that had begun, of runs that are newest first."""
    return next((run for run in runs if run.started_at <= at), None)
