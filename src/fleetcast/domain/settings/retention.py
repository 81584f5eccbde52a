"""When things may be deleted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from fleetcast.domain.duration import LONGEST
from fleetcast.domain.errors import BadInput
from fleetcast.domain.place import EnvironmentName


@dataclass(frozen=True, slots=True)
class Retention:
    """Days after which things may be deleted; None keeps them."""

    models: int | None = None
    logs: int | None = None
    predictions: int | None = None

    def __post_init__(self) -> None:
        for kept in ("models", "logs", "predictions"):
            days: int | None = getattr(self, kept)
            if days is not None and not 1 <= days <= LONGEST.days:
                raise BadInput(f"{kept} {days} is out of range", fix=f"write 1 to {LONGEST.days} days")


DEFAULT_RETENTION: Mapping[EnvironmentName, Retention] = MappingProxyType(
    {
        EnvironmentName.DEV: Retention(models=30, logs=14),
        EnvironmentName.TEST: Retention(models=90, logs=30),
        EnvironmentName.PROD: Retention(models=365, logs=90, predictions=180),
    }
)
"""Days, where the fleet repository says nothing."""
