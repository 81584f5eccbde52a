"""Whether the models in use can be loaded: at a glance for all, or by every byte."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fleetcast.domain.artifact import UnloadableModel
from fleetcast.domain.circuit import Circuit
from fleetcast.domain.identity import Digest
from fleetcast.domain.model import FleetIndex, VersionEntry
from fleetcast.ports.artifacts import ArtifactMissing, ArtifactStore


def in_use(circuits: Sequence[Circuit], index: FleetIndex) -> Iterator[tuple[Circuit, VersionEntry]]:
    """Each circuit with its champion, and with the version it uses where that is another."""
    for circuit in circuits:
        name = circuit.model_name
        numbers = (index.intent.champions.get(name), index.intent.selected.get(name))
        for entry in index.versions.get(name, ()):
            if entry.version in numbers:
                yield circuit, entry


def unloadable_at_a_glance(
    circuits: Sequence[Circuit], index: FleetIndex, artifacts: ArtifactStore
) -> tuple[UnloadableModel, ...]:
    """The models in use whose files are not there, or champions' not in their size; nothing is read.

    What is no champion yet is read whole by the run that asks for its promotion; a champion only when it forecasts.
    """
    used = list(in_use(circuits, index))
    champions = index.intent.champions
    sizes: dict[Digest, int | None] = {entry.artifact: None for _, entry in used}
    sizes |= {
        entry.artifact: entry.artifact_bytes
        for _, entry in used
        if champions.get(entry.name) == entry.version
    }
    lacking = artifacts.lacking(sizes)
    return tuple(
        unloadable(circuit, entry, index, lacking[entry.artifact])
        for circuit, entry in used
        if entry.artifact in lacking
    )


def unloadable(circuit: Circuit, entry: VersionEntry, index: FleetIndex, why: str) -> UnloadableModel:
    """A model in use that cannot be loaded, for a reason."""
    champion = index.intent.champions.get(entry.name) == entry.version
    return UnloadableModel(circuit.key, entry.name, entry.version, champion, why)


def damage(artifact: Digest, artifacts: ArtifactStore) -> str:
    """Why an artifact cannot be loaded, after reading every byte of it; empty if it can."""
    try:
        artifacts.folder(artifact)
    except ArtifactMissing as error:
        return str(error)
    return ""
