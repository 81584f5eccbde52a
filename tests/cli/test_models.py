from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from fleetcast.cli.models import models_app
from fleetcast.cli.models_views import print_history, print_rows
from fleetcast.cli.plain_rich import Console
from fleetcast.domain.approval import Choice
from fleetcast.domain.circuit import Cutoff
from fleetcast.domain.errors import BadInput
from fleetcast.domain.model import TrainedLineage
from fleetcast.domain.standing import PromotionState
from fleetcast.views.models import history_as_json, rows_as_json
from fleetcast.workflows.inspect_models import ListModels, ModelHistory, ModelRow, ShowModel
from tests.fleets import SmallFleet, small_fleet, used


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> SmallFleet:
    """Two plants: all promoted, then the first circuit trained again, and one more declared by a rename."""
    fleet = small_fleet(tmp_path_factory.mktemp("fleet"), plants=2, circuits=2)
    fleet.promote()
    fleet.change(0, cutoff=Cutoff.parse("2025-02-25"), revision=3)
    fleet.train()
    fleet.change(3, model_name="renamed")
    return fleet


def rows(fleet: SmallFleet, plant: str | None = None) -> tuple[ModelRow, ...]:
    return ListModels(fleet.opened.platform, fleet.clock)(fleet.opened.fleet, plant)


def show(fleet: SmallFleet, what: str) -> ModelHistory:
    return ShowModel(fleet.opened.platform, fleet.clock)(fleet.opened.fleet, what)


def printed(width: int = 160) -> Console:
    return Console(file=io.StringIO(), width=width, highlight=False)


