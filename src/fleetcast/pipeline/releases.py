"""Putting releases together: what the fleet declares, as far as it may be served."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from types import MappingProxyType

from fleetcast.domain.circuit import Circuit, Serving
from fleetcast.domain.errors import BadInput
from fleetcast.domain.fleet import Fleet
from fleetcast.domain.identity import Digest, matching_plants
from fleetcast.domain.model import FleetIndex, Refusal, VersionEntry
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.release import (
    Candidate,
    Composed,
    Endpoint,
    Kept,
    NumberedRelease,
    ServedModel,
    compose,
)
from fleetcast.domain.training_hash import training_hash, training_inputs
from fleetcast.pipeline.index import ReadIndex
from fleetcast.ports.models import Shared
from fleetcast.ports.platform import Platform
from fleetcast.ports.releases import ReleaseBook

SERVED_IN = (EnvironmentName.TEST, EnvironmentName.PROD)
"""Nothing is served in dev: models are trained and looked at there."""
_HISTORY = 50
"""Releases that are looked through for what a circuit was served by before."""
Passed = Collection[tuple[str, int]]
"""Versions that passed QA, by name and number."""


@dataclass(frozen=True, slots=True)
class PlantComposed:
    """What would be served for one plant, and what is served now."""

    endpoint: Endpoint
    live: NumberedRelease | None
    composed: Composed
    batch_only: bool = False
    """Whether no client asks for any of its circuits: then nothing has to serve them."""


@dataclass(frozen=True, slots=True)
class WhatThereIs:
    """All that a release is put together from, read in bulk."""

    index: FleetIndex
    shared: Shared
    live: Mapping[str, NumberedRelease]
    """By plant."""
    passed: Passed | None
    """Versions that passed QA; None: it is not asked for."""

    @property
    def blocked(self) -> frozenset[Digest]:
        """Training hashes of versions that were rolled back."""
        refused = self.index.intent.refused
        gone = [version for version, refusal in refused.items() if refusal is Refusal.BLOCKED]
        entries = (self.index.entry(name, number) for name, number in gone)
        return frozenset(entry.training_hash for entry in entries if entry is not None)


def what_there_is(platform: Platform, environment: EnvironmentName) -> WhatThereIs:
    """Read it; production alone asks that a version has passed QA."""
    index = ReadIndex.of(platform)()
    return WhatThereIs(
        index,
        platform.workspace.shared.shared(),
        platform.control.releases.live(environment),
        index.intent.passed_qa if environment is EnvironmentName.PROD else None,
    )


def composed_plants(
    fleet: Fleet, environment: EnvironmentName, there: WhatThereIs, patterns: Sequence[str] = ()
) -> Iterator[PlantComposed]:
    """What would be served for each plant that the fleet declares.

    Args:
        fleet: What should be.
        environment: Where.
        there: What is.
        patterns: Of the plants that are wanted, with `*` and `?`; all without any.

    Raises:
        BadInput: Nothing is served in this environment, or a pattern matches no plant.
    """
    check_served_in(environment)
    plants = {plant: list(held) for plant, held in groupby(fleet.circuits, lambda one: one.key.plant)}
    blocked = there.blocked
    for plant in matching_plants(list(plants), patterns):
        live = there.live.get(plant)
        candidates = {one.key.circuit: _candidate(one, there) for one in plants[plant]}
        composed = compose(
            None if live is None else live.release,
            candidates,
            environment=environment,
            plant=plant,
            environment_version=_environment_version(fleet, there.shared, live),
            blocked=blocked,
        )
        batch_only = all(one.serving is Serving.BATCH for one in plants[plant])
        yield PlantComposed(Endpoint(environment, plant), live, composed, batch_only)


def check_served_in(environment: EnvironmentName) -> None:
    """Make sure that something is served in an environment.

    Raises:
        BadInput: Nothing ever is.
    """
    if environment not in SERVED_IN:
        raise BadInput(f"nothing is served in {environment}", fix=f"name one of {', '.join(SERVED_IN)}")


def _candidate(circuit: Circuit, there: WhatThereIs) -> Candidate:
    """What stands for a circuit's declaration: the newest version of its hash, if it may be served."""
    wanted = training_hash(training_inputs(circuit))
    versions = there.index.versions.get(circuit.model_name, ())
    standing = [entry for entry in reversed(versions) if entry.carries(wanted)]
    usable = [entry for entry in standing if there.index.refusal(entry.name, entry.version) is None]
    shared = there.shared.models.get(circuit.model_name, ())
    offered = [entry for entry in usable if entry.version in shared]
    if not offered:
        refusals = {there.index.refusal(entry.name, entry.version) for entry in standing}
        rolled_back = not usable and Refusal.BLOCKED in refusals
        return Candidate(None, Kept.BLOCKED if rolled_back else Kept.NOT_SHARED)
    passed = [
        entry for entry in offered if there.passed is None or (entry.name, entry.version) in there.passed
    ]
    if not passed:
        return Candidate(_served(offered[0]), Kept.NOT_PASSED)
    return Candidate(_served(passed[0]))


def _served(entry: VersionEntry) -> ServedModel:
    return ServedModel(entry.name, entry.version, entry.artifact, entry.training_hash)


def _environment_version(fleet: Fleet, shared: Shared, live: NumberedRelease | None) -> str:
    """The declared environment version once it is shared; until then the one that serves.

    Raises:
        BadInput: It is not shared, and nothing serves.
    """
    name, declared = fleet.environment.name, str(fleet.environment.version)
    if declared in shared.environments.get(name, ()):
        return declared
    if live is not None:
        return live.release.environment_version
    raise BadInput(
        f"environment {name}:{declared} is not in the shared registry",
        fix="run `fleetcast train`, approve what it asks for, and run it again",
    )


def previous_of(
    releases: ReleaseBook, release: NumberedRelease, refused: Collection[tuple[str, int]]
) -> Mapping[str, ServedModel]:
    """By circuit, the newest other version that an earlier release had: what takes its place.

    Args:
        releases: All there are.
        release: What is served.
        refused: Versions that may not be used, by name and number: they take nothing's place.
    """
    found: dict[str, ServedModel] = {}
    for earlier in releases.history(release.release.endpoint, _HISTORY):
        if earlier.number >= release.number:
            continue
        for circuit, model in earlier.release.circuits.items():
            if model != release.release.circuits.get(circuit) and (model.name, model.version) not in refused:
                found.setdefault(circuit, model)
    return MappingProxyType(found)
