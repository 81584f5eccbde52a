"""What fleetcast needs to forecast with models that were trained elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from fleetcast.domain.errors import FleetcastError
from fleetcast.domain.foreign import ForeignDescription

Floats = npt.NDArray[np.float64]


class ForeignModelFailed(FleetcastError):
    """A model that was trained elsewhere crashed, took too much, or gave what is no forecast."""


@dataclass(frozen=True, slots=True)
class ForeignTask:
    """One model and what it is asked for."""

    name: str
    """For errors: `plant001-circuit01:1`."""
    copy: Callable[[Path], object]
    """Writes the MLflow model's files into a new folder, or raises what the model's keeper says."""
    features: tuple[str, ...]
    targets: tuple[str, ...]
    step: timedelta
    horizon: int
    """Steps."""


class ForeignModels(Protocol):
    """Runs MLflow models whose code nobody here wrote, so that nothing they do can harm fleetcast.

    Each call is a process of its own, without the caller's environment, within limits of memory and time, and
    is over, with all its children, when the call returns.
    """

    def describe(self, folder: Path) -> ForeignDescription:
        """What a model's `MLmodel` says of it; runs nothing.

        Raises:
            BadInput: It is not an MLflow model with a Python function, or names files outside its folder.
        """
        ...

    def points(self, task: ForeignTask, windows: Floats, ends: Sequence[datetime]) -> Floats:
        """Point forecasts from several windows of history.

        Args:
            task: The model, and what it forecasts.
            windows: Shape (q, lookback, features), in the features' units, no NaN; the model is given them in the
                types of its signature.
            ends: Aware UTC, one for each window: just after its last step, where the forecast begins.

        Returns:
            Shape (q, horizon, targets), in the targets' units, finite.

        Raises:
            ForeignModelFailed: It did not answer, or not with a forecast, or the windows do not fit into the types
                that it wants; the text names the model and the limit.
            BadInput: Its description does not fit the task, or MLflow is not installed.
        """
        ...
