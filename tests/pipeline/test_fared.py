"""Holding what a release changes against what serves, on what was read since both were trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import pytest

from fleetcast.domain.circuit import Circuit
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.release import Release, ServedModel
from fleetcast.forecasting.forecaster import Forecaster
from fleetcast.forecasting.series import Floats, Series
from fleetcast.pipeline.fared import CompareOnce, CompareReleases, Fared
from fleetcast.pipeline.forecasters.served import OpenServed
from fleetcast.ports.readings import ReadingsTable
from tests.fleets import SmallFleet, small_fleet


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> SmallFleet:
    """One circuit: version 1 is linear and 2 naive, trained until the same day, after which 60 days were read."""
    fleet = small_fleet(tmp_path_factory.mktemp("fared"), circuits=1, days=120, trained_days=60)
    fleet.promote()
    fleet.change(0, family="seasonal_naive", hyperparameters={})
    fleet.promote()
    return fleet


def release(fleet: SmallFleet, number: int) -> Release:
    circuit = fleet.circuit
    held = fleet.opened.platform.workspace.models.versions([circuit.model_name])[circuit.model_name]
    version = held[number - 1]
    model = ServedModel(version.name, version.version, version.model.artifact, version.training_hash)
    return Release(EnvironmentName.TEST, circuit.key.plant, "1.0.0", {circuit.key.circuit: model})


def compared(fleet: SmallFleet, green: int, blue: int, opens: type[OpenServed] = OpenServed) -> list[Fared]:
    platform = fleet.opened.platform
    compare = CompareReleases(
        lambda: {circuit.key: circuit for circuit in fleet.opened.fleet.circuits},
        platform.workspace.tables,
        opens.of(platform, unsigned_allowed=False),
    )
    return list(compare(release(fleet, green), release(fleet, blue)))


@dataclass(frozen=True, slots=True)
class OffByALot:
    """A forecaster whose every error is greater."""

    model: Forecaster

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)

    def replay(self, series: Series, origins: Sequence[datetime]) -> Floats:
        return 2 * self.model.replay(series, origins)


class OpensVersion2Worn(OpenServed):
    """Opens version 2 as one that has become worse."""

    def __call__(self, circuit: Circuit, model: ServedModel) -> Forecaster:
        opened = super().__call__(circuit, model)
        return cast("Forecaster", OffByALot(opened)) if model.version == 2 else opened


def test_what_is_clearly_worse_is_named_sensor_by_sensor(fleet: SmallFleet) -> None:
    worse = compared(fleet, 2, 1, OpensVersion2Worn)
    assert [one.sensor for one in worse] == list(fleet.circuit.targets)
    assert all(one.over_before > 1.5 and one.origins >= 20 for one in worse)
    assert all(one.over_naive == pytest.approx(2) for one in worse)
    assert compared(fleet, 1, 2, OpensVersion2Worn) == []


def test_what_was_compared_is_compared_again_once_something_was_read(fleet: SmallFleet) -> None:
    tables = {"readings": AtVersion(1)}
    asked: list[Release] = []

    def compare(green: Release, _blue: Release) -> Sequence[Fared]:
        asked.append(green)
        return ()

    once = CompareOnce(compare, cast("Mapping[str, ReadingsTable]", tables))
    for _ in range(2):
        once(release(fleet, 2), release(fleet, 1))
    assert len(asked) == 1
    once(release(fleet, 1), release(fleet, 2))
    tables["readings"] = AtVersion(2)
    once(release(fleet, 2), release(fleet, 1))
    assert len(asked) == 3


@dataclass(frozen=True, slots=True)
class AtVersion:
    """A table that was written so often."""

    version: int

    def latest_version(self) -> int:
        return self.version


def test_what_differs_by_chance_is_not(fleet: SmallFleet) -> None:
    """A naive forecast in place of a linear one: on made-up rhythms it is a tenth worse at most."""
    assert compared(fleet, 2, 1) == []
    assert compared(fleet, 1, 2) == []
    assert compared(fleet, 2, 2) == []


def test_before_anything_was_read_since_training_nothing_is_said(fleet: SmallFleet, tmp_path: Path) -> None:
    young = small_fleet(tmp_path, circuits=1, days=60, trained_days=60)
    young.promote()
    young.change(0, family="seasonal_naive", hyperparameters={})
    young.promote()
    assert compared(young, 2, 1, OpensVersion2Worn) == []


def test_what_cannot_be_opened_is_not_held_against_it(fleet: SmallFleet) -> None:
    damaged = release(fleet, 2)
    circuit, model = next(iter(damaged.circuits.items()))
    other = replace(damaged, circuits={circuit: replace(model, version=9)})
    platform = fleet.opened.platform
    compare = CompareReleases(
        dict, platform.workspace.tables, OpenServed.of(platform, unsigned_allowed=False)
    )
    assert compare(other, release(fleet, 1)) == []
