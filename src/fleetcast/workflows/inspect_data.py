"""Looking at the readings table: what it holds, and how good it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np

from fleetcast.domain.circuit import Circuit
from fleetcast.domain.duration import EARLIEST, LATEST
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import CircuitKey, matching
from fleetcast.domain.quality import CircuitProfile, CleaningRules, QualityVerdict, SensorLimits, judge
from fleetcast.forecasting.family import needed_steps
from fleetcast.forecasting.profile import infer_frequency, measure
from fleetcast.forecasting.resampling import instant
from fleetcast.ports.readings import Readings, ReadingsTable, ReadingsWanted

_AT_ONCE = 64
"""Sensors that are counted in one pass."""


@dataclass(frozen=True, slots=True)
class CircuitHoldings:
    """What the table holds of one circuit."""

    key: CircuitKey
    rows: int
    first: datetime | None
    """Aware UTC."""
    last: datetime | None
    readings: Mapping[str, int]
    """How many readings each sensor has; sensors without any are left out."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """What one version of the table holds."""

    version: int
    circuits: tuple[CircuitHoldings, ...]


@dataclass(frozen=True, slots=True)
class ShowData:
    """List the circuits of the readings table."""

    table: ReadingsTable

    def __call__(self, patterns: Sequence[str] = (), version: int | None = None) -> Holdings:
        """Look at circuits.

        Args:
            patterns: `PLANT/CIRCUIT` with `*` and `?`; none: all circuits.
            version: None: the newest.

        Raises:
            BadInput: There is no table, no such version, or a pattern matches no circuit.
        """
        at = newest(self.table) if version is None else version
        keys = matching(self.table.circuits(at), patterns, of="with readings")
        sensors = tuple(self.table.sensors(at))
        found: dict[CircuitKey, CircuitHoldings] = {}
        # Every row is as wide as the sensors of one reading: those of one circuit may be many, another's rows long.
        for begin in range(0, max(len(sensors), 1), _AT_ONCE):
            some = sensors[begin : begin + _AT_ONCE]
            for one in self.table.read([ReadingsWanted(key, some, EARLIEST, LATEST) for key in keys], at):
                held, before = _holdings(one), found.get(one.key)
                readings = held.readings if before is None else {**before.readings, **held.readings}
                found[one.key] = replace(held, readings=readings)
        return Holdings(at, tuple(found.values()))


@dataclass(frozen=True, slots=True)
class QualityCheck:
    """What one circuit's readings are judged by."""

    key: CircuitKey
    sensors: tuple[str, ...]
    frequency: timedelta | None = None
    """None: the usual time between its readings."""
    limits: Mapping[str, SensorLimits] = field(default_factory=dict)
    cleaning: CleaningRules = field(default_factory=CleaningRules)
    start: datetime | None = None
    """Aware UTC; None: the first reading."""
    end: datetime | None = None
    """Aware UTC, exclusive; None: after the last reading."""
    targets: tuple[str, ...] = ()
    """Empty: all sensors."""
    needed_steps: int = 1


def checked_as_declared(circuit: Circuit) -> QualityCheck:
    """Judge a circuit's readings as training does."""
    return QualityCheck(
        circuit.key,
        circuit.features,
        circuit.frequency,
        circuit.sensor_limits,
        circuit.cleaning,
        circuit.window_start,
        circuit.cutoff.end,
        circuit.targets,
        needed_steps(circuit.family, circuit.hyperparameters, circuit.steps),
    )


@dataclass(frozen=True, slots=True)
class CircuitQuality:
    """One circuit's measurements, and what follows from them."""

    key: CircuitKey
    profile: CircuitProfile
    verdict: QualityVerdict


@dataclass(frozen=True, slots=True)
class CheckQuality:
    """Measure and judge the readings of circuits, in one pass over the table."""

    table: ReadingsTable

    def __call__(self, checks: Sequence[QualityCheck], version: int) -> list[CircuitQuality]:
        """Judge circuits; the result is in the order of plants.

        Raises:
            BadInput: There is no such version, or a circuit's grid would be absurdly long.
        """
        by_key = {check.key: check for check in checks}
        wanted = [
            ReadingsWanted(check.key, check.sensors, check.start or EARLIEST, check.end or LATEST)
            for check in checks
        ]
        read = list(self.table.read(wanted, version))
        columns = self.table.sensors(version) if any(readings.absent for readings in read) else ()
        return [_judged(readings, by_key[readings.key], columns) for readings in read]


def newest(table: ReadingsTable) -> int:
    """The newest version of a table.

    Raises:
        BadInput: There is no table yet.
    """
    version = table.latest_version()
    if version is None:
        raise BadInput(
            "there are no readings yet", fix="store some: `fleetcast ingest` or `fleetcast simulate`"
        )
    return version


def _holdings(readings: Readings) -> CircuitHoldings:
    counts = (~np.isnan(readings.values)).sum(axis=0)
    held = len(readings.times) > 0
    return CircuitHoldings(
        key=readings.key,
        rows=len(readings.times),
        first=instant(readings.times[0]) if held else None,
        last=instant(readings.times[-1]) if held else None,
        readings={name: int(count) for name, count in zip(readings.sensors, counts, strict=True) if count},
    )


def _judged(readings: Readings, check: QualityCheck, columns: Sequence[str]) -> CircuitQuality:
    measured = measure(
        readings.times,
        readings.values,
        readings.sensors,
        check.frequency or infer_frequency(readings.times),
        check.limits,
        check.cleaning,
        check.start,
        check.end,
        absent=readings.absent.difference(columns),
    )
    targets = check.targets or check.sensors
    verdict = judge(
        measured.profile, check.cleaning, targets=targets, needed_steps=check.needed_steps, columns=columns
    )
    return CircuitQuality(readings.key, measured.profile, verdict)
