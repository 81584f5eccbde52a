"""Which moves between environments people decide on, and who may."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from types import MappingProxyType

from fleetcast.domain.canonical import LATER, Json, digest_of, plain
from fleetcast.domain.duration import format_duration
from fleetcast.domain.errors import BadInput
from fleetcast.domain.evidence import PolicyChange
from fleetcast.domain.freeze import Freeze, never_thaws
from fleetcast.domain.given import LONGEST_NAME, check_line
from fleetcast.domain.identity import Digest
from fleetcast.domain.place import Gate

ANYONE = "*"
"""As an approver: whoever asks or looks may decide."""
LAPSES_AFTER = timedelta(days=30)
"""How long people have to agree at most, and where a policy says nothing."""


@dataclass(frozen=True, slots=True)
class GatePolicy:
    """Who decides at a gate, how many different people must agree, and when it may open."""

    approvers: tuple[str, ...] = (ANYONE,)
    """Names of people, sorted; `*` stands for anyone who may decide here."""
    minimum: int = 1
    own_request_allowed: bool = True
    """Whether the person who asked may also be one who approves."""
    verified: bool = False
    """Whether only people who are signed in may decide."""
    groups: tuple[str, ...] = field(default=(), metadata=LATER)
    """Groups whose people may decide too, sorted."""
    services: tuple[str, ...] = field(default=(), metadata=LATER)
    """Service accounts that may decide too, sorted: no other one counts, whatever else is written."""
    sequence: tuple[str, ...] = field(default=(), metadata=LATER)
    """Groups of which one person each must approve, in this order, before anybody else's approval counts."""
    own_commit_allowed: bool = field(default=True, metadata=LATER)
    """Whether the person who wrote the commit may approve."""
    own_version_allowed: bool = field(default=True, metadata=LATER)
    """Whether the person who made the version may approve."""
    failing_allowed: bool = field(default=True, metadata=LATER)
    """Whether people may approve what failed a check."""
    not_before: timedelta = field(default=timedelta(0), metadata=LATER)
    """How long after it was asked the gate opens at the earliest."""
    lapses_after: timedelta = field(default=LAPSES_AFTER, metadata=LATER)
    """How long people have to agree."""
    freezes: tuple[Freeze, ...] = field(default=(), metadata=LATER)
    """When nothing opens, sorted."""
    break_glass: bool = field(default=False, metadata=LATER)
    """Whether somebody who has that right may go through without approvals."""
    unsigned_allowed: bool = field(default=False, metadata=LATER)
    """Whether a model goes through whose manifest nobody has signed."""

    @property
    def digest(self) -> Digest:
        """Of every field; one that came later enters it once it says something else than before."""
        return digest_of(plain(self))

    @property
    def later_rules(self) -> dict[str, Json]:
        """The fields that came later and say something else than before, as JSON."""
        return {
            each.name: plain(getattr(self, each.name))
            for each in fields(self)
            if "later" in each.metadata and getattr(self, each.name) != each.default
        }

    @property
    def people_needed(self) -> int:
        """How many different people must approve."""
        return max(self.minimum, len(self.sequence))

    def admits(self, other: GatePolicy) -> bool:
        """Whether whoever opens this gate under `other` could open it under this policy too."""
        return self._admits_people(other) and self._admits_times(other)

    def _admits_people(self, other: GatePolicy) -> bool:
        anyone = ANYONE in self.approvers
        return (
            (anyone or set(other.approvers) <= set(self.approvers))
            and (anyone or set(other.groups) <= set(self.groups))
            and set(other.services) <= set(self.services)
            and other.sequence[: len(self.sequence)] == self.sequence
            and other.people_needed >= self.people_needed
            and self.own_request_allowed >= other.own_request_allowed
            and self.own_commit_allowed >= other.own_commit_allowed
            and self.own_version_allowed >= other.own_version_allowed
            and self.verified <= other.verified
            and self.break_glass >= other.break_glass
            and self.unsigned_allowed >= other.unsigned_allowed
        )

    def _admits_times(self, other: GatePolicy) -> bool:
        return (
            self.failing_allowed >= other.failing_allowed
            and self.not_before <= other.not_before
            and self.lapses_after >= other.lapses_after
            and all(any(mine.within(theirs) for theirs in other.freezes) for mine in self.freezes)
        )

    def __post_init__(self) -> None:
        if not self.approvers and not self.groups:
            raise BadInput(
                "a gate without approvers never opens", fix="name at least one person, or '*' for anyone"
            )
        for what, names in (("an approver", self.approvers), ("a group", self.groups)):
            _check_names(what, names)
        _check_names("a service account", self.services)
        _check_names("a group of the sequence", self.sequence)
        if ANYONE in (*self.groups, *self.services, *self.sequence):
            raise BadInput("'*' stands for anyone among approvers only", fix="name groups and services")
        if ANYONE in self.approvers and self.groups:
            raise BadInput("approvers are anyone, so groups narrow nothing", fix="write one of the two")
        if not 1 <= self.minimum <= 100 or len(self.sequence) > 100:
            raise BadInput(f"minimum {self.minimum} is out of range", fix="write 1 to 100 people")
        may = len(self.approvers) + len(self.services)
        if ANYONE not in self.approvers and not self.groups and self.people_needed > may:
            raise BadInput(
                f"{self.people_needed} people must approve, but only {may} may",
                fix="name more approvers or lower `minimum`",
            )
        self._check_times()
        for name in ("approvers", "groups", "services"):
            object.__setattr__(self, name, tuple(sorted(getattr(self, name))))
        object.__setattr__(self, "freezes", tuple(sorted(self.freezes, key=str)))

    def _check_times(self) -> None:
        if not timedelta(hours=1) <= self.lapses_after <= LAPSES_AFTER:
            raise BadInput(
                f"a time of {_length(self.lapses_after)} to decide is out of range", fix="write 1h to 30d"
            )
        if not timedelta(0) <= self.not_before < self.lapses_after:
            raise BadInput(
                f"a gate that opens {_length(self.not_before)} after it was asked, and lapses after "
                f"{_length(self.lapses_after)}, never opens",
                fix="write a `not_before` that is shorter than `lapses_after`",
            )
        if len(set(self.freezes)) < len(self.freezes) or len(self.freezes) > 100:
            raise BadInput("a freeze is written twice, or there are more than 100", fix="write each once")
        if never_thaws(self.freezes):
            raise BadInput(
                "a gate that is frozen the whole week never opens", fix="leave some hours of the week free"
            )


