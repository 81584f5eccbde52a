"""Model families for people and programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fleetcast.domain.canonical import Json
from fleetcast.domain.errors import BadInput
from fleetcast.domain.family import FAMILIES, SAYS, Hyperparameter, OneOf, family_complaint


@dataclass(frozen=True, slots=True)
class HyperparameterShown:
    """What can be set about a family."""

    name: str
    kind: str
    """`choice`, `integer` or `number`."""
    values: str
    """Which it takes, in words."""
    default: str
    says: str
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, slots=True)
class FamilyShown:
    """A kind of model."""

    name: str
    says: str
    hyperparameters: tuple[HyperparameterShown, ...]


def chosen(name: str | None = None) -> Sequence[FamilyShown]:
    """All families, or the one of that name.

    Raises:
        BadInput: There is none of that name.
    """
    if name is not None and (complaint := family_complaint(name)):
        raise BadInput(complaint, fix="`fleetcast families` lists them")
    names = FAMILIES if name is None else [name]
    return [FamilyShown(each, SAYS[each], tuple(map(_shown, FAMILIES[each]))) for each in names]


def as_json(families: Sequence[FamilyShown]) -> Json:
    """Families with what each hyperparameter takes."""
    return [
        {
            "family": family.name,
            "says": family.says,
            "hyperparameters": [
                {
                    "name": each.name,
                    "kind": each.kind,
                    "choices": list(each.choices),
                    "minimum": each.minimum,
                    "maximum": each.maximum,
                    "default": each.default,
                    "says": each.says,
                }
                for each in family.hyperparameters
            ],
        }
        for family in families
    ]


def _shown(parameter: Hyperparameter) -> HyperparameterShown:
    if isinstance(parameter, OneOf):
        return HyperparameterShown(
            parameter.name,
            "choice",
            ", ".join(parameter.values),
            parameter.default,
            parameter.says,
            choices=parameter.values,
        )
    return HyperparameterShown(
        parameter.name,
        "integer" if parameter.whole else "number",
        f"{parameter.minimum:g} to {parameter.maximum:g}, or auto",
        parameter.default,
        parameter.says,
        minimum=parameter.minimum,
        maximum=parameter.maximum,
    )
