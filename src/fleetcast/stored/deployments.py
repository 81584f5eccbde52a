"""Deployments and rollouts, as they are written down."""

from __future__ import annotations

from fleetcast.domain.deployment import Deployment, PlantRollout
from fleetcast.stored.form import Fields, Stored


def _all_with_clients(fields: Fields) -> Fields:
    """Format 1 knew no plant without clients."""
    for release in fields["plan"]["releases"]:
        release["at_once"] = False
    return fields


DEPLOYMENT = Stored(Deployment, number=2, earlier={1: _all_with_clients})
PLANT_ROLLOUT = Stored(PlantRollout)