def _check_names(what: str, names: tuple[str, ...]) -> None:
    for name in names:
        check_line(name, f"the name {name[:40]!r}", LONGEST_NAME)
        if not name.strip() or name != name.strip():
            raise BadInput(f"{name[:80]!r} is not a person's name", fix="write the name people sign in with")
    if len(set(names)) < len(names):
        raise BadInput(f"{what} is named twice", fix="name each once")


def _length(length: timedelta) -> str:
    return format_duration(length) if length else "0s"


def effective(
    in_force: Mapping[Gate, GatePolicy], declared: Mapping[Gate, GatePolicy]
) -> Mapping[Gate, GatePolicy]:
    """What holds at each gate: the declared policy where it only restricts the one in force, else that one."""
    return {
        gate: declared[gate] if policy.admits(declared[gate]) else policy for gate, policy in in_force.items()
    }


def differences(before: GatePolicy, after: GatePolicy) -> tuple[PolicyChange, ...]:
    """The fields that differ, by the names of the fleet repository."""
    old, new = _as_declared(before), _as_declared(after)
    return tuple(PolicyChange(name, old[name], new[name]) for name in old if old[name] != new[name])


def _as_declared(policy: GatePolicy) -> Mapping[str, str]:
    return {
        "approvers": ", ".join(policy.approvers) or "none",
        "groups": ", ".join(policy.groups) or "none",
        "services": ", ".join(policy.services) or "none",
        "minimum": str(policy.minimum),
        "sequence": ", then ".join(policy.sequence) or "none",
        "own_request": _allowed(policy.own_request_allowed),
        "own_commit": _allowed(policy.own_commit_allowed),
        "own_version": _allowed(policy.own_version_allowed),
        "verified": "yes" if policy.verified else "no",
        "failing_checks": _allowed(policy.failing_allowed),
        "not_before": _length(policy.not_before),
        "lapses_after": _length(policy.lapses_after),
        "freezes": ", ".join(map(str, policy.freezes)) or "none",
        "break_glass": _allowed(policy.break_glass),
        "unsigned": _allowed(policy.unsigned_allowed),
    }


def _allowed(allowed: bool) -> str:  # noqa: FBT001  # a field's value, put into words
    return "allowed" if allowed else "forbidden"


DEFAULT_GATES: Mapping[Gate, GatePolicy] = MappingProxyType(
    {
        Gate.REGISTRY_PROMOTION: GatePolicy(),
        Gate.TEST_DEPLOYMENT: GatePolicy(),
        Gate.PROD_DEPLOYMENT: GatePolicy(minimum=2, own_request_allowed=False, verified=True),
    }
)
"""What holds where the fleet repository says nothing."""
