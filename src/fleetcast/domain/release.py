"""What one endpoint serves: for each circuit of a plant the version that forecasts it, in one environment version.

A release never changes, and is named by what it holds. Changing one circuit makes another release, which differs from
the one before in that entry alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from fleetcast.domain.canonical import digest_of, plain
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import Digest, checked_id
from fleetcast.domain.place import EnvironmentName


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A version from the shared registry, as a release names it."""

    name: str
    version: int
    artifact: Digest
    training_hash: Digest

    def __post_init__(self) -> None:
        if self.version < 1:
            raise BadInput(f"{self.name} has no version {self.version}")

    def __str__(self) -> str:
        return f"{self.name}:{self.version}"


@dataclass(frozen=True, slots=True)
class Release:
    """Everything that a deployment of one plant runs."""

    environment: EnvironmentName
    plant: str
    environment_version: str
    """Of the environment asset that the models run in."""
    circuits: Mapping[str, ServedModel]
    """By circuit id; there is at least one."""
    removed: frozenset[str] = frozenset()
    """Circuits that a release of this plant had once, and that are declared no longer: they are gone, not unknown."""

    def __post_init__(self) -> None:
        checked_id("plant_id", self.plant)
        for circuit in (*self.circuits, *self.removed):
            checked_id("circuit_id", circuit)
        if not self.circuits:
            raise BadInput(f"a release of {self.plant} without a circuit", fix="share a model of it first")
        if both := sorted(self.removed & set(self.circuits)):
            raise BadInput(f"circuit {both[0]} of {self.plant} is removed and served in one release")
        # Sorted and frozen, so that equal releases are written alike.
        ordered = MappingProxyType(dict(sorted(self.circuits.items())))
        object.__setattr__(self, "circuits", ordered)

    @property
    def digest(self) -> Digest:
        """What it is named by: equal content has equal names, on every platform."""
        return digest_of(plain(self))

    def __str__(self) -> str:
        return f"{self.plant}@{self.digest.short}"


class ChangeOf(StrEnum):
    """What becomes of a circuit between two releases."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class CircuitChange:
    """One circuit that is served otherwise than before."""

    circuit: str
    what: ChangeOf
    before: ServedModel | None
    after: ServedModel | None


def changes(before: Release | None, after: Release) -> tuple[CircuitChange, ...]:
    """What a release changes, by circuit; nothing where only the environment version is another.

    Args:
        before: What was served; None: nothing.
        after: Of the same plant and environment.
    """
    were = {} if before is None else before.circuits
    found = []
    for circuit in sorted({*were, *after.circuits}):
        old, new = were.get(circuit), after.circuits.get(circuit)
        if old == new:
            continue
        what = ChangeOf.ADDED if old is None else ChangeOf.REMOVED if new is None else ChangeOf.CHANGED
        found.append(CircuitChange(circuit, what, old, new))
    return tuple(found)


class Kept(StrEnum):
    """Why a circuit does not get the version that it declares."""

    NOT_SHARED = "no shared version stands for what it declares"
    NOT_PASSED = "its version has not passed QA"
    BLOCKED = "its version was rolled back, and is blocked"


@dataclass(frozen=True, slots=True)
class Candidate:
    """What stands for a circuit's declaration now, and why it may not be served."""

    model: ServedModel | None
    why_not: Kept | None = None
    """None: it may be served."""

    def __post_init__(self) -> None:
        if self.model is None and self.why_not is None:
            raise BadInput("a candidate that may be served is a version")


@dataclass(frozen=True, slots=True)
class Composed:
    """A release that was put together, and what of the plant is not in it as declared."""

    release: Release | None
    """None: the plant has nothing that may be served."""
    kept: Mapping[str, Kept] = field(default_factory=lambda: MappingProxyType({}))
    """Circuits that go on with their live version."""
    left_out: Mapping[str, Kept] = field(default_factory=lambda: MappingProxyType({}))
    """Circuits that have none either, and are served by nothing."""


def compose(
    live: Release | None,
    candidates: Mapping[str, Candidate],
    *,
    environment: EnvironmentName,
    plant: str,
    environment_version: str,
    blocked: Collection[Digest] = (),
) -> Composed:
    """Put the next release of a plant together from what may be served.

    A circuit whose new version may not be served goes on with the live one, unless that is blocked. One that the fleet
    declares no longer is removed, and stays so until it is declared again.

    Args:
        live: What is served now; None: nothing.
        candidates: By circuit id, for every circuit that the plant declares.
        environment: Where it is to run.
        plant: Whose it is.
        environment_version: Of the environment asset.
        blocked: Training hashes that were rolled back and are not to be served.
    """
    were = {} if live is None else live.circuits
    circuits: dict[str, ServedModel] = {}
    kept: dict[str, Kept] = {}
    left_out: dict[str, Kept] = {}
    for circuit, candidate in candidates.items():
        model, why_not = candidate.model, candidate.why_not
        if model is not None and why_not is None and model.training_hash in blocked:
            why_not = Kept.BLOCKED
        if model is not None and why_not is None:
            circuits[circuit] = model
            continue
        assert why_not is not None  # noqa: S101  # a candidate without a reason is a version
        old = were.get(circuit)
        if old is not None and old.training_hash not in blocked:
            circuits[circuit], kept[circuit] = old, why_not
        else:
            left_out[circuit] = why_not
    gone = {*were, *(frozenset() if live is None else live.removed)} - set(candidates)
    release = (
        Release(environment, plant, environment_version, circuits, frozenset(gone)) if circuits else None
    )
    return Composed(release, MappingProxyType(kept), MappingProxyType(left_out))
