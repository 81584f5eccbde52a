"""Which sensors of a circuit are fit to train on: the rules, and the verdict with its reasons.

Measuring is arithmetic over arrays and lives in `forecasting.profile`; here is only what follows from
the measurements.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches

from fleetcast.domain.duration import format_duration
from fleetcast.domain.errors import BadInput

NO_COLUMN = "the data source has no such column"
"""Why earlier versions left a sensor out; since then its circuit is blocked."""
MIXED_SHARE = 0.1
"""With more of the readings than this off the usual rhythm, the frequency is mixed. SKAB, fine, has 5 %."""


@dataclass(frozen=True, slots=True)
class SensorLimits:
    """The physical range of a sensor in its own unit; readings outside are treated as missing."""

    minimum: float | None = None
    maximum: float | None = None

    def __post_init__(self) -> None:
        if self.minimum is not None and self.maximum is not None and self.minimum >= self.maximum:
            raise BadInput(
                f"sensor limits {self.minimum} to {self.maximum} leave no room", fix="write `min` below `max`"
            )


@dataclass(frozen=True, slots=True)
class CleaningRules:
    """How raw readings become a regular series, and when a sensor is too poor to train on."""

    fill_steps: int = 3
    """Holes of at most this many steps are filled with the last reading; longer ones stay holes."""
    max_missing_share: float = 0.4
    """A sensor with a larger share of empty steps is left out."""
    max_flat_share: float = 0.6
    """A sensor that repeats one value, in runs longer than `flat_steps`, for a larger share is left out."""
    flat_steps: int = 24
    """A run of identical readings longer than this many steps counts as a flatline."""
    spike_deviations: float = 12.0
    """A jump off and back by more than so many robust deviations of the usual change is a spike."""

    def __post_init__(self) -> None:
        if not 0 <= self.fill_steps <= 1_000:
            raise BadInput(f"fill_steps {self.fill_steps} is out of range", fix="write 0 to 1000 steps")
        for name in ("max_missing_share", "max_flat_share"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise BadInput(
                    f"{name} {getattr(self, name):g} is not a share", fix="write a number from 0 to 1"
                )
        if not 2 <= self.flat_steps <= 1_000_000:
            raise BadInput(f"flat_steps {self.flat_steps} is out of range", fix="write 2 to 1000000 steps")
        if not 1e-9 <= self.spike_deviations <= 1e9:
            raise BadInput(
                f"spike_deviations {self.spike_deviations:g} is out of range", fix="write a positive number"
            )


@dataclass(frozen=True, slots=True)
class SensorProfile:
    """What was measured of one sensor on the circuit's regular grid, after masking and before filling."""

    sensor: str
    present: bool
    """False if the data source has no such column."""
    steps: int
    """Steps of the grid from the first to the last reading of the circuit, without the circuit's own gaps."""
    missing_steps: int
    """Steps, of those, without a usable reading: the sensor was silent while the circuit was not."""
    longest_gap_steps: int
    longest_run_steps: int
    """Longest stretch of the whole window without a hole, once short holes are filled."""
    flat_steps: int
    """Steps inside flatlines, by `CleaningRules.flat_steps`."""
    longest_flat_steps: int
    out_of_limits: int
    """Raw readings outside the physical limits; masked."""
    not_finite: int
    """Raw readings that are ±Inf or beyond `LARGEST`; masked. NaN is no reading, and is counted as missing."""
    spikes: int
    """Steps that jump off and back, by `CleaningRules.spike_deviations`; kept."""
    distinct: int
    """Different usable values, counted up to 2."""
    minimum: float | None
    maximum: float | None
    mean: float | None

    @property
    def missing_share(self) -> float:
        """Empty steps over all steps, 0 to 1; 1 when there are no steps."""
        return self.missing_steps / self.steps if self.steps else 1.0

    @property
    def flat_share(self) -> float:
        """Flat steps over all steps, 0 to 1."""
        return self.flat_steps / self.steps if self.steps else 0.0


