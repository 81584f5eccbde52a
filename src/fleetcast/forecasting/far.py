"""What a linear model sees beside its near window: the means of what lies far back, and the calendar.

A window that is fine where it is near and coarse where it is far reaches over months with few inputs (as the mixed
frequencies of MIDAS regressions do: Ghysels, Sinko & Valkanov 2007). Calendar inputs are an indicator of the phase of
a week or a day, and two yearly harmonics (Young, Pedregal & Tych 1999, "Dynamic harmonic regression").
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from fleetcast.forecasting.gram import Stretch, smooth_size
from fleetcast.forecasting.series import Floats
from fleetcast.forecasting.windows import Ints

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEAR = timedelta(days=365, hours=6)
_HARMONICS = 2


def absolute_step(moment: datetime, step: timedelta) -> int:
    """Which step, counted from the beginning of 1970 UTC, a moment lies in."""
    return (moment - _EPOCH) // step


@dataclass(frozen=True, slots=True)
class Far:
    """The inputs beside a near window of some steps, in this order: means, phase, yearly harmonics."""

    means: int
    """How many means of readings before the near window, oldest first."""
    block: int
    """Steps of each mean."""
    phase: int
    """Steps of the calendar season that has an indicator for each phase; 0: none."""
    year: float
    """Steps of a year, where it has harmonics; 0: none."""

    @property
    def reach(self) -> int:
        """Steps before the near window that it looks at."""
        return self.means * self.block

    @property
    def size(self) -> int:
        """How many inputs."""
        return self.means + self.phase + (2 * _HARMONICS if self.year else 0)

    def block_means(self, windows: Floats) -> Floats:
        """Means of what lies before the near window, shape (…, reach + near) to (…, means)."""
        blocks = windows[..., : self.reach].reshape(*windows.shape[:-1], self.means, self.block)
        means: Floats = blocks @ np.full(self.block, 1 / self.block)
        return means

    def calendar(self, at: Ints) -> Floats:
        """Phase and harmonics of forecasts that begin at these absolute steps, shape (q, size − means)."""
        inputs = np.zeros((len(at), self.size - self.means))
        if self.phase:
            inputs[np.arange(len(at)), at % self.phase] = 1.0
        if self.year:
            inputs[:, self.phase :] = _harmonics(at, self.year).T
        return inputs


def year_in_steps(step: timedelta) -> float:
    """Steps of a year, not always whole."""
    return _YEAR / step


def _harmonics(at: Ints, year: float) -> Floats:
    """Cosine and sine of the first harmonics, shape (4, q)."""
    turns = 2 * np.pi * (at % year) / year
    return np.stack([wave(number * turns) for number in (1, 2) for wave in (np.cos, np.sin)])


class FarSums:
    """Sums of products of far inputs with near windows, horizons and each other, without forming them.

    A mean of a block is a smoothed series read at a lag, so that its products depend on the distance of two lags and on
    what is at the edges alone, as in `gram.py`. The products with an indicator are sums of every `phase`-th reading,
    differences of running sums; those with a harmonic are differences of running sums of the series times a rotation.

    Args:
        readings: Shape (k, n), finite everywhere: holes are filled.
        near: Steps of the near window.
        far: The inputs.
        horizon: Steps to forecast.
        first: The absolute step of the first reading.
    """

    def __init__(self, readings: Floats, near: int, far: Far, horizon: int, first: int) -> None:
        sensors, steps = readings.shape
        self._readings = readings
        self._near, self._far, self._horizon, self._first = near, far, horizon, first
        running = np.zeros((sensors, steps + 1))
        np.cumsum(readings, axis=1, out=running[:, 1:])
        self._smooth = np.zeros((sensors, steps + 1 + far.block))
        """At s the mean of the readings in [s − block, s); zeros where there are none before and beyond."""
        self._smooth[:, far.block : steps + 1] = (
            running[:, far.block :] - running[:, : -far.block]
        ) / far.block
        self._ends = -near - far.block * np.arange(far.means)[::-1]
        """Where the means end, from the origin on, oldest first."""
        self._of_readings = _Running(readings, far, first)
        self._of_smooth = _Running(self._smooth, far, first)

    def over(self, sensors: Sequence[int], stretches: Iterable[Stretch]) -> Floats:
        """Sums over all windows of some stretches, and over the sensors, which share these stretches.

        Args:
            sensors: Whose windows.
            stretches: Of near windows with their horizons; each with `far.reach` readings before it.

        Returns:
            Shape (size, near + size + horizon): each far input with the near window, all far inputs, the horizon.
        """
        near, far, horizon = self._near, self._far, self._horizon
        means, after = far.means, near + far.size
        total = np.zeros((far.size, after + horizon))
        beside = total[:, near:after]
        for each in stretches:
            begin, stop = each.begin + near, each.stop + near
            with_readings = self._means_with_readings(sensors, begin, stop)
            total[:means, :near] += with_readings[:, :near]
            total[:means, after:] += with_readings[:, near:]
            beside[:means, :means] += self._means_with_means(sensors, begin, stop)
            calendar = self._of_readings.over(sensors, begin, stop, np.arange(-near, horizon))
            total[means:, :near] += calendar[:, :near]
            total[means:, after:] += calendar[:, near:]
            with_means = self._of_smooth.over(sensors, begin, stop, self._ends)
            beside[means:, :means] += with_means
            beside[:means, means:] += with_means.T
            itself = _calendar_with_itself(far, begin + self._first, stop + self._first)
            beside[means:, means:] += len(sensors) * itself
        return total

    def _means_with_readings(self, sensors: Sequence[int], begin: int, stop: int) -> Floats:
        """Shape (means, near + horizon): sums over origins of a mean times the reading at a lag from −near on."""
        near, far, horizon = self._near, self._far, self._horizon
        count, block, longest = stop - begin, far.block, near + horizon + far.block * (far.means - 1)
        last = begin + horizon - 1
        size = smooth_size(count + longest)
        ahead = np.fft.rfft(self._readings[sensors, last : last + count], size)
        behind = np.fft.rfft(self._smooth[sensors, last - longest + 1 : last + count], size)
        by_lag = np.fft.irfft(np.sum(np.conj(ahead) * behind, axis=0), size)[:longest][::-1]
        before = -(-(near + horizon) // block)
        rows = np.arange(-before, far.means)
        edges = self._edge(sensors, begin, rows) - self._edge(sensors, stop, rows)
        for row in range(1, len(rows)):
            edges[row, :-block] += edges[row - 1, block:]
        lags = np.arange(near + horizon)
        sums: Floats = edges[before:] + by_lag[lags + block * np.arange(far.means)[:, None]]
        return sums[::-1]

    def _edge(self, sensors: Sequence[int], origin: int, rows: Ints) -> Floats:
        """What one step along equal distances adds at one edge, of means `rows` blocks before the near window."""
        near, block, horizon = self._near, self._far.block, self._horizon
        readings = np.zeros((len(sensors), near + horizon + block))
        readings[:, : near + horizon - 1] = self._readings[sensors, origin - near : origin + horizon - 1]
        windows = sliding_window_view(readings, block, axis=1)[:, : near + horizon]
        return _together(self._smooth_at(sensors, origin - near - block * rows)) @ _together(windows).T

    def _means_with_means(self, sensors: Sequence[int], begin: int, stop: int) -> Floats:
        """Shape (means, means)."""
        block, means = self._far.block, self._far.means
        sums = np.empty((means, means))
        newest = self._smooth[sensors, begin + self._ends[-1] : stop + self._ends[-1]]
        for place, end in enumerate(self._ends):
            sums[-1, place] = np.vdot(newest, self._smooth[sensors, begin + end : stop + end])
        sums[:, -1] = sums[-1]
        edges = self._block_products(sensors, begin - block) - self._block_products(sensors, stop - block)
        for place in range(means - 1, 0, -1):
            sums[place - 1, :place] = sums[place, 1 : place + 1] + edges[place, 1 : place + 1]
            sums[:place, place - 1] = sums[place - 1, :place]
        return sums

    def _block_products(self, sensors: Sequence[int], origin: int) -> Floats:
        smooth = _together(self._smooth_at(sensors, origin + self._ends))
        return smooth @ smooth.T

    def _smooth_at(self, sensors: Sequence[int], begins: Ints) -> Floats:
        """Shape (k, begins, block): a block of steps from each on; beyond either end it is multiplied with nothing."""
        places = np.clip(begins[:, None] + np.arange(self._far.block), 0, self._smooth.shape[1] - 1)
        smooth: Floats = self._smooth[np.asarray(sensors)[:, None, None], places]
        return smooth


def _together(by_sensor: Floats) -> Floats:
    """From (k, a, b) to (a, k b): a product of two such sums over the sensors as well."""
    return by_sensor.transpose(1, 0, 2).reshape(by_sensor.shape[1], -1)


class _Running:
    """Running sums of a series of each sensor, of which differences are its products with calendar inputs."""

    def __init__(self, series: Floats, far: Far, first: int) -> None:
        self._far, self._first = far, first
        self._series = series

    def over(self, sensors: Sequence[int], begin: int, stop: int, lags: Ints) -> Floats:
        """Sums over origins in [begin, stop) of each calendar input times the series at the origin plus a lag.

        They are linear in the series, so that those of several sensors are those of their sum.
        """
        far, series = self._far, self._series[sensors].sum(axis=0)
        sums = np.empty((far.size - far.means, len(lags)))
        if far.phase:
            windows = sliding_window_view(self._by_phase(series), far.phase)
            # the last `phase` running sums before an edge are of each phase once, in the order of the origins there
            at_stop = np.roll(windows[stop + lags].T, (self._first + stop) % far.phase, axis=0)
            at_begin = np.roll(windows[begin + lags].T, (self._first + begin) % far.phase, axis=0)
            np.subtract(at_stop, at_begin, out=sums[: far.phase])
        if far.year:
            turned = _turning(np.arange(len(series)) + self._first, far.year) * series
            running = np.concatenate([np.zeros((_HARMONICS, 1)), np.cumsum(turned, axis=1)], axis=1)
            back = np.conj(_turning(lags, far.year))
            harmonics = back * (running[:, stop + lags] - running[:, begin + lags])
            sums[far.phase :: 2], sums[far.phase + 1 :: 2] = harmonics.real, harmonics.imag
        return sums

    def _by_phase(self, series: Floats) -> Floats:
        """Running sums over every `phase`-th reading: at s + phase that of s, s − phase and so on."""
        phase = self._far.phase
        padded = np.zeros(-(-len(series) // phase) * phase + phase)
        padded[phase : phase + len(series)] = series
        running: Floats = np.cumsum(padded.reshape(-1, phase), axis=0).ravel()
        return running


def _turning(steps: Ints, year: float) -> np.typing.NDArray[np.complex128]:
    """The harmonics as complex numbers, shape (2, q)."""
    turns = 2j * np.pi * steps / year
    return np.stack([np.exp(number * turns) for number in range(1, _HARMONICS + 1)])


def _calendar_with_itself(far: Far, begin: int, stop: int) -> Floats:
    """Products of the calendar inputs of origins in [begin, stop), absolute steps."""
    at = np.arange(begin, stop)
    size = far.size - far.means
    sums = np.zeros((size, size))
    if far.phase:
        counts = np.bincount(at % far.phase, minlength=far.phase)
        sums[np.arange(far.phase), np.arange(far.phase)] = counts
    if far.year:
        waves = _harmonics(at, far.year)
        sums[far.phase :, far.phase :] = waves @ waves.T
        if far.phase:
            for row, wave in enumerate(waves, start=far.phase):
                crossed = np.bincount(at % far.phase, weights=wave, minlength=far.phase)
                sums[row, : far.phase] = sums[: far.phase, row] = crossed
    return sums
