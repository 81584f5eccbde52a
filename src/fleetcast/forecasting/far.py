"""What a linear model sees beside its near window: the means of what lies far back, and the calendar.

A window that is fine where it is near and coarse where it is far reaches over months with few inputs (as the mixed
frequencies of MIDAS regressions do: Ghysels, Sinko & Valkanov 2007). Calendar inputs are an indicator of the phase of
a week or a day, and two yearly harmonics (Young, Pedregal & Tych 1999, "Dynamic harmonic regression").
"""

from __future__ import annotations

from collections.abc import Iterable
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
        means: Floats = blocks.mean(axis=-1)
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
        readings: One sensor, shape (n,), finite everywhere: holes are filled.
        near: Steps of the near window.
        far: The inputs.
        horizon: Steps to forecast.
        first: The absolute step of the first reading.
    """

    def __init__(self, readings: Floats, near: int, far: Far, horizon: int, first: int) -> None:
        self._readings = readings
        self._near, self._far, self._horizon, self._first = near, far, horizon, first
        running = np.concatenate([[0.0], np.cumsum(readings)])
        self._smooth = np.zeros(len(readings) + 1 + far.block)
        """At s the mean of the readings in [s − block, s); zeros where there are none before and beyond."""
        self._smooth[far.block : len(readings) + 1] = (
            running[far.block :] - running[: -far.block]
        ) / far.block
        self._ends = -near - far.block * np.arange(far.means)[::-1]
        """Where the means end, from the origin on, oldest first."""
        self._of_readings = _Running(readings, far, first)
        self._of_smooth = _Running(self._smooth, far, first)

    def over(self, stretches: Iterable[Stretch]) -> Floats:
        """Sums over all windows of some stretches.

        Args:
            stretches: Of near windows with their horizons; each with `far.reach` readings before it.

        Returns:
            Shape (size, near + size + horizon): each far input with the near window, all far inputs, the horizon.
        """
        near, far, horizon = self._near, self._far, self._horizon
        total = np.zeros((far.size, near + far.size + horizon))
        for each in stretches:
            begin, stop = each.begin + near, each.stop + near
            beside = total[:, near : near + far.size]
            means = self._means_with_readings(begin, stop)
            total[: far.means, :near] += means[:, :near]
            total[: far.means, near + far.size :] += means[:, near:]
            beside[: far.means, : far.means] += self._means_with_means(begin, stop)
            calendar = self._of_readings.over(begin, stop, np.arange(-near, horizon))
            total[far.means :, :near] += calendar[:, :near]
            total[far.means :, near + far.size :] += calendar[:, near:]
            with_means = self._of_smooth.over(begin, stop, self._ends)
            beside[far.means :, : far.means] += with_means
            beside[: far.means, far.means :] += with_means.T
            beside[far.means :, far.means :] += _calendar_with_itself(
                far, begin + self._first, stop + self._first
            )
        return total

    def _means_with_readings(self, begin: int, stop: int) -> Floats:
        """Shape (means, near + horizon): sums over origins of a mean times the reading at a lag from −near on."""
        near, far, horizon = self._near, self._far, self._horizon
        count, block, longest = stop - begin, far.block, near + horizon + far.block * (far.means - 1)
        last = begin + horizon - 1
        size = smooth_size(count + longest)
        ahead = np.fft.rfft(self._readings[last : last + count], size)
        behind = np.fft.rfft(self._smooth[last - longest + 1 : last + count], size)
        by_lag = np.fft.irfft(np.conj(ahead) * behind, size)[:longest][::-1]
        before = -(-(near + horizon) // block)
        rows = np.arange(-before, far.means)
        edges = self._edge(begin, rows) - self._edge(stop, rows)
        for row in range(1, len(rows)):
            edges[row, :-block] += edges[row - 1, block:]
        lags = np.arange(near + horizon)
        sums: Floats = edges[before:] + by_lag[lags + block * np.arange(far.means)[:, None]]
        return sums[::-1]

    def _edge(self, origin: int, rows: Ints) -> Floats:
        """What one step along equal distances adds at one edge, of means `rows` blocks before the near window."""
        near, block, horizon = self._near, self._far.block, self._horizon
        readings = np.zeros(near + horizon + block)
        readings[: near + horizon - 1] = self._readings[origin - near : origin + horizon - 1]
        places = origin - near - block * rows[:, None] + np.arange(block)
        smooth = self._smooth[np.clip(places, 0, len(self._smooth) - 1)]
        windows = sliding_window_view(readings, block)[: near + horizon]
        sums: Floats = smooth @ windows.T
        return sums

    def _means_with_means(self, begin: int, stop: int) -> Floats:
        """Shape (means, means)."""
        block, count = self._far.block, stop - begin
        newest = self._smooth[begin + self._ends[-1] : stop + self._ends[-1]]
        sums = np.empty((self._far.means, self._far.means))
        for place, end in enumerate(self._ends):
            sums[-1, place] = newest @ self._smooth[begin + end : begin + end + count]
        sums[:, -1] = sums[-1]
        edges = self._block_products(begin - block) - self._block_products(stop - block)
        for place in range(self._far.means - 1, 0, -1):
            sums[place - 1, :place] = sums[place, 1 : place + 1] + edges[place, 1 : place + 1]
            sums[:place, place - 1] = sums[place - 1, :place]
        return sums

    def _block_products(self, origin: int) -> Floats:
        places = origin + self._ends[:, None] + np.arange(self._far.block)
        smooth = self._smooth[np.clip(places, 0, len(self._smooth) - 1)]
        products: Floats = smooth @ smooth.T
        return products


class _Running:
    """Running sums of a series, of which differences are its products with calendar inputs."""

    def __init__(self, series: Floats, far: Far, first: int) -> None:
        self._far, self._first = far, first
        if far.phase:
            whole = -(-len(series) // far.phase) * far.phase
            padded = np.zeros(whole + far.phase)
            padded[far.phase : far.phase + len(series)] = series
            self._by_phase = np.cumsum(padded.reshape(-1, far.phase), axis=0).ravel()
            """At s + phase the sum of the readings at s, s − phase, s − 2 phase …"""
        if far.year:
            turning = _turning(np.arange(len(series)) + first, far.year) * series
            self._turned = np.concatenate([np.zeros((_HARMONICS, 1)), np.cumsum(turning, axis=1)], axis=1)

    def over(self, begin: int, stop: int, lags: Ints) -> Floats:
        """Sums over origins in [begin, stop) of each calendar input times the series at the origin plus a lag."""
        far = self._far
        sums = np.empty((far.phase + (2 * _HARMONICS if far.year else 0), len(lags)))
        if far.phase:
            windows = sliding_window_view(self._by_phase, far.phase)
            # the last `phase` running sums before an edge are of each phase once, in the order of the origins there
            at_stop = np.roll(windows[stop + lags].T, (self._first + stop) % far.phase, axis=0)
            at_begin = np.roll(windows[begin + lags].T, (self._first + begin) % far.phase, axis=0)
            np.subtract(at_stop, at_begin, out=sums[: far.phase])
        if far.year:
            back = np.conj(_turning(lags, far.year))
            turned = back * (self._turned[:, stop + lags] - self._turned[:, begin + lags])
            sums[far.phase :: 2] = turned.real
            sums[far.phase + 1 :: 2] = turned.imag
        return sums


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
