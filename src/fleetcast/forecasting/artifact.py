"""A trained model as a folder of JSON and safetensors that is also an MLflow model.

    MLmodel               so that `mlflow.pyfunc.load_model(folder)` forecasts
    model.json            what it is: family, choices, sensors, grid, identity, digest of the weights
    weights.safetensors   its numbers, in half precision where that moves no metric
    metrics.json          per sensor, and the mean of those without unit
    backtest.json         errors from each test origin
    requirements.txt, python_env.yaml

Nothing in it can run code when it is loaded, and nothing depends on when or where it was written: the same
model gives the same bytes. Numbers in the JSON files have six significant digits.
"""

from __future__ import annotations

import struct
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load as unpack
from safetensors.numpy import save as pack

from fleetcast.domain.artifact import ArtifactFiles
from fleetcast.domain.canonical import Json, canonical_json
from fleetcast.domain.errors import BadInput, FleetcastError
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.quality import SensorLimits
from fleetcast.domain.scores import Baseline, ModelScores, Scores
from fleetcast.forecasting.backtest import Backtest
from fleetcast.forecasting.bounds import Bounds
from fleetcast.forecasting.conformal import Offsets
from fleetcast.forecasting.family import family_named
from fleetcast.forecasting.fitted import FittedModel, Units
from fleetcast.forecasting.mlmodel import mlflow_files
from fleetcast.forecasting.series import Floats
from fleetcast.forecasting.stored_json import StoredJson, read_stored, significant
from fleetcast.forecasting.training import Trained

FORMAT = 2
"""Raised when a folder is written that earlier releases cannot read. Format 1 had intervals that reach as far down as
up, as `half_80` and `half_95`, and knew no physical range."""
_ENDS = ("lower_80", "upper_80", "lower_95", "upper_95")
_HALVES = ("half_80", "half_95")
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Whose model it is and what it was trained on; written into the artifact as given."""

    key: CircuitKey
    model_name: str
    training_hash: Digest
    cutoff: datetime
    """Aware; readings before this moment were training data."""
    delta_version: int


def save(trained: Trained, folder: Path, *, identity: ModelIdentity) -> None:
    """Write a trained model into a folder, which is made if need be.

    Raises:
        OSError: The disk is full or read-only; the folder is then incomplete and `load` refuses it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    weights = pack(_tensors(trained.model))
    files = {
        "weights.safetensors": weights,
        "metrics.json": _encoded(_metrics(trained.scores)),
        "backtest.json": _encoded(_backtest(trained.backtest)),
        **mlflow_files(trained.model.sensors),
        "model.json": _encoded(_description(trained.model, identity, Digest.of(weights))),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)


def load(files: ArtifactFiles) -> FittedModel:
    """Read a model back, ready to forecast.

    Raises:
        BadInput: The folder is incomplete or damaged, or was written by a later release.
    """
    stored = read_stored(files, "model.json")
    if (found := stored.integer("format")) not in (1, FORMAT):
        raise BadInput(
            f"{files.place} has the artifact format {found}, this release reads 1 to {FORMAT}",
            fix="update fleetcast",
        )
    tensors = _read_weights(files, stored.text("weights_sha256"))
    horizon, sensors = stored.integer("horizon"), stored.texts("sensors")
    ends = _HALVES if found == 1 else _ENDS
    shared = {name: tensors.pop(name, None) for name in ("centre", "scale", *ends)}
    shapes = {"centre": (len(sensors),), "scale": (len(sensors),)}
    for name, tensor in shared.items():
        if tensor is None or tensor.shape != shapes.get(name, (len(sensors), horizon)):
            raise _damaged(files, f"{name} is missing or has the wrong shape")
    centre, scale, *reach = (_doubles(tensor) for tensor in shared.values())
    limits = {} if found == 1 else _limits(stored.inside("limits"))
    family = stored.text("family")
    try:
        step = stored.integer("step_microseconds") * _MICROSECOND
        model = family_named(family).restore(stored.scalars("choices"), tensors, horizon)
    except (FleetcastError, OverflowError) as error:
        raise _damaged(files, str(error)) from error
    return FittedModel(
        family,
        model,
        sensors,
        step,
        horizon,
        Units(centre, scale),
        Offsets.symmetric(*reach) if found == 1 else Offsets(*reach),
        Bounds.of(sensors, limits),
    )


def load_identity(files: ArtifactFiles) -> ModelIdentity:
    """Read whose model a folder holds.

    Raises:
        BadInput: The folder is incomplete or damaged.
    """
    stored = read_stored(files, "model.json").inside("identity")
    return ModelIdentity(
        CircuitKey(stored.text("plant"), stored.text("circuit")),
        stored.text("model_name"),
        Digest(stored.text("training_hash")),
        stored.instant("cutoff"),
        stored.integer("delta_version"),
    )


