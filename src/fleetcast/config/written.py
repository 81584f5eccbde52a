"""What may be written in files of a fleet repository, as Pydantic types over YAML nodes: what all files have in common.

A field that is None was not written. Nothing is inherited or defaulted here.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainValidator

from fleetcast.config import scalars
from fleetcast.domain.semver import SemVer
from fleetcast.domain.thresholds import Limits

Text = Annotated[str, PlainValidator(scalars.text)]
Identifier = Annotated[str, PlainValidator(scalars.identifier)]
Sensor = Annotated[str, PlainValidator(scalars.sensor)]
Duration = Annotated[timedelta, PlainValidator(scalars.duration)]
DaysOrDuration = Annotated[timedelta, PlainValidator(scalars.days_or_duration)]
SecondsOrDuration = Annotated[timedelta, PlainValidator(scalars.seconds_or_duration)]
Size = Annotated[int, PlainValidator(scalars.size)]
Version = Annotated[SemVer, PlainValidator(scalars.version)]
Count = Annotated[int, PlainValidator(scalars.whole(0, 10**15))]
Whole = Annotated[int, PlainValidator(scalars.any_whole)]
NotNegative = Annotated[float, PlainValidator(scalars.real(0))]
Real = Annotated[float, PlainValidator(scalars.real())]
AtMostOne = Annotated[float, PlainValidator(scalars.real(-1e9, 1))]

ValueT = TypeVar("ValueT")


def judged(make: Callable[[ValueT], object]) -> AfterValidator:
    """Bounds that the domain knows: what it says of a value is said at the line of the setting.

    For a value that can be judged by itself; settings that must fit together are judged where all are read.
    """

    def judge(value: ValueT) -> ValueT:
        scalars.said_by_domain(make, value)
        return value

    return AfterValidator(judge)


class Written(BaseModel):
    """A mapping in a file; a key that is not known is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class BoundsWritten(Written):
    """What a model must reach."""

    min_skill: AtMostOne | None = None
    min_accuracy: AtMostOne | None = None
    max_mae: NotNegative | None = None
    max_rmse: NotNegative | None = None
    max_mase: NotNegative | None = None
    min_coverage_80: Annotated[Real, judged(lambda share: Limits(min_coverage_80=share))] | None = None
    max_coverage_80: Annotated[Real, judged(lambda share: Limits(max_coverage_80=share))] | None = None


class ThresholdsWritten(BoundsWritten):
    """What a circuit's models must reach, and closer bounds for single sensors."""

    sensors: dict[Sensor, BoundsWritten] | None = None
