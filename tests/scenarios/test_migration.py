"""Migration: fleets with state made by an earlier version open, plan nothing new, and forecast the same.

The archives in `tests/golden/states` hold whole fleet repositories with their state, made by the version named in
their name (its schema number). `settled`: trained, promoted, one version rejected and reverted, nothing to do.
`waiting`: an environment approved but not shared yet, and a model that waits for a decision.
"""

from __future__ import annotations

import json
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fleetcast.app import open_fleet
from fleetcast.domain.approval import RequestState
from fleetcast.domain.evidence import Bound, BoundCheck, NoStrongestBaseline
from tests.clocks import FixedClock
from tests.fleets import UNWATCHED
from tests.scenarios.repository import CIRCUITS, Repository

STATES = Path(__file__).parents[1] / "golden" / "states"
THEN = datetime(2026, 11, 25, 12, tzinfo=UTC)
"""Shortly after the archives were made: requests had not lapsed yet."""


def unpacked(name: str, folder: Path) -> Repository:
    with tarfile.open(STATES / f"{name}.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return Repository(folder)


@pytest.fixture
def settled(tmp_path: Path) -> Repository:
    return unpacked("settled-schema-0002", tmp_path / "settled")


@pytest.fixture
def waiting(tmp_path: Path) -> Repository:
    return unpacked("waiting-schema-0002", tmp_path / "waiting")


def test_after_a_migration_the_plan_says_nothing_to_do_and_the_log_holds(settled: Repository) -> None:
    planned = settled.type("plan", "--detailed-exitcode")
    assert (planned.code, "Nothing to do" in planned.out) == (0, True), planned.out + planned.err
    assert settled.type("audit", "verify").code == 0
    assert settled.type("train").code == 0
    assert settled.type("plan", "--detailed-exitcode").code == 0
    assert settled.type("database", "upgrade").code == 0
    assert "model.registered" not in settled.audited()[34:]
    assert "request.opened" not in settled.audited()[34:]


def test_after_a_migration_forecasts_give_the_same_numbers(settled: Repository) -> None:
    before = json.loads((settled.folder / "forecasts.json").read_text())
    for circuit, told in before.items():
        made = settled.type("forecast", f"PLANT001/{circuit}", "--format", "json")
        assert made.code == 0, made.err
        same(made.json, told)


def same(made: dict[str, Any], told: dict[str, Any]) -> None:
    assert (made["version"], made["family"]) == (told["version"], told["family"])
    for sensor, columns in told["sensors"].items():
        for column in ("point", "lower_80", "upper_80", "lower_95", "upper_95"):
            np.testing.assert_allclose(made["sensors"][sensor][column], columns[column], rtol=1e-9)


def test_after_a_migration_a_rejected_version_stays_rejected(settled: Repository) -> None:
    settled.declare("CIRCUIT02", "revision: 1")
    assert settled.plan()["PLANT001/CIRCUIT02"][0] == "blocked"


def test_after_a_migration_a_saved_plan_is_applied_or_refused_as_before(settled: Repository) -> None:
    stale = settled.type("train", "--plan", str(settled.folder / "saved_plan.json"))
    assert (stale.code, "the fleet has moved on" in stale.err) == (1, True)
    settled.edit(CIRCUITS, "CIRCUIT03: {}", "CIRCUIT03: {revision: 1}")
    applied = settled.type("train", "--plan", str(settled.folder / "saved_plan.json"))
    assert applied.code == 3, applied.err


def test_after_a_migration_what_was_decided_is_done_and_what_waits_is_asked_again(
    waiting: Repository,
) -> None:
    opened = open_fleet(waiting.folder, FixedClock(THEN))
    control = opened.platform.control
    before = {request.id: request for request in control.approvals.listed()}
    begun = opened.training(opened.fleet, UNWATCHED, lock_timeout=timedelta(0))
    after = {request.id: request for request in control.approvals.listed()}
    assert begun.id == "run-0005"  # it waited, and goes on
    ended = {number for number, request in before.items() if request.state is not RequestState.PENDING}
    assert {number: after[number] for number in ended} == {number: before[number] for number in ended}
    (waited,) = before.keys() - ended
    (asked,) = after.keys() - before.keys()
    assert after[waited].state is RequestState.VOID  # its skill was measured against a day and a week alone
    assert after[asked].state is RequestState.PENDING
    assert (after[asked].subject.name, after[asked].subject.version) == (
        before[waited].subject.name,
        before[waited].subject.version,
    )
    assert NoStrongestBaseline() in after[asked].evidence.facts
    skills = [check for check in after[asked].evidence.checks if isinstance(check, BoundCheck)]
    assert [(check.bound, check.value) for check in skills if check.bound is Bound.MIN_SKILL] == [
        (Bound.MIN_SKILL, None)
    ]
    actions = [entry.event.action for entry in control.audit.entries()][34:]
    assert actions == ["policy.taken"] * 3 + ["environment.shared", "request.void", "request.opened"]


def test_after_a_migration_an_unfinished_run_is_continued_stage_by_stage(waiting: Repository) -> None:
    opened = open_fleet(waiting.folder, FixedClock(THEN))
    latest = opened.platform.control.runs.latest()
    assert latest is not None
    ended = opened.training.stage(
        "PromoteEnvironment", opened.fleet, UNWATCHED, run_id=latest.id, lock_timeout=timedelta(0)
    )
    assert ended.id == latest.id
