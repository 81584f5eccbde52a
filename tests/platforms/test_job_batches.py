"""A batch that a container was started for: folders in, folders out, and one that fails stops no other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fleetcast.domain.component import TrainingComponent
from fleetcast.domain.job import JobBatch, TrainingJob
from fleetcast.domain.location import Location
from fleetcast.platforms.files.frozen_rows import FileFrozenRows
from fleetcast.platforms.stores import Stores
from fleetcast.stored.jobs import JOB_BATCH, JOB_OUTCOME
from tests.contracts.samples import component, job, readings


def handed_over(
    folder: Path, made_by: TrainingComponent, *names: str, frozen: bool = True
) -> list[TrainingJob]:
    """Jobs as a platform hands them to a container, each on rows of its own."""
    jobs = []
    for seed, name in enumerate(names, start=1):
        rows = readings(seed=seed)
        if frozen:
            FileFrozenRows(folder / "rows").freeze(rows, rows.fingerprint())
        jobs.append(job(rows, made_by, name=name))
    (folder / "batch").mkdir()
    (folder / "batch" / "batch.json").write_text(JOB_BATCH.to_json(JobBatch(made_by, tuple(jobs))))
    return jobs


def run_batch(folder: Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "fleetcast.cli.main", "run-batch", "--workers", "2"]
    for name in ("batch", "rows", "output"):
        words += [f"--{name}", str(folder / name)]
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)


def test_models_are_left_as_an_object_store_lays_them_out(tmp_path: Path) -> None:
    jobs = handed_over(tmp_path, component(), "one", "two")
    ran = run_batch(tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert sorted(ran.stdout.splitlines()) == sorted(f"{one.id}: completed" for one in jobs)
    store = Stores(tmp_path / "cache", Location(f"file://{tmp_path / 'output'}")).artifacts()
    for one in jobs:
        folder = tmp_path / "output" / "jobs" / one.id
        outcome = JOB_OUTCOME.from_json((folder / "outcome.json").read_text(), one.id)
        assert (store.folder(outcome.artifact) / "MLmodel").is_file()
        assert "step fit: done" in (folder / "log.txt").read_text()


def test_one_that_fails_says_why_and_stops_no_other(tmp_path: Path) -> None:
    good, bad = handed_over(tmp_path, component(), "good", "bad")
    FileFrozenRows(tmp_path / "rows").file(bad.fingerprint).write_bytes(b"torn")
    ran = run_batch(tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert f"{good.id}: completed" in ran.stdout
    assert ran.stderr.strip() == "1 failed"
    folder = tmp_path / "output" / "jobs" / bad.id
    assert (folder / "error.txt").read_text() in ran.stdout
    assert not (folder / "outcome.json").exists()


@pytest.mark.parametrize("wrong", ["missing", "torn"])
def test_a_batch_that_cannot_be_read_is_one_clear_error(tmp_path: Path, wrong: str) -> None:
    (tmp_path / "batch").mkdir()
    if wrong == "torn":
        (tmp_path / "batch" / "batch.json").write_text('{"format":1,"component":')
    ran = run_batch(tmp_path)
    assert ran.returncode == 1
    assert "batch.json" in ran.stderr
    assert "Traceback" not in ran.stderr
