"""What a model must reach before it may be promoted, per fleet, plant, circuit or sensor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType

from fleetcast.domain.errors import BadInput


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on a model's backtest metrics; None sets no bound. Errors are in the sensor's own unit."""

    min_skill: float | None = None
    """1 − MAE / MAE of the strongest baseline; without unit."""
    min_accuracy: float | None = None
    """1 − WAPE; only meaningful for sensors with a natural zero."""
    max_mae: float | None = None
    max_rmse: float | None = None
    max_mase: float | None = None
    min_coverage_80: float | None = None
    """Share of held-out readings inside their 80 % interval, 0 to 1: with fewer it promises too much."""
    max_coverage_80: float | None = None
    """With more it says too little."""

    def __post_init__(self) -> None:
        for name in ("min_coverage_80", "max_coverage_80"):
            share: float | None = getattr(self, name)
            if share is not None and not 0 <= share <= 1:
                raise BadInput(
                    f"{name} {share:g} is not a share", fix="write 0 to 1: 0.7 is 70 % of the readings"
                )

    def over(self, base: Limits) -> Limits:
        """These bounds where set, else those of `base`."""
        return Limits(
            **{
                f.name: getattr(base, f.name) if getattr(self, f.name) is None else getattr(self, f.name)
                for f in fields(self)
            }
        )


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Bounds for the mean over a circuit's sensors, and closer ones for single sensors.

    Those on errors in a sensor's unit (`max_mae`, `max_rmse`) hold for each sensor: a mean over units says nothing.
    """

    circuit: Limits = field(default_factory=Limits)
    sensors: Mapping[str, Limits] = field(default_factory=lambda: MappingProxyType({}))
