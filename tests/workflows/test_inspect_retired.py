"""Circuits that are no longer declared stay visible, with since when and what is left."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fleetcast.domain.errors import BadInput
from fleetcast.views.circuits import left_in_words, retired_as_json, retired_in_words
from fleetcast.views.moments import shown
from fleetcast.workflows.inspect_models import ListModels, ShowModel
from fleetcast.workflows.inspect_retired import ListRetired, Retired
from tests.fleets import SmallFleet, small_fleet


def without_first(fleet: SmallFleet) -> None:
    """Take the first circuit out of the fleet repository."""
    circuits = fleet.opened.fleet.circuits[1:]
    fleet.opened = replace(fleet.opened, fleet=replace(fleet.opened.fleet, circuits=circuits))


def retired(fleet: SmallFleet, *patterns: str) -> tuple[Retired, ...]:
    return ListRetired(fleet.opened.platform)(fleet.opened.fleet, patterns)


def test_a_circuit_is_retired_by_the_run_that_takes_it_out_of_use(tmp_path: Path) -> None:
    fleet = small_fleet(tmp_path)
    fleet.promote()
    assert retired(fleet) == ()
    without_first(fleet)
    (waits,) = retired(fleet)
    assert retired_in_words(waits) == "no longer declared: the next `fleetcast train` takes it out of use"
    at = fleet.clock.now()
    run = fleet.train()
    (one,) = retired(fleet)
    assert (str(one.key), one.at, one.run, one.commit) == ("PLANT001/CIRCUIT01", at, run.id, "0123abc")
    assert retired_in_words(one) == f"retired since {shown(at)}, by {run.id} of commit 0123abc"
    assert left_in_words(one) == "1 version registered, the last 1, 1 promoted"
    assert retired_as_json(one)["run_id"] == run.id
    with pytest.raises(BadInput):
        retired(fleet, "PLANT009/*")


def test_its_model_is_shown_by_plant_and_circuit_and_is_marked_in_lists(tmp_path: Path) -> None:
    fleet = small_fleet(tmp_path)
    fleet.promote()
    without_first(fleet)
    fleet.train()
    show, rows = (made(fleet.opened.platform, fleet.clock) for made in (ShowModel, ListModels))
    assert isinstance(show, ShowModel)
    assert isinstance(rows, ListModels)
    history = show(fleet.opened.fleet, "PLANT001/CIRCUIT01")
    assert history.retired == retired(fleet)[0]
    assert history.detail.version.version == 1
    assert show(fleet.opened.fleet, "PLANT001/CIRCUIT02").retired is None
    listed = [(str(row.key), row.retired) for row in rows(fleet.opened.fleet)]
    assert listed == [("PLANT001/CIRCUIT02", False), ("PLANT001/CIRCUIT01", True)]


def test_a_circuit_whose_model_has_another_name_now_is_not_retired(tmp_path: Path) -> None:
    fleet = small_fleet(tmp_path, circuits=1)
    fleet.promote()
    before = fleet.opened.fleet.circuits[0].model_name
    fleet.change(0, model_name="renamed")
    assert retired(fleet) == ()
    assert ShowModel(fleet.opened.platform, fleet.clock)(fleet.opened.fleet, before).retired is None
