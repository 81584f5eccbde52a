"""Who approved a model version."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from fleetcast.domain.approval import Choice, RequestState
from fleetcast.domain.model import ModelVersion
from fleetcast.ports.approvals import ApprovalBook


@dataclass(frozen=True, slots=True)
class ApprovedBy:
    """One person's approval of a model version."""

    person: str
    at: datetime
    comment: str


def approved_by(approvals: ApprovalBook, version: ModelVersion) -> Iterator[ApprovedBy]:
    """The approvals of just these files under this version."""
    for request in approvals.of_models([version.name]):
        same = request.subject.version == str(version.version)
        if not same or request.subject.artifact != version.model.artifact:
            continue
        if request.state is not RequestState.APPROVED:
            continue
        for decision in request.decisions:
            if decision.choice is Choice.APPROVE:
                yield ApprovedBy(decision.by.name, decision.at, decision.comment)
