"""The linear family: ridge regression from a lookback window to the whole horizon at once, in closed form.

Each window is centred on its last value or its mean, as in Zeng et al. (2023, "Are Transformers effective for
time series forecasting?"). Both are linear, so they fold into the Gram matrix. One set of weights per sensor,
or one for all sensors of the circuit, which are standardised. Beside a near window stand, where history is long enough,
means of what lies far back and the calendar (`far.py`). Forms of model that are about as good are averaged with equal
weights (Bates & Granger 1969; equal ones, as Smith & Wallis 2009 find estimated weights worse); as all are linear in
the same inputs, their mean is one model again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from fleetcast.domain.errors import BadInput
from fleetcast.forecasting.baseline import LAST_READING, strongest_season
from fleetcast.forecasting.far import Far, year_in_steps
from fleetcast.forecasting.linear_search import LONGEST_SEASON, Search, choose
from fleetcast.forecasting.linear_setting import Blend, Setting, Sharing, inputs_of, repeating, solve
from fleetcast.forecasting.model import Fitted, Hyperparameters, Problem, Tensors
from fleetcast.forecasting.products import (
    FarProducts,
    LaggedProducts,
    Normalisation,
    centred_in_place,
    centring_weights,
)
from fleetcast.forecasting.ridge import Singles
from fleetcast.forecasting.series import Floats
from fleetcast.forecasting.split import Split, count_origins, steps_needed
from fleetcast.forecasting.windows import Ints

SHORTEST_LOOKBACK = 8
LONGEST_AUTO_LOOKBACK = 336
"""Two weeks of hours. Half as much again gains little and costs twice the time and the storage."""
MOST_BYTES = 256 * 2**20
"""Memory for the sums of one circuit, beyond which `auto` does not reach over a season either."""
_SUMS_BYTES = 2 * 8
_BLOCKS_IN_NEAR = 7
"""Blocks that a near window is as long as: days in a week of hours."""
_MOST_MEANS, _FEWEST_MEANS = 56, 7
_ENOUGH_ORIGINS = 2
"""Training origins for each input."""
_CALENDAR = (timedelta(days=7), timedelta(days=1))
_MOST_PHASES = 336
_FEWEST_CYCLES = 8
_ENOUGH_YEARS = 1.9
"""Of training, from which on a year is more than what happened once."""


@dataclass(frozen=True, slots=True)
class LinearModel:
    """Weights from each input to each step of the horizon.

    `weights` has shape (sets, inputs, horizon), with one set for each sensor or one for all.
    """

    choice: Setting
    """Of all sensors, or the most usual one; of a blend that which all its forms fit into."""
    weights: npt.NDArray[np.floating]
    blend: str = ""
    """The forms whose mean it is, for people; empty for one alone."""

    @property
    def lookback(self) -> int:
        """Steps of history that one forecast is made from."""
        return self.choice.reach

    @property
    def choices(self) -> Hyperparameters:
        """Every hyperparameter with the value in use."""
        far = self.choice.far
        return {
            "lookback": self.choice.lookback,
            "ridge": self.choice.ridge,
            "normalisation": str(self.choice.normalisation),
            "sharing": str(self.choice.sharing),
            **({"season": self.choice.season} if self.choice.season else {}),
            **({"means": far.means, "block": far.block, "phase": far.phase, "year": far.year} if far else {}),
            **({"blend": self.blend} if self.blend else {}),
        }

    @property
    def tensors(self) -> Tensors:
        """The weights."""
        return {"weights": self.weights}

    def point(self, windows: Floats, at: Ints) -> Floats:
        """Forecast from standardised windows of shape (k, q, lookback), to (k, q, horizon)."""
        level, inputs = inputs_of(windows, at, self.choice)
        moves = np.matmul(inputs, self.weights.astype(np.float32, copy=False))
        point: Floats = moves + level[:, :, None]
        return point

    def at_half_precision(self) -> LinearModel:
        """The same model with its weights rounded to 16 bits."""
        return replace(self, weights=self.weights.astype(np.float16))


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
        far = _far_products(problem, split)
        search = Search(problem, split, products, far)
        seasons = sorted({season for own in problem.seasons for season in own if season > LAST_READING})
        with_far = (
            Setting(far.near, 0.0, Normalisation.LAST, Sharing.POOLED, far=far.far)
            if far is not None
            else None
        )
        blends = choose(search, problem.hyperparameters, split.reach, seasons, with_far)
        every_step = np.arange(problem.horizon)
        past: dict[tuple[int | None, Setting], Singles] = {}
        whole: dict[tuple[int | None, Setting], Singles] = {}
        for sensor, blend in enumerate(blends):
            for choice in blend:
                of = _set_of(sensor, choice)
                if (of, choice) not in past:
                    past[of, choice] = search.weights(choice, of, every_step)
                    whole[of, choice] = (
                        repeating(choice, every_step)
                        if choice.repeats
                        else solve(_whole(products, far, choice, of), choice, every_step)
                    )
        return Fitted(_merged(blends, past), _merged(blends, whole))

    def restore(self, choices: Hyperparameters, tensors: Tensors, horizon: int) -> LinearModel:
        """Bring back a model from its choices and weights."""
        weights = tensors.get("weights")
        lookback, ridge = choices.get("lookback"), choices.get("ridge")
        if weights is None or not isinstance(lookback, int) or not isinstance(ridge, int | float):
            raise BadInput("a linear model without weights, lookback or ridge", fix="train it again")
        far = _restored_far(choices)
        if weights.ndim != 3 or weights.shape[1:] != (lookback + (far.size if far else 0), horizon):
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
        setting = Setting(lookback, float(ridge), normalisation, sharing, season, far)
        return LinearModel(setting, weights.astype(np.float32), str(choices.get("blend", "")))


def _far_products(problem: Problem, split: Split) -> FarProducts | None:
    """Far inputs for this history, and their sums; None where it is too short for them or the lookback is declared."""
    if any(problem.hyperparameters.get(name, "auto") != "auto" for name in ("lookback", "ridge", "far")):
        return None
    near = split.reach // 2
    block = near // _BLOCKS_IN_NEAR
    origins = split.train_end - near - problem.horizon
    means = min(_MOST_MEANS, (origins - _ENOUGH_ORIGINS * near) // max(1, block + _ENOUGH_ORIGINS))
    if block < 1 or means < _FEWEST_MEANS or near + means * block > int(split.calibration[0]):
        return None
    year = year_in_steps(problem.step)
    far = Far(
        means,
        block,
        _phases(problem, split.train_end),
        year if split.train_end >= _ENOUGH_YEARS * year else 0.0,
    )
    if origins - far.reach < _ENOUGH_ORIGINS * (near + far.size):
        return None
    return FarProducts(
        problem.values,
        near=near,
        far=far,
        horizon=problem.horizon,
        train_end=split.train_end,
        first=problem.first,
    )


def _with_far(far: FarProducts | None, hyperparameters: Hyperparameters) -> Setting | None:
    """The setting of the form with far inputs, without its strength."""
    if far is None:
        return None
    normalisation, sharing = (hyperparameters.get(name, "auto") for name in ("normalisation", "sharing"))
    return Setting(
        far.near,
        0.0,
        Normalisation.LAST if normalisation == "auto" else Normalisation(str(normalisation)),
        Sharing.POOLED if sharing == "auto" else Sharing(str(sharing)),
        far=far.far,
    )


def _phases(problem: Problem, train_end: int) -> int:
    """Steps of a week, or else a day, that was seen often enough; 0 for neither."""
    for length in _CALENDAR:
        steps, rest = divmod(length, problem.step)
        if not rest and 1 < steps <= _MOST_PHASES and train_end >= _FEWEST_CYCLES * steps:
            return steps
    return 0


def _set_of(sensor: int, choice: Setting) -> int | None:
    """Whose sums a sensor's weights come from; None: those of all."""
    return None if choice.sharing is Sharing.POOLED else sensor


