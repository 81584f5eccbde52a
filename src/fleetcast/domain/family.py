"""Model families by name, and the hyperparameters each accepts."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OneOf:
    """A hyperparameter with a closed set of values."""

    name: str
    values: tuple[str, ...]
    default: str
    says: str

    def complaint(self, value: object) -> str:
        """Why `value` is not accepted; empty if it is."""
        return "" if value in self.values else f"must be one of {', '.join(self.values)}"


@dataclass(frozen=True, slots=True)
class Number:
    """A hyperparameter that is a number in a range, or `auto` to have it chosen on held-out data."""

    name: str
    minimum: float
    maximum: float
    whole: bool
    says: str
    default: str = "auto"

    def complaint(self, value: object) -> str:
        """Why `value` is not accepted; empty if it is."""
        kind = "a whole number" if self.whole else "a number"
        wanted = f"must be {kind} from {self.minimum:g} to {self.maximum:g}, or auto"
        if value == "auto":
            return ""
        if isinstance(value, bool) or not isinstance(value, int if self.whole else int | float):
            return wanted
        return "" if self.minimum <= value <= self.maximum else wanted


Hyperparameter = OneOf | Number

FAMILIES: Mapping[str, tuple[Hyperparameter, ...]] = {
    "seasonal_naive": (
        Number(
            "season",
            1,
            100_000,
            whole=True,
            says="steps after which the pattern repeats; auto: a day, a week or one found in the readings",
        ),
    ),
    "linear": (
        Number("lookback", 8, 4_096, whole=True, says="steps of history the forecast is made from"),
        Number(
            "ridge", 0.0, 1e9, whole=False, says="shrinkage of the weights, in units of the mean variance"
        ),
        OneOf("normalisation", ("auto", "last", "mean"), "auto", says="what a window is centred on"),
        OneOf(
            "sharing",
            ("auto", "per-sensor", "pooled"),
            "auto",
            says="one set of weights per sensor, or one for all",
        ),
        OneOf(
            "far",
            ("auto", "off"),
            "auto",
            says="means of what lies far back and the calendar as inputs, where the history is long enough",
        ),
        OneOf(
            "blend", ("auto", "off"), "auto", says="the mean of forms that are about as good, or one alone"
        ),
    ),
}

SAYS: Mapping[str, str] = {
    "seasonal_naive": "repeats the last season of each sensor: what every other model has to beat",
    "linear": (
        "ridge regression from the readings before to the whole horizon at once, in closed form: fits in milliseconds"
    ),
}
"""What each family does, in a line."""


def family_complaint(name: str) -> str:
    """Why `name` is not a model family, with the nearest known one; empty if it is."""
    if name in FAMILIES:
        return ""
    near = difflib.get_close_matches(name, FAMILIES, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"unknown model family {name!r}: {hint}known are {', '.join(FAMILIES)}"


def hyperparameter_complaints(family: str, values: Mapping[str, object]) -> dict[str, str]:
    """What is wrong with the hyperparameters of a known family, by name; empty if nothing is."""
    known = {parameter.name: parameter for parameter in FAMILIES[family]}
    complaints = {}
    for name, value in values.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            complaints[name] = f"unknown hyperparameter of {family}: {hint}known are {', '.join(known)}"
        elif wrong := known[name].complaint(value):
            complaints[name] = f"{wrong}, not {value!r}"
    return complaints