def load_scores(files: ArtifactFiles) -> ModelScores:
    """Read a stored model's metrics.

    Raises:
        BadInput: The folder is incomplete or damaged.
    """
    stored = read_stored(files, "metrics.json")
    sensors = stored.inside("sensors")
    baselines = stored.inside("baselines") if "baselines" in stored.names else None
    return ModelScores(
        _scores(stored.inside("mean")),
        {name: _scores(sensors.inside(name)) for name in sensors.names},
        {name: _baseline(baselines.inside(name)) for name in baselines.names} if baselines else {},
    )


def load_backtest(files: ArtifactFiles) -> Backtest:
    """Read a stored model's backtest.

    Raises:
        BadInput: The folder is incomplete or damaged.
    """
    stored = read_stored(files, "backtest.json")
    sensors = stored.texts("sensors")
    origins = stored.instants("origins")
    model_mae, naive_mae = stored.table("model_mae"), stored.table("naive_mae")
    if model_mae.shape != (len(origins), len(sensors)) or naive_mae.shape != model_mae.shape:
        raise _damaged(files, "backtest.json has tables of the wrong shape")
    seasons = stored.integers("seasons") if "seasons" in stored.names else ()
    return Backtest(
        sensors,
        origins,
        stored.instant("trained_before"),
        seasons or (stored.integer("season"),) * len(sensors),
        model_mae,
        naive_mae,
    )


def _tensors(fitted: FittedModel) -> dict[str, npt.NDArray[np.floating]]:
    return {
        **fitted.model.tensors,
        "centre": fitted.units.centre,
        "scale": fitted.units.scale,
        **{name: getattr(fitted.offsets, name).astype(np.float16) for name in _ENDS},
    }


def _description(fitted: FittedModel, identity: ModelIdentity, weights: Digest) -> Json:
    return {
        "format": FORMAT,
        "family": fitted.family,
        "choices": dict(fitted.model.choices),
        "sensors": list(fitted.sensors),
        "step_microseconds": fitted.step // _MICROSECOND,
        "horizon": fitted.horizon,
        "lookback": fitted.lookback,
        "limits": {
            name: {"min": _bound(lower), "max": _bound(upper)}
            for name, lower, upper in zip(
                fitted.sensors, fitted.bounds.lower, fitted.bounds.upper, strict=True
            )
        },
        "weights_sha256": weights.hex,
        "identity": {
            "plant": identity.key.plant,
            "circuit": identity.key.circuit,
            "model_name": identity.model_name,
            "training_hash": identity.training_hash.hex,
            "cutoff": _instant(identity.cutoff),
            "delta_version": identity.delta_version,
        },
    }


def _bound(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _limits(stored: StoredJson) -> dict[str, SensorLimits]:
    return {
        name: SensorLimits(stored.inside(name).measure("min"), stored.inside(name).measure("max"))
        for name in stored.names
    }


def _metrics(scores: ModelScores) -> Json:
    return {
        "mean": _rounded(scores.overall),
        "sensors": {name: _rounded(each) for name, each in scores.sensors.items()},
        "baselines": {name: asdict(each) for name, each in scores.baselines.items()},
    }


def _rounded(scores: Scores) -> dict[str, float | None]:
    return {name: significant(value) for name, value in asdict(scores).items()}


def _backtest(backtest: Backtest) -> Json:
    return {
        "sensors": list(backtest.sensors),
        "origins": [_instant(origin) for origin in backtest.origins],
        "trained_before": _instant(backtest.trained_before),
        "season": max(set(backtest.seasons), key=backtest.seasons.count),
        "seasons": list(backtest.seasons),
        "model_mae": _table(backtest.model_mae),
        "naive_mae": _table(backtest.naive_mae),
    }


def _table(values: Floats) -> list[list[float | None]]:
    return [[significant(float(value)) for value in row] for row in values]


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _encoded(value: Json) -> bytes:
    return (canonical_json(value) + "\n").encode()


def _baseline(stored: StoredJson) -> Baseline:
    return Baseline(stored.integer("steps"), stored.number("seconds"))


def _scores(stored: StoredJson) -> Scores:
    return Scores(**{field.name: stored.measure(field.name) for field in fields(Scores)})


def _read_weights(files: ArtifactFiles, expected: str) -> dict[str, npt.NDArray[np.floating]]:
    name = "weights.safetensors"
    content = files.content.get(name)
    if content is None:
        raise _damaged(files, f"{name} is missing")
    if files.digests[name].hex != expected:
        raise _damaged(files, f"{name} is not what was saved")
    try:
        return dict(unpack(content))
    except (SafetensorError, ValueError, struct.error) as error:
        raise _damaged(files, f"{name} cannot be read: {error}") from error


def _doubles(tensor: npt.NDArray[np.floating] | None) -> Floats:
    return np.asarray(tensor, dtype=np.float64)


def _damaged(files: ArtifactFiles, why: str) -> BadInput:
    return BadInput(
        f"the model in {files.place} is damaged: {why}",
        fix="restore the artifact, or train the circuit again",
    )
