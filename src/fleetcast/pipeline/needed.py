"""What of a fleet is needed, whatever its age: read from everything that chooses, serves or asks about a version."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Set
from itertools import chain

from fleetcast.domain.approval import RequestState, SubjectKind
from fleetcast.domain.fleet import Fleet
from fleetcast.domain.model import FleetIndex
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.release import NumberedRelease
from fleetcast.domain.retention import Stays, Version
from fleetcast.domain.training_hash import training_hash, training_inputs
from fleetcast.pipeline.releases import SERVED_IN, previous_of
from fleetcast.ports.platform import Platform

_BEFORE = 2
"""So many releases before the one that serves are kept whole, besides the version before of each circuit."""
_ASKED = (RequestState.PENDING, RequestState.APPROVED, RequestState.BROKEN_GLASS)
Needed = Mapping[Version, Set[Stays]]


def needed_versions(platform: Platform, fleet: Fleet, index: FleetIndex) -> Needed:
    """Why versions are needed, by name and number; those that are not in it are not.

    Raises:
        Unavailable: The platform does not say what serves: then nobody knows what may go.
    """
    found: defaultdict[Version, set[Stays]] = defaultdict(set)
    for name, number in index.intent.selected.items():
        found[name, number].add(Stays.SELECTED)
    for name, number in index.intent.champions.items():
        found[name, number].add(Stays.CHAMPION)
    for name, numbers in platform.workspace.shared.shared().models.items():
        for number in numbers:
            found[name, number].add(Stays.SHARED)
    for circuit in fleet.circuits:
        entry = index.with_hash(circuit.model_name, training_hash(training_inputs(circuit)))
        if entry is not None:
            found[entry.name, entry.version].add(Stays.DECLARED)
    for outline in platform.control.approvals.outlines(_ASKED):
        if outline.kind is SubjectKind.MODEL:
            found[outline.name, int(outline.version)].add(Stays.ASKED)
    for environment in SERVED_IN:
        for version, reason in _served(platform, environment, index.intent.refused):
            found[version].add(reason)
    return dict(found)


def _served(
    platform: Platform, environment: EnvironmentName, refused: Collection[Version]
) -> Iterable[tuple[Version, Stays]]:
    """What serves in an environment, served before, or may serve next."""
    releases, deployments = platform.control.releases, platform.control.deployments
    live, newest = releases.live(environment), releases.newest(environment)
    standing = platform.workspace.endpoints.standing(environment)
    told = {digest for one in standing.values() for digest in (one.blue, one.green) if digest is not None}
    rollouts = deployments.rollouts(environment).values()
    coming = {one.rollout.green for one in rollouts if not one.rollout.phase.is_over}
    coming |= {planned.release for one in deployments.open_ones(environment) for planned in one.plan.releases}
    known = releases.of_digests(told | coming)
    next_ones = [one for plant, one in newest.items() if plant not in live or one.number > live[plant].number]
    yield from _models(chain(live.values(), (known[one] for one in told & known.keys())), Stays.DEPLOYED)
    yield from _models(chain(next_ones, (known[one] for one in coming & known.keys())), Stays.COMING)
    for one in standing.values():
        for override in one.overrides:
            if override.model is not None:
                yield (override.model.name, override.model.version), Stays.OVERRIDE
    for release in live.values():
        # With what was refused and without: an unblocked version takes its place again.
        for before in (previous_of(releases, release, refused), previous_of(releases, release, ())):
            for model in before.values():
                yield (model.name, model.version), Stays.PREVIOUS
        history = releases.history(release.release.endpoint, 50)
        earlier = [one for one in history if one.number < release.number]
        yield from _models(earlier[:_BEFORE], Stays.PREVIOUS)


def _models(releases: Iterable[NumberedRelease], reason: Stays) -> Iterable[tuple[Version, Stays]]:
    for one in releases:
        for model in one.release.circuits.values():
            yield (model.name, model.version), reason


def needed_table_versions(fleet: Fleet, index: FleetIndex, source: str) -> Mapping[int, Stays]:
    """The versions of a table of readings that circuits name, or that models were trained on whose files are kept."""
    found = {
        int(str(entry.inputs["delta_version"])): Stays.TRAINED_ON
        for entries in index.versions.values()
        for entry in entries
        if (entry.name, entry.version) not in index.intent.removed
        and entry.inputs.get("data_source") == source
    }
    named = {circuit.delta_version for circuit in fleet.circuits if circuit.data_source == source}
    return found | dict.fromkeys(named, Stays.PINNED)
