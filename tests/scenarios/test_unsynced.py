"""A power cut after anything was acknowledged: what was promised is on the disk, and what names something finds it."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from tests.scenarios.power_cut import MISSING, Disk, can_trace, trace
from tests.scenarios.repository import CIRCUIT01, Repository, write_fleet

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not can_trace(), reason=MISSING)]


class Machine:
    """A fleet on a disk that loses whatever was not synced. Another process has its database open all the time."""

    def __init__(self, folder: Path, fleet: Repository, record: pytest.FixtureRequest) -> None:
        self._folder = folder
        self._fleet = fleet
        self._record = record
        self._times = 0

    def after(self, *words: str, acknowledged: str) -> Repository:
        """Type a command, and give the fleet as a power cut leaves it, just before the command says so."""
        self._times += 1
        disk = Disk(self._fleet.folder.parent)
        with closing(sqlite3.connect(self._fleet.state / "control.db")) as other:
            other.execute("SELECT count(*) FROM sqlite_master").fetchone()
            done = trace(
                self._fleet.command(*words), self._folder / f"calls-{self._times}", self._fleet.environment
            )
        for event in done.until_said(acknowledged):
            disk.apply(event)
        left = self._folder / f"left-{self._times}"
        disk.rebuild(left)
        self._note(words[0], acknowledged, disk)
        return Repository(left / self._fleet.folder.name)

    def _note(self, command: str, acknowledged: str, disk: Disk) -> None:
        """Tell whoever runs the tests what had been synced."""
        kinds = Counter(_kind(path) for path in disk.synced)
        shown = ", ".join(f"{kind} {count}×" for kind, count in kinds.items())
        self._record.node.user_properties.append(
            ("synced", f"{command}, before it said “{acknowledged}”: {shown}")
        )


@pytest.fixture
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Machine:
    (tmp_path / "disk").mkdir()
    fleet = write_fleet(tmp_path / "disk" / "fleet")
    assert fleet.type("status").code == 0
    return Machine(tmp_path, fleet, request)


def test_nothing_that_was_acknowledged_is_lost_unsynced(machine: Machine) -> None:
    size = ("--plants", "1", "--circuits", "2", "--length", "70d")
    ingested = machine.after("simulate", *size, acknowledged="Delta version")
    versions = ingested.type("data", "versions", "--format", "json").json
    assert sorted(version["delta_version"] for version in versions) == [0, 1]
    assert ingested.type("data", "show").code == 0

    trained = machine.after("train", acknowledged="requests wait for approval")
    assert len(trained.versions()) == 2
    assert {request["kind"] for request in trained.requests()} == {"environment", "model"}
    _whole(trained)
    assert trained.type("forecast", CIRCUIT01, "--model-version", "1").code == 0

    waiting = [str(request["request_id"]) for request in trained.requests()]
    approved = machine.after("approve", *waiting, acknowledged="approved")
    assert not approved.requests(), "every decision is there"
    _whole(approved)

    promoted = machine.after("train", acknowledged="run-0001: done")
    assert len(promoted.shared()) == 2
    _whole(promoted)
    assert promoted.type("forecast", CIRCUIT01).code == 0


def _whole(fleet: Repository) -> None:
    """The history holds, and a plan finds nothing amiss."""
    verified = fleet.type("audit", "verify")
    assert verified.code == 0, verified.out + verified.err
    planned = fleet.type("plan")
    assert planned.code == 0, planned.out + planned.err


def _kind(path: str) -> str:
    """What a synced path is, without the names that differ each time."""
    parts = Path(path).parts
    inside = parts[parts.index(".fleetcast") + 1 :] if ".fleetcast" in parts else ()
    if not inside:
        return "the fleet's folder"
    return (
        inside[0]
        if len(inside) == 1
        else f"{inside[0]}/{'…/' if len(inside) > 2 else ''}{_ending(inside[-1])}"
    )


def _ending(name: str) -> str:
    return name if "." in name and len(name) < 30 else "*"
