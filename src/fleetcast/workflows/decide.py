"""Record what people decide on requests. Nothing else happens here; the next run acts on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fleetcast.domain.approval import Choice, NotDecidable, Request, RequestState, passing, set_digest
from fleetcast.domain.gate import Gate, GatePolicy, effective
from fleetcast.domain.people import Right
from fleetcast.ports.clock import Clock
from fleetcast.ports.platform import Control


@dataclass(frozen=True, slots=True)
class Decide:
    """Record the decision of whoever acts, on one request or on several at once."""

    control: Control
    gates: Mapping[Gate, GatePolicy]
    """As the fleet repository says: what it restricts holds at once."""
    clock: Clock

    def __call__(self, requests: Sequence[int], choice: Choice, comment: str) -> Sequence[Request]:
        """Decide on requests by their numbers, all or none.

        Raises:
            Denied: Whoever acts may not decide there.
            BadInput: There is no such request, or a rejection without a reason.
            NotDecidable: One of them has ended, or this person may not decide on it; nothing was recorded.
        """
        found = [self.control.approvals.find(number) for number in dict.fromkeys(requests)]
        return self._decide(found, choice, comment)

    def pending(self) -> Sequence[Request]:
        """What waits for a decision, oldest first.

        Raises:
            Denied: Whoever acts may not look.
        """
        self.control.require(Right.VIEW)
        now = self.clock.now()
        waiting = self.control.approvals.listed((RequestState.PENDING,))
        return [request for request in waiting if request.as_of(now).state is RequestState.PENDING]

    def passing(self, comment: str, displayed: str | None = None) -> Sequence[Request]:
        """Approve every pending request whose checks pass.

        Args:
            comment: Why.
            displayed: The set digest that was shown, whole or its beginning; None skips the comparison.

        Raises:
            NotDecidable: What waits is not what was displayed.
        """
        requests = passing(self.pending())
        digest = set_digest(requests)
        if displayed is not None and (len(displayed) < 8 or not digest.hex.startswith(displayed)):
            raise NotDecidable(
                f"the passing requests are {digest} now, not {displayed}",
                fix="look again with `fleetcast approvals list`",
            )
        return self._decide(requests, Choice.APPROVE, comment)

    def _decide(self, requests: Sequence[Request], choice: Choice, comment: str) -> Sequence[Request]:
        for request in requests:
            self.control.require(Right.DECIDE, request.asked.place)
        now, by = self.clock.now(), self.control.actor
        in_force = effective(self.control.policies.in_force(), self.gates)
        directory = self.control.people.directory()
        decided = [
            request.decide(
                choice,
                by=by,
                comment=comment,
                at=now,
                in_force=in_force.get(request.gate),
                directory=directory,
            )
            for request in requests
        ]
        if decided:
            self.control.approvals.record(decided)
        return decided
