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
from fleetcast.workflows.requests import Requests

_ASKED = {
    RequestState.PENDING: PromotionState.AWAITING,
    RequestState.REJECTED: PromotionState.REJECTED,
    RequestState.APPROVED: PromotionState.APPROVED,
}
_READ = (*_ASKED, RequestState.LAPSED)


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
        return cls._of(platform, intent, Requests(platform.control, now).outlines(_READ))

    @classmethod
    def of_model(cls, platform: Platform, name: str, now: datetime) -> Standings:
        """Read what was asked about one model only."""
        requests = Requests(platform.control, now).of_models([name])
        outlines = [request.outline for request in requests if request.state in _READ]
        return cls._of(platform, platform.control.states.intent(name), outlines)

    @classmethod
    def _of(cls, platform: Platform, intent: Intent, outlines: Sequence[RequestOutline]) -> Standings:
        asked = [outline for outline in outlines if outline.state in _ASKED]
        return cls(
            intent,
            platform.workspace.shared.shared(),
            {
                (outline.name, int(outline.version)): outline
                for outline in asked
                if outline.kind is SubjectKind.MODEL
            },
            [outline for outline in asked if outline.state is RequestState.PENDING],
            _lapsed(outlines),
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


def _lapsed(outlines: Sequence[RequestOutline]) -> Mapping[tuple[str, str], RequestOutline]:
    """The newest of each subject whose time was over before anybody decided, where nothing came after it."""
    newest = {(outline.name, outline.version): outline for outline in outlines}
    return {subject: outline for subject, outline in newest.items() if outline.state is RequestState.LAPSED}
