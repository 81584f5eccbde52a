"""The model families, in one table by name. `fleetcast.domain.family` declares their hyperparameters."""

from __future__ import annotations

from collections.abc import Mapping

from fleetcast.domain.errors import BadInput
from fleetcast.domain.family import family_complaint, hyperparameter_complaints
from fleetcast.forecasting.linear import Linear
from fleetcast.forecasting.model import Family, Hyperparameters
from fleetcast.forecasting.seasonal_naive import SeasonalNaive

IMPLEMENTATIONS: Mapping[str, Family] = {
    "seasonal_naive": SeasonalNaive(),
    "linear": Linear(),
}


def family_named(name: str) -> Family:
    """Look a family up.

    Raises:
        BadInput: There is none of that name; the text lists the known ones.
    """
    if complaint := family_complaint(name):
        raise BadInput(complaint, fix="choose one of the known families")
    return IMPLEMENTATIONS[name]


def needed_steps(family: str, hyperparameters: Hyperparameters, horizon: int) -> int:
    """The shortest unbroken run of readings, in steps, that `train` accepts for this family and horizon.

    Raises:
        BadInput: The family or one of its hyperparameters is unknown or out of range.
    """
    implementation = family_named(family)
    for name, wrong in hyperparameter_complaints(family, hyperparameters).items():
        raise BadInput(f"hyperparameter {name}: {wrong}", fix=f"fix `hyperparameters` of the family {family}")
    return implementation.needed_steps(hyperparameters, horizon)
