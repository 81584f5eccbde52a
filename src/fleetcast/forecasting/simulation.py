"""Made-up readings of plant circuits, seeded: rhythm, load, drift, changes of regime, and on request defects.

A circuit's readings depend only on the seed, its plant and its own name: a larger fleet changes none of them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import CircuitKey
from fleetcast.forecasting.resampling import Micros, micros
from fleetcast.forecasting.series import Floats

SENSORS = ("temperature", "pressure", "vibration", "current", "voltage", "flow_rate")
UNITS = {
    "temperature": "°C",
    "pressure": "bar",
    "vibration": "mm/s",
    "current": "A",
    "voltage": "V",
    "flow_rate": "l/min",
}
_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Defects:
    """How many defects of each kind every circuit gets; the default is none."""

    gaps: int = 0
    """Stretches of 6 to 72 steps without any row."""
    duplicates: int = 0
    """Rows that occur twice: every other one the same, the rest with other readings."""
    late_rows: int = 0
    """Rows that arrive after all others."""
    stuck: int = 0
    """Stretches of 30 to 200 steps in which one sensor repeats one value."""

    def __post_init__(self) -> None:
        for name in ("gaps", "duplicates", "late_rows", "stuck"):
            if not 0 <= getattr(self, name) <= 10_000:
                raise BadInput(
                    f"{name} {getattr(self, name)} is out of range", fix="write 0 to 10000 for each circuit"
                )


NO_DEFECTS = Defects()


@dataclass(frozen=True, slots=True)
class Simulated:
    """The rows of one circuit in the order they arrive; `times` in microseconds since 1970-01-01 UTC.

    The last `late` rows arrive after everything else and lie earlier in time; times may repeat.
    """

    key: CircuitKey
    times: Micros
    values: Floats
    """Shape (n, 6), in the order of `SENSORS`, in `UNITS`."""
    late: int


def simulate_circuit(
    seed: int,
    key: CircuitKey,
    start: datetime,
    steps: int,
    frequency: timedelta,
    defects: Defects = NO_DEFECTS,
) -> Simulated:
    """Make one circuit's readings; the same arguments give the same numbers, bit for bit.

    Args:
        seed: Any whole number from 0.
        key: Which circuit.
        start: Aware UTC time of the first reading.
        steps: How many readings, at most ten million.
        frequency: Time between readings.
        defects: What to damage; the readings that are not damaged stay as they are without defects.

    Raises:
        BadInput: A negative seed, or a number of steps that is not between 1 and ten million.
    """
    if seed < 0:
        raise BadInput(f"seed {seed} is negative", fix="write a whole number from 0")
    if not 1 <= steps <= 10_000_000:
        raise BadInput(
            f"{steps} readings for each circuit cannot be made", fix="choose 1 to 10000000 readings"
        )
    step = frequency // timedelta(microseconds=1)
    times = micros(start) + np.arange(steps, dtype=np.int64) * step
    values = _readings(_generator(seed, key, "readings"), times)
    return _damaged(_generator(seed, key, "defects"), key, times, values, defects)


def _generator(seed: int, key: CircuitKey, purpose: str) -> np.random.Generator:
    name = hashlib.sha256(f"{key}/{purpose}".encode()).digest()
    return np.random.Generator(
        np.random.PCG64(np.random.SeedSequence([seed, int.from_bytes(name[:16], "big")]))
    )


def _readings(draw: np.random.Generator, times: Micros) -> Floats:
    seconds = times / 1e6
    since = seconds - seconds[0]
    load = _load(draw, seconds)
    year = np.sin(2 * np.pi * (seconds / (365.25 * _DAY) - draw.uniform(0.28, 0.34)))
    drift = since / (365 * _DAY)
    regime = _regimes(draw, since)
    lagged = _smoothed(load, 0.25)
    ambient = draw.uniform(12, 24) + 8 * year + 2.5 * np.sin(2 * np.pi * (seconds / _DAY - 0.4))
    n = len(times)
    temperature = ambient + draw.uniform(22, 40) * lagged + draw.uniform(0, 2.5) * drift + 2.0 * regime
    current = draw.uniform(18, 60) * (0.15 + 0.85 * load) * (1 + 0.04 * regime)
    pressure = draw.uniform(3.0, 8.0) * (0.55 + 0.45 * load) - draw.uniform(0, 0.25) * drift - 0.15 * regime
    flow = draw.uniform(60, 240) * (0.2 + 0.8 * load) * (1 - draw.uniform(0, 0.06) * drift)
    vibration = draw.uniform(0.8, 2.2) * (0.5 + load**2) + draw.uniform(0, 0.8) * drift + 0.25 * regime
    voltage = draw.choice([230.0, 400.0]) - 0.12 * current
    columns = (temperature, pressure, vibration, current, voltage, flow)
    noise = (0.35, 0.05, 0.06, 0.5, 1.1, 1.5)
    digits = (2, 3, 3, 2, 1, 1)
    readings = np.empty((n, len(columns)))
    for i, (column, spread, places) in enumerate(zip(columns, noise, digits, strict=True)):
        wander = 0.6 * _smoothed(draw.standard_normal(n), 0.1) * np.sqrt(19.0)
        noisy = column + spread * (0.7 * draw.standard_normal(n) + wander)
        readings[:, i] = np.round(np.maximum(noisy, 0.0) if i in (2, 3, 5) else noisy, places)
    return readings


def _load(draw: np.random.Generator, seconds: Floats) -> Floats:
    """How hard the circuit works, 0 to 1: shifts by day, quiet weekends, slow wandering."""
    hour = (seconds / 3600 + draw.uniform(-1.5, 1.5)) % 24
    rising, falling = draw.uniform(5, 7), draw.uniform(17, 22)
    shift = 1 / (1 + np.exp(-(hour - rising) * 1.8)) - 1 / (1 + np.exp(-(hour - falling) * 1.8))
    lunch = draw.uniform(0.05, 0.15) * np.exp(-(((hour - 12.3) / 0.7) ** 2))
    weekday = (np.floor(seconds / _DAY).astype(np.int64) + 3) % 7
    saturday, sunday = draw.uniform(0.5, 0.8), draw.uniform(0.3, 0.5)
    quiet = np.array([1.0, 1.0, 1.0, 1.0, 1.0, saturday, sunday])[weekday]
    wander = 0.05 * _smoothed(draw.standard_normal(len(seconds)), 0.05) * np.sqrt(39.0)
    load: Floats = np.clip((draw.uniform(0.2, 0.35) + 0.6 * (shift - lunch)) * quiet + wander, 0.02, 1.0)
    return load


def _regimes(draw: np.random.Generator, since: Floats) -> Floats:
    """A level that changes for good every few months: another product, a serviced pump."""
    lengths = draw.exponential(75 * _DAY, size=64) + 20 * _DAY
    levels = draw.normal(0.0, 1.0, size=65)
    levels[0] = 0.0
    return levels[np.searchsorted(np.cumsum(lengths), since)]


def _smoothed(values: Floats, share: float) -> Floats:
    """Exponential smoothing from the first value on, as if it had always been there."""
    from scipy.signal import lfilter

    smooth: Floats = lfilter([share], [1.0, share - 1.0], values, zi=[values[0] * (1.0 - share)])[0]
    return smooth


def _damaged(
    draw: np.random.Generator, key: CircuitKey, times: Micros, values: Floats, defects: Defects
) -> Simulated:
    n = len(times)
    for _ in range(defects.stuck):
        sensor, begin, length = (
            int(draw.integers(len(SENSORS))),
            int(draw.integers(n)),
            int(draw.integers(30, 201)),
        )
        values[begin : begin + length, sensor] = values[begin, sensor]
    kept = np.ones(n, dtype=bool)
    for _ in range(defects.gaps):
        begin, length = int(draw.integers(1, max(n - 1, 2))), int(draw.integers(6, 73))
        kept[begin : min(begin + length, n - 1)] = False
    times, values = times[kept], values[kept]
    # Rows that repeat are never late, so that a second run of the same fleet finds nothing to change.
    chosen = _some(draw, len(times), defects.duplicates + defects.late_rows)
    repeats, delayed = np.sort(chosen[: defects.duplicates]), chosen[defects.duplicates :]
    again = values[repeats].copy()
    again[1::2] += 0.5
    row = np.concatenate([np.arange(len(times)), repeats])
    order = np.argsort(row, kind="stable")
    times = np.concatenate([times, times[repeats]])[order]
    values = np.concatenate([values, again])[order]
    late = np.isin(row[order], delayed)
    order = np.argsort(late, kind="stable")
    return Simulated(key, times[order], values[order], int(late.sum()))


def _some(draw: np.random.Generator, n: int, count: int) -> npt.NDArray[np.int64]:
    return draw.choice(n, size=min(count, n), replace=False).astype(np.int64)


DEFAULT_START = datetime(2025, 1, 1, tzinfo=UTC)
"""First reading of a simulated fleet unless another is asked for; fixed, so that a seed names one fleet."""