@dataclass(frozen=True, slots=True)
class CircuitProfile:
    """What was measured of one circuit's readings in its training window."""

    rows: int
    """Raw rows inside the window."""
    first: datetime | None
    """Aware UTC."""
    last: datetime | None
    step: timedelta
    gaps: int
    """Runs of steps without a reading of any sensor that are longer than what is filled."""
    gap_steps: int
    """Steps inside those gaps."""
    other_steps_share: float
    """Share of successive readings that do not lie about (±50 %) one median step apart: mixed frequency."""
    median_step: timedelta | None
    """Usual time between successive readings; None with fewer than two."""
    longest_run_steps: int
    """The longest unbroken stretch of any one sensor."""
    silent_steps_at_end: int
    """Steps between the last reading and the end of the window."""
    sensors: tuple[SensorProfile, ...]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A sensor that is not trained on, and why."""

    sensor: str
    reason: str


def kind_of_reason(blocked: str) -> str:
    """What a reason has in common with others of its kind: `history too short`, whatever the numbers are."""
    return blocked.partition(":")[0].partition(" `")[0]


@dataclass(frozen=True, slots=True)
class QualityVerdict:
    """Which sensors may be trained; `blocked` says why none may, and is empty otherwise."""

    usable: tuple[str, ...]
    left_out: tuple[LeftOut, ...]
    warnings: tuple[str, ...]
    blocked: str = ""


def judge_sensor(profile: SensorProfile, rules: CleaningRules, *, needed_steps: int) -> str:
    """Why this sensor, of which the table has a column, is unfit to train on; empty if it is fit."""
    if profile.missing_steps >= profile.steps:
        return "no usable reading in the training window"
    if profile.missing_share > rules.max_missing_share:
        return f"{profile.missing_share:.0%} of its steps are missing (at most {rules.max_missing_share:.0%})"
    if profile.distinct < 2:
        return f"it never changes from {profile.minimum:g}"
    if profile.flat_share > rules.max_flat_share:
        return (
            f"stuck for {profile.flat_share:.0%} of its steps (at most {rules.max_flat_share:.0%}), "
            f"once for {profile.longest_flat_steps} steps"
        )
    if profile.longest_run_steps < needed_steps:
        return f"history too short: have {profile.longest_run_steps} unbroken steps, need {needed_steps}"
    return ""


def without_columns(declared: Iterable[str], columns: Collection[str]) -> str:
    """What is wrong with declared sensors that their table does not have; empty if it has them all.

    Args:
        declared: Sensors.
        columns: Of the table.
    """
    missing = [name for name in declared if name not in columns]
    said = [f"there is no column `{name}`, {_nearest(name, columns)}" for name in missing]
    return "; ".join(said)


def _nearest(name: str, columns: Collection[str]) -> str:
    nearest = get_close_matches(name, sorted(columns), n=1, cutoff=0.6)
    return (
        f"did you mean `{nearest[0]}`?" if nearest else f"there is: {', '.join(sorted(columns)) or 'nothing'}"
    )


def judge(
    profile: CircuitProfile,
    rules: CleaningRules,
    *,
    targets: tuple[str, ...],
    needed_steps: int,
    columns: Collection[str] = (),
) -> QualityVerdict:
    """Decide which sensors of a circuit to train, from what was measured.

    Args:
        profile: Measurements over the training window, one `SensorProfile` for each feature.
        rules: The circuit's cleaning rules.
        targets: The sensors to forecast; with none of them usable the circuit is blocked.
        needed_steps: The shortest unbroken history, in steps, that the model family can train on; each sensor
            needs it for itself.
        columns: Sensors that the table has, for a hint where the circuit declares others: it is blocked then.
    """
    absent = [sensor.sensor for sensor in profile.sensors if not sensor.present]
    if absent:
        return QualityVerdict((), (), (), blocked=without_columns(absent, columns))
    if profile.rows == 0:
        return QualityVerdict((), (), (), blocked="no readings in the training window")
    reasons = {
        sensor.sensor: judge_sensor(sensor, rules, needed_steps=needed_steps) for sensor in profile.sensors
    }
    usable = tuple(name for name, reason in reasons.items() if not reason)
    left_out = tuple(LeftOut(name, reason) for name, reason in reasons.items() if reason)
    warnings = tuple(_warnings(profile, rules))
    if any(name in targets for name in usable):
        return QualityVerdict(usable, left_out, warnings)
    only_short = [
        sensor.longest_run_steps
        for sensor in profile.sensors
        if sensor.sensor in targets and not judge_sensor(sensor, rules, needed_steps=0)
    ]
    if only_short:
        blocked = (
            f"history too short: have {max(only_short)} unbroken steps of "
            f"{format_duration(profile.step)}, need {needed_steps}"
        )
        return QualityVerdict((), left_out, warnings, blocked=blocked)
    shown = "; ".join(f"{gone.sensor}: {gone.reason}" for gone in left_out)
    return QualityVerdict((), left_out, warnings, blocked=f"no sensor is fit to train on: {shown}")


def _warnings(profile: CircuitProfile, rules: CleaningRules) -> list[str]:
    warnings = []
    if profile.median_step is not None and profile.median_step > profile.step:
        warnings.append(
            f"readings come every {format_duration(profile.median_step)}, "
            f"slower than the declared frequency {format_duration(profile.step)}"
        )
    if profile.other_steps_share > MIXED_SHARE and profile.median_step is not None:
        warnings.append(
            f"mixed frequency: {profile.other_steps_share:.0%} of the readings do not come "
            f"{format_duration(profile.median_step)} after the one before"
        )
    if profile.gaps:
        total = _counted(profile.gap_steps, "empty step")
        warnings.append(f"{_counted(profile.gaps, 'gap')} of {total} in all, not bridged")
    if profile.silent_steps_at_end > rules.fill_steps:
        warnings.append(
            f"the last reading is {_counted(profile.silent_steps_at_end, 'step')} before the window's end"
        )
    for sensor in profile.sensors:
        warnings.extend(_sensor_warnings(sensor))
    return warnings


def _sensor_warnings(sensor: SensorProfile) -> list[str]:
    warnings = []
    if sensor.out_of_limits:
        warnings.append(
            f"{sensor.sensor}: {_counted(sensor.out_of_limits, 'reading')} outside physical limits, masked"
        )
    if sensor.not_finite:
        warnings.append(
            f"{sensor.sensor}: {_counted(sensor.not_finite, 'reading')} that no sensor can have, masked"
        )
    if sensor.spikes:
        warnings.append(f"{sensor.sensor}: {_counted(sensor.spikes, 'spike')}")
    if sensor.longest_flat_steps:
        warnings.append(f"{sensor.sensor}: stuck for up to {sensor.longest_flat_steps} steps")
    return warnings


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