def _whole(products: LaggedProducts, far: FarProducts | None, choice: Setting, of: int | None) -> Floats:
    """Centred sums over all windows."""
    if choice.far is not None and far is not None:
        return far.whole_pooled(choice.normalisation) if of is None else far.whole(of, choice.normalisation)
    matrix = products.whole_pooled() if of is None else products.whole(of)
    return centred_in_place(matrix, products.horizon, choice.lookback, choice.normalisation)


def _merged(blends: Sequence[Blend], weights: dict[tuple[int | None, Setting], Singles]) -> LinearModel:
    """The model of all sensors: each with the mean of its forms."""
    sets = [
        tuple((_set_of(sensor, choice), choice) for choice in blend) for sensor, blend in enumerate(blends)
    ]
    if len(set(sets)) == 1:
        sets = sets[:1]
    usual = _usual(blends)
    if all(blend == (usual,) or (len(blend) == 1 and _alike(blend[0], usual)) for blend in blends):
        return LinearModel(usual, np.stack([weights[each] for ((each),) in sets]))
    choices = [choice for blend in blends for choice in blend]
    frame = replace(
        usual,
        lookback=max(choice.lookback for choice in choices),
        normalisation=Normalisation.LAST,
        sharing=Sharing.POOLED if len(sets) == 1 else Sharing.PER_SENSOR,
        season=0,
        far=next((choice.far for choice in choices if choice.far), None),
    )
    merged = [sum(_framed(weights[each], each[1], frame) for each in blend) / len(blend) for blend in sets]
    said = max(blends, key=list(blends).count)
    return LinearModel(frame, np.stack(merged), " + ".join(map(_in_words, said)))


