"""The audit log: every change in it, chained, on every platform."""

from __future__ import annotations

from dataclasses import replace

from fleetcast.domain.approval import Choice
from fleetcast.domain.audit import AuditEvent, first_broken
from fleetcast.ports.platform import Platform
from tests.clocks import NOON
from tests.contracts.samples import ADA, GRACE, data_asset, environment, request, trained


def everything_happens(platform: Platform) -> None:
    platform.assets.register(environment())
    platform.data.register([data_asset()])
    first, second = platform.models.register([trained("m", "job-1"), trained("m", "job-2")])
    platform.models.select({"m": 1})
    platform.models.reject("m", 2)
    platform.shared.share_environment(environment())
    platform.shared.share_models([first, second])
    platform.shared.crown({"m": 1})
    opened = platform.approvals.open([request("a"), request("b"), request("c")])
    platform.approvals.record(
        [
            opened[0].decide(Choice.APPROVE, by=GRACE, comment="good — “quoted” ✓", at=NOON),
            opened[1].decide(Choice.REJECT, by=GRACE, comment="drifts", at=NOON),
            opened[2].voided(),
        ]
    )
    platform.models.deselect(["m"])


def test_every_change_is_in_an_unbroken_chain(platform: Platform) -> None:
    everything_happens(platform)
    entries = platform.audit.entries()
    assert [entry.number for entry in entries] == list(range(1, len(entries) + 1))
    assert [entry.event.action for entry in entries] == [
        "environment.registered",
        "data.registered",
        "model.registered",
        "model.registered",
        "model.selected",
        "model.rejected",
        "environment.shared",
        "model.shared",
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
    assert first_broken(entries) is None


def test_a_changed_entry_is_found_in_what_a_platform_kept(platform: Platform) -> None:
    everything_happens(platform)
    entries = list(platform.audit.entries())
    entries[4] = replace(entries[4], event=AuditEvent("model.selected", "m:2", {}))
    assert first_broken(entries) == entries[4]


def test_looking_writes_nothing_into_the_log(platform: Platform) -> None:
    everything_happens(platform)
    before = platform.audit.entries()
    platform.models.index()
    platform.models.selected()
    platform.shared.shared()
    platform.approvals.listed()
    platform.runs.listed()
    platform.jobs.median_seconds()
    assert platform.audit.entries() == before
