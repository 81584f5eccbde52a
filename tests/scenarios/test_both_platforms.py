"""The same stages on every platform: the same models, the same requests, the same ending."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from fleetcast.domain.approval import Choice
from fleetcast.domain.run import Ending, Run, worst
from tests.fleets import PlatformName, small_fleet, used
from tests.logs import broken_at


def ending(run: Run) -> Ending:
    return worst(record.ending for record in run.stages)


@pytest.mark.parametrize("platform", ["memory", "local"])
def test_a_fleet_lives_its_life_on_every_platform(tmp_path: Path, platform: PlatformName) -> None:
    fleet = small_fleet(tmp_path, platform, family="seasonal_naive")
    assert ending(fleet.train()) is Ending.AWAITING
    fleet.decide()
    assert ending(fleet.train()) is Ending.DONE
    before = list(fleet.opened.platform.control.audit.entries())
    assert ending(fleet.train()) is Ending.DONE
    assert list(fleet.opened.platform.control.audit.entries()) == before
    assert broken_at(before) is None

    fleet.change(revision=1)
    assert ending(fleet.train()) is Ending.AWAITING
    fleet.decide(Choice.REJECT)
    assert ending(fleet.train()) is Ending.DONE
    champions = fleet.opened.platform.control.states.intent().champions
    assert dict(champions) == {"plant001-circuit01": 1, "plant001-circuit02": 1}


def test_both_platforms_make_the_same_models(tmp_path: Path) -> None:
    made = []
    for platform in ("memory", "local"):
        fleet = small_fleet(tmp_path / platform, platform, family="seasonal_naive")
        fleet.train()
        made.append(
            {
                name: (version.version, version.training_hash, version.model.artifact, version.model.scores)
                for name, version in used(fleet).items()
            }
        )
    assert made[0] == made[1]


def test_the_same_audit_log_of_a_whole_story(tmp_path: Path) -> None:
    logs = []
    for platform in ("memory", "local"):
        fleet = small_fleet(tmp_path / platform, platform, family="seasonal_naive")
        fleet.promote()
        fleet.change(revision=1)
        fleet.train()
        fleet.decide(Choice.REJECT, comment="too early")
        fleet.train()
        fleet.change(revision=0)
        fleet.train()
        logs.append(list(fleet.opened.platform.control.audit.entries()))
    assert {entry.actor.name for entry in logs[0]} == {"ada", "grace"}
    assert logs[0] == logs[1]


@pytest.mark.parametrize("platform", ["memory", "local"])
def test_a_request_that_nobody_decides_lapses_and_is_asked_again(
    tmp_path: Path, platform: PlatformName
) -> None:
    fleet = small_fleet(tmp_path, platform, circuits=1, family="seasonal_naive")
    fleet.train()
    approvals = fleet.opened.platform.control.approvals
    assert [request.state.value for request in approvals.listed()] == ["pending", "pending"]
    fleet.clock.sleep(timedelta(days=31))
    assert ending(fleet.train()) is Ending.AWAITING
    states = [request.state.value for request in approvals.listed()]
    assert states == ["lapsed", "lapsed", "pending", "pending"]
