"""What may be written in each file of a fleet repository, as Pydantic models over YAML nodes.

A field that is None was not written. Nothing is inherited or defaulted here.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainValidator

from fleetcast.config import scalars
from fleetcast.config.scalars import Refused
from fleetcast.domain.circuit import Cutoff, HyperparameterValue
from fleetcast.domain.component import check_max_retries, check_timeout
from fleetcast.domain.quality import CleaningRules
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


MAX_SENSORS = 1_000
"""Of one circuit; a handful is usual."""


def _sensors(names: list[str]) -> list[str]:
    if not names:
        raise Refused("is an empty list", "name at least one sensor")
    if len(names) > MAX_SENSORS:
        raise Refused(f"names {len(names)} sensors", f"name at most {MAX_SENSORS}: split the circuit")
    seen: dict[str, str] = {}
    for name in names:
        other = seen.get(name.casefold())
        if other is not None:
            twice = f"names {name!r} twice" if other == name else f"names both {other!r} and {name!r}"
            raise Refused(twice, "keep one of the two")
        seen[name.casefold()] = name
    return names


Sensors = Annotated[list[Sensor], AfterValidator(_sensors)]


class Written(BaseModel):
    """A mapping in a file; a key that is not known is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class LimitsWritten(Written):
    """Physical limits of one sensor, in its own unit."""

    min: Real | None = None
    max: Real | None = None


class CleaningWritten(Written):
    """How readings are cleaned."""

    fill_steps: Annotated[Whole, judged(lambda steps: CleaningRules(fill_steps=steps))] | None = None
    max_missing_share: (
        Annotated[Real, judged(lambda share: CleaningRules(max_missing_share=share))] | None
    ) = None
    max_flat_share: Annotated[Real, judged(lambda share: CleaningRules(max_flat_share=share))] | None = None
    flat_steps: Annotated[Whole, judged(lambda steps: CleaningRules(flat_steps=steps))] | None = None
    spike_deviations: (
        Annotated[Real, judged(lambda number: CleaningRules(spike_deviations=number))] | None
    ) = None


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


class DefaultsWritten(Written):
    """`defaults:` of the fleet or of a plant."""

    description: Text | None = None
    features: Sensors | None = None
    targets: Sensors | None = None
    frequency: Duration | None = None
    forecast_horizon: DaysOrDuration | None = None
    training_days: DaysOrDuration | None = None
    training_window: DaysOrDuration | None = None
    cutoff_date: Annotated[Cutoff, PlainValidator(scalars.cutoff)] | None = None
    data_source: Identifier | None = None
    delta_version: Count | None = None
    pipeline_component_version: Version | None = None
    model: Annotated[str, PlainValidator(scalars.family)] | None = None
    hyperparameters: dict[str, Annotated[HyperparameterValue, PlainValidator(scalars.untyped)]] | None = None
    sensor_limits: dict[Sensor, LimitsWritten] | None = None
    cleaning: CleaningWritten | None = None
    revision: Count | None = None
    thresholds: ThresholdsWritten | None = None
    owner: Text | None = None
    tags: dict[str, Text] | None = None


class CircuitWritten(DefaultsWritten):
    """A circuit below its plant."""

    model_name: Identifier | None = None


class FlatCircuitWritten(CircuitWritten):
    """A circuit in the flat list."""

    plant_id: Text
    circuit_id: Text


class RetryWritten(Written):
    """When a job is tried again."""

    max_retries: Annotated[Whole, judged(check_max_retries)] | None = None
    timeout: Annotated[SecondsOrDuration, judged(check_timeout)] | None = None


class StepWritten(Written):
    """One command of the training component."""

    name: Text
    command: Text
    inputs: list[Text] | None = None
    outputs: list[Text] | None = None


class ComponentWritten(Written):
    """`components/training-pipeline-component.yaml`."""

    name: Identifier
    version: Version
    steps: list[StepWritten]
    retry: RetryWritten | None = None


class EnvironmentWritten(Written):
    """`config/environment.yaml`."""

    name: Identifier
    version: Version
    python: Text
    packages: list[Text] | None = None
