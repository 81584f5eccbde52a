"""Gate policies, as they are written down: whole, as a field that is missing must not open a gate by its default."""

from __future__ import annotations

from dataclasses import dataclass

from fleetcast.domain.gate import GatePolicy
from fleetcast.stored.form import Stored


@dataclass(frozen=True, slots=True)
class WholePolicy:
    """A gate policy of which nothing may be left out."""

    approvers: tuple[str, ...]
    minimum: int
    own_request_allowed: bool
    verified: bool

    @classmethod
    def of(cls, policy: GatePolicy) -> WholePolicy:
        """All of a policy."""
        return cls(policy.approvers, policy.minimum, policy.own_request_allowed, policy.verified)

    @property
    def policy(self) -> GatePolicy:
        """The policy.

        Raises:
            BadInput: It is none that anybody could satisfy.
        """
        return GatePolicy(self.approvers, self.minimum, self.own_request_allowed, self.verified)


GATE_POLICY = Stored(WholePolicy)
