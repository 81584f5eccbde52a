"""Deployments and rollouts, as they are written down."""

from __future__ import annotations

from fleetcast.domain.deployment import Deployment, PlantRollout
from fleetcast.stored.form import Stored

DEPLOYMENT = Stored(Deployment)
PLANT_ROLLOUT = Stored(PlantRollout)
