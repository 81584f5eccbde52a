"""Requests as they stand now: one that lapsed with time says so to all who ask, by the policy of its gate."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from fleetcast.domain.approval import RequestState
from fleetcast.domain.gate import DEFAULT_GATES, LAPSES_AFTER
from fleetcast.domain.place import Gate
from fleetcast.ports.platform import Platform
from fleetcast.workflows.audit_report import ReportAudit
from fleetcast.workflows.requests import Requests
from tests.clocks import NOON, FixedClock
from tests.contracts.samples import request


@pytest.mark.parametrize("length", [timedelta(hours=1), LAPSES_AFTER])
def test_what_lapsed_with_time_says_so_to_all_who_ask(
    platform: Platform, clock: FixedClock, length: timedelta
) -> None:
    policy = replace(DEFAULT_GATES[Gate.REGISTRY_PROMOTION], lapses_after=length)
    platform.control.policies.take_first({**DEFAULT_GATES, Gate.REGISTRY_PROMOTION: policy})
    held = replace(request("m"), policy=policy, opened_at=NOON)
    platform.control.approvals.open([held])

    def states() -> list[RequestState]:
        now = Requests(platform.control, clock.now())
        return [
            now.find(1).state,
            *(one.state for one in now.latest(1)),
            *(one.state for one in now.about([held.subject.digest])),
            *(one.state for one in now.of_models([held.subject.name])),
            *(one.request.state for one in ReportAudit(platform.control, clock)()),
        ]

    clock.moment = NOON + length - timedelta(seconds=1)
    assert set(states()) == {RequestState.PENDING}
    assert len(Requests(platform.control, clock.now()).outlines((RequestState.PENDING,))) == 1
    assert len(Requests(platform.control, clock.now()).pending()) == 1
    clock.moment = NOON + length
    assert states() == [RequestState.LAPSED] * 5
    assert not any(one.distrusted for one in ReportAudit(platform.control, clock)())
    assert Requests(platform.control, clock.now()).outlines((RequestState.PENDING,)) == []
    assert Requests(platform.control, clock.now()).pending() == []
