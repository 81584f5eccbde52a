"""How a new version would have fared since its training ended, next to what serves and to the naive forecast."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

import numpy as np

from fleetcast.domain.circuit import Circuit, Cutoff
from fleetcast.domain.errors import FleetcastError
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.model import ModelVersion
from fleetcast.domain.release import Release, ServedModel
from fleetcast.forecasting.chance import chance_of, holm
from fleetcast.forecasting.forecaster import Forecaster, Looks
from fleetcast.forecasting.series import Floats, Series
from fleetcast.forecasting.training import TrainingTask, train
from fleetcast.pipeline.forecast_window import WindowSearch, trained_span
from fleetcast.pipeline.forecasters.fitted import FittedForecaster
from fleetcast.pipeline.forecasters.served import OpenServed
from fleetcast.ports.readings import ReadingsTable

SIGNIFICANCE = 0.001
"""Chance that a release as good as the one before is said to be worse, each time all its sensors are looked at."""
_MOST_ORIGINS = 28
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Fared:
    """One sensor of a circuit whose new version was worse than what serves, by more than chance explains."""

    key: CircuitKey
    sensor: str
    origins: int
    """From which both forecast readings that neither was trained on."""
    over_before: float
    """Its mean absolute error over that of what serves."""
    over_naive: float | None
    """The same over that of the seasonal naive forecast; None: that could not be measured."""


@dataclass(frozen=True, slots=True)
class _Tested:
    """How a sensor fared, and how likely that is by chance."""

    fared: Fared
    chance: float


FaredWorse = Callable[[Release, Release], Sequence[Fared]]
"""Where a release fared worse than the one that serves, as far as what was read since tells."""


def nothing_to_compare(_green: Release, _blue: Release) -> Sequence[Fared]:
    """For whoever has no readings."""
    return ()


@dataclass(frozen=True, slots=True)
class CompareReleases:
    """Holds the circuits that a release changes against what serves them, on what was read since both were trained."""

    circuits: Callable[[], Mapping[CircuitKey, Circuit]]
    """As declared; asked when there is something to compare."""
    tables: Mapping[str, ReadingsTable]
    open_served: OpenServed

    def __call__(self, green: Release, blue: Release) -> Sequence[Fared]:
        """Compare; what cannot be compared, or not yet, says nothing against a release."""
        pairs = [
            (name, model, blue.circuits[name])
            for name, model in green.circuits.items()
            if name in blue.circuits and blue.circuits[name] != model
        ]
        if not pairs:
            return ()
        try:
            declared = self.circuits()
        except FleetcastError:  # somebody is editing the repository: traffic goes on
            return ()
        tested: list[_Tested] = []
        for name, model, before in pairs:
            circuit = declared.get(CircuitKey(green.plant, name))
            if circuit is None:
                continue
            try:
                tested += self._circuit(circuit, model, before)
            except FleetcastError:
                continue
        believed = holm([one.chance for one in tested], SIGNIFICANCE)
        return [one.fared for one, holds in zip(tested, believed, strict=True) if holds]

    def _circuit(self, circuit: Circuit, model: ServedModel, before: ServedModel) -> Sequence[_Tested]:
        new_end, old_end = (_cutoff(self.open_served.version(one)) for one in (model, before))
        version = self.tables[circuit.data_source].latest_version()
        if version is None or new_end is None or old_end is None:
            return ()
        new, old = (self.open_served(circuit, one) for one in (model, before))
        if (new.step, new.horizon) != (old.step, old.horizon):
            return ()
        looks = _Both.of(new, old)
        more = looks.horizon + _MOST_ORIGINS * apart(looks)
        search = WindowSearch(circuit, looks, self.tables[circuit.data_source], version, more)
        history = search.window(None, trained_span(circuit)).history
        origins = whole_horizons(looks, history, _MOST_ORIGINS, max(new_end, old_end))
        return _tested(circuit.key, new, old, history, origins) if origins else ()


@dataclass(slots=True)
class CompareOnce:
    """Compares two releases again only once something new was read: each share of the traffic asks."""

    compare: FaredWorse
    tables: Mapping[str, ReadingsTable]
    _found: dict[tuple[Digest, Digest], tuple[Mapping[str, int | None], Sequence[Fared]]] = field(
        default_factory=dict
    )

    def __call__(self, green: Release, blue: Release) -> Sequence[Fared]:
        """As of `FaredWorse`."""
        key = green.digest, blue.digest
        try:
            read = {name: table.latest_version() for name, table in self.tables.items()}
        except FleetcastError:  # what cannot be read says nothing against a release
            return ()
        known = self._found.get(key)
        if known is None or known[0] != read:
            known = self._found[key] = (read, self.compare(green, blue))
        return known[1]


@dataclass(frozen=True, slots=True)
class _Both:
    """What two forecasters read together."""

    reads: tuple[str, ...]
    step: timedelta
    lookback: int
    horizon: int
    more_history: int = 0

    @classmethod
    def of(cls, one: Forecaster, other: Forecaster) -> _Both:
        reads = tuple(dict.fromkeys((*one.reads, *other.reads)))
        return cls(reads, one.step, max(one.lookback, other.lookback), one.horizon)


def _cutoff(version: ModelVersion) -> datetime | None:
    """Where its training data end, if it says so."""
    declared = version.model.lineage.inputs.get("cutoff_date")
    return None if declared is None else Cutoff.parse(str(declared)).end


def _tested(
    key: CircuitKey, new: Forecaster, old: Forecaster, history: Series, origins: Sequence[datetime]
) -> Sequence[_Tested]:
    errors, before = new.replay(history, origins), old.replay(history, origins)
    naive = naive_errors(new, history, origins)
    steps = np.array([(origin - history.start) // history.step for origin in origins])
    found = []
    for column, sensor in enumerate(new.sensors):
        if sensor not in old.sensors:
            continue
        mine, theirs = errors[:, column], before[:, old.sensors.index(sensor)]
        over_before = _ratio(mine, theirs)
        if over_before is None:
            continue
        known = int(np.isfinite(mine - theirs).sum())
        over_naive = None if naive is None else _ratio(mine, naive[:, column])
        chance = chance_of(mine - theirs, steps, new.horizon)
        found.append(_Tested(Fared(key, sensor, known, over_before, over_naive), chance))
    return found


def _ratio(ours: Floats, theirs: Floats) -> float | None:
    known = np.isfinite(ours) & np.isfinite(theirs)
    total = float(theirs[known].sum())
    return float(ours[known].sum()) / total if total > 0 else None


def naive_errors(forecaster: Forecaster, history: Series, origins: Sequence[datetime]) -> Floats | None:
    """The errors of the seasonal naive forecast of what a forecaster forecasts; None if it cannot be made.

    Args:
        forecaster: Whose sensors and horizon.
        history: Aware; what lies before the first origin says which season repeats.
        origins: Ascending.

    Returns:
        Shape (origins, sensors), as of `Forecaster.replay`.
    """
    first = (origins[0] - history.start) // history.step
    before = Series(history.start, history.step, history.sensors, history.values[:first])
    task = TrainingTask(forecaster.sensors, forecaster.horizon, "seasonal_naive", MappingProxyType({}))
    try:
        return FittedForecaster(train(before, task).model).replay(history, origins)
    except FleetcastError:
        return None


def whole_horizons(
    looks: Looks, history: Series, most: int, since: datetime | None = None
) -> Sequence[datetime]:
    """The last origins after which a whole horizon was read, a day apart, or a horizon where that is shorter.

    Args:
        looks: What is to forecast.
        history: What was read.
        most: So many at most.
        since: None before this moment.

    Returns:
        Ascending.
    """
    last = len(history) - looks.horizon
    places = [last - number * apart(looks) for number in range(most)]
    found = [history.start + place * history.step for place in sorted(places) if place >= looks.lookback]
    return [origin for origin in found if since is None or origin >= since]


def apart(looks: Looks) -> int:
    """Steps between two origins."""
    return max(1, min(looks.horizon, _DAY // looks.step))
