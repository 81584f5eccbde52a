"""Two people, two processes: one works, the other waits or is told who is at it."""

from __future__ import annotations

import signal
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from fleetcast.app import open_table, state_of
from fleetcast.config.reader import load_fleet
from fleetcast.domain.audit import Actor
from fleetcast.domain.errors import Unavailable
from fleetcast.pipeline.runner import StageRunner, StageWatcher
from fleetcast.platforms.database import schema
from fleetcast.platforms.database.control import ControlDatabase
from fleetcast.platforms.database.sqlite import sqlite
from fleetcast.platforms.local.platform import local_platform
from fleetcast.ports.clock import SystemClock
from fleetcast.workflows.train import Train
from tests.scenarios.repository import FIT, ON_SQLITE, Repository
from tests.sealing import SEALING

UNWATCHED = StageWatcher(lambda *_: None, lambda *_: None, lambda *_: None)


def held_up(fleet: Repository) -> Path:
    """Let training wait until the file given is there."""
    let_go = fleet.folder / "let-go"
    fleet.fit_with(f"while [ ! -e {let_go} ]; do sleep 0.02; done\n{FIT}")
    return let_go


def test_a_second_train_is_told_who_is_running(declared: Repository) -> None:
    let_go = held_up(declared)
    first = declared.start("train")
    try:
        assert first.stdout is not None
        assert "RegisterEnvironment" in first.stdout.readline()
        second = declared.type("train")
        stage = declared.type("stage", "RegisterData")
    finally:
        let_go.touch()
        first.communicate(timeout=300)
    assert (second.code, stage.code) == (1, 1)
    assert "another run is in progress" in second.err
    assert f"process {first.pid}" in second.err
    assert first.returncode == 3


def test_a_second_train_that_waits_finds_the_work_done(declared: Repository) -> None:
    first = declared.start("train")
    assert first.stdout is not None
    assert "RegisterEnvironment" in first.stdout.readline()
    second = declared.type("train", "--lock-timeout", "2min")
    first.communicate(timeout=300)
    assert first.returncode == 3
    assert second.code == 3
    assert "nothing to train" in second.out
    assert len(declared.versions()) == 2
    assert len(declared.jobs()) == 2


def test_people_can_look_and_decide_while_a_run_holds_the_fleet(declared: Repository) -> None:
    let_go = held_up(declared)
    other = declared.start("train")
    try:
        assert other.stdout is not None
        while "SubmitTraining" not in other.stdout.readline():
            pass
        assert declared.type("plan").code == 0
        assert declared.type("runs", "list").code == 0
        assert declared.type("approve", "1").code == 0
    finally:
        let_go.touch()
        other.communicate(timeout=300)
    assert other.returncode == 3
    assert declared.type("audit", "verify").code == 0


def train_at_once(fleet: Repository, busy_timeout: timedelta) -> None:
    """`fleetcast train`, but with little patience for a locked database."""
    clock, actor = SystemClock(), Actor("ada")
    declared = load_fleet(fleet.folder, now=clock.now())
    platform = local_platform(
        state_of(fleet.folder, declared),
        {"readings": open_table(fleet.folder)},
        declared.settings.platform,
        actor=actor,
        clock=clock,
        database=ControlDatabase(
            sqlite(fleet.state / "control.db", busy_timeout=busy_timeout), clock=clock, sealing=SEALING
        ),
    )
    runner = StageRunner(platform, clock, fleet.state / "runs")
    Train(runner, "0123abc")(declared, UNWATCHED, lock_timeout=timedelta(0))


@ON_SQLITE
def test_a_database_locked_by_another_process_is_one_clear_error(trained: Repository) -> None:
    trained.edit("config/environment.yaml", "version: 1.0.0", "version: 1.0.1")
    before = trained.rows("SELECT count(*) FROM audit")
    with closing(sqlite3.connect(trained.state / "control.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(Unavailable, match="locked") as caught:
            train_at_once(trained, timedelta(milliseconds=50))
        assert "another process" in caught.value.fix
    assert trained.rows("SELECT count(*) FROM audit") == before
    assert trained.type("train").code == 3


@ON_SQLITE
@pytest.mark.slow
def test_a_locked_database_ends_a_command_with_1_after_its_patience(trained: Repository) -> None:
    with closing(sqlite3.connect(trained.state / "control.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        refused = trained.type("approve", "1")
    assert refused.code == 1
    assert refused.err.startswith("error: the control database in ")
    assert "refuses: database is locked\n" in refused.err
    assert trained.type("approve", "1").code == 0


def everything(fleet: Repository) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables but the leases, which a holder gives back."""
    tables = [table for table in schema.metadata.sorted_tables if table is not schema.leases]
    return {table.name: sorted(fleet.rows(f"SELECT * FROM {table.name}"), key=repr) for table in tables}


def test_two_trains_at_the_same_moment_do_the_work_once(declared: Repository) -> None:
    both = [declared.start("train", "--lock-timeout", "5min") for _ in range(2)]
    for process in both:
        _, said = process.communicate(timeout=120)
        assert process.returncode == 3, said
    assert [number for _, number in declared.versions()] == [1, 1]
    assert len(declared.jobs()) == 2
    assert declared.audited().count("model.registered") == 2
    assert declared.audited().count("request.opened") == 3
    assert declared.type("audit", "verify").code == 0


def test_a_holder_that_stands_still_past_its_lease_is_fenced_off(declared: Repository) -> None:
    declared.edit("fleetcast.yaml", "platform:\n", "platform:\n  lease: 1s\n")
    begun = declared.folder / "begun"
    let_go = declared.folder / "let-go"
    declared.fit_with(f"touch {begun}\nwhile [ ! -e {let_go} ]; do sleep 0.02; done\n{FIT}")
    first = declared.start("train")
    try:
        while not begun.exists():
            assert first.poll() is None
        while not declared.rows("SELECT 1 FROM jobs WHERE state = 'running'"):  # not amid that transaction
            assert first.poll() is None
        first.send_signal(signal.SIGSTOP)
        second = declared.start("train", "--lock-timeout", "5min")
        assert second.stdout is not None
        while "SubmitTraining" not in second.stdout.readline():
            assert second.poll() is None
        let_go.touch()
        second.communicate(timeout=300)
        after_second = everything(declared)
    finally:
        let_go.touch()
        first.send_signal(signal.SIGCONT)
        _, said = first.communicate(timeout=300)
    assert second.returncode == 3
    assert first.returncode == 1
    assert "another run took over while this one stood still" in said
    assert f"process {second.pid}" in said
    assert everything(declared) == after_second
    assert [number for _, number in declared.versions()] == [1, 1]
    assert declared.type("train").code == 3


def test_the_lease_of_a_process_that_was_killed_is_free_at_once(declared: Repository) -> None:
    held_up(declared)
    first = declared.start("train")
    assert first.stdout is not None
    assert "RegisterEnvironment" in first.stdout.readline()
    first.kill()
    first.communicate(timeout=300)
    assert declared.type("stage", "RegisterEnvironment").code == 0
