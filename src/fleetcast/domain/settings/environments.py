"""The places that a model goes through, and what is expected of it in each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from fleetcast.domain.errors import BadInput
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.thresholds import Limits, Thresholds

_BOUNDS = (
    ("data_drift", 1.0, "write 0 to 1"),
    ("model_drift", math.inf, "write 0 or more: 0.1 is 10 %"),
    ("latency_ms", math.inf, "write 0 or more milliseconds"),
    ("error_rate", 100.0, "write 0 to 100 percent"),
    ("availability", 100.0, "write 0 to 100 percent"),
)
"""Of what is watched: none may be below 0; the most it may be, and what to write."""


@dataclass(frozen=True, slots=True)
class EnvironmentSettings:
    """What is expected of models and endpoints in one environment; None is not watched."""

    thresholds: Thresholds = field(default_factory=Thresholds)
    data_drift: float | None = None
    """Bias-corrected Jensen-Shannon distance, 0 to 1."""
    model_drift: float | None = None
    """Relative rise of MAE: 0.1 is 10 %."""
    latency_ms: float | None = None
    """95th percentile at which to alarm."""
    error_rate: float | None = None
    """Percent of requests at which to alarm."""
    availability: float | None = None
    """Percent of time below which to alarm."""

    def __post_init__(self) -> None:
        for name, most, fix in _BOUNDS:
            value: float | None = getattr(self, name)
            if value is not None and not 0 <= value <= most:
                raise BadInput(f"{name} {value:g} is out of range", fix=fix)


def _expected(**kinds: EnvironmentSettings) -> Mapping[EnvironmentName, EnvironmentSettings]:
    return MappingProxyType({EnvironmentName(name): settings for name, settings in kinds.items()})


_NO_WORSE_THAN_NAIVE = Thresholds(Limits(min_skill=0.0, min_coverage_80=0.70, max_coverage_80=0.92))
"""And intervals that hold about what they promise."""

DEFAULT_ENVIRONMENTS = _expected(
    dev=EnvironmentSettings(_NO_WORSE_THAN_NAIVE),
    test=EnvironmentSettings(
        _NO_WORSE_THAN_NAIVE, data_drift=0.20, model_drift=0.15, latency_ms=1000.0, error_rate=5.0
    ),
    prod=EnvironmentSettings(
        _NO_WORSE_THAN_NAIVE,
        data_drift=0.15,
        model_drift=0.10,
        latency_ms=500.0,
        error_rate=2.0,
        availability=99.5,
    ),
)
"""What holds where the fleet repository says nothing; `min_accuracy` is only ever set by hand."""
