import numpy as np
import pytest

from fleetcast.domain.health import Invalid
from fleetcast.forecasting.bounds import Bounds
from fleetcast.forecasting.plausible import invalid
from fleetcast.forecasting.series import Floats

HISTORY = np.stack([50 + np.sin(np.arange(48) / 4), np.full(48, 20.0)], axis=1)
BOUNDS = Bounds(np.array([0.0, -np.inf]), np.array([100.0, np.inf]))
GOOD = HISTORY[:12]


def changed(sensor: int, step: int, value: float) -> Floats:
    point = GOOD.copy()
    point[step, sensor] = value
    return point


@pytest.mark.parametrize(
    ("point", "found"),
    [
        (GOOD, [None, None]),
        (changed(0, 3, np.nan), [Invalid.NOT_FINITE, None]),
        (changed(1, 0, -np.inf), [None, Invalid.NOT_FINITE]),
        (GOOD[:11], [Invalid.WRONG_LENGTH, Invalid.WRONG_LENGTH]),
        (GOOD[:0], [Invalid.WRONG_LENGTH, Invalid.WRONG_LENGTH]),
        (changed(0, 11, 100.5), [Invalid.OUTSIDE_LIMITS, None]),
        (np.tile([50.0, 20.0], (12, 1)), [Invalid.CONSTANT, None]),
        (changed(0, 5, 42.0), [Invalid.OFF_SCALE, None]),
        (changed(0, 5, 45.0), [None, None]),
        (changed(1, 5, 2_000.0), [None, None]),
        (GOOD * [100.0, 1.0], [Invalid.OUTSIDE_LIMITS, None]),
    ],
)
def test_what_is_wrong_with_a_forecast_is_named(point: Floats, found: list[Invalid | None]) -> None:
    assert invalid(point, HISTORY, BOUNDS, 12) == found


def test_without_readings_nothing_is_held_against_its_scale() -> None:
    unknown = np.full_like(HISTORY, np.nan)
    for history in (unknown, HISTORY[:0]):
        assert invalid(np.tile([50.0, 1e9], (12, 1)), history, BOUNDS, 12) == [None, None]


def test_holes_say_nothing_of_the_scale() -> None:
    holed = HISTORY.copy()
    holed[::2] = np.nan
    assert invalid(GOOD, holed, BOUNDS, 12) == [None, None]


def test_one_step_ahead_is_never_constant() -> None:
    assert invalid(GOOD[:1], HISTORY, BOUNDS, 1) == [None, None]
