"""Requests as they stand at this moment, for whoever shows them or goes by their state."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from fleetcast.domain.approval import Request, RequestOutline, RequestState
from fleetcast.domain.identity import Digest
from fleetcast.ports.platform import Control


@dataclass(frozen=True, slots=True)
class Requests:
    """Reads requests: what has lapsed with time says so, though no run has written that down yet."""

    control: Control
    now: datetime
    """Aware UTC."""

    def find(self, number: int) -> Request:
        """One request.

        Raises:
            BadInput: There is none of this number.
        """
        return self.control.approvals.find(number).as_of(self.now)

    def latest(self, count: int) -> Sequence[Request]:
        """The last so many requests, whatever their state, oldest first."""
        return self._now(self.control.approvals.latest(count))

    def pending(self) -> Sequence[Request]:
        """Those that wait for a decision, oldest first."""
        held = self._now(self.control.approvals.listed((RequestState.PENDING,)))
        return [request for request in held if request.state is RequestState.PENDING]

    def of_models(self, names: Collection[str]) -> Sequence[Request]:
        """All about versions of these models, oldest first."""
        return self._now(self.control.approvals.of_models(names))

    def about(self, subjects: Sequence[Digest]) -> Sequence[Request]:
        """All for these subject digests, oldest first."""
        return self._now(self.control.approvals.about(subjects))

    def outlines(self, states: Sequence[RequestState]) -> Sequence[RequestOutline]:
        """Those in these states without their evidence, oldest first; a subject's policy is that in force."""
        policies = self.control.policies.in_force()
        held = (outline.as_of(self.now, policies) for outline in self.control.approvals.outlines(states))
        return [outline for outline in held if outline.state in states]

    def _now(self, requests: Sequence[Request]) -> list[Request]:
        return [request.as_of(self.now) for request in requests]
