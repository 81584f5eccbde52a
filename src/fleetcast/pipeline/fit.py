"""Fitting one circuit from files: what `fleetcast fit` does, and what the pool does in place of it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path

from threadpoolctl import ThreadpoolController

from fleetcast.domain.artifact import ArtifactFiles
from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.job import FitTask, JobOutcome
from fleetcast.forecasting.artifact import ModelIdentity, load_scores, save
from fleetcast.forecasting.resampling import resample
from fleetcast.forecasting.series import Series
from fleetcast.forecasting.training import TrainingTask, train
from fleetcast.pipeline.rows import read_rows
from fleetcast.ports.artifacts import ArtifactStore
from fleetcast.ports.readings import Readings
from fleetcast.stored.jobs import FIT_TASK
from fleetcast.stored.named_file import read_named


def series_of(readings: Readings, task: FitTask) -> Series:
    """The regular series that a task's model is trained on."""
    columns = [readings.sensors.index(name) for name in task.sensors]
    return resample(
        readings.times,
        readings.values[:, columns],
        task.sensors,
        task.frequency,
        task.sensor_limits,
        task.cleaning,
    )


def fit_from_files(task_file: Path, data_file: Path, output: Path) -> str:
    """Train one circuit and write its model folder.

    Args:
        task_file: JSON of a `FitTask`.
        data_file: Parquet with the rows to train on.
        output: Folder to write the model to.

    Returns:
        One line about the result.

    Raises:
        FleetcastError: The task or the rows cannot be read, the history is too short, or the disk refuses.
    """
    task = _read_task(task_file)
    readings = read_rows(data_file, task.key)
    series = series_of(readings, task)
    with one_thread():
        trained = train(series, _training(task))
    identity = ModelIdentity(
        key=task.key,
        model_name=task.model_name,
        training_hash=task.training_hash,
        cutoff=task.end,
        delta_version=task.delta_version,
    )
    try:
        save(trained, output, identity=identity)
    except OSError as error:
        raise Unavailable(
            f"cannot write the model of {task.key}: {error}", fix="check the disk's space and rights"
        ) from error
    mean = trained.scores.mean
    shown = ", ".join(
        f"{name} {value:.4g}"
        for name, value in (("skill", mean.skill), ("MASE", mean.mase))
        if value is not None
    )
    return f"{task.family} on {len(series)} steps of {len(task.sensors)} sensors: {shown or 'nothing to measure'}"


def outcome_of(model: Path, store: ArtifactStore) -> JobOutcome:
    """Take the model folder that a component wrote into the store.

    Raises:
        BadInput: The component wrote no model, or one without `MLmodel` and metrics.
    """
    if not (model / "MLmodel").is_file():
        raise BadInput(
            "the component's steps wrote no model",
            fix="write an MLflow model folder to ${{outputs.model}}: MLmodel, metrics.json",
        )
    metrics = model / "metrics.json"
    content = {metrics.name: metrics.read_bytes()} if metrics.is_file() else {}
    scores = load_scores(ArtifactFiles(str(model), content))
    size = sum(path.stat().st_size for path in model.rglob("*") if path.is_file())
    return JobOutcome(store.keep(model), size, scores)


def one_thread() -> AbstractContextManager[object]:
    """Let linear algebra keep to one thread: sums in another order would be other bytes, and two are no faster."""
    limited: AbstractContextManager[object] = _libraries().limit(limits=1)
    return limited


@cache
def _libraries() -> ThreadpoolController:
    """The BLAS libraries that are loaded; looking for them takes longer than limiting them."""
    return ThreadpoolController()


def _training(task: FitTask) -> TrainingTask:
    return TrainingTask(
        task.targets, task.horizon // task.frequency, task.family, task.hyperparameters, task.sensor_limits
    )


def _read_task(path: Path) -> FitTask:
    try:
        return FIT_TASK.from_json(read_named(path), str(path))
    except OSError as error:
        raise BadInput(
            f"cannot read the task {path}: {error.strerror}", fix="give the task.json that the job was handed"
        ) from error
