from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import CircuitKey
from fleetcast.forecasting.series import Floats
from fleetcast.forecasting.simulation import SENSORS, UNITS, Defects, Simulated, simulate_circuit

KEY = CircuitKey("PLANT001", "CIRCUIT01")
START = datetime(2025, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def made(
    seed: int = 7, key: CircuitKey = KEY, steps: int = 8_760, defects: Defects | None = None
) -> Simulated:
    return simulate_circuit(seed, key, START, steps, HOUR, defects or Defects())


def test_the_same_seed_makes_the_same_bytes() -> None:
    once, again = made(), made()
    assert once.values.tobytes() == again.values.tobytes()
    assert once.times.tobytes() == again.times.tobytes()


def test_another_seed_or_circuit_makes_other_readings() -> None:
    base = made()
    assert not np.array_equal(base.values, made(seed=8).values)
    assert not np.array_equal(base.values, made(key=CircuitKey("PLANT001", "CIRCUIT02")).values)
    assert not np.array_equal(base.values, made(key=CircuitKey("PLANT002", "CIRCUIT01")).values)


def test_there_are_six_sensors_with_units_and_believable_values() -> None:
    assert tuple(UNITS) == SENSORS
    values = made().values
    assert values.shape == (8_760, 6)
    assert np.isfinite(values).all()
    assert bool((values > np.array([-40, 0, -1e-9, -1e-9, 180, -1e-9])).all())
    assert bool((values < np.array([140, 14, 15, 120, 420, 400])).all())


def test_days_and_weeks_have_a_rhythm() -> None:
    current: Floats = made().values[: 52 * 168, SENSORS.index("current")].reshape(52, 7, 24)
    by_hour: Floats = current.reshape(-1, 24).mean(axis=0)
    assert by_hour.max() > 1.5 * by_hour.min()
    # 1 January 2025 is a Wednesday: days 3 and 4 of each row are the weekend.
    assert current[:, 4].mean() < 0.8 * current[:, 0].mean()


def test_load_couples_the_sensors() -> None:
    related: Floats = np.asarray(np.corrcoef(made().values.T))
    current, flow, voltage = (SENSORS.index(name) for name in ("current", "flow_rate", "voltage"))
    assert related[current, flow] > 0.7
    assert related[current, voltage] < -0.2


def test_defects_are_injected_as_many_as_asked() -> None:
    broken = made(defects=Defects(gaps=2, duplicates=10, late_rows=20, stuck=1))
    whole = made()
    assert broken.late == 20
    assert len(broken.times) - len(np.unique(broken.times)) == 10
    punctual = broken.times[: len(broken.times) - broken.late]
    assert (np.diff(punctual) >= 0).all()
    missing = len(whole.times) - len(np.unique(broken.times))
    assert 12 <= missing <= 144


def test_defects_leave_the_other_readings_as_they_were() -> None:
    whole, broken = made(), made(defects=Defects(gaps=2))
    kept = np.isin(whole.times, broken.times)
    assert np.array_equal(whole.values[kept], broken.values)


@pytest.mark.parametrize(
    "wrong", [{"seed": -1}, {"steps": 0}, {"steps": 10_000_001}], ids=["negative seed", "no step", "too many"]
)
def test_absurd_wishes_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(BadInput):
        made(**wrong)  # type: ignore[arg-type]


def test_absurd_numbers_of_defects_are_refused() -> None:
    with pytest.raises(BadInput, match="gaps -1"):
        Defects(gaps=-1)
