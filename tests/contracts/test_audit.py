"""The audit log: every change in it, chained, and the same on every platform."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fleetcast.domain import happened
from fleetcast.domain.approval import Choice
from fleetcast.domain.audit import AuditEntry, AuditEvent
from fleetcast.domain.effect import Effect
from fleetcast.ports.platform import Platform
from tests.clocks import FixedClock
from tests.contracts.conftest import OPENERS
from tests.contracts.samples import ADA, GRACE, adopted, data_asset, environment, request, trained
from tests.logs import broken_at, is_whole
from tests.votes import vote


def everything_happens(platform: Platform) -> None:
    workspace, control = platform.workspace, platform.control
    workspace.assets.register(environment())
    workspace.data.register([data_asset()])
    first, second = workspace.models.register([trained("m", "job-1"), trained("m", "job-2")])
    workspace.models.register([adopted("a")])
    control.states.select({"m": 1, "a": 1})
    control.states.reject([("m", 2)])
    effects = [
        Effect("share environment", happened.environment_shared(environment())),
        Effect("share models", happened.model_shared(first)),
        Effect("share nothing", happened.model_shared(second)),
    ]
    control.effects.intend(effects)
    control.effects.record(effects[:2])
    control.states.crown({"m": 1})
    opened = control.approvals.open([request("a"), request("b"), request("c")])
    control.approvals.decide([1], vote(Choice.APPROVE, GRACE, comment="good — “quoted” ✓"))
    control.approvals.decide([2], vote(Choice.REJECT, GRACE, comment="drifts"))
    control.approvals.record([opened[2].voided()])
    control.states.deselect(["m"])


def test_every_change_is_in_an_unbroken_chain(platform: Platform) -> None:
    everything_happens(platform)
    entries = list(platform.control.audit.entries())
    assert [entry.number for entry in entries] == list(range(1, len(entries) + 1))
    assert [entry.event.action for entry in entries] == [
        "environment.registered",
        "data.registered",
        "model.registered",
        "model.registered",
        "model.adopted",
        "model.selected",
        "model.selected",
        "model.rejected",
        "environment.shared",
        "model.shared",
        "model.crowned",
        "request.opened",
        "request.opened",
        "request.opened",
        "request.approved",
        "request.rejected",
        "request.void",
        "model.deselected",
    ]
    assert {entry.actor for entry in entries} == {ADA}
    assert is_whole(platform.control.audit)


@pytest.mark.parametrize("name", sorted(set(OPENERS) - {"memory"}))
def test_the_same_audit_entries_on_every_platform(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    told: list[list[AuditEntry]] = []
    for opener in ("memory", name):
        platform = OPENERS[opener](tmp_path / opener, FixedClock(), request)
        everything_happens(platform)
        told.append(list(platform.control.audit.entries()))
        platform.workspace.jobs.close()
    assert told[0] == told[1]


def test_the_latest_entries_come_in_their_order(platform: Platform) -> None:
    everything_happens(platform)
    entries = list(platform.control.audit.entries())
    assert platform.control.audit.latest(3) == entries[-3:]
    assert platform.control.audit.latest(1_000) == entries


def test_a_changed_entry_is_found_in_what_a_platform_kept(platform: Platform) -> None:
    everything_happens(platform)
    entries = list(platform.control.audit.entries())
    entries[4] = replace(entries[4], event=AuditEvent("model.selected", "m:2", {}))
    assert broken_at(entries) == entries[4].number


def test_looking_writes_nothing_into_the_log(platform: Platform) -> None:
    everything_happens(platform)
    before = list(platform.control.audit.entries())
    platform.workspace.models.entries()
    platform.control.states.intent()
    platform.workspace.shared.shared()
    platform.control.approvals.listed()
    platform.control.runs.listed()
    platform.control.effects.unconfirmed()
    platform.workspace.jobs.median_seconds()
    assert list(platform.control.audit.entries()) == before


def test_doing_again_what_is_done_writes_nothing_into_the_log(platform: Platform) -> None:
    everything_happens(platform)
    workspace, control = platform.workspace, platform.control
    control.states.select({"m": 1})
    control.states.crown({"m": 1})
    before = list(control.audit.entries())
    workspace.assets.register(environment())
    workspace.data.register([data_asset()])
    workspace.models.register([trained("m", "job-1"), adopted("a")])
    control.states.select({"m": 1})
    control.states.crown({"m": 1})
    control.states.reject([("m", 2)])
    shared = AuditEvent("model.shared", "m:1", {})
    control.effects.record([Effect("share models", shared), Effect("never intended", shared)])
    control.states.deselect(["nobody knows it"])
    assert list(control.audit.entries()) == before
