"""Models of other teams: small real MLflow models, run by `mlflow.pyfunc`, and one that lives in memory."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from textwrap import dedent, indent

import numpy as np

from fleetcast.domain.foreign import AnyFrame, ForeignDescription
from fleetcast.ports.foreign_models import Floats, ForeignTask

REPEATS_YESTERDAY = "frame.tail(24)[TARGETS].to_numpy()[[hour % 24 for hour in range(HORIZON)]]"
"""An honest forecast of any number of hourly steps."""


@dataclass
class HoldsLast:
    """Foreign models in memory: each step is the last reading of its target."""

    asked: list[tuple[Floats, Sequence[datetime]]] = field(default_factory=list)

    def describe(self, folder: Path) -> ForeignDescription:
        return ForeignDescription(AnyFrame(), None, {"folder": folder.name})

    def points(self, task: ForeignTask, windows: Floats, ends: Sequence[datetime]) -> Floats:
        self.asked.append((windows, ends))
        targets = [task.features.index(name) for name in task.targets]
        return np.repeat(windows[:, -1:, targets], task.horizon, axis=1)


def save_foreign(
    folder: Path,
    predict: str = f"return {REPEATS_YESTERDAY}",
    *,
    targets: tuple[str, ...] = ("temperature", "vibration"),
    horizon: int = 12,
    load: str = "pass",
    signature: str = "",
    lookback: int | None = 48,
) -> Path:
    """Write an MLflow model from code, as `mlflow.pyfunc.save_model(loader_module=…)` does: no pickle to wait for.

    Args:
        folder: Where to; made here.
        predict: The body of `predict(frame)`.
        targets: What `TARGETS` is there.
        horizon: What `HORIZON` is there.
        load: Statements that run when the model is loaded.
        signature: JSON of the input columns; empty: none.
        lookback: Steps it says it wants.
    """
    (folder / "code").mkdir(parents=True)
    body = indent(dedent(predict), " " * 8)
    (folder / "code" / f"{_module(folder)}.py").write_text(
        f"import os, sys, time\nimport numpy as np\nimport pandas as pd\n\n"
        f"TARGETS, HORIZON = {list(targets)!r}, {horizon}\n\n\n"
        f"class Model:\n    def predict(self, frame):\n{body}\n\n\n"
        f"def _load_pyfunc(path):\n{indent(dedent(load), ' ' * 4)}\n    return Model()\n"
    )
    lines = [
        "flavors:",
        "  python_function:",
        "    code: code",
        "    env: {}",
        f"    loader_module: {_module(folder)}",
        "mlflow_version: 3.1.0",
        "run_id: 0123456789abcdef",
        "utc_time_created: '2025-11-02 10:00:00'",
    ]
    lines += [f"metadata: {{lookback: {lookback}}}"] if lookback else []
    lines += ["signature:", f"  inputs: '{signature}'"] if signature else []
    (folder / "MLmodel").write_text("\n".join(lines) + "\n")
    return folder


def _module(folder: Path) -> str:
    return "foreign_" + folder.name.replace("-", "_")


def load_mlflow() -> None:
    """Import MLflow once, without its own warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow  # noqa: F401