def _framed(weights: Singles, choice: Setting, frame: Setting) -> Singles:
    """Weights for the inputs of a frame that a setting fits into, which give the same forecast.

    What a window is centred on is a weighted mean of the window itself: what is forecast from the difference to it, and
    then added to it, can be written as weights on the differences to the last reading.
    """
    size = frame.lookback + (frame.far.size if frame.far else 0)
    framed = np.zeros((size, weights.shape[1]), dtype=np.float32)
    near = slice(frame.lookback - choice.lookback, frame.lookback)
    means = choice.lookback + (choice.far.means if choice.far else 0)
    framed[near] = weights[: choice.lookback]
    framed[frame.lookback : frame.lookback + len(weights) - choice.lookback] = weights[choice.lookback :]
    level = centring_weights(choice.normalisation, choice.lookback)
    framed[near] += np.outer(level, 1.0 - weights[:means].sum(axis=0)).astype(np.float32)
    return framed


def _alike(choice: Setting, other: Setting) -> bool:
    """Whether weights of both can lie in one array."""
    return (choice.lookback, choice.normalisation, choice.far) == (
        other.lookback,
        other.normalisation,
        other.far,
    )


def _in_words(choice: Setting) -> str:
    if choice.repeats:
        return f"repeated after {choice.season}"
    towards = f" towards the season {choice.season}" if choice.season else ""
    far = " with far means and calendar" if choice.far else ""
    return f"{choice.sharing} {choice.lookback} from the {choice.normalisation}, ridge {choice.ridge:g}{towards}{far}"


def _usual(blends: Sequence[Blend]) -> Setting:
    """The setting that most sensors have; with weights of its own if any sensor has them."""
    choices = [blend[0] for blend in blends]
    own = [choice for choice in choices if choice.sharing is Sharing.PER_SENSOR] or choices
    return max(own, key=own.count)


def _restored_far(choices: Hyperparameters) -> Far | None:
    if "means" not in choices:
        return None
    means, block, phase, year = (choices.get(name) for name in ("means", "block", "phase", "year"))
    if not (
        isinstance(means, int)
        and isinstance(block, int)
        and isinstance(phase, int)
        and isinstance(year, int | float)
        and means >= 1
        and block >= 1
        and phase >= 0
        and year >= 0
    ):
        raise BadInput("a linear model with far inputs that cannot be", fix="train it again")
    return Far(means, block, phase, float(year))


def _declared(hyperparameters: Hyperparameters) -> int:
    lookback = hyperparameters.get("lookback", "auto")
    return lookback if isinstance(lookback, int) else 0
