"""A challenger held against the champion, whoever trained that one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fleetcast.domain.circuit import Cutoff
from fleetcast.domain.evidence import Compared, Comparison, NotComparable
from fleetcast.domain.model import ModelVersion, TrainedLineage
from fleetcast.forecasting.artifact import load, load_backtest
from fleetcast.forecasting.backtest import replay
from fleetcast.forecasting.resampling import resample
from fleetcast.pipeline.champions import ChampionComparison
from tests.artifacts import CountingArtifacts
from tests.contracts.samples import adopted
from tests.fleets import SmallFleet, small_fleet
from tests.foreign_models import HoldsLast, save_foreign


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> SmallFleet:
    """A champion that was trained on two thirds of the readings, and a challenger on nearly all."""
    fleet = small_fleet(tmp_path_factory.mktemp("fleet"), circuits=1, trained_days=40)
    fleet.promote()
    fleet.change(cutoff=Cutoff.parse("2025-02-27"))
    fleet.train()
    return fleet


def versions(fleet: SmallFleet) -> tuple[ModelVersion, ModelVersion]:
    name = fleet.circuit.model_name
    champion, challenger = fleet.opened.platform.workspace.models.versions([name])[name]
    return champion, challenger


def compare(
    fleet: SmallFleet, challenger: ModelVersion, champion: ModelVersion, artifacts: CountingArtifacts
) -> Comparison:
    platform = fleet.opened.platform
    comparison = ChampionComparison(
        artifacts, platform.workspace.tables, platform.workspace.frozen, HoldsLast()
    )
    return comparison(fleet.circuit, challenger, champion)


def test_each_of_the_two_artifacts_is_opened_once(fleet: SmallFleet) -> None:
    champion, challenger = versions(fleet)
    artifacts = CountingArtifacts(fleet.opened.platform.workspace.artifacts)
    assert isinstance(compare(fleet, challenger, champion, artifacts), Compared)
    assert artifacts.opened == [challenger.model.artifact, champion.model.artifact]


def test_the_ratio_is_of_the_errors_from_the_same_origins(fleet: SmallFleet) -> None:
    champion, challenger = versions(fleet)
    artifacts, circuit = CountingArtifacts(fleet.opened.platform.workspace.artifacts), fleet.circuit
    found = compare(fleet, challenger, champion, artifacts)
    assert isinstance(found, Compared)
    lineage = challenger.model.lineage
    assert isinstance(lineage, TrainedLineage)
    rows = fleet.opened.platform.workspace.frozen.load(lineage.fingerprint, circuit.key)
    series = resample(
        rows.times, rows.values, rows.sensors, circuit.frequency, circuit.sensor_limits, circuit.cleaning
    )
    backtest = load_backtest(artifacts.load(challenger.model.artifact))
    assert min(backtest.origins) >= Cutoff.parse("2025-02-09").end
    theirs = replay(load(artifacts.load(champion.model.artifact)), series, backtest.origins)
    ratios = np.nanmean(backtest.model_mae, axis=0) / np.nanmean(theirs, axis=0)
    assert found.origins == len(backtest.origins)
    assert found.ratio == pytest.approx(ratios.mean(), abs=1e-6)


def test_an_adopted_champion_is_opened_once_and_compared_to_three_decimals(
    fleet: SmallFleet, tmp_path: Path
) -> None:
    trained, challenger = versions(fleet)
    artifacts = CountingArtifacts(fleet.opened.platform.workspace.artifacts)
    digest = artifacts.keep(save_foreign(tmp_path / "model"))
    model = adopted(trained.name)
    lineage = replace(model.lineage, inputs=trained.model.lineage.inputs)
    model = replace(model, lineage=lineage, artifact=digest)
    champion = ModelVersion(1, model, trained.registered_at)
    found = compare(fleet, challenger, champion, artifacts)
    assert isinstance(found, Compared)
    assert artifacts.opened == [challenger.model.artifact, digest]
    assert found.ratio == round(found.ratio, 3)


def test_a_challenger_that_was_trained_elsewhere_has_no_backtest(fleet: SmallFleet) -> None:
    champion, challenger = versions(fleet)
    elsewhere = replace(challenger, model=adopted(challenger.name))
    artifacts = CountingArtifacts(fleet.opened.platform.workspace.artifacts)
    assert isinstance(compare(fleet, elsewhere, champion, artifacts), NotComparable)
    assert artifacts.opened == []
