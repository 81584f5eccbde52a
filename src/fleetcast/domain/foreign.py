"""Models that were trained elsewhere: what they want to be given, and how much they may take."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from fleetcast.domain.errors import BadInput
from fleetcast.domain.sensor import did_you_mean

TIMESTAMP = "timestamp"
"""Name of the time column of a model's input, and of its index where time is no column."""
_UNITS = {"MiB": 2**20, "GiB": 2**30}
_SIZE = re.compile(r"([0-9]{1,7})\s*(MiB|GiB)")
NUMBERS = {"boolean": "bool", "integer": "int32", "long": "int64", "float": "float32", "double": "float64"}
"""MLflow's types of columns that a reading can be cast to, and NumPy's name for each."""
_AS_IT_IS = "any"
LEAST_MEMORY = 512 * 2**20
"""MLflow with NumPy and pandas needs about half of this for itself."""


@dataclass(frozen=True, slots=True)
class ForeignLimits:
    """What one forecast with a foreign model may take before it is stopped."""

    memory: int = 2 * 2**30
    """Bytes, of the model's process with all its children."""
    time: timedelta = timedelta(seconds=60)
    """By the clock on the wall, loading included."""

    def __post_init__(self) -> None:
        if not LEAST_MEMORY <= self.memory <= 2**50:
            raise BadInput(
                f"memory {shown_size(self.memory)} is out of range",
                fix=f"write at least {shown_size(LEAST_MEMORY)}: loading MLflow takes that much",
            )
        if not timedelta(seconds=1) <= self.time <= timedelta(days=1):
            raise BadInput(f"time {self.time} is out of range", fix="write 1s to 1d")


def parse_size(text: str) -> int:
    """Read bytes, written as a whole number of `MiB` or `GiB`.

    Raises:
        BadInput: Of another form.
    """
    match = _SIZE.fullmatch(text.strip())
    if not match:
        raise BadInput(f"{text[:60]!r} is not a size", fix="write a whole number of MiB or GiB: 512MiB, 2GiB")
    return int(match[1]) * _UNITS[match[2]]


def shown_size(size: int) -> str:
    """Bytes in the largest unit that divides them: `2GiB`."""
    return f"{size // 2**30}GiB" if size % 2**30 == 0 else f"{size // 2**20}MiB"


@dataclass(frozen=True, slots=True)
class NamedColumns:
    """A frame with these columns, in this order; `timestamp` may be one of them."""

    names: tuple[str, ...]
    optional: frozenset[str] = frozenset()
    timestamp_has_zone: bool = True
    """MLflow's own type `datetime` refuses times with a zone: such a model is given naive UTC."""
    types: Mapping[str, str] = field(default_factory=dict)
    """MLflow's type of each column, where the signature names one."""

    @property
    def given(self) -> tuple[str, ...]:
        """The columns that can be given: an optional one of another type than a number is left out."""
        return tuple(name for name in self.names if not (name in self.optional and self._foreign(name)))

    @property
    def casts(self) -> Mapping[str, str]:
        """NumPy's type of each column that is cast."""
        return {name: NUMBERS[kind] for name, kind in self.types.items() if kind in NUMBERS}

    @property
    def wrong(self) -> tuple[str, ...]:
        """The columns that a reading, or a time, cannot be given as."""
        return tuple(name for name in self.given if self._foreign(name))

    def _foreign(self, name: str) -> bool:
        kind = self.types.get(name, _AS_IT_IS)
        return kind != _AS_IT_IS and (kind != "datetime" if name == TIMESTAMP else kind not in NUMBERS)


@dataclass(frozen=True, slots=True)
class Window:
    """An array of shape (1, steps, sensors), as recurrent networks take it."""

    steps: int | None
    """None: any number."""
    width: int | None
    dtype: str


@dataclass(frozen=True, slots=True)
class AnyFrame:
    """The model does not say what it wants: a frame with every feature, time as its index."""


ModelInput = NamedColumns | Window | AnyFrame


@dataclass(frozen=True, slots=True)
class ForeignDescription:
    """What the `MLmodel` file of a model says of it."""

    wants: ModelInput
    lookback: int | None
    """Steps of history, where it says; from `metadata.lookback`, or the shape of its input."""
    stated: Mapping[str, str] = field(default_factory=dict)
    """Facts for the lineage: flavors, run, versions, creation time."""


def check_wanted(name: str, wants: ModelInput, features: Sequence[str]) -> None:
    """Make sure that a circuit has what its model wants to be given.

    Raises:
        BadInput: A column is no feature, or the window has another width; the text names the model.
    """
    if isinstance(wants, Window) and wants.width not in (None, len(features)):
        raise BadInput(
            f"model {name} wants windows of {wants.width} sensors, the circuit has {len(features)} features",
            fix="declare its `features` in the order the model was trained with",
        )
    if not isinstance(wants, NamedColumns):
        return
    for column in wants.names:
        if column not in features and column != TIMESTAMP and column not in wants.optional:
            raise BadInput(
                f"the signature of model {name} wants a column {column!r}, which is no feature of its circuit",
                fix=f"{did_you_mean(column, features)}; add it to `features`, or save the model with another signature",
            )
    for column in wants.wrong:
        known = "datetime" if column == TIMESTAMP else ", ".join(NUMBERS)
        raise BadInput(
            f"the signature of model {name} wants {column!r} as {wants.types[column]}, which no reading can be cast to",
            fix=f"save the model with another signature: {column!r} can be {known}",
        )
