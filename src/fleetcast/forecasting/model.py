"""What every model family promises. Families work in standardised units: training and storage see to that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import numpy as np
import numpy.typing as npt

from fleetcast.domain.circuit import HyperparameterValue
from fleetcast.forecasting.series import Floats
from fleetcast.forecasting.split import Split
from fleetcast.forecasting.windows import Ints

Tensors = Mapping[str, npt.NDArray[np.floating]]
Seasons = tuple[tuple[int, ...], ...]
"""Of each sensor, in steps, shortest first, beginning with 1 for the last reading."""
Hyperparameters = Mapping[str, HyperparameterValue]


@dataclass(frozen=True, slots=True)
class Problem:
    """What a family is asked to learn."""

    values: Floats
    """Shape (n, k), oldest first; NaN is a hole."""
    step: timedelta
    horizon: int
    hyperparameters: Hyperparameters
    """As declared; what is missing is `auto`."""
    seasons: Seasons
    """What each sensor's baseline may repeat, in steps; see `baseline.candidates`."""
    first: int = 0
    """The absolute step of the first reading, counted from the beginning of 1970 UTC: what the calendar knows of it."""


class Model(Protocol):
    """A fitted model of all sensors of a circuit, without its intervals."""

    @property
    def lookback(self) -> int:
        """Steps of history that one forecast is made from."""
        ...

    @property
    def choices(self) -> Hyperparameters:
        """Every hyperparameter with the value in use, none of them `auto`."""
        ...

    @property
    def tensors(self) -> Tensors:
        """The learned numbers, by name; with `choices` enough to restore the model."""
        ...

    def point(self, windows: Floats, at: Ints) -> Floats:
        """Forecast from many windows at once.

        Args:
            windows: Shape (k, q, lookback), standardised, without NaN where a forecast is wanted.
            at: The absolute step after each window, of shape (q,): that which is forecast first.

        Returns:
            Shape (k, q, horizon), standardised.
        """
        ...

    def at_half_precision(self) -> Model:
        """The same model with its numbers rounded to 16 bits."""
        ...


@dataclass(frozen=True, slots=True)
class Fitted:
    """One model twice: on the past, to be judged on what came later, and on everything, to be used."""

    backtest: Model
    final: Model


class Family(Protocol):
    """One way to forecast."""

    def needed_steps(self, hyperparameters: Hyperparameters, horizon: int) -> int:
        """The shortest unbroken run of readings that can be trained and tested on."""
        ...

    def reach(self, problem: Problem) -> int:
        """Steps of the longest window that a fit on this problem will look at."""
        ...

    def fit(self, problem: Problem, split: Split) -> Fitted:
        """Choose what is `auto` on the calibration origins and fit. Holes are never crossed.

        Args:
            problem: With standardised values.
            split: Made with this family's reach.
        """
        ...

    def restore(self, choices: Hyperparameters, tensors: Tensors, horizon: int) -> Model:
        """Bring back a model from its `choices` and `tensors`.

        Raises:
            BadInput: They do not fit together.
        """
        ...
