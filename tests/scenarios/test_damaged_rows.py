"""One row that is torn, or that a newer fleetcast wrote: every command that needs it says which, and writes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fleetcast.cli.main import run
from fleetcast.stored.approvals import REQUEST
from fleetcast.stored.audit import AUDIT_ENTRY
from fleetcast.stored.models import TRAINED_MODEL
from fleetcast.stored.policies import GATE_POLICY
from fleetcast.stored.runs import RUN
from tests.scenarios.repository import ON_SQLITE, Repository, Said

TEAR = "substr(content, 1, length(content) / 2)"
FIRST = (
    """replace(replace(replace(content, '{"format":1,', '{'), '{"format":2,', '{'), '{"format":3,', '{')"""
)
TABLES = (
    "assets",
    "audit",
    "components_run",
    "data_assets",
    "effects",
    "jobs",
    "model_versions",
    "requests",
    "runs",
    "shared_environments",
)
ROWS = {
    "assets": ("kind = 'component'", "assets component training-pipeline:1.0.0"),
    "audit": ("number = 3", "audit entry 3"),
    "model_versions": ("name = 'plant001-circuit01'", "model_versions plant001-circuit01:1"),
    "gate_policies": ("gate = 'registry-promotion'", "gate_policies registry-promotion"),
    "requests": ("id = 2", "requests 2"),
    "runs": ("number = 1", "runs 1"),
}
NUMBERED = {
    "audit": AUDIT_ENTRY.number,
    "gate_policies": GATE_POLICY.number,
    "model_versions": TRAINED_MODEL.number,
    "requests": REQUEST.number,
    "runs": RUN.number,
}
"""The formats of what is written now, where that is not the first."""
NEEDED = [
    ("assets", ["plan"]),
    ("assets", ["status"]),
    ("audit", ["audit", "list"]),
    ("audit", ["audit", "verify"]),
    ("model_versions", ["models", "list"]),
    ("model_versions", ["forecast", "PLANT001/CIRCUIT01"]),
    ("requests", ["approvals", "list"]),
    ("requests", ["approvals", "show", "2"]),
    ("requests", ["approve", "2"]),
    ("runs", ["runs", "list"]),
    ("runs", ["runs", "show", "run-0001"]),
    ("runs", ["status"]),
    ("runs", ["train"]),
    *(
        ("gate_policies", words.split())
        for words in ("plan", "train", "status", "approvals list", "approve 2")
    ),
]
COLUMNS = [
    ("requests", "state", ["plan", "status", "train", "approvals list"]),
    ("requests", "opened_at", ["plan", "status"]),
    ("requests", "gate", ["plan", "status"]),
    (
        "model_versions",
        "training_hash",
        ["plan", "status", "train", "models list"],
    ),
    ("model_versions", "registered_at", ["models list", "models show PLANT001/CIRCUIT01"]),
    ("assets", "registered_at", ["plan", "status", "train"]),
]


def contents(fleet: Repository) -> list[tuple[str, str]]:
    """What is stored, by table."""
    each = (f"SELECT '{table}', content FROM {table}" for table in TABLES)
    return sorted((table, content) for table, content in fleet.rows(" UNION ALL ".join(each)))


def all_but_runs(fleet: Repository) -> list[tuple[str, str]]:
    """The same without what says of a run that a stage failed."""
    told = ("run.began", "run.ended")
    return [
        (table, content)
        for table, content in contents(fleet)
        if table != "runs" and not (table == "audit" and json.loads(content)["event"]["action"] in told)
    ]


def one_error(said: Said) -> str:
    assert said.code == 1, said.out
    assert "Traceback" not in said.err
    assert said.err.count("error: ") == 1, said.err
    return said.err


def test_a_damaged_row_is_one_error_of_each_command_that_needs_it(trained: Repository) -> None:
    for table, words in NEEDED:
        where, place = ROWS[table]
        newest = NUMBERED.get(table, 1)
        newer = f"""replace(content, '{{"format":{newest},', '{{"format":99,')"""
        for damage, said, fix in (
            (TEAR, "cannot be read", "backup"),
            ("''", "cannot be read", "backup"),
            ("'[]'", "cannot be read", "backup"),
            (newer, f"has format 99, this fleetcast knows no newer one than {newest}", "or a newer one"),
        ):
            ((whole,),) = trained.rows(f"SELECT content FROM {table} WHERE {where}")
            trained.change(f"UPDATE {table} SET content = {damage} WHERE {where}")
            before = contents(trained)
            error = one_error(trained.type(*words))
            assert error.startswith(f"error: {place} {said}\n  fix: "), error
            assert fix in error
            assert contents(trained) == before
            quoted = whole.replace("'", "''").replace("%", "%%")
            trained.change(f"UPDATE {table} SET content = '{quoted}' WHERE {where}")


def test_a_damaged_column_is_one_error_of_each_command_that_needs_it(trained: Repository) -> None:
    for table, column, commands in COLUMNS:
        where, place = ROWS[table]
        ((whole,),) = trained.rows(f"SELECT {column} FROM {table} WHERE {where}")
        trained.change(f"UPDATE {table} SET {column} = 'x' WHERE {where}")
        before = all_but_runs(trained)
        for command in commands:
            error = one_error(trained.type(*command.split()))
            assert error.startswith(f"error: {place} cannot be read\n  fix: "), (column, command, error)
        assert all_but_runs(trained) == before
        trained.change(f"UPDATE {table} SET {column} = '{whole}' WHERE {where}")


@ON_SQLITE
def test_a_row_that_is_no_text_is_one_error_of_each_command_that_needs_it(trained: Repository) -> None:
    for table, words in NEEDED:
        where, _ = ROWS[table]
        ((whole,),) = trained.rows(f"SELECT content FROM {table} WHERE {where}")
        trained.change(f"UPDATE {table} SET content = CAST(x'7bff' AS TEXT) WHERE {where}")
        error = one_error(trained.type(*words))
        assert error.startswith(f"error: {table} "), (table, words, error)
        assert "cannot be read: it holds bytes that are no text" in error
        quoted = whole.replace("'", "''").replace("%", "%%")
        trained.change(f"UPDATE {table} SET content = '{quoted}' WHERE {where}")


def test_a_run_that_finds_a_damaged_row_registers_and_decides_nothing(trained: Repository) -> None:
    trained.approve_all()
    trained.change(f"UPDATE model_versions SET content = {TEAR} WHERE name = 'plant001-circuit01'")
    before = trained.audited(), trained.versions(), trained.shared(), trained.jobs()
    error = one_error(trained.type("train"))
    assert "model_versions plant001-circuit01:1 cannot be read" in error
    audited, *others = before
    assert (trained.audited(), trained.versions(), trained.shared(), trained.jobs()) == (
        [*audited, "run.ended"],
        *others,
    )


def test_a_database_without_format_numbers_goes_on_as_before(trained: Repository) -> None:
    for table in TABLES:
        trained.change(f"UPDATE {table} SET content = {FIRST}")
    trained.approve_all()
    assert trained.type("train").code == 0
    assert trained.type("plan", "--detailed-exitcode").code == 0
    assert trained.type("audit", "verify").code == 0
    for words in (["status"], ["runs", "list"], ["approvals", "list", "--all"], ["models", "list"]):
        assert trained.type(*words).code == 0


def test_a_table_that_is_missing_is_one_error_of_every_command(promoted: Repository) -> None:
    promoted.change("DROP TABLE effects")
    before = promoted.audited()
    for words in (["plan"], ["train"], ["status"], ["approvals", "list"], ["database", "upgrade"]):
        error = one_error(promoted.type(*words))
        assert "effects" in error
        assert "its tables are not those of its schema number" in error
    assert promoted.audited() == before


@pytest.mark.parametrize("text", ["{", '{"format":9,"a":1}'])
def test_a_task_file_that_cannot_be_read_is_one_error(
    trained: Repository, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    task = next(trained.state.rglob("task.json"))
    task.write_text(text)
    rows = next(trained.state.rglob("*.parquet"))
    code = run(["fit", "--task", str(task), "--data", str(rows), "--output", str(tmp_path / "model")])
    said = Said(code, *capsys.readouterr())
    assert one_error(said).startswith(f"error: {task} ")
    assert not (tmp_path / "model").exists()
