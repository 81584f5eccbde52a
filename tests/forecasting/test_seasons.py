from collections.abc import Callable

import numpy as np
import pytest

from fleetcast.forecasting.seasons import find_seasons
from fleetcast.forecasting.series import Floats

Noise = Callable[[np.random.Generator, int], Floats]
HOURS = 24 * 7 * 8


def noise(steps: int, level: float, *, seed: int = 0) -> Floats:
    return level * np.random.default_rng(seed).normal(size=steps)


def found(*columns: Floats) -> tuple[tuple[int, ...], ...]:
    return find_seasons(np.stack(columns, axis=1))


def week(steps: int) -> Floats:
    hours = np.arange(steps)
    return np.where((hours // 24) % 7 >= 5, -2.0, 0.0) + np.sin(2 * np.pi * hours / 24)


@pytest.mark.parametrize("period", [3, 5, 12, 24, 97, 336])
@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
def test_a_wave_is_found_at_its_period_whatever_the_noise(period: int, level: float) -> None:
    steps = max(1_500, 8 * period)
    wave = np.sin(2 * np.pi * np.arange(steps) / period + 0.4) + noise(steps, level)
    (seasons,) = found(wave)
    assert seasons
    assert any(abs(season - round(season / period) * period) <= max(1, period // 20) for season in seasons)


@pytest.mark.parametrize("width", [1, 3, 6])
def test_a_cycle_of_pulses_is_found_at_its_length(width: int) -> None:
    steps = np.arange(3_000)
    assert found((steps % 12 < width) + noise(3_000, 0.1))[0][0] == 12


def test_a_period_that_fits_no_step_is_found_where_several_cycles_do() -> None:
    steps = np.arange(3_000)
    (seasons,) = found(np.sign(np.sin(2 * np.pi * steps / 12.2)) + noise(3_000, 0.1))
    assert seasons[0] == 61


def test_a_day_and_a_week_are_both_found_the_stronger_one_first() -> None:
    assert found(week(HOURS) + noise(HOURS, 0.3)) == ((168, 24),)


def test_each_sensor_has_seasons_of_its_own() -> None:
    steps = np.arange(1_000)
    assert found(np.sin(2 * np.pi * steps / 24), np.sin(2 * np.pi * steps / 10), noise(1_000, 1.0)) == (
        (24,),
        (10,),
        (),
    )


def test_a_trend_neither_hides_a_season_nor_is_one() -> None:
    steps = np.arange(1_000, dtype=np.float64)
    assert found(0.1 * steps, 0.1 * steps + np.sin(2 * np.pi * steps / 24), 1e-4 * steps**2) == (
        (),
        (24,),
        (),
    )


def test_holes_are_not_readings() -> None:
    steps = np.arange(HOURS)
    gone = np.random.default_rng(3).random(HOURS) < 0.2
    gone[300:400] = True
    gone |= steps % 10 == 0
    holes = np.where(gone, np.nan, 1.0)
    assert any(abs(season - 168) <= 1 for season in found(holes * week(HOURS))[0])
    assert found(holes * noise(HOURS, 1.0)) == ((),)


@pytest.mark.parametrize(
    "readings",
    [
        np.full(500, 3.7),
        np.full(500, 1e9) + 1e-7 * np.sin(np.arange(500)),
        np.zeros(500),
        np.full(500, np.nan),
        np.where(np.arange(500) == 7, 1.0, np.nan),
        np.sin(np.arange(23)),
        np.empty(0),
        np.array([1.0, np.nan]),
    ],
    ids=["constant", "rounding", "zeros", "unknown", "one reading", "short", "nothing", "two steps"],
)
def test_what_cannot_have_a_season_has_none(readings: Floats) -> None:
    assert found(readings) == ((),)


def test_a_pattern_must_be_seen_three_times() -> None:
    steps = np.arange(200)
    assert found(np.sin(2 * np.pi * steps / 90)) == ((),)


def white(random: np.random.Generator, steps: int) -> Floats:
    return random.normal(size=steps)


def walk(random: np.random.Generator, steps: int) -> Floats:
    return np.cumsum(white(random, steps))


def smooth_walk(random: np.random.Generator, steps: int) -> Floats:
    return np.cumsum(walk(random, steps))


def red(random: np.random.Generator, steps: int) -> Floats:
    shocks, state = white(random, steps), np.zeros(steps)
    for step in range(1, steps):
        state[step] = 0.9 * state[step - 1] + shocks[step]
    return state


@pytest.mark.parametrize("make", [white, walk, smooth_walk, red], ids=lambda make: str(make.__name__))
@pytest.mark.parametrize("steps", [60, 200, 1_000])
def test_noise_has_no_season(make: Noise, steps: int) -> None:
    random = np.random.default_rng(steps)
    seasons = found(*(make(random, steps) for _ in range(60)))
    assert sum(map(bool, seasons)) == 0


@pytest.mark.parametrize("factor", [1e-12, 1e12, -3.0])
def test_units_do_not_matter(factor: float) -> None:
    readings = week(HOURS) + noise(HOURS, 0.2)
    assert found(factor * readings) == found(readings)
