"""Which sensors of a circuit are fit to train on: the rules, and the verdict with its reasons.

Measuring is arithmetic over arrays and lives in `forecasting.profile`; here is only what follows from
the measurements.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from fleetcast.domain.duration import format_duration
from fleetcast.domain.errors import BadInput


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
    """A reading that jumps off and back by more than this many robust deviations of the usual step counts as a spike."""

    def __post_init__(self) -> None:
        if not 0 <= self.fill_steps <= 1_000:
            raise BadInput(f"fill_steps {self.fill_steps} is out of range", fix="write 0 to 1000 steps")
        for name in ("max_missing_share", "max_flat_share"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise BadInput(f"{name} {getattr(self, name)} is not a share", fix="write a number from 0 to 1")
        if self.flat_steps < 2:
            raise BadInput(f"flat_steps {self.flat_steps} is too short", fix="write at least 2 steps")
        if not self.spike_deviations > 0:
            raise BadInput(f"spike_deviations {self.spike_deviations} is not positive", fix="write a positive number")


@dataclass(frozen=True, slots=True)
class SensorProfile:
    """What was measured of one sensor on the circuit's regular grid, after masking and before filling."""

    sensor: str
    present: bool
    """False if the data source has no such column."""
    steps: int
    """Steps of the grid from the first to the last reading of the circuit."""
    missing_steps: int
    """Steps without a usable reading."""
    longest_gap_steps: int
    flat_steps: int
    """Steps inside flatlines, by `CleaningRules.flat_steps`."""
    longest_flat_steps: int
    out_of_limits: int
    """Raw readings outside the physical limits; masked."""
    not_finite: int
    """Raw readings that are ±Inf or NaN; masked."""
    spikes: int
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
    """Runs of empty steps that are longer than what is filled."""
    other_steps_share: float
    """Share of successive readings that do not lie one frequency apart: mixed or wrong frequency."""
    median_step: timedelta | None
    longest_run_steps: int
    """Longest stretch of the grid without a hole that is not filled, over the usable sensors."""
    sensors: tuple[SensorProfile, ...]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A sensor that is not trained on, and why."""

    sensor: str
    reason: str


@dataclass(frozen=True, slots=True)
class QualityVerdict:
    """Which sensors may be trained; `blocked` says why none may, and is empty otherwise."""

    usable: tuple[str, ...]
    left_out: tuple[LeftOut, ...]
    warnings: tuple[str, ...]
    blocked: str = ""


def judge_sensor(profile: SensorProfile, rules: CleaningRules) -> str:
    """Why this sensor is unfit to train on; empty if it is fit."""
    if not profile.present:
        return "the data source has no such column"
    if profile.missing_steps >= profile.steps:
        return "no usable reading in the training window"
    if profile.missing_share > rules.max_missing_share:
        return f"{profile.missing_share:.0%} of its steps are missing (at most {rules.max_missing_share:.0%})"
    if profile.distinct < 2:
        return f"it never changes from {profile.minimum:g}"
    if profile.flat_share > rules.max_flat_share:
        return (
            f"stuck for {profile.flat_share:.0%} of its steps, the longest {profile.longest_flat_steps} steps "
            f"(at most {rules.max_flat_share:.0%})"
        )
    return ""


def judge(profile: CircuitProfile, rules: CleaningRules, *, targets: tuple[str, ...], needed_steps: int) -> QualityVerdict:
    """Decide which sensors of a circuit to train, from what was measured.

    Args:
        profile: Measurements over the training window, one `SensorProfile` for each feature.
        rules: The circuit's cleaning rules.
        targets: The sensors to forecast; with none of them usable the circuit is blocked.
        needed_steps: The shortest unbroken history, in steps, that the model family can train on.
    """
    if profile.rows == 0:
        return QualityVerdict((), (), (), blocked="no readings in the training window")
    reasons = {sensor.sensor: judge_sensor(sensor, rules) for sensor in profile.sensors}
    usable = tuple(name for name, reason in reasons.items() if not reason)
    left_out = tuple(LeftOut(name, reason) for name, reason in reasons.items() if reason)
    warnings = tuple(_warnings(profile))
    if not any(name in targets for name in usable):
        shown = "; ".join(f"{gone.sensor}: {gone.reason}" for gone in left_out)
        return QualityVerdict((), left_out, warnings, blocked=f"no sensor is fit to train on: {shown}")
    if profile.longest_run_steps < needed_steps:
        return QualityVerdict(
            (),
            left_out,
            warnings,
            blocked=(
                f"history too short: have {profile.longest_run_steps} unbroken steps of "
                f"{format_duration(profile.step)}, need {needed_steps}"
            ),
        )
    return QualityVerdict(usable, left_out, warnings)


def _warnings(profile: CircuitProfile) -> list[str]:
    warnings = []
    if profile.other_steps_share > 0.2 and profile.median_step is not None and profile.median_step > profile.step:
        warnings.append(
            f"readings come every {format_duration(profile.median_step)}, "
            f"slower than the declared frequency {format_duration(profile.step)}"
        )
    if profile.gaps:
        warnings.append(f"{profile.gaps} gaps that are not bridged")
    for sensor in profile.sensors:
        if sensor.out_of_limits:
            warnings.append(f"{sensor.sensor}: {sensor.out_of_limits} readings outside the physical limits, masked")
        if sensor.not_finite:
            warnings.append(f"{sensor.sensor}: {sensor.not_finite} readings that are not finite, masked")
        if sensor.spikes:
            warnings.append(f"{sensor.sensor}: {sensor.spikes} spikes")
        if sensor.longest_flat_steps:
            warnings.append(f"{sensor.sensor}: stuck for up to {sensor.longest_flat_steps} steps")
    return warnings
