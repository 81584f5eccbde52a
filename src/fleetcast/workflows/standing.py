"""How far model versions have come on the way to the shared registry, read in bulk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from fleetcast.domain.approval import RequestOutline, RequestState, SubjectKind
from fleetcast.domain.model import Intent
from fleetcast.domain.standing import PromotionState
from fleetcast.ports.models import Shared
from fleetcast.ports.platform import Platform

_ASKED = {
    RequestState.PENDING: PromotionState.AWAITING,
    RequestState.REJECTED: PromotionState.REJECTED,
    RequestState.APPROVED: PromotionState.APPROVED,
}


@dataclass(frozen=True, slots=True)
class Standings:
    """What was decided, shared and asked about model versions."""

    intent: Intent
    shared: Shared
    asked: Mapping[tuple[str, int], RequestOutline]
    """The newest request that waits or was decided, about each model version that has one, by name and number."""
    waiting: Sequence[RequestOutline]
    """Those that wait for a decision, about environments and models alike, oldest first."""
    lapsed: Mapping[tuple[str, str], RequestOutline] = field(default_factory=dict)
    """Those on which nobody decided in time and that nobody asked for again, by name and version."""

    @classmethod
    def read(cls, platform: Platform, now: datetime) -> Standings:
        """Read everything once, however many models there are, and no evidence."""
        intent = platform.control.states.intent()
        return cls._of(platform, intent, platform.control.approvals.outlines(tuple(_ASKED)), now)

    @classmethod
    def of_model(cls, platform: Platform, name: str, now: datetime) -> Standings:
        """Read what was asked about one model only."""
        requests = platform.control.approvals.of_models([name])
        asked = [request.outline for request in requests if request.state in _ASKED]
        return cls._of(platform, platform.control.states.intent(name), asked, now)

    @classmethod
    def _of(
        cls, platform: Platform, intent: Intent, outlines: Sequence[RequestOutline], now: datetime
    ) -> Standings:
        open_ones = [
            outline for outline in outlines if outline.state is not RequestState.PENDING or outline.waits(now)
        ]
        return cls(
            intent,
            platform.workspace.shared.shared(),
            {
                (outline.name, int(outline.version)): outline
                for outline in open_ones
                if outline.kind is SubjectKind.MODEL
            },
            [outline for outline in open_ones if outline.state is RequestState.PENDING],
            _lapsed(outlines, open_ones),
        )

    def pending(self, name: str, version: int) -> RequestOutline | None:
        """The request for this version that waits for people."""
        outline = self.asked.get((name, version))
        return outline if outline is not None and outline.state is RequestState.PENDING else None

    def of(self, name: str, version: int) -> PromotionState:
        """Where one version is."""
        refusal = self.intent.refused.get((name, version))
        if refusal is not None:
            return PromotionState(refusal.value)
        if self.intent.champions.get(name) == version:
            return PromotionState.PROMOTED
        if version in self.shared.models.get(name, ()):
            return PromotionState.PROMOTED_BEFORE
        outline = self.asked.get((name, version))
        return PromotionState.NOT_PROMOTED if outline is None else _ASKED[outline.state]


def _lapsed(
    outlines: Sequence[RequestOutline], open_ones: Sequence[RequestOutline]
) -> Mapping[tuple[str, str], RequestOutline]:
    """The newest of each subject whose time was over before anybody decided, where nothing came after it."""
    asked = {(outline.name, outline.version) for outline in open_ones}
    over = (
        [outline for outline in outlines if outline not in open_ones]
        if len(open_ones) < len(outlines)
        else []
    )
    return {
        (outline.name, outline.version): outline
        for outline in over
        if (outline.name, outline.version) not in asked
    }
