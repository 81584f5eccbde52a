"""One person's vote, as a test gives it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from fleetcast.domain.approval import Choice, Request
from fleetcast.domain.audit import Actor
from fleetcast.domain.gate import GatePolicy
from fleetcast.domain.people import Directory
from fleetcast.domain.place import Gate
from fleetcast.ports.approvals import Vote
from tests.clocks import NOON


def vote(choice: Choice, by: Actor, at: datetime = NOON, comment: str = "looks right") -> Vote:
    """Somebody's choice on whatever they are asked about."""

    def given(request: Request, directory: Directory, policies: Mapping[Gate, GatePolicy]) -> Request:
        in_force = policies.get(request.gate)
        return request.decide(choice, by=by, comment=comment, at=at, in_force=in_force, directory=directory)

    return given
