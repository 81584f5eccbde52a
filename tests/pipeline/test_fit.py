"""Fitting one circuit from files, and taking the model that came of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.pipeline.fit import fit_from_files, outcome_of
from fleetcast.pipeline.rows import write_rows
from fleetcast.stored.jobs import FIT_TASK
from tests.pipeline.world import DAYS, ONE, World, circuit, readings


@pytest.fixture
def files(world: World, tmp_path: Path) -> tuple[Path, Path]:
    """The task and the rows of a job that was submitted."""
    world.upto("SubmitTraining")
    (job,) = world.jobs(ONE)
    task, data = tmp_path / "task.json", tmp_path / "rows.parquet"
    task.write_text(FIT_TASK.to_json(job.task))
    write_rows(world.platform.workspace.frozen.load(job.fingerprint, ONE), data)
    return task, data


def test_a_model_is_written_and_one_line_says_how_good_it_is(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    says = fit_from_files(*files, tmp_path / "model")
    assert says.startswith("seasonal_naive on 336 steps of 2 sensors: skill 0, MASE 1.0")
    assert (tmp_path / "model" / "MLmodel").is_file()


def test_the_same_task_gives_the_same_bytes(files: tuple[Path, Path], tmp_path: Path) -> None:
    for name in ("first", "second"):
        fit_from_files(*files, tmp_path / name)
    first, second = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("first", "second")
    )
    assert first == second


def test_a_sensor_that_repeats_itself_exactly_leaves_nothing_to_measure(world: World, tmp_path: Path) -> None:
    repeated = np.where(np.arange(24 * DAYS) % 2, 1.0, -1.0)
    world.table.commit(readings(ONE, temperature=repeated, pressure=repeated))
    world.declare(circuit(ONE, delta_version=1))
    world.upto("MonitorTraining")
    (log,) = world.folder.rglob("log.txt")
    assert "seasonal_naive on 336 steps of 2 sensors: nothing to measure" in log.read_text()


def test_a_task_that_is_not_there_is_named(files: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"cannot read the task .*none\.json: No such file"):
        fit_from_files(tmp_path / "none.json", files[1], tmp_path / "model")


def test_a_file_that_is_no_task_is_named(files: tuple[Path, Path], tmp_path: Path) -> None:
    files[0].write_text('{"model_name": "p1-c1"}')
    with pytest.raises(BadInput, match=r"task\.json is not a training task: "):
        fit_from_files(*files, tmp_path / "model")


def test_a_place_that_cannot_be_written_is_named(files: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "model").write_text("in the way")
    with pytest.raises(Unavailable, match="cannot write the model of P1/C1: "):
        fit_from_files(*files, tmp_path / "model")


def test_a_model_is_taken_into_the_store_with_its_size_and_scores(
    world: World, files: tuple[Path, Path], tmp_path: Path
) -> None:
    fit_from_files(*files, tmp_path / "model")
    size = sum(path.stat().st_size for path in (tmp_path / "model").iterdir())
    (tmp_path / "model" / "code").mkdir()
    (tmp_path / "model" / "code" / "more.py").write_text("pass\n")
    outcome = outcome_of(tmp_path / "model", world.platform.workspace.artifacts)
    assert outcome.artifact_bytes == size + len("pass\n")
    assert set(outcome.scores.sensors) == {"temperature", "pressure"}
    assert (world.platform.workspace.artifacts.folder(outcome.artifact) / "model.json").is_file()


def test_a_folder_that_is_no_model_is_refused(world: World, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="the component's steps wrote no model"):
        outcome_of(tmp_path, world.platform.workspace.artifacts)


def test_a_model_without_metrics_is_refused(world: World, tmp_path: Path) -> None:
    (tmp_path / "MLmodel").write_text("flavors: {}\n")
    with pytest.raises(BadInput, match=r"metrics\.json"):
        outcome_of(tmp_path, world.platform.workspace.artifacts)
