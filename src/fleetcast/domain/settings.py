"""What `fleetcast.yaml` says: how a fleet is run, apart from what its circuits are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from itertools import pairwise
from pathlib import PurePosixPath
from types import MappingProxyType

from fleetcast.domain.errors import BadInput
from fleetcast.domain.foreign import ForeignLimits
from fleetcast.domain.gate import DEFAULT_GATES, Gate, GatePolicy
from fleetcast.domain.identity import checked_id
from fleetcast.domain.location import Location
from fleetcast.domain.table_mapping import TableMapping
from fleetcast.domain.thresholds import Limits, Thresholds

DATABASE_URL_VARIABLE = "FLEETCAST_DATABASE_URL"
"""Environment variable with the control database's URL; never a setting, as it may hold a password."""
DEFAULT_STATE = PurePosixPath(".fleetcast")
DEFAULT_READINGS = DEFAULT_STATE / "readings"


class PlatformKind(StrEnum):
    """Where models are trained and kept."""

    LOCAL = "local"
    MEMORY = "memory"


class EnvironmentName(StrEnum):
    """The three places a model goes through, in order."""

    DEV = "dev"
    TEST = "test"
    PROD = "prod"


class DataSourceKind(StrEnum):
    """Where readings come from."""

    OWN = "own"
    """The Delta table that `fleetcast ingest` writes."""
    DELTA = "delta"
    """A Delta table that somebody else keeps; it is only read."""


@dataclass(frozen=True, slots=True)
class PlatformSettings:
    """The platform and how hard it may be driven."""

    kind: PlatformKind = PlatformKind.LOCAL
    state: PurePosixPath = DEFAULT_STATE
    """State directory, relative to the fleet directory and inside it."""
    workers: int | None = None
    """Worker processes; None: as many as the machine has cores."""
    max_parallel: int = 4
    """Batches of jobs that run at once."""
    batch_size: int = 50
    """Jobs in one batch, at most."""
    storage: Location | None = None
    """Where own readings, artifacts and frozen rows are kept for all machines; None: in the state directory."""
    lease: timedelta = timedelta(seconds=60)
    """For how long a process that runs stages and shows no sign of life is waited for."""

    def __post_init__(self) -> None:
        if not timedelta(seconds=1) <= self.lease <= timedelta(hours=1):
            raise BadInput(f"lease {self.lease} is out of range", fix="write 1s to 1h")
        if self.workers is not None and not 1 <= self.workers <= 1_024:
            raise BadInput(f"workers {self.workers} is out of range", fix="write 1 to 1024, or leave it out")
        if not 1 <= self.max_parallel <= 1_000:
            raise BadInput(f"max_parallel {self.max_parallel} is out of range", fix="write 1 to 1000 batches")
        if not 1 <= self.batch_size <= 10_000:
            raise BadInput(f"batch_size {self.batch_size} is out of range", fix="write 1 to 10000 jobs")


@dataclass(frozen=True, slots=True)
class DataSource:
    """A named place that readings are read from."""

    name: str
    kind: DataSourceKind = DataSourceKind.OWN
    path: PurePosixPath = DEFAULT_READINGS
    """Of an own table: relative to the fleet directory and inside it."""
    address: str = ""
    """Of a foreign table: a URI, or a path from the fleet directory."""
    mapping: TableMapping | None = None
    """Of a foreign table: what its columns are."""

    def __post_init__(self) -> None:
        checked_id("data source", self.name)
        if self.kind is DataSourceKind.DELTA and (self.mapping is None or not self.address):
            raise BadInput(
                "a Delta table needs its `path`", fix="write path: a folder, or a URI such as s3://…"
            )


@dataclass(frozen=True, slots=True)
class EnvironmentSettings:
    """What is expected of models and endpoints in one environment; None is not watched."""

    thresholds: Thresholds = field(default_factory=Thresholds)
    data_drift: float | None = None
    """Bias-corrected Jensen-Shannon distance, 0 to 1."""
    model_drift: float | None = None
    """Relative rise of MAE: 0.1 is 10 %."""
    latency_ms: float | None = None
    """95th percentile at which to alarm."""
    error_rate: float | None = None
    """Percent of requests at which to alarm."""
    availability: float | None = None
    """Percent of time below which to alarm."""


