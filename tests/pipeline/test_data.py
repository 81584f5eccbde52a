"""Stage 4: the data of every circuit is checked once, and the rows to train on are kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath

import numpy as np
import pytest

from fleetcast.domain.circuit import Cutoff
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.quality import NO_COLUMN, LeftOut
from fleetcast.domain.run import Ending
from fleetcast.domain.settings import OwnTable
from fleetcast.ports.readings import VersionGone
from tests.pipeline.stand_ins import MemoryTable
from tests.pipeline.world import DAYS, ONE, TWO, World, circuit, readings

STUCK = np.full(24 * DAYS, 20.0)
OTHER = CircuitKey("P2", "C1")


def test_data_nobody_checked_is_read_judged_and_kept(world: World) -> None:
    outcome = world.run("RegisterData")
    assert (outcome.ending, outcome.says) == (Ending.DONE, "2 circuits, 2 newly checked")
    assert world.actions("data.registered") == ["data.registered p1-c1-data", "data.registered p1-c2-data"]
    held = world.platform.workspace.data.held([world.data_digest(ONE), world.data_digest(TWO)])
    assert [world.platform.workspace.frozen.holds(asset.fingerprint) for asset in held.values()] == [
        True,
        True,
    ]


def test_what_is_known_of_the_data_stands_in_the_document(world: World) -> None:
    document = world.run("RegisterData", only=ONE).document["data_assets"]
    fingerprint = document[0].pop("fingerprint")
    assert document == [
        {
            "name": "p1-c1-data",
            "plant_id": "P1",
            "circuit_id": "C1",
            "digest": world.data_digest(ONE).hex,
            "source": "readings",
            "delta_version": 0,
            "rows": 14 * 24,
            "first": "2025-01-01T00:00:00+00:00",
            "last": "2025-01-14T23:00:00+00:00",
            "schema": {"temperature": "float64", "pressure": "float64"},
            "usable": ["temperature", "pressure"],
            "left_out": {},
            "warnings": [],
            "blocked": None,
        }
    ]
    assert len(world.platform.workspace.frozen.load(Digest(fingerprint), ONE).times) == 14 * 24


def test_checked_data_is_neither_read_nor_registered_again(world: World) -> None:
    world.run("RegisterData")
    read = list(world.table.reads)
    assert world.run("RegisterData").says == "2 circuits, 0 newly checked"
    assert world.table.reads == read
    assert world.actions() == ["data.registered"] * 2


def test_only_the_circuit_that_is_not_checked_yet_is_read(world: World) -> None:
    world.run("RegisterData", only=ONE)
    assert world.run("RegisterData").says == "2 circuits, 1 newly checked"
    assert world.table.reads == [(0, ("P1/C1",)), (0, ("P1/C2",))]


def test_another_window_of_the_data_is_checked_anew(world: World) -> None:
    world.run("RegisterData")
    world.change(ONE, cutoff=Cutoff.parse("2025-01-20"))
    outcome = world.run("RegisterData")
    assert outcome.says == "2 circuits, 1 newly checked"
    assert [asset["rows"] for asset in outcome.document["data_assets"]] == [20 * 24, 14 * 24]


def test_another_revision_needs_no_new_check(world: World) -> None:
    world.run("RegisterData")
    world.change(ONE, revision=1)
    assert world.run("RegisterData").says == "2 circuits, 0 newly checked"


def test_a_circuit_whose_model_is_up_to_date_is_not_read(world: World) -> None:
    world.adopt(ONE)
    assert world.run("RegisterData").says == "1 circuit, 1 newly checked"
    assert world.table.reads == [(0, ("P1/C2",))]


def test_a_circuit_that_reuses_an_earlier_version_is_not_read(world: World) -> None:
    world.declare(world.circuit(ONE))
    world.adopt(ONE)
    world.change(ONE, cutoff=Cutoff.parse("2025-01-20"))
    world.upto("RegisterModels")
    world.change(ONE, cutoff=Cutoff.parse("2025-01-14"))
    assert world.run("RegisterData").says == "0 circuits, 0 newly checked"
    assert world.table.reads == [(0, ("P1/C1",))]


def test_progress_is_told_circuit_by_circuit(world: World) -> None:
    world.run("RegisterData")
    assert [(each.done, each.total, each.note) for each in world.progress] == [
        (1, 2, "P1/C1"),
        (2, 2, "P1/C2"),
    ]


def test_circuits_of_one_table_version_are_read_in_one_pass(world: World) -> None:
    world.run("RegisterData")
    assert world.table.reads == [(0, ("P1/C1", "P1/C2"))]


def test_each_pinned_version_is_read_as_it_was(world: World) -> None:
    world.table.commit(readings(TWO, temperature=STUCK))
    world.declare(circuit(ONE, delta_version=1), circuit(TWO))
    documents = world.run("RegisterData").document["data_assets"]
    assert sorted(world.table.reads) == [(0, ("P1/C2",)), (1, ("P1/C1",))]
    assert [document["usable"] for document in documents] == [["temperature", "pressure"]] * 2


def test_each_circuit_is_read_from_its_own_data_source(world: World) -> None:
    archive = MemoryTable()
    archive.commit(readings(ONE, days=10))
    world.tables["archive"] = archive
    world.declare(
        circuit(ONE, data_source="archive"),
        circuit(TWO),
        settings=replace(
            world.fleet.settings,
            data_sources={name: OwnTable(name, PurePosixPath(name)) for name in ("archive", "readings")},
        ),
    )
    documents = world.run("RegisterData").document["data_assets"]
    assert [(document["source"], document["rows"]) for document in documents] == [
        ("archive", 10 * 24),
        ("readings", 14 * 24),
    ]


def test_a_sensor_that_is_stuck_is_left_out_with_the_reason(world: World) -> None:
    world.table.commit(readings(ONE, temperature=STUCK))
    world.declare(circuit(ONE, delta_version=1))
    (document,) = world.run("RegisterData").document["data_assets"]
    assert document["usable"] == ["pressure"]
    assert document["left_out"] == {"temperature": "it never changes from 20"}
    assert document["blocked"] is None


def test_a_sensor_the_table_has_no_column_for_blocks_its_circuit(world: World) -> None:
    world.declare(circuit(ONE, features=("temperature", "presure"), targets=("temperature",)))
    said = "there is no column `presure`, did you mean `pressure`?"
    planned = world.plan(ONE)
    assert (planned.action, planned.why) == ("blocked", said)
    assert not world.table.reads, "a plan reads no rows"
    (document,) = world.run("RegisterData").document["data_assets"]
    assert document["blocked"] == said
    assert world.plan(ONE).why == said


def test_a_sensor_that_only_other_circuits_have_is_left_out_by_its_own_fault(world: World) -> None:
    world.table.commit(readings(TWO, flow=np.arange(24.0 * DAYS)))
    world.declare(
        circuit(ONE, delta_version=1, features=("temperature", "flow"), targets=("temperature",)),
        circuit(TWO),
    )
    document = world.run("RegisterData").document["data_assets"][0]
    assert document["left_out"] == {"flow": "no usable reading in the training window"}


def test_what_an_earlier_version_left_out_for_want_of_a_column_is_blocked_now(world: World) -> None:
    world.run("RegisterData")
    (asset,) = world.platform.workspace.data.held([world.data_digest(ONE)]).values()
    gone = (LeftOut("flow", NO_COLUMN),)
    assert (
        replace(asset, verdict=replace(asset.verdict, left_out=gone)).blocked == "there is no column `flow`"
    )


def test_sensors_that_are_left_out_are_said(world: World) -> None:
    world.table.commit(readings(ONE, pressure=STUCK))
    world.declare(circuit(ONE, delta_version=1), circuit(TWO))
    outcome = world.run("RegisterData")
    assert outcome.says == "2 circuits, 2 newly checked, 1 unfit sensor left out (P1/C1: pressure)"
    (partial,) = world.platform.workspace.data.partial()
    assert partial.key == ONE


def test_unfit_data_is_reported_and_its_rows_are_not_kept(world: World) -> None:
    world.table.commit(readings(ONE, temperature=STUCK, pressure=STUCK))
    world.declare(circuit(ONE, delta_version=1), circuit(TWO))
    outcome = world.run("RegisterData")
    assert outcome.ending is Ending.DONE
    assert outcome.says.startswith(
        "2 circuits, 2 newly checked, 1 unfit to train on (P1/C1: no sensor is fit"
    )
    assert outcome.document["data_assets"][0]["blocked"].startswith("no sensor is fit to train on")
    held = world.platform.workspace.data.held([world.data_digest(ONE), world.data_digest(TWO)])
    assert [world.platform.workspace.frozen.holds(asset.fingerprint) for asset in held.values()] == [
        False,
        True,
    ]


def test_unfit_data_is_not_checked_again(world: World) -> None:
    world.table.commit(readings(ONE, temperature=STUCK, pressure=STUCK))
    world.declare(circuit(ONE, delta_version=1))
    world.run("RegisterData")
    again = world.run("RegisterData").says
    assert again.startswith(
        "1 circuit, 0 newly checked, 1 unfit to train on (P1/C1: no sensor is fit to train on:"
    )
    assert len(world.table.reads) == 1


def test_several_unfit_circuits_are_counted_by_reason(world: World) -> None:
    nowhere, third = CircuitKey("P1", "C8"), CircuitKey("P1", "C9")
    short = replace(circuit(ONE), training_window=timedelta(days=2))
    world.declare(short, circuit(TWO), circuit(nowhere), circuit(third))
    assert world.run("RegisterData").says == (
        "4 circuits, 4 newly checked, "
        "3 unfit to train on (2 no readings in the training window, 1 history too short)"
    )


def test_a_circuit_without_readings_is_unfit(world: World) -> None:
    world.declare(circuit(OTHER))
    (document,) = world.run("RegisterData").document["data_assets"]
    assert document["blocked"] == "no readings in the training window"
    assert (document["rows"], document["first"], document["last"]) == (0, None, None)


def test_a_history_that_is_too_short_for_the_family_is_unfit(world: World) -> None:
    world.change(ONE, training_window=timedelta(days=2))
    document = world.run("RegisterData", only=ONE).document["data_assets"][0]
    assert document["blocked"] == "history too short: have 48 unbroken steps of 1h, need 63"


def test_rows_that_contradict_each_other_are_unfit(world: World) -> None:
    world.table.commit(replace(readings(ONE), conflict="two values for one moment"))
    world.declare(circuit(ONE, delta_version=1))
    (document,) = world.run("RegisterData").document["data_assets"]
    assert document["blocked"] == "the table contradicts itself: two values for one moment"


def test_a_table_without_readings_is_named_with_who_asks(world: World) -> None:
    world.table.committed.clear()
    with pytest.raises(
        BadInput,
        match="data source 'readings' holds no readings yet, but P1/C1, P1/C2 should train on it",
    ):
        world.run("RegisterData")
    assert world.actions() == []


@pytest.mark.parametrize(
    ("circuits", "who"), [(3, "P1/C1, P1/C2, P1/C3"), (5, "P1/C1, P1/C2, P1/C3 and 2 more")]
)
def test_a_version_that_does_not_exist_is_named_with_those_there_are(
    world: World, circuits: int, who: str
) -> None:
    world.declare(*(circuit(CircuitKey("P1", f"C{i}"), delta_version=4) for i in range(1, circuits + 1)))
    with pytest.raises(
        BadInput, match=f"delta_version 4 of {who} does not exist; 'readings' has versions 0 to 0"
    ):
        world.run("RegisterData")


def test_the_newest_version_exists(world: World) -> None:
    world.table.commit()
    world.declare(circuit(ONE, delta_version=1))
    assert world.run("RegisterData").says == "1 circuit, 1 newly checked"


def test_a_version_nobody_needs_to_read_need_not_exist(world: World) -> None:
    world.change(ONE, delta_version=4)
    world.adopt(ONE)
    assert world.run("RegisterData").ending is Ending.DONE


def test_a_version_that_was_cleaned_up_is_named_with_who_asks(world: World) -> None:
    world.table.gone.add(0)
    with pytest.raises(
        BadInput, match="version 0 was cleaned up; P1/C1, P1/C2 should train on it"
    ) as refused:
        world.run("RegisterData")
    assert refused.value.fix == "pin another version"
    assert isinstance(refused.value.__cause__, VersionGone)


def test_what_was_checked_before_the_table_broke_is_not_lost(world: World) -> None:
    short = {"training_window": timedelta(days=3)}
    world.declare(*(circuit(CircuitKey("P1", f"C{i}"), **short) for i in range(205)))
    world.table.breaks_after = 203
    with pytest.raises(BadInput, match="version 0 was cleaned up"):
        world.run("RegisterData")
    world.table.breaks_after = None
    assert world.run("RegisterData").says.startswith("205 circuits, 5 newly checked")


def foreign(world: World, expires_in: timedelta | None) -> None:
    """Declare one circuit on a table somebody else keeps, whose version 0 may be cleaned up then."""
    world.declare(circuit(ONE, source_mapping={"layout": "wide"}), circuit(TWO))
    if expires_in is not None:
        world.table.expires[0] = world.clock.now() + expires_in


@pytest.mark.parametrize(
    ("left", "says"),
    [
        (timedelta(days=3), "in 3 days"),
        (timedelta(days=1), "in 1 days"),
        (timedelta(hours=3), "today"),
        (timedelta(0), "at any time"),
    ],
)
def test_a_version_its_owner_may_clean_up_is_warned_of(world: World, left: timedelta, says: str) -> None:
    foreign(world, left)
    (warning,) = world.expiring()
    assert warning == (
        f"version 0 of 'readings' may be cleaned up by its owner {says}: train P1/C1 before, "
        "which keeps the rows, or `fleetcast data pin` a newer version"
    )


def test_versions_are_warned_of_in_their_order(world: World) -> None:
    mapped = {"source_mapping": {"layout": "wide"}}
    world.declare(circuit(ONE, delta_version=1, **mapped), circuit(TWO, delta_version=0, **mapped))
    world.table.expires = dict.fromkeys((0, 1), world.clock.now())
    assert [warning[:9] for warning in world.expiring()] == ["version 0", "version 1"]


def test_a_version_that_nothing_removes_is_not_warned_of(world: World) -> None:
    foreign(world, None)
    assert world.expiring() == []


def test_rows_that_are_frozen_already_are_not_warned_of(world: World) -> None:
    foreign(world, timedelta(days=3))
    assert world.expiring(world.data_digest(ONE)) == []


def test_a_table_of_our_own_is_not_warned_of(world: World) -> None:
    world.table.expires[0] = datetime(2025, 12, 2, tzinfo=UTC)
    assert world.expiring() == []
