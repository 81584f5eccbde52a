"""Model versions, as they are written down."""

from __future__ import annotations

from fleetcast.domain.model import TrainedModel
from fleetcast.stored.form import Stored

TRAINED_MODEL = Stored(TrainedModel)
