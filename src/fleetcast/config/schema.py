"""What may be written of circuits, component and environment, as Pydantic models over YAML nodes.

A field that is None was not written. Nothing is inherited or defaulted here.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, PlainValidator

from fleetcast.config import scalars
from fleetcast.config.scalars import Refused
from fleetcast.config.written import (
    Count,
    DaysOrDuration,
    Duration,
    Identifier,
    Real,
    SecondsOrDuration,
    Sensor,
    Text,
    ThresholdsWritten,
    Version,
    Whole,
    Written,
    judged,
)
from fleetcast.domain.circuit import Cutoff, HyperparameterValue, Serving
from fleetcast.domain.component import check_max_retries, check_timeout
from fleetcast.domain.given import LONGEST_NAME, check_line, check_lines
from fleetcast.domain.quality import CleaningRules
from fleetcast.domain.sensor import check_unit

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


def _check_label(text: str) -> str:
    return check_line(text, "a label", LONGEST_NAME)


_label = judged(_check_label)
Label = Annotated[Text, _label]
"""What names or sorts something for people, on one line."""
Sensors = Annotated[list[Sensor], AfterValidator(_sensors)]


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


class DefaultsWritten(Written):
    """`defaults:` of the fleet or of a plant."""

    description: Annotated[Text, judged(lambda text: check_lines(text, "a description"))] | None = None
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
    serving: Annotated[str, PlainValidator(scalars.one_of(*(way.value for way in Serving)))] | None = None
    owner: Label | None = None
    units: dict[Sensor, Annotated[Text, judged(check_unit)]] | None = None
    tags: dict[Annotated[str, _label], Label] | None = None


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
