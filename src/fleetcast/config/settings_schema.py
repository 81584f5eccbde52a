"""What may be written in `fleetcast.yaml`."""

from __future__ import annotations

from typing import Annotated

from pydantic import PlainValidator

from fleetcast.config import scalars
from fleetcast.config.scalars import Refused
from fleetcast.config.schema import (
    Days,
    Duration,
    Identifier,
    NotNegative,
    Percent,
    SecondsOrDuration,
    Share,
    Text,
    ThresholdsWritten,
    Written,
)
from fleetcast.domain.settings import DATABASE_URL_VARIABLE, DataSourceKind, PlatformKind
from fleetcast.domain.table_mapping import Layout

_PLANNED_PLATFORMS = ("azure", "ray")


def _platform(value: object) -> PlatformKind:
    found = scalars.scalar(value).text
    known = ", ".join(PlatformKind)
    if found in _PLANNED_PLATFORMS:
        raise Refused(f"platform {found!r} is not in this version", f"known are {known}")
    if found not in {kind.value for kind in PlatformKind}:
        raise Refused(f"unknown platform {found[:60]!r}", f"known are {known}")
    return PlatformKind(found)


def _source_kind(value: object) -> DataSourceKind:
    found = scalars.scalar(value).text
    if found not in {kind.value for kind in DataSourceKind}:
        raise Refused(
            f"data source kind {found[:60]!r} is not in this version",
            f"known are {', '.join(DataSourceKind)}",
        )
    return DataSourceKind(found)


def _no_database(_value: object) -> None:
    raise Refused(
        "is never written in a file, as its URL may hold a password",
        f"set the environment variable {DATABASE_URL_VARIABLE}",
    )


class PlatformWritten(Written):
    """`platform:`."""

    kind: Annotated[PlatformKind, PlainValidator(_platform)] | None = None
    state: Text | None = None
    storage: Text | None = None
    database: Annotated[None, PlainValidator(_no_database)] = None
    workers: Annotated[int, PlainValidator(scalars.whole(1, 1_024))] | None = None
    max_parallel: Annotated[int, PlainValidator(scalars.whole(1, 1_000))] | None = None
    batch_size: Annotated[int, PlainValidator(scalars.whole(1, 10_000))] | None = None
    lease: Duration | None = None


class DataSourceWritten(Written):
    """One entry of `data_sources:`."""

    kind: Annotated[DataSourceKind, PlainValidator(_source_kind)] | None = None
    path: Text | None = None
    layout: Annotated[str, PlainValidator(scalars.one_of(*Layout))] | None = None
    columns: dict[str, Text] | None = None
    plant_id: Text | None = None
    circuit_id: Text | None = None
    sensors: dict[str, Text] | None = None
    time_zone: Text | None = None


class ExpectationsWritten(Written):
    """One entry of `environments:`."""

    thresholds: ThresholdsWritten | None = None
    data_drift: Share | None = None
    model_drift: NotNegative | None = None
    latency_ms: NotNegative | None = None
    error_rate: Percent | None = None
    availability: Percent | None = None


class EnvironmentsWritten(Written):
    """`environments:`."""

    dev: ExpectationsWritten | None = None
    test: ExpectationsWritten | None = None
    prod: ExpectationsWritten | None = None


class GateWritten(Written):
    """One entry of `gates:`."""

    approvers: list[Text] | None = None
    minimum: Annotated[int, PlainValidator(scalars.whole(1, 100))] | None = None
    own_request: Annotated[str, PlainValidator(scalars.one_of("allowed", "forbidden"))] | None = None


class PollingWritten(Written):
    """`polling:`."""

    start: Duration | None = None
    max: Duration | None = None
    longest: Duration | None = None


class RampWritten(Written):
    """`ramp:`."""

    steps: list[Annotated[int, PlainValidator(scalars.whole(0, 100))]]


class RetentionWritten(Written):
    """Days, for one environment."""

    models: Days | None = None
    logs: Days | None = None
    predictions: Days | None = None


class RetentionsWritten(Written):
    """`retention:`."""

    dev: RetentionWritten | None = None
    test: RetentionWritten | None = None
    prod: RetentionWritten | None = None


class ChannelWritten(Written):
    """One entry of `notifications.channels:`."""

    name: Identifier
    kind: Identifier


class NotificationsWritten(Written):
    """`notifications:`."""

    channels: list[ChannelWritten]


class ForeignModelsWritten(Written):
    """`foreign_models:`."""

    memory: Annotated[int, PlainValidator(scalars.size)] | None = None
    time: SecondsOrDuration | None = None


class SettingsWritten(Written):
    """`fleetcast.yaml`."""

    registry: Identifier | None = None
    platform: PlatformWritten | None = None
    data_sources: dict[str, DataSourceWritten] | None = None
    environments: EnvironmentsWritten | None = None
    gates: dict[str, GateWritten] | None = None
    polling: PollingWritten | None = None
    ramp: RampWritten | None = None
    retention: RetentionsWritten | None = None
    foreign_models: ForeignModelsWritten | None = None
    notifications: NotificationsWritten | None = None
    schedules: dict[str, Text] | None = None
