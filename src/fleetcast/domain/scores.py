"""How well a model did on its backtest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Scores:
    """Backtest metrics of one sensor, or their mean over a circuit's sensors.

    `mae`, `rmse`, `pinball` and `naive_mae` are in the sensor's own unit; the others have none. None means it
    could not be measured (a sensor without signal has no WAPE), which is neither good nor bad.
    """

    mae: float | None
    rmse: float | None
    wape: float | None
    accuracy: float | None
    mase: float | None
    skill: float | None
    r2: float | None
    coverage_80: float | None
    coverage_95: float | None
    pinball: float | None
    naive_mae: float | None


@dataclass(frozen=True, slots=True)
class Baseline:
    """The strongest forecast of a sensor that needs no model: it repeats what was read so long before."""

    steps: int
    """1: the last reading."""
    seconds: float


@dataclass(frozen=True, slots=True)
class ModelScores:
    """A model's backtest: the mean over its sensors, and each sensor."""

    mean: Scores
    """As computed, field by field; what is in units means something for a single sensor alone."""
    sensors: Mapping[str, Scores]
    baselines: Mapping[str, Baseline] = field(default_factory=dict)
    """What each sensor's skill is measured against. Empty: against the better of a day and a week only, as in
    versions from before there were others, or skill was not measured at all."""

    @property
    def overall(self) -> Scores:
        """The mean as it may be shown: of °C and bar there is none, so what is in units is None."""
        if len(self.sensors) == 1:
            return self.mean
        return replace(self.mean, mae=None, rmse=None, pinball=None, naive_mae=None)
