"""Backups of a fleet's control database: whole while it is in use, put back with care, and losses noticed."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.scenarios.repository import ON_SQLITE, Repository

pytestmark = ON_SQLITE


@pytest.fixture
def backup(trained: Repository, tmp_path: Path) -> Path:
    path = tmp_path / "backup.db"
    made = trained.type("database", "backup", str(path))
    assert made.code == 0, made.err
    assert "artifacts" in made.out
    return path


def entries(fleet: Repository) -> int:
    (row,) = fleet.rows("SELECT count(*) FROM audit")
    return int(str(row[0]))


def test_a_backup_holds_all_that_is_committed_while_the_database_is_in_use(
    trained: Repository, tmp_path: Path
) -> None:
    path = tmp_path / "backup.db"
    with closing(sqlite3.connect(trained.state / "control.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("DELETE FROM jobs")
        assert trained.type("database", "backup", str(path)).code == 0
        other.execute("ROLLBACK")
    with closing(sqlite3.connect(path)) as copy:
        assert copy.execute("SELECT count(*) FROM audit").fetchone() == (entries(trained),)
        assert copy.execute("SELECT count(*) FROM jobs").fetchone() == (2,)
    assert not path.with_name("backup.db-wal").exists()
    refused = trained.type("database", "backup", str(path))
    assert (refused.code, "there already" in refused.err) == (1, True)


def test_a_backup_of_the_same_history_is_restored_and_that_is_written_down(
    trained: Repository, backup: Path
) -> None:
    before = entries(trained)
    restored = trained.type("database", "restore", str(backup))
    assert restored.code == 0, restored.err
    assert entries(trained) == before + 1
    assert trained.audited()[-1] == "history.restored"
    assert trained.type("audit", "verify").code == 0
    assert trained.type("train").code == 3


def test_a_backup_that_lacks_what_is_there_is_restored_on_request_only(
    trained: Repository, backup: Path
) -> None:
    trained.approve_all()
    before = entries(trained)
    refused = trained.type("database", "restore", str(backup))
    assert refused.code == 1
    assert "entries of the audit log that" in refused.err
    assert entries(trained) == before
    assert trained.type("database", "restore", str(backup), "--replace").code == 0
    assert len(trained.requests()) == 3
    assert trained.type("audit", "verify").code == 0


def test_a_file_that_is_no_database_any_more_is_set_aside(trained: Repository, backup: Path) -> None:
    for ending in ("-wal", "-shm"):
        (trained.state / f"control.db{ending}").unlink(missing_ok=True)
    (trained.state / "control.db").write_bytes(b"torn" * 2_000)
    assert trained.type("database", "restore", str(backup)).code == 1
    restored = trained.type("database", "restore", str(backup), "--replace")
    assert restored.code == 0, restored.err
    assert (trained.state / "control.db.damaged-1").read_bytes().startswith(b"torn")
    assert trained.type("plan").code == 0


def test_what_is_no_backup_is_not_restored(trained: Repository, tmp_path: Path) -> None:
    before = entries(trained)
    empty = tmp_path / "empty.db"
    with closing(sqlite3.connect(empty)) as other:
        other.execute("CREATE TABLE something (else_ TEXT)")
    torn = tmp_path / "torn.db"
    torn.write_bytes(b"SQLite format 3")
    for path in (tmp_path / "missing.db", empty, torn):
        assert trained.type("database", "restore", str(path), "--replace").code == 1
    assert entries(trained) == before


def set_back(fleet: Repository, backup: Path) -> None:
    """As somebody does who copies an old file over the database."""
    for ending in ("-wal", "-shm"):
        (fleet.state / f"control.db{ending}").unlink(missing_ok=True)
    shutil.copy(backup, fleet.state / "control.db")


def test_an_older_copy_in_the_databases_place_is_noticed_by_the_next_command(
    trained: Repository, backup: Path
) -> None:
    trained.approve_all()
    last = entries(trained)
    set_back(trained, backup)
    for command in ("plan", "train", "status"):
        said = trained.type(command)
        assert said.code == 1
        assert f"entry {last} of the audit log" in said.err
        assert "3 fewer" in said.err
        assert "accept-loss" in said.err
    accepted = trained.type("database", "accept-loss")
    assert accepted.code == 0, accepted.err
    assert trained.audited()[-1] == "history.loss_accepted"
    assert trained.type("train").code == 3
    assert trained.type("audit", "verify").code == 0
    assert trained.type("database", "accept-loss").out == "nothing is missing\n"


def test_a_database_that_was_deleted_is_missed(trained: Repository) -> None:
    for ending in ("-wal", "-shm", ""):
        (trained.state / f"control.db{ending}").unlink(missing_ok=True)
    said = trained.type("plan")
    assert (said.code, "its log ends with entry 0" in said.err) == (1, True)


def test_a_witness_that_cannot_be_read_blocks_nobody(trained: Repository) -> None:
    (trained.state / "control.witness").write_bytes(b"\xff\x00")
    assert trained.type("plan").code == 0
    (trained.state / "control.witness").unlink()
    assert trained.type("plan").code == 0
