"""Which moves between environments people decide on, and who may."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from fleetcast.domain.canonical import digest_of, plain
from fleetcast.domain.errors import BadInput
from fleetcast.domain.evidence import PolicyChange
from fleetcast.domain.identity import Digest

ANYONE = "*"
"""As an approver: whoever asks or looks may decide."""


class Gate(StrEnum):
    """A place where something waits for people."""

    REGISTRY_PROMOTION = "registry-promotion"
    TEST_DEPLOYMENT = "test-deployment"
    PROD_DEPLOYMENT = "prod-deployment"


@dataclass(frozen=True, slots=True)
class GatePolicy:
    """Who decides at a gate, and how many different people must agree."""

    approvers: tuple[str, ...] = (ANYONE,)
    """Names, sorted; `*` stands for anyone."""
    minimum: int = 1
    own_request_allowed: bool = True
    """Whether the person who asked may also be one who approves."""
    verified: bool = False
    """Whether only people who are signed in may decide."""

    @property
    def digest(self) -> Digest:
        """Of every field."""
        return digest_of(plain(self))

    def admits(self, other: GatePolicy) -> bool:
        """Whether whoever opens this gate under `other` could open it under this policy too."""
        return (
            (ANYONE in self.approvers or set(other.approvers) <= set(self.approvers))
            and other.minimum >= self.minimum
            and self.own_request_allowed >= other.own_request_allowed
            and self.verified <= other.verified
        )

    def __post_init__(self) -> None:
        if not self.approvers:
            raise BadInput(
                "a gate without approvers never opens", fix="name at least one person, or '*' for anyone"
            )
        for name in self.approvers:
            if not name.strip() or name != name.strip() or not name.isprintable() or len(name) > 200:
                raise BadInput(
                    f"{name[:80]!r} is not a person's name", fix="write the name people sign in with"
                )
        if len(set(self.approvers)) < len(self.approvers):
            raise BadInput("an approver is named twice", fix="name each once")
        if not 1 <= self.minimum <= 100:
            raise BadInput(f"minimum {self.minimum} is out of range", fix="write 1 to 100 people")
        if ANYONE not in self.approvers and self.minimum > len(self.approvers):
            raise BadInput(
                f"{self.minimum} people must approve, but only {len(self.approvers)} may",
                fix="name more approvers or lower `minimum`",
            )
        object.__setattr__(self, "approvers", tuple(sorted(self.approvers)))


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
        "approvers": ", ".join(policy.approvers),
        "minimum": str(policy.minimum),
        "own_request": "allowed" if policy.own_request_allowed else "forbidden",
        "verified": "yes" if policy.verified else "no",
    }


DEFAULT_GATES: Mapping[Gate, GatePolicy] = MappingProxyType(
    {
        Gate.REGISTRY_PROMOTION: GatePolicy(),
        Gate.TEST_DEPLOYMENT: GatePolicy(),
        Gate.PROD_DEPLOYMENT: GatePolicy(minimum=2, own_request_allowed=False, verified=True),
    }
)
"""What holds where the fleet repository says nothing."""