def text_of(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_each_circuit_has_one_row_with_the_selected_version_and_the_champion(fleet: SmallFleet) -> None:
    first, second, third, renamed = rows(fleet)
    assert first.selected is not None
    assert second.selected is not None
    assert (first.selected.version, first.champion, first.selected.standing) == (
        2,
        1,
        PromotionState.AWAITING,
    )
    assert (second.selected.version, second.champion, second.selected.standing) == (
        1,
        1,
        PromotionState.PROMOTED,
    )
    assert third.key.plant == "PLANT002"
    assert (renamed.model, renamed.selected, renamed.champion) == ("renamed", None, None)


def test_a_row_shows_the_metrics_that_were_registered(fleet: SmallFleet) -> None:
    shown = rows(fleet)[1].selected
    assert shown is not None
    mean = used(fleet)["plant001-circuit02"].model.scores.mean
    assert (shown.skill, shown.mase, shown.coverage_80) == (mean.skill, mean.mase, mean.coverage_80)
    assert shown.cutoff == "2025-02-26"


def test_one_plant_can_be_listed_alone_and_an_unknown_one_is_refused(fleet: SmallFleet) -> None:
    assert [str(row.key) for row in rows(fleet, "PLANT002")] == ["PLANT002/CIRCUIT01", "PLANT002/CIRCUIT02"]
    with pytest.raises(BadInput) as refused:
        rows(fleet, "PLANT02")
    assert refused.value.fix == "did you mean 'PLANT002'?"


def test_the_list_names_circuits_that_were_never_trained(fleet: SmallFleet) -> None:
    console = printed()
    print_rows(rows(fleet), console)
    assert "not trained" in text_of(console)
    assert "4 circuits, 3 with a model, 2 promoted." in text_of(console)


def test_the_list_is_json_too(fleet: SmallFleet) -> None:
    document = json.loads(json.dumps(rows_as_json(rows(fleet)), allow_nan=False))
    assert document[0]["selected"]["state"] == "awaiting approval"
    assert len(document[0]["selected"]["training_hash"]) == 64
    assert document[3] == {
        "plant_id": "PLANT002",
        "circuit_id": "CIRCUIT02",
        "model_name": "renamed",
        "champion_version": None,
        "is_retired": False,
        "selected": None,
    }


def test_a_history_names_every_field_that_changed_between_versions(fleet: SmallFleet) -> None:
    first, second = show(fleet, "PLANT001/CIRCUIT01").versions
    assert first.changed == ()
    assert [str(change) for change in second.changed] == [
        "cutoff_date 2025-02-26 → 2025-02-25",
        "revision 0 → 3",
    ]


def test_the_selected_version_is_detailed_unless_another_is_named(fleet: SmallFleet) -> None:
    assert show(fleet, "PLANT001/CIRCUIT01").detail.version.version == 2
    assert show(fleet, "PLANT001/CIRCUIT01:1").detail.version.version == 1
    assert show(fleet, "plant001-circuit01:1") == show(fleet, "PLANT001/CIRCUIT01:1")


def test_a_model_that_is_no_longer_declared_can_still_be_shown(fleet: SmallFleet) -> None:
    assert str(show(fleet, "plant002-circuit02").key) == "PLANT002/CIRCUIT02"


@pytest.mark.parametrize(
    ("what", "wrong"),
    [
        ("PLANT001/CIRCUIT01:9", "has no version 9, only 1, 2"),
        ("PLANT001/CIRCUIT01:two", "'two' is not a model version"),
        ("plant001-circut01", "there is no model"),
        ("PLANT001/NONE", "the fleet has no circuit PLANT001/NONE"),
        ("renamed", "has no trained model yet"),
    ],
)
def test_what_is_not_there_is_said(fleet: SmallFleet, what: str, wrong: str) -> None:
    with pytest.raises(BadInput, match=wrong):
        show(fleet, what)


def test_one_version_shows_its_metrics_its_lineage_its_files_and_who_decided(fleet: SmallFleet) -> None:
    console, history = printed(), show(fleet, "PLANT001/CIRCUIT01:1")
    print_history(history, console)
    shown = text_of(console)
    lineage = history.detail.version.model.lineage
    assert isinstance(lineage, TrainedLineage)
    for expected in (
        "temperature",
        "mean",
        lineage.training_hash.hex,
        lineage.job,
        lineage.fingerprint.short,
        history.detail.version.model.artifact.hex,
        "approved by grace, 2025-03-02 00:00 UTC: looks right",
    ):
        assert expected in shown
    assert history.artifact is not None
    assert (history.artifact / "MLmodel").is_file()


def test_the_history_is_json_too(fleet: SmallFleet) -> None:
    history = show(fleet, "PLANT001/CIRCUIT01")
    document = json.loads(json.dumps(history_as_json(history), allow_nan=False))
    assert document["shown_version"] == 2
    assert [version["state"] for version in document["versions"]] == ["promoted", "awaiting approval"]
    assert document["versions"][0]["requests"][0]["decisions"][0]["by"] == "grace"
    assert document["versions"][1]["lineage"]["inputs"]["revision"] == 3


def test_a_lost_artifact_is_shown_not_hidden(tmp_path: Path) -> None:
    fleet = small_fleet(tmp_path, circuits=1)
    fleet.train()
    folder = show(fleet, "PLANT001/CIRCUIT01").artifact
    assert folder is not None
    folder.rename(folder.with_name("elsewhere"))
    history = show(fleet, "PLANT001/CIRCUIT01")
    assert history.artifact is None
    assert "is not in the store" in history.artifact_problem


def test_a_rejected_version_is_shown_as_rejected_with_the_reason(tmp_path: Path) -> None:
    fleet = small_fleet(tmp_path, circuits=1)
    fleet.train()
    fleet.decide(Choice.REJECT, comment="the pump was off")
    history = show(fleet, "PLANT001/CIRCUIT01")
    assert history.detail.standing is PromotionState.REJECTED
    console = printed()
    print_history(history, console)
    assert "rejected by grace, 2025-03-02 00:00 UTC: the pump was off" in text_of(console)


def test_the_commands_read_a_fleet_repository(tmp_path: Path) -> None:
    fleet = small_fleet(tmp_path, "local", circuits=1)
    fleet.train()
    app = typer.Typer()
    app.add_typer(models_app, name="models")
    where = ["--fleet", str(fleet.opened.directory)]
    listed = CliRunner().invoke(app, ["models", "list", *where])
    assert listed.exit_code == 0
    assert "PLANT001/CIRCUIT01" in listed.stdout
    shown = CliRunner().invoke(app, ["models", "show", "PLANT001/CIRCUIT01", "--format", "json", *where])
    assert json.loads(shown.stdout)["model_name"] == "plant001-circuit01"
