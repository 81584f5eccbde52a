"""What the audit log tells when it is read from its beginning, and which rows beside it say something else.

Rows are caches: whoever can write to the database can type into them, but not seal an entry of the log.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from fleetcast.domain.audit import (
    ADOPTED,
    COMPOSED,
    CROWNED,
    ENVIRONMENT_REGISTERED,
    GENESIS,
    MADE_LIVE,
    REGISTERED,
    RETIRED,
    SHARED,
    Actor,
    AuditEntry,
    AuditEvent,
)
from fleetcast.domain.canonical import Json, canonical_json, plain
from fleetcast.domain.errors import FleetcastError
from fleetcast.domain.gate import GatePolicy
from fleetcast.domain.identity import Digest
from fleetcast.domain.model import VersionEntry
from fleetcast.domain.people import Directory, folded
from fleetcast.domain.place import Gate


@dataclass(frozen=True, slots=True)
class BrokenLog:
    """A log that is not as it was written; the first entry that shows it."""

    number: int
    action: str
    why: str
    """To go on from `entry 17`."""

    def __str__(self) -> str:
        return f"audit entry {self.number} ({self.action}) {self.why}"


@dataclass(frozen=True, slots=True)
class OtherRow:
    """A row that says something else than the log."""

    what: str
    """`the policy of registry-promotion`, `the champion of plant1-circuit2`."""
    in_row: str
    in_log: str

    def __str__(self) -> str:
        return f"{self.what}: the row says {self.in_row}, the log {self.in_log}"


class NotBelieved(FleetcastError):
    """Something in the database that the log does not say; nothing happens on the strength of it."""

    def __init__(self, why: BrokenLog | OtherRow) -> None:
        super().__init__(f"the control database was changed outside fleetcast: {why}; nothing was done")
        self.fix = "see all of it with `fleetcast audit verify`, and restore a backup of the control database"


@dataclass(slots=True)
class Chronicle:
    """What the log tells, after its last entry."""

    entries: int = 0
    head: Digest = GENESIS
    policies: dict[str, str] = field(default_factory=dict)
    """Digests by gate."""
    people: dict[str, str] = field(default_factory=dict)
    """By id; here and below as canonical JSON."""
    groups: dict[str, str] = field(default_factory=dict)
    grants: set[str] = field(default_factory=set)
    revoked: set[str] = field(default_factory=set)
    """Grants that were taken back, and not given again since."""
    champions: dict[str, int] = field(default_factory=dict)
    last_shared: dict[str, int] = field(default_factory=dict)
    """The first versions of fleetcast noted no more of a champion than that it was shared."""
    artifacts: dict[str, str] = field(default_factory=dict)
    """Digests by `NAME:VERSION` of what was registered."""
    shared: dict[str, str] = field(default_factory=dict)
    """The same of what was shared."""
    retired: set[str] = field(default_factory=set)
    """`NAME:VERSION` of those whose files retention removed; that is never undone."""
    releases: dict[str, str] = field(default_factory=dict)
    """Digests by `ENVIRONMENT/PLANT:NUMBER`."""
    live: dict[str, int] = field(default_factory=dict)
    """Numbers of what serves, by `ENVIRONMENT/PLANT`."""
    environments: dict[str, Actor] = field(default_factory=dict)
    """Who registered each, by `NAME:VERSION`."""
    requests: dict[int, list[AuditEntry]] = field(default_factory=dict)
    """All entries about those requests that were asked for."""

    def add(self, entry: AuditEntry) -> None:
        """Go on by one entry."""
        self.entries, self.head = entry.number, entry.digest
        event = entry.event
        number = event.detail.get("request")
        if isinstance(number, int) and number in self.requests:
            self.requests[number].append(entry)
        if event.action == ENVIRONMENT_REGISTERED:
            self.environments.setdefault(event.subject, entry.actor)
        else:
            self.note(event)

    def note(self, event: AuditEvent) -> None:
        """Take note of what happened, where it does not matter who did it."""
        kind = event.action.partition(".")[0]
        if kind == "model":
            self._model(event)
        elif kind == "release":
            self._release(event)
        elif kind == "policy":
            self.policies[event.subject] = str(event.detail.get("digest"))
        elif kind in ("person", "group", "role"):
            self._people(kind, event)

    def _model(self, event: AuditEvent) -> None:
        name, _, version = event.subject.rpartition(":")
        if event.action == CROWNED:
            self.champions[name] = int(version)
        elif event.action in (REGISTERED, ADOPTED):
            self.artifacts[event.subject] = str(event.detail.get("artifact"))
        elif event.action == SHARED:
            self.shared[event.subject] = str(event.detail.get("artifact"))
            self.last_shared[name] = int(version)
        elif event.action == RETIRED:
            self.retired.add(event.subject)

    def _release(self, event: AuditEvent) -> None:
        endpoint, _, number = event.subject.rpartition(":")
        if event.action == COMPOSED:
            self.releases[event.subject] = str(event.detail.get("digest"))
        elif event.action == MADE_LIVE:
            self.live[endpoint] = int(number)

    def go_on(self, later: Chronicle) -> None:
        """Go on by what a later part of the log tells, which begins right after this one."""
        self.entries, self.head = later.entries, later.head
        self.policies |= later.policies
        self.people |= later.people
        self.groups |= later.groups
        self.champions |= later.champions
        self.last_shared |= later.last_shared
        self.artifacts |= later.artifacts
        self.shared |= later.shared
        self.retired |= later.retired
        self.releases |= later.releases
        self.live |= later.live
        self.grants = (self.grants - later.revoked) | later.grants
        self.revoked = (self.revoked - later.grants) | later.revoked
        for environment, actor in later.environments.items():
            self.environments.setdefault(environment, actor)
        for number, entries in later.requests.items():
            self.requests.setdefault(number, []).extend(entries)

    def champion(self, name: str, in_row: int | None) -> int | None:
        """Which version is the champion of a model, where a row says so of one."""
        if name in self.champions or in_row is None:
            return self.champions.get(name)
        return in_row if self.last_shared.get(name) == in_row else None

    def _people(self, kind: str, event: AuditEvent) -> None:
        before, after = event.detail.get("before"), event.detail.get("after")
        if kind == "role":
            if before is not None:
                self.grants.discard(canonical_json(before))
                self.revoked.add(canonical_json(before))
            if after is not None:
                self.grants.add(canonical_json(after))
                self.revoked.discard(canonical_json(after))
        elif isinstance(after, Mapping):
            by, key = (self.people, after["id"]) if kind == "person" else (self.groups, after["name"])
            by[str(key) if kind == "person" else folded(str(key))] = canonical_json(after)


def read_log(parts: Iterable[Chronicle | BrokenLog], requests: Collection[int] = ()) -> Chronicle | BrokenLog:
    """What a log tells, from its parts.

    Args:
        parts: What each tells, or where it is broken; in their order, each a chain from where the one before ends.
        requests: The requests whose entries were kept.
    """
    told = Chronicle(requests={number: [] for number in requests})
    for part in parts:
        if isinstance(part, BrokenLog):
            return part
        told.go_on(part)
    return told


def other_rules(
    told: Chronicle, policies: Mapping[Gate, GatePolicy], directory: Directory
) -> Iterator[OtherRow]:
    """Policies and people whose rows are not what the log tells."""
    digests = {gate.value: policy.digest.hex for gate, policy in policies.items()}
    yield from _differing("the policy of {}", digests, told.policies)
    people = {person.id: _written(person) for person in directory.people}
    yield from _differing("person {}", people, told.people)
    groups = {folded(group.name): _written(group) for group in directory.groups}
    yield from _differing("the group {}", groups, told.groups)
    for grant in sorted({_written(one) for one in directory.grants} ^ told.grants):
        there = "is there", "says nothing of it"
        in_row, in_log = there if grant not in told.grants else ("is gone", "says it was given")
        yield OtherRow(f"the role {grant}", in_row, in_log)


def other_models(
    told: Chronicle,
    champions: Mapping[str, int],
    versions: Mapping[str, Sequence[VersionEntry]],
    shared: Mapping[str, Collection[int]],
    unconfirmed: Collection[str],
    retired: Collection[str],
) -> Iterator[OtherRow]:
    """Champions, versions and shared versions whose rows are not what the log tells.

    Args:
        told: What the log tells.
        champions: Version numbers by model.
        versions: What is registered, by model.
        shared: What is shared, by model.
        unconfirmed: `NAME:VERSION` of what was shared, perhaps, in a run that had no time to say so.
        retired: `NAME:VERSION` of those whose files retention removed.
    """
    names = {*champions, *told.champions}
    crowned = {name: told.champion(name, champions.get(name)) for name in names}
    yield from _differing("the champion of {}", champions, crowned)
    registered = {
        f"{entry.name}:{entry.version}": entry.artifact.hex for held in versions.values() for entry in held
    }
    yield from _differing("the artifact of {}", registered, told.artifacts)
    there = {f"{name}:{version}" for name, numbers in shared.items() for version in numbers}
    for one in sorted((there - set(told.shared) - set(unconfirmed)) | (set(told.shared) - there)):
        in_row, in_log = ("is there", "does not know it") if one in there else ("is gone", "knows it")
        yield OtherRow(f"the shared model {one}", in_row, in_log)
    for one in sorted(set(retired) ^ told.retired):
        in_row, in_log = ("is there", "does not know it") if one in retired else ("is gone", "knows it")
        yield OtherRow(f"the removal of the files of {one}", in_row, in_log)


def other_releases(
    told: Chronicle, releases: Mapping[str, Digest], live: Mapping[str, int]
) -> Iterator[OtherRow]:
    """Releases, and which of them serve, whose rows are not what the log tells.

    Args:
        told: What the log tells.
        releases: Digests by `ENVIRONMENT/PLANT:NUMBER`.
        live: Numbers by `ENVIRONMENT/PLANT`.
    """
    digests = {name: digest.hex for name, digest in releases.items()}
    yield from _differing("release {}", digests, told.releases)
    yield from _differing("what is live at {}", live, told.live)


def champion_disagreement(
    name: str, version: int, artifact: Digest, entries: Sequence[AuditEntry]
) -> OtherRow | None:
    """What the log says otherwise about a champion that is about to be used.

    Args:
        name: Of the model.
        version: The champion, as a row says.
        artifact: What it consists of, as a row says.
        entries: All of the log about the model, oldest first.
    """
    told = Chronicle()
    for entry in entries:
        told.add(entry)
    one = f"{name}:{version}"
    rows = _differing("the champion of {}", {name: version}, {name: told.champion(name, version)})
    files = _differing("the artifact of {}", {one: artifact.hex}, {one: told.artifacts.get(one)})
    return next(iter([*rows, *files]), None)


def _differing(what: str, rows: Mapping[str, object], log: Mapping[str, object]) -> Iterator[OtherRow]:
    for key in sorted({*rows, *log}):
        in_row, in_log = rows.get(key), log.get(key)
        if in_row != in_log:
            yield OtherRow(what.format(key), _short(in_row), _short(in_log))


def _short(value: object) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 80 else text[:77] + "…"


def _written(value: object) -> str:
    said: Json = plain(value)
    return canonical_json(said)
