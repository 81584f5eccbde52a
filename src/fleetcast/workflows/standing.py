"""How far model versions have come on the way to the shared registry, read in bulk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fleetcast.domain.approval import RequestOutline, RequestState, SubjectKind
from fleetcast.domain.model import FleetIndex
from fleetcast.pipeline.index import ReadIndex
from fleetcast.ports.models import Shared
from fleetcast.ports.platform import Platform


class PromotionState(StrEnum):
    """Where one version is."""

    PROMOTED = "promoted"
    """The champion."""
    PROMOTED_BEFORE = "promoted before"
    """In the shared registry, but another version is the champion."""
    AWAITING = "awaiting approval"
    APPROVED = "approved"
    """Not shared yet: the next run does that."""
    REJECTED = "rejected"
    BLOCKED = "blocked"
    NOT_PROMOTED = "not promoted"


@dataclass(frozen=True, slots=True)
class Standings:
    """What was decided, shared and asked about every model version."""

    index: FleetIndex
    shared: Shared
    asked: Mapping[tuple[str, int], RequestOutline]
    """The newest request about each model version that has one, by name and number."""
    waiting: Sequence[RequestOutline]
    """Those that wait for a decision, about environments and models alike, oldest first."""

    @classmethod
    def read(cls, platform: Platform, now: datetime) -> Standings:
        """Read everything once, however many models there are, and no evidence."""
        asked: dict[tuple[str, int], RequestOutline] = {}
        waiting = []
        for outline in platform.control.approvals.outlines(
            (RequestState.PENDING, RequestState.APPROVED, RequestState.REJECTED)
        ):
            if outline.state is RequestState.PENDING:
                if not outline.waits(now):
                    continue
                waiting.append(outline)
            if outline.kind is SubjectKind.MODEL:
                asked[outline.name, int(outline.version)] = outline
        return cls(ReadIndex.of(platform)(), platform.workspace.shared.shared(), asked, waiting)

    def pending(self, name: str, version: int) -> RequestOutline | None:
        """The request for this version that waits for people."""
        outline = self.asked.get((name, version))
        return outline if outline is not None and outline.state is RequestState.PENDING else None

    def of(self, name: str, version: int) -> PromotionState:
        """Where one version is."""
        refusal = self.index.refusal(name, version)
        if refusal is not None:
            return PromotionState(refusal.value)
        if self.index.intent.champions.get(name) == version:
            return PromotionState.PROMOTED
        if version in self.shared.models.get(name, ()):
            return PromotionState.PROMOTED_BEFORE
        outline = self.asked.get((name, version))
        return PromotionState.NOT_PROMOTED if outline is None else _ASKED[outline.state]


_ASKED = {
    RequestState.PENDING: PromotionState.AWAITING,
    RequestState.REJECTED: PromotionState.REJECTED,
    RequestState.APPROVED: PromotionState.APPROVED,
}
