"""Which moves between environments people decide on, and who may."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from fleetcast.domain.errors import BadInput

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


DEFAULT_GATES: Mapping[Gate, GatePolicy] = MappingProxyType(
    {
        Gate.REGISTRY_PROMOTION: GatePolicy(),
        Gate.TEST_DEPLOYMENT: GatePolicy(),
        Gate.PROD_DEPLOYMENT: GatePolicy(minimum=2, own_request_allowed=False),
    }
)
"""What holds where the fleet repository says nothing."""
