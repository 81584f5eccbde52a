"""The linear family: ridge regression from a lookback window to the whole horizon at once, in closed form.

Each window is centred on its last value or its mean, as in Zeng et al. (2023, "Are Transformers effective for
time series forecasting?"). Both are linear, so they fold into the Gram matrix. One set of weights per sensor,
or one for all sensors of the circuit, which are standardised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fleetcast.domain.errors import BadInput
from fleetcast.forecasting.baseline import LAST_READING, strongest_season
from fleetcast.forecasting.linear_search import Search, Setting, Sharing, choose, solve
from fleetcast.forecasting.model import Fitted, Hyperparameters, Problem, Tensors
from fleetcast.forecasting.products import LaggedProducts, Normalisation, centred_in_place, centring_weights
from fleetcast.forecasting.series import Floats
from fleetcast.forecasting.split import Split, count_origins, steps_needed

SHORTEST_LOOKBACK = 8
LONGEST_AUTO_LOOKBACK = 336
"""Two weeks of hours. Half as much again gains little and costs twice the time and the storage."""
LONGEST_SEASON = 1_024
"""Steps of the longest season that `auto` reaches over: a week of ten minutes. Solving takes the cube of it."""
MOST_BYTES = 256 * 2**20
"""Memory for the sums of one circuit, beyond which `auto` does not reach over a season either."""
_SUMS_BYTES = 2 * 8


@dataclass(frozen=True, slots=True)
class LinearModel:
    """Weights from each step of the window to each step of the horizon.

    `weights` has shape (sets, lookback, horizon), with one set for each sensor or one for all.
    """

    choice: Setting
    """Of all sensors, or of the first one whose setting is the most usual."""
    weights: npt.NDArray[np.floating]

    @property
    def lookback(self) -> int:
        """Steps of history that one forecast is made from."""
        return self.choice.lookback

    @property
    def choices(self) -> Hyperparameters:
        """Every hyperparameter with the value in use."""
        return {
            "lookback": self.choice.lookback,
            "ridge": self.choice.ridge,
            "normalisation": str(self.choice.normalisation),
            "sharing": str(self.choice.sharing),
            **({"season": self.choice.season} if self.choice.season else {}),
        }

    @property
    def tensors(self) -> Tensors:
        """The weights."""
        return {"weights": self.weights}

    def point(self, windows: Floats) -> Floats:
        """Forecast from standardised windows of shape (k, q, lookback), to (k, q, horizon)."""
        level = windows @ centring_weights(self.choice.normalisation, self.lookback)
        inputs = (windows - level[:, :, None]).astype(np.float32)
        moves = np.matmul(inputs, self.weights.astype(np.float32, copy=False))
        point: Floats = moves + level[:, :, None]
        return point

    def at_half_precision(self) -> LinearModel:
        """The same model with its weights rounded to 16 bits."""
        return LinearModel(self.choice, self.weights.astype(np.float16))


@dataclass(frozen=True, slots=True)
class Linear:
    """The family of linear models."""

    def needed_steps(self, hyperparameters: Hyperparameters, horizon: int) -> int:
        """The declared lookback, or the shortest one, before the first origin."""
        return steps_needed(_declared(hyperparameters) or SHORTEST_LOOKBACK, horizon)

    def reach(self, problem: Problem) -> int:
        """The declared lookback, or the longest that leaves four training windows for each of its weights.

        It reaches at least over the strongest season, though, if that can be judged at all and the sums fit into
        `MOST_BYTES`: weights that shrink towards repeating it need few windows to be better than that.
        """
        declared = _declared(problem.hyperparameters)
        if declared:
            return declared
        usual = self._usual_reach(problem)
        longest = max(season for own in problem.seasons for season in own)
        if longest <= usual:
            return usual
        season = strongest_season(problem)
        span = season + problem.horizon
        fits = _SUMS_BYTES * problem.values.shape[1] * season * span <= MOST_BYTES
        return max(usual, season) if fits and season <= LONGEST_SEASON else usual

    def _usual_reach(self, problem: Problem) -> int:
        reach = LONGEST_AUTO_LOOKBACK
        while reach > SHORTEST_LOOKBACK:
            enough = 2 * (problem.horizon - 1) + max(24, 4 * reach)
            if count_origins(problem.values, reach, problem.horizon) >= enough:
                return reach
            reach //= 2
        return SHORTEST_LOOKBACK

    def fit(self, problem: Problem, split: Split) -> Fitted:
        """Choose what is `auto`, then solve twice: on the past and on the whole history."""
        products = LaggedProducts(
            problem.values, reach=split.reach, horizon=problem.horizon, train_end=split.train_end
        )
        search = Search(problem, split, products)
        seasons = sorted({season for own in problem.seasons for season in own if season > LAST_READING})
        choices = choose(search, problem.hyperparameters, split.reach, seasons)
        every_step = np.arange(problem.horizon)
        past, whole = {}, {}
        for sensor, choice in enumerate(choices):
            of = None if choice.sharing is Sharing.POOLED else sensor
            if (of, choice) not in past:
                past[of, choice] = search.weights(choice, of, every_step)
                matrix = products.whole_pooled() if of is None else products.whole(of)
                whole[of, choice] = _solve(matrix, problem.horizon, choice)
        sets = [
            (None if choice.sharing is Sharing.POOLED else sensor, choice)
            for sensor, choice in enumerate(choices)
        ]
        if len(past) == 1:
            sets = sets[:1]
        usual = _usual(choices)
        return Fitted(
            LinearModel(usual, np.stack([past[each] for each in sets])),
            LinearModel(usual, np.stack([whole[each] for each in sets])),
        )

    def restore(self, choices: Hyperparameters, tensors: Tensors, horizon: int) -> LinearModel:
        """Bring back a model from its choices and weights."""
        weights = tensors.get("weights")
        lookback, ridge = choices.get("lookback"), choices.get("ridge")
        if weights is None or not isinstance(lookback, int) or not isinstance(ridge, int | float):
            raise BadInput("a linear model without weights, lookback or ridge", fix="train it again")
        if weights.ndim != 3 or weights.shape[1:] != (lookback, horizon):
            raise BadInput(
                f"weights of shape {weights.shape} do not fit lookback {lookback} and horizon {horizon}",
                fix="train it again",
            )
        try:
            normalisation = Normalisation(str(choices.get("normalisation")))
            sharing = Sharing(str(choices.get("sharing")))
        except ValueError as error:
            raise BadInput(f"a linear model with an unknown choice: {error}", fix="train it again") from error
        season = choices.get("season", 0)
        if not isinstance(season, int) or not 0 <= season <= lookback:
            raise BadInput(
                f"a linear model of lookback {lookback} with the season {season!r}", fix="train it again"
            )
        # Half precision, as it is stored, would be made single by every forecast: that takes longer than the forecast.
        setting = Setting(lookback, float(ridge), normalisation, sharing, season)
        return LinearModel(setting, weights.astype(np.float32))


def _solve(matrix: Floats, horizon: int, choice: Setting) -> npt.NDArray[np.float32]:
    sums = centred_in_place(matrix, horizon, choice.lookback, choice.normalisation)
    return solve(sums, choice, np.arange(horizon))


def _usual(choices: Sequence[Setting]) -> Setting:
    """The setting that most sensors have; with weights of its own if any sensor has them."""
    own = [choice for choice in choices if choice.sharing is Sharing.PER_SENSOR] or choices
    return max(own, key=own.count)


def _declared(hyperparameters: Hyperparameters) -> int:
    lookback = hyperparameters.get("lookback", "auto")
    return lookback if isinstance(lookback, int) else 0
