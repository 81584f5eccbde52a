"""How far model versions have come on the way to the shared registry, read in bulk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fleetcast.domain.approval import Request, RequestState, SubjectKind
from fleetcast.domain.model import VersionState
from fleetcast.domain.standing import PromotionState
from fleetcast.ports.models import Shared
from fleetcast.ports.platform import Platform


@dataclass(frozen=True, slots=True)
class Standings:
    """What the shared registry and the approval book say of every model version."""

    shared: Shared
    requests: Mapping[tuple[str, str], Sequence[Request]]
    """About models, by name and version, oldest first; lapsed where their time is over."""
    waiting: Sequence[Request]
    """Those that wait for a decision, about environments and models alike, oldest first."""

    @classmethod
    def read(cls, platform: Platform, now: datetime) -> Standings:
        """Read everything once, however many models there are."""
        requests: dict[tuple[str, str], list[Request]] = {}
        known = [request.as_of(now) for request in platform.approvals.listed()]
        for request in known:
            if request.subject.kind is SubjectKind.MODEL:
                requests.setdefault((request.subject.name, request.subject.version), []).append(request)
        waiting = [request for request in known if request.state is RequestState.PENDING]
        return cls(platform.shared.shared(), requests, waiting)

    def about(self, name: str, version: int) -> Sequence[Request]:
        """The requests for one version, oldest first."""
        return self.requests.get((name, str(version)), ())

    def pending(self, name: str, version: int) -> Request | None:
        """The request for this version that waits for people."""
        return next(
            (request for request in self.about(name, version) if request.state is RequestState.PENDING), None
        )

    def of(self, name: str, version: int, state: VersionState) -> PromotionState:
        """Where one version is."""
        if state is VersionState.BLOCKED:
            return PromotionState.BLOCKED
        if state is VersionState.REJECTED:
            return PromotionState.REJECTED
        if self.shared.champions.get(name) == version:
            return PromotionState.PROMOTED
        if version in self.shared.models.get(name, ()):
            return PromotionState.PROMOTED_BEFORE
        states = {request.state for request in self.about(name, version)}
        if RequestState.PENDING in states:
            return PromotionState.AWAITING
        if RequestState.REJECTED in states:
            return PromotionState.REJECTED
        return PromotionState.APPROVED if RequestState.APPROVED in states else PromotionState.NOT_PROMOTED
