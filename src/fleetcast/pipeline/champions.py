"""Holding a challenger against the champion: both from the same origins, after the champion's cutoff."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fleetcast.domain.circuit import Circuit, Cutoff
from fleetcast.domain.errors import BadInput
from fleetcast.domain.evidence import Compared, Comparison, Incomparable, NoChampion, NotComparable
from fleetcast.domain.model import ModelVersion, TrainedLineage
from fleetcast.forecasting.artifact import load_backtest
from fleetcast.forecasting.resampling import resample
from fleetcast.pipeline.data import freeze_again
from fleetcast.pipeline.forecasters.opening import open_forecaster
from fleetcast.ports.artifacts import ArtifactMissing, ArtifactStore
from fleetcast.ports.foreign_models import ForeignModelFailed, ForeignModels
from fleetcast.ports.frozen_rows import FrozenRows
from fleetcast.ports.readings import ReadingsTable


@dataclass(frozen=True, slots=True)
class ChampionComparison:
    """Replays a champion on the challenger's own backtest."""

    artifacts: ArtifactStore
    tables: Mapping[str, ReadingsTable]
    frozen: FrozenRows
    foreign: ForeignModels

    def __call__(
        self, circuit: Circuit, challenger: ModelVersion, champion: ModelVersion | None
    ) -> Comparison:
        """Compare the challenger's backtest model with the champion, on readings neither was trained on."""
        if champion is None:
            return NoChampion()
        try:
            return self._compare(circuit, challenger, champion)
        except (BadInput, ArtifactMissing) as error:
            return NotComparable(champion.version, Incomparable.UNREADABLE, said=str(error))
        except ForeignModelFailed:  # what it says may differ each time
            command = f"fleetcast forecast {circuit.key}"
            return NotComparable(champion.version, Incomparable.FOREIGN_FAILED, said=command)

    def _compare(self, circuit: Circuit, challenger: ModelVersion, champion: ModelVersion) -> Comparison:
        lineage = challenger.model.lineage
        if not isinstance(lineage, TrainedLineage):
            return NotComparable(champion.version, Incomparable.TRAINED_ELSEWHERE)
        backtest = load_backtest(self.artifacts.load(challenger.model.artifact))
        cutoff = Cutoff.parse(str(champion.model.lineage.inputs["cutoff_date"])).end
        usable = [number for number, origin in enumerate(backtest.origins) if origin >= cutoff]
        if not usable:
            return NotComparable(champion.version, Incomparable.NO_ORIGIN, cutoff)
        freeze_again([(circuit, lineage.fingerprint)], self.tables, self.frozen)
        readings = self.frozen.load(lineage.fingerprint, circuit.key)
        series = resample(
            readings.times,
            readings.values,
            readings.sensors,
            circuit.frequency,
            circuit.sensor_limits,
            circuit.cleaning,
        )
        origins = [backtest.origins[number] for number in usable]
        held = open_forecaster(circuit, champion, self.artifacts, self.foreign).forecaster
        common = [name for name in held.sensors if name in backtest.sensors]
        theirs = held.replay(series, origins)[:, [held.sensors.index(name) for name in common]]
        ours = backtest.model_mae[np.ix_(usable, [backtest.sensors.index(name) for name in common])]
        ratio = mean_ratio(ours, theirs)
        if ratio is None:
            return NotComparable(champion.version, Incomparable.NO_READINGS)
        return Compared(champion.version, len(usable), round(ratio, held.repeated_decimals))


def mean_ratio(ours: np.ndarray, theirs: np.ndarray) -> float | None:
    """The mean over sensors of our MAE over theirs, where both were measured."""
    both = np.isfinite(ours) & np.isfinite(theirs)
    ratios = []
    for sensor in range(ours.shape[1]):
        rows = both[:, sensor]
        if rows.any() and theirs[rows, sensor].mean() > 0:
            ratios.append(float(ours[rows, sensor].mean() / theirs[rows, sensor].mean()))
    return round(sum(ratios) / len(ratios), 6) if ratios else None