@dataclass(frozen=True, slots=True)
class Retention:
    """Days after which things may be deleted; None keeps them."""

    models: int | None = None
    logs: int | None = None
    predictions: int | None = None


@dataclass(frozen=True, slots=True)
class Polling:
    """How a run waits for its jobs: pauses that double from `start` to `pause`, for `longest` in all."""

    start: timedelta = timedelta(milliseconds=50)
    pause: timedelta = timedelta(seconds=2)
    longest: timedelta = timedelta(hours=3)

    def __post_init__(self) -> None:
        if not timedelta(0) < self.start <= self.pause <= self.longest:
            raise BadInput(
                f"polling starts at {self.start}, pauses at most {self.pause} and ends after {self.longest}",
                fix="write start ≤ max ≤ longest",
            )


@dataclass(frozen=True, slots=True)
class Channel:
    """Somewhere notices are sent to."""

    name: str
    kind: str
    """`teams`, `email` …"""

    def __post_init__(self) -> None:
        checked_id("channel", self.name)
        checked_id("kind of channel", self.kind)


@dataclass(frozen=True, slots=True)
class Ramp:
    """The shares of traffic, in percent, that a new release takes one after another."""

    steps: tuple[int, ...] = (0, 10, 25, 50, 100)

    def __post_init__(self) -> None:
        rising = all(low < high for low, high in pairwise(self.steps))
        if not rising or not self.steps or self.steps[0] < 0 or self.steps[-1] != 100:
            shown = ", ".join(map(str, self.steps))
            raise BadInput(
                f"ramp steps [{shown}] do not rise to 100", fix="write rising percents such as [10, 50, 100]"
            )


def _expected(**kinds: EnvironmentSettings) -> Mapping[EnvironmentName, EnvironmentSettings]:
    return MappingProxyType({EnvironmentName(name): settings for name, settings in kinds.items()})


_NO_WORSE_THAN_NAIVE = Thresholds(Limits(min_skill=0.0))

DEFAULT_ENVIRONMENTS = _expected(
    dev=EnvironmentSettings(_NO_WORSE_THAN_NAIVE),
    test=EnvironmentSettings(
        _NO_WORSE_THAN_NAIVE, data_drift=0.20, model_drift=0.15, latency_ms=1000.0, error_rate=5.0
    ),
    prod=EnvironmentSettings(
        _NO_WORSE_THAN_NAIVE,
        data_drift=0.15,
        model_drift=0.10,
        latency_ms=500.0,
        error_rate=2.0,
        availability=99.5,
    ),
)
"""What holds where the fleet repository says nothing; `min_accuracy` is only ever set by hand."""

DEFAULT_RETENTION: Mapping[EnvironmentName, Retention] = MappingProxyType(
    {
        EnvironmentName.DEV: Retention(models=30, logs=14),
        EnvironmentName.TEST: Retention(models=90, logs=30),
        EnvironmentName.PROD: Retention(models=365, logs=90, predictions=180),
    }
)
"""Days, where the fleet repository says nothing."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything `fleetcast.yaml` says, with defaults where it is silent."""

    registry: str = "fleet-registry"
    """Name of the shared registry."""
    platform: PlatformSettings = field(default_factory=PlatformSettings)
    data_sources: Mapping[str, DataSource] = field(
        default_factory=lambda: MappingProxyType({"readings": DataSource("readings")})
    )
    environments: Mapping[EnvironmentName, EnvironmentSettings] = field(
        default_factory=lambda: DEFAULT_ENVIRONMENTS
    )
    """Always all three."""
    gates: Mapping[Gate, GatePolicy] = field(default_factory=lambda: DEFAULT_GATES)
    """Always all three."""
    polling: Polling = field(default_factory=Polling)
    ramp: Ramp = field(default_factory=Ramp)
    retention: Mapping[EnvironmentName, Retention] = field(default_factory=lambda: DEFAULT_RETENTION)
    """Always all three."""
    foreign: ForeignLimits = field(default_factory=ForeignLimits)
    """Of models that were trained elsewhere."""
    channels: tuple[Channel, ...] = ()
    schedules: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Five-field cron expressions in UTC, by what they start."""

    def __post_init__(self) -> None:
        checked_id("registry", self.registry)
