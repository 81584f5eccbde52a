"""A table of readings that nobody measured: for every circuit, at any version, as far back as somebody asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import numpy as np
import numpy.typing as npt

from fleetcast.domain.circuit import Circuit
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.quality import SensorLimits
from fleetcast.ports.clock import Clock
from fleetcast.ports.readings import Readings, ReadingsWanted, TableVersion

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)
_DAY = 86_400e6
_NOISES = 8_192
_LONGEST = 100_000
"""Steps back from the end that is asked for."""
_NO_LIMITS = SensorLimits()


class MadeUpReadings:
    """Days and weeks with noise, within the limits of each sensor; the same moment always has the same reading."""

    def __init__(self, circuits: Sequence[Circuit], clock: Clock) -> None:
        """Choose whose readings.

        Args:
            circuits: Those that read from this table.
            clock: Tells the time: what is to come was not read yet.
        """
        self._clock = clock
        self._circuits: Mapping[CircuitKey, Circuit] = {circuit.key: circuit for circuit in circuits}

    def latest_version(self) -> int | None:
        """The newest version that a circuit declares."""
        return max((circuit.delta_version for circuit in self._circuits.values()), default=0)

    def versions(self) -> Sequence[TableVersion]:
        """That one alone, as old as time."""
        latest = self.latest_version()
        return [] if latest is None else [TableVersion(latest, _EPOCH, "MADE UP", None)]

    def circuits(self, version: int) -> Sequence[CircuitKey]:  # noqa: ARG002  # all are the same
        """All of them, whatever the version."""
        return sorted(self._circuits)

    def sensors(self, version: int) -> Sequence[str]:  # noqa: ARG002  # all are the same
        """Everything that a circuit names, whatever the version."""
        return sorted({name for circuit in self._circuits.values() for name in circuit.features})

    def columns(self, version: int) -> Sequence[str] | None:
        """The same."""
        return self.sensors(version)

    def read(self, wanted: Sequence[ReadingsWanted], version: int) -> Iterator[Readings]:  # noqa: ARG002  # all are the same
        """Make readings up, one result for each wanted, in the same order whatever the version."""
        for one in wanted:
            circuit = self._circuits.get(one.key)
            if circuit is None:
                raise BadInput(f"no readings of {one.key} are made up", fix="declare the circuit")
            end = min(one.end, self._clock.now())
            start = max(one.start, end - _LONGEST * circuit.frequency)
            times = _steps(start, end, circuit.frequency)
            columns = [_readings(circuit, name, times) for name in one.sensors]
            values = np.stack(columns, axis=1) if columns else np.empty((len(times), 0))
            yield Readings(one.key, one.sensors, frozenset(), times, values)

    def expires_at(self, version: int) -> datetime | None:  # noqa: ARG002  # all are the same
        """Never."""
        return None


def _steps(start: datetime, end: datetime, frequency: timedelta) -> npt.NDArray[np.int64]:
    """The moments of a regular grid in [start, end), in microseconds since 1970-01-01 UTC."""
    step = frequency // _MICRO
    first = -(-((start - _EPOCH) // _MICRO) // step) * step
    return np.arange(first, (end - _EPOCH) // _MICRO, step, dtype=np.int64)


def _readings(circuit: Circuit, sensor: str, times: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    name = sha256(f"{circuit.key}/{sensor}".encode()).digest()
    draw = np.random.default_rng(int.from_bytes(name[:8], "big"))
    level, spread = _range(circuit.sensor_limits.get(sensor, _NO_LIMITS), draw)
    phase, noises = draw.random(2), 0.15 * draw.standard_normal(_NOISES)
    step = times // (circuit.frequency // _MICRO)
    shape = (
        np.sin(2 * np.pi * (times / _DAY + phase[0]))
        + 0.4 * np.sin(2 * np.pi * (times / (7 * _DAY) + phase[1]))
        + noises[step % _NOISES]
    )
    readings: npt.NDArray[np.float64] = level + spread * shape
    return readings


def _range(limits: SensorLimits, draw: np.random.Generator) -> tuple[float, float]:
    """A level and a spread with which readings stay within limits: they leave the level by at most 3 spreads."""
    low, high = limits.minimum, limits.maximum
    if low is not None and high is not None:
        return (low + high) / 2, (high - low) / 8
    spread = draw.uniform(1.0, 5.0)
    if low is not None:
        return low + 10 * spread, spread
    if high is not None:
        return high - 10 * spread, spread
    return 10 * spread, spread
