"""What one endpoint serves: for each circuit of a plant the version that forecasts it, in one environment version.

A release never changes, and is named by what it holds. Changing one circuit makes another release, which differs from
the one before in that entry alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from fleetcast.domain.canonical import digest_of, plain
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import Digest, checked_id
from fleetcast.domain.place import EnvironmentName

_NUMBERS_END = 2**31
"""Numbers of releases are kept in 32 bits."""


@dataclass(frozen=True, slots=True, order=True)
class Endpoint:
    """Where the forecasts of one plant are served in one environment; written `prod/PLANT001`."""

    environment: EnvironmentName
    plant: str

    def __post_init__(self) -> None:
        checked_id("plant_id", self.plant)

    def __str__(self) -> str:
        return f"{self.environment}/{self.plant}"

    @classmethod
    def parse(cls, text: str) -> Endpoint:
        """Read `ENVIRONMENT/PLANT`.

        Raises:
            BadInput: There is no such environment, or the plant's id is not valid.
        """
        environment, slash, plant = text.partition("/")
        known = [name.value for name in EnvironmentName]
        if not slash or environment not in known:
            raise BadInput(
                f"{text!r} names no endpoint",
                fix=f"write it as ENVIRONMENT/PLANT, with one of {', '.join(known)} before the slash",
            )
        return cls(EnvironmentName(environment), plant)


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
    removed: tuple[str, ...] = ()
    """Circuits that a release of this plant had once, and that are declared no longer: they are gone, not unknown.
    Each once, sorted."""

    def __post_init__(self) -> None:
        checked_id("plant_id", self.plant)
        for circuit in (*self.circuits, *self.removed):
            checked_id("circuit_id", circuit)
        if not self.circuits:
            raise BadInput(f"a release of {self.plant} without a circuit", fix="share a model of it first")
        if both := sorted(set(self.removed) & set(self.circuits)):
            raise BadInput(f"circuit {both[0]} of {self.plant} is removed and served in one release")
        # Sorted, and nobody else's, so that equal releases are written alike.
        object.__setattr__(self, "circuits", dict(sorted(self.circuits.items())))
        object.__setattr__(self, "removed", tuple(sorted(set(self.removed))))

    @property
    def digest(self) -> Digest:
        """What it is named by: equal content has equal names, on every platform."""
        return digest_of(plain(self))

    @property
    def endpoint(self) -> Endpoint:
        """Where it is to be served."""
        return Endpoint(self.environment, self.plant)

    def __str__(self) -> str:
        return f"{self.plant}@{self.digest.short}"


@dataclass(frozen=True, slots=True)
class NumberedRelease:
    """A release in the history of its endpoint."""

    number: int
    """Counted 1, 2, 3 at each endpoint; what people name it by. The same content keeps its first number."""
    release: Release
    composed_at: datetime
    composed_by: str

    def __str__(self) -> str:
        return f"{self.release.endpoint}:{self.number}"


@dataclass(frozen=True, slots=True)
class ReleaseName:
    """How people name releases: `prod/PLANT001:3`, or `prod/PLANT001` for the one that is live."""

    endpoint: Endpoint
    number: int | None = None

    @classmethod
    def parse(cls, text: str) -> ReleaseName:
        """Read `ENVIRONMENT/PLANT` or `ENVIRONMENT/PLANT:NUMBER`.

        Raises:
            BadInput: It is neither.
        """
        endpoint, colon, number = text.partition(":")
        if not colon:
            return cls(Endpoint.parse(endpoint))
        if not (number.isascii() and number.isdecimal() and 0 < int(number) < _NUMBERS_END):
            raise BadInput(
                f"{number!r} is no number of a release",
                fix="write it as in prod/PLANT001:3",
            )
        return cls(Endpoint.parse(endpoint), int(number))


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


def served_alone(one: Release, other: Release | None) -> tuple[ServedModel, ...]:
    """The models of a release that another does not serve for the same circuit; all, where there is no other."""
    others = {} if other is None else other.circuits
    return tuple(model for circuit, model in one.circuits.items() if others.get(circuit) != model)


def without_refused(
    release: Release, live: Release, refused: Collection[tuple[str, int]]
) -> tuple[Release, tuple[str, ...]]:
    """An earlier release as it may be served again, and the circuits that are not served as it says.

    A circuit whose version there was refused since stays as it is served now; it is left out where it is not, or where
    that version is refused as well.

    Args:
        release: The earlier one.
        live: What is served now, of the same plant and environment.
        refused: Versions that may not be used, by name and number.
    """
    circuits, other = {}, []
    for circuit, model in release.circuits.items():
        if (model.name, model.version) not in refused:
            circuits[circuit] = model
            continue
        other.append(circuit)
        now = live.circuits.get(circuit)
        if now is not None and (now.name, now.version) not in refused:
            circuits[circuit] = now
    if not other:
        return release, ()
    if not circuits:
        return live, tuple(other)
    return replace(release, circuits=circuits), tuple(other)


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
    gone = {*were, *(() if live is None else live.removed)} - set(candidates)
    release = Release(environment, plant, environment_version, circuits, tuple(gone)) if circuits else None
    return Composed(release, MappingProxyType(kept), MappingProxyType(left_out))
