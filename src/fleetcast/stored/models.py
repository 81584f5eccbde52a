"""Model versions, as they are written down."""

from __future__ import annotations

from fleetcast.domain.model import TrainedModel
from fleetcast.stored.form import Fields, Stored


def _without_baselines(fields: Fields) -> Fields:
    """Format 1 measured skill against a day and a week, and did not say which."""
    return fields


TRAINED_MODEL = Stored(TrainedModel, number=2, earlier={1: _without_baselines})
