"""Circuits that are to be trained and have no job: the stages that need one say so."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from fleetcast.domain.circuit import Circuit
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.plan import Train


def without_job(wanted: Sequence[tuple[Circuit, Train]], jobs: Collection[Digest]) -> tuple[CircuitKey, ...]:
    """The circuits to train for which there is no job: nobody submitted it yet, or it is gone."""
    return tuple(circuit.key for circuit, action in wanted if action.training_hash not in jobs)


def says_without(keys: Sequence[CircuitKey]) -> str:
    """For people, about circuits that have no job."""
    return f"{len(keys)} without a job ({keys[0]}): run SubmitTraining"
