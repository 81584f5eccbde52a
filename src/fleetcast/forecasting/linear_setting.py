"""One way to set up a linear model: what it looks at, and what its weights come from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from fleetcast.forecasting.far import Far
from fleetcast.forecasting.products import Normalisation, centring_weights
from fleetcast.forecasting.ridge import Singles, solve_ridge
from fleetcast.forecasting.series import Floats
from fleetcast.forecasting.windows import Ints

ENDLESS = 1e9
"""Strength, the greatest that can be declared, of weights that are not learned."""


class Sharing(StrEnum):
    """Whose readings one set of weights is learned from."""

    PER_SENSOR = "per-sensor"
    POOLED = "pooled"


@dataclass(frozen=True, slots=True)
class Setting:
    """One way to set up a linear model."""

    lookback: int
    """Steps of the near window."""
    ridge: float
    normalisation: Normalisation
    sharing: Sharing
    season: int = 0
    """Steps after which the forecast repeats that the weights shrink towards; 0: the window's level."""
    far: Far | None = None
    """What is looked at beside the near window."""

    @property
    def reach(self) -> int:
        """Steps of history that one forecast is made from."""
        return self.lookback + (self.far.reach if self.far else 0)

    @classmethod
    def repeating(cls, season: int) -> Setting:
        """What only repeats a season: shrunk without end, so that nothing is learned."""
        return cls(season, ENDLESS, Normalisation.LAST, Sharing.POOLED, season)

    @property
    def repeats(self) -> bool:
        """Whether it only repeats its season."""
        return self.season > 0 and self.ridge >= ENDLESS

    @property
    def form(self) -> tuple[object, ...]:
        """What makes it another form of model than others, which differ in strength and length alone."""
        return self.normalisation, self.sharing, self.season, self.far is None, self.repeats


Blend = tuple[Setting, ...]
"""Settings whose forecasts count the same; one of them alone is the blend of itself."""


def inputs_of(windows: Floats, at: Ints, choice: Setting) -> tuple[Floats, Singles]:
    """What a model of this setting multiplies with its weights.

    Args:
        windows: Shape (…, q, reach).
        at: The absolute step after each window, shape (q,).
        choice: The setting.

    Returns:
        The levels that the windows are centred on, shape (…, q), and the inputs, shape (…, q, inputs).
    """
    far = choice.far
    near = windows[..., far.reach :] if far else windows
    level: Floats = near @ centring_weights(choice.normalisation, choice.lookback)
    if far is None:
        return level, (near - level[..., None]).astype(np.float32)
    inputs = np.empty((*near.shape[:-1], choice.lookback + far.size), dtype=np.float32)
    inputs[..., : choice.lookback] = near - level[..., None]
    means = choice.lookback + far.means
    inputs[..., choice.lookback : means] = far.block_means(windows) - level[..., None]
    inputs[..., means:] = far.calendar(at)
    return level, inputs


def seasonal_places(lookback: int, season: int, steps: Ints) -> Ints:
    """Where in the window the readings stand that a seasonal forecast repeats at some steps of the horizon."""
    return lookback - season + steps % season


def repeating(choice: Setting, steps: Ints) -> Singles:
    """Weights that repeat a season."""
    weights = np.zeros((choice.lookback, len(steps)), dtype=np.float32)
    weights[seasonal_places(choice.lookback, choice.season, steps), np.arange(len(steps))] = 1.0
    return weights


def solve(sums: Floats, choice: Setting, steps: Ints) -> Singles:
    """Weights for some steps of the horizon, from the sums of products of centred windows.

    With a season the ridge shrinks the weights towards repeating it instead of towards the window's level: what is
    learned is the difference, so that much shrinkage gives seasonal naive.
    """
    size = len(sums)
    gram, targets = sums[:, :size], sums[:, size + steps]
    if not choice.season:
        return solve_ridge(gram, targets, choice.ridge)
    places = seasonal_places(choice.lookback, choice.season, steps)
    weights = solve_ridge(gram, targets - gram[:, places], choice.ridge)
    weights[places, np.arange(len(steps))] += 1.0
    return weights
