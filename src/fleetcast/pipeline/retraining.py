"""What a retrain of a circuit is expected to gain: a model trained a little earlier, held against the one in use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from fleetcast.domain.circuit import Circuit, Cutoff
from fleetcast.domain.errors import FleetcastError
from fleetcast.domain.model import ModelVersion
from fleetcast.domain.proposal import GainMeasured, GainUnknown
from fleetcast.forecasting.backtest import replay
from fleetcast.forecasting.resampling import resample
from fleetcast.forecasting.series import Series
from fleetcast.forecasting.training import TrainingTask, train
from fleetcast.pipeline.champions import mean_ratio
from fleetcast.pipeline.data import judged
from fleetcast.pipeline.fit import one_thread
from fleetcast.pipeline.forecasters.opening import open_forecaster
from fleetcast.ports.artifacts import ArtifactStore
from fleetcast.ports.foreign_models import ForeignModels
from fleetcast.ports.readings import Readings, ReadingsTable

_DAY = timedelta(days=1)
_INSTANT = timedelta(microseconds=1)
_MOST_ORIGINS = 96


@dataclass(frozen=True, slots=True)
class ExpectedGain:
    """Trains a circuit on all but its newest readings, and forecasts those by it and by the model in use.

    The held-out part is the last horizon and the day before it (or half a horizon, where that is longer): origins lie
    on every step of that day, spread so that there are at most 96, and each forecast ends within what was read. Both
    models are measured from the same origins, none of which either has seen: so only origins after the cutoff of the
    model in use count (rolling origins: Tashman 2000).
    """

    artifacts: ArtifactStore
    tables: Mapping[str, ReadingsTable]
    foreign: ForeignModels

    def __call__(
        self, circuit: Circuit, readings: Readings, used: ModelVersion | None
    ) -> GainMeasured | GainUnknown:
        """Measure it.

        Args:
            circuit: With the cutoff and the version of readings that it would be retrained with.
            readings: Its rows of that window.
            used: The model that forecasts it now; None: there is none to compare with.
        """
        if used is None:
            return GainUnknown("no model is in use: `fleetcast train` makes the first one")
        verdict = judged(circuit, readings, self.tables[circuit.data_source])
        if verdict.blocked:
            return GainUnknown(f"its data is unfit: {verdict.blocked}")
        held_out = circuit.horizon + max(_DAY, circuit.horizon / 2)
        earlier = replace(circuit, cutoff=_before(circuit, held_out))
        kept = tuple(name for name in readings.sensors if name in verdict.usable)
        try:
            return self._measured(circuit, earlier, _series(circuit, readings, kept), used)
        except FleetcastError as error:
            return GainUnknown(str(error))

    def _measured(
        self, circuit: Circuit, earlier: Circuit, series: Series, used: ModelVersion
    ) -> GainMeasured | GainUnknown:
        targets = tuple(name for name in circuit.targets if name in series.sensors)
        task = TrainingTask(
            targets, circuit.steps, circuit.family, circuit.hyperparameters, circuit.sensor_limits
        )
        with one_thread():
            retrained = train(series.until(earlier.cutoff.end), task).model
        seen = max(earlier.cutoff.end, Cutoff.parse(str(used.model.lineage.inputs["cutoff_date"])).end)
        first, last = series.first_step_from(seen), len(series) - circuit.steps
        if last < first:
            return GainUnknown(
                f"{used} was trained up to {used.model.lineage.inputs['cutoff_date']}: fewer readings came since "
                "than one forecast is long"
            )
        every = -(-(last - first + 1) // _MOST_ORIGINS)
        origins = [series.start + step * series.step for step in range(first, last + 1, every)]
        held = open_forecaster(circuit, used, self.artifacts, self.foreign).forecaster
        common = [name for name in held.sensors if name in retrained.sensors]
        theirs = held.replay(series, origins)[:, [held.sensors.index(name) for name in common]]
        ours = replay(retrained, series, origins)[:, [retrained.sensors.index(name) for name in common]]
        measured = np.isfinite(ours) & np.isfinite(theirs)
        ratio = mean_ratio(ours, theirs)
        if ratio is None:
            return GainUnknown("no readings to compare by: what came since has holes everywhere")
        return GainMeasured(str(used), earlier.cutoff.end, int(measured.any(axis=1).sum()), ratio)


def _before(circuit: Circuit, length: timedelta) -> Cutoff:
    return Cutoff.parse((circuit.cutoff.end - length - _INSTANT).isoformat())


def _series(circuit: Circuit, readings: Readings, kept: tuple[str, ...]) -> Series:
    columns = [readings.sensors.index(name) for name in kept]
    return resample(
        readings.times,
        readings.values[:, columns],
        kept,
        circuit.frequency,
        circuit.sensor_limits,
        circuit.cleaning,
    )
