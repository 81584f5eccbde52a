"""Record what people decide on requests. Nothing else happens here; the next run acts on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fleetcast.domain.approval import Choice, NotDecidable, Request, RequestState, set_digest
from fleetcast.domain.audit import Actor
from fleetcast.ports.approvals import ApprovalBook
from fleetcast.ports.clock import Clock


@dataclass(frozen=True, slots=True)
class Decide:
    """Record one person's decision, on one request or on several at once."""

    approvals: ApprovalBook
    clock: Clock

    def __call__(
        self, requests: Sequence[int], choice: Choice, *, by: Actor, comment: str
    ) -> Sequence[Request]:
        """Decide on requests by their numbers, all or none."""
        return self._decide(
            [self.approvals.find(number) for number in dict.fromkeys(requests)],
            choice,
            by=by,
            comment=comment,
        )

    def pending(self) -> Sequence[Request]:
        """What waits for a decision, oldest first."""
        now = self.clock.now()
        waiting = self.approvals.listed((RequestState.PENDING,))
        return [request for request in waiting if request.as_of(now).state is RequestState.PENDING]

    def passing(self, *, by: Actor, comment: str, displayed: str | None = None) -> Sequence[Request]:
        """Approve every pending request in whose evidence no check failed.

        Args:
            by: Who decides.
            comment: Why.
            displayed: The set digest that was shown, whole or its beginning; None skips the comparison.

        Raises:
            NotDecidable: What waits is not what was displayed.
        """
        requests = tuple(request for request in self.pending() if request.evidence.passing)
        digest = set_digest(requests)
        if displayed is not None and (len(displayed) < 8 or not digest.hex.startswith(displayed)):
            raise NotDecidable(
                f"the passing requests are {digest} now, not {displayed}",
                fix="look again with `fleetcast approvals list`",
            )
        return self._decide(requests, Choice.APPROVE, by=by, comment=comment)

    def _decide(
        self, requests: Sequence[Request], choice: Choice, *, by: Actor, comment: str
    ) -> Sequence[Request]:
        now = self.clock.now()
        decided = [request.decide(choice, by=by, comment=comment, at=now) for request in requests]
        if decided:
            self.approvals.record(decided)
        return decided
