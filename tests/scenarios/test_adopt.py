"""A team's circuits and models, taken over: the first plan trains nothing, and the models go on forecasting."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.foreign_models import save_foreign
from tests.scenarios.repository import CIRCUIT01, CIRCUIT02, CIRCUITS, Repository, Said

pytest.importorskip("mlflow", reason="the extra `mlflow` is not installed")

SOURCE = """\
# Circuits of the east plant.

circuits:
  # The compressor.
  - plant_id: "PLANT001"
    circuit_id: "CIRCUIT01"
    model_name: "plant001-circuit01"
    description: "Compressor: first stage"
    features: [temperature, vibration]
    cutoff_date: "2025-02-20"
    delta_version: 0
    training_days: 40
    forecast_horizon: 12h
    hyperparameters: {lstm_units: 64, learning_rate: 0.001}
    pipeline_component_version: "2.3.0"
  - plant_id: "PLANT001"
    circuit_id: "CIRCUIT02"
    model_name: "loop-two"
    features: [temperature, vibration]
    cutoff_date: "2025-02-20"
    delta_version: 0
    training_days: 30
    forecast_horizon: 12h
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "circuits.yaml"
    path.write_text(SOURCE)
    return path


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    save_foreign(folder / "plant001-circuit01")
    save_foreign(folder / "loop-two")
    return folder


def adopt(fleet: Repository, source: Path, *options: str) -> Said:
    from contextlib import redirect_stderr, redirect_stdout
    from io import StringIO

    from fleetcast.cli.main import run

    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run(["adopt", str(source), "--into", str(fleet.folder), *options])
    return Said(code, out.getvalue(), err.getvalue())


@pytest.fixture
def fleet(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "fleet")


def simulate(fleet: Repository) -> None:
    assert fleet.type("simulate", "--plants", "1", "--circuits", "2", "--length", "60d").code == 0


def test_after_an_adoption_the_plan_trains_nothing(fleet: Repository, source: Path, models: Path) -> None:
    done = adopt(fleet, source, "--models", str(models))
    assert done.code == 0, done.err
    assert "adopted loop-two from folder loop-two as version 1, champion" in done.out
    assert "left out hyperparameters.lstm_units" in done.out
    assert fleet.actions() == {CIRCUIT01: "up to date", CIRCUIT02: "up to date"}
    assert fleet.shared() == fleet.versions() == [("loop-two", 1), ("plant001-circuit01", 1)]
    assert fleet.type("audit", "verify").code == 0
    assert not list(fleet.state.glob("adopting-*"))


def test_the_written_circuits_say_what_the_source_said(fleet: Repository, source: Path) -> None:
    assert adopt(fleet, source).code == 0
    text = (fleet.folder / CIRCUITS).read_text()
    assert "# Circuits of the east plant." in text
    assert (
        "      # The compressor.\n      CIRCUIT01:\n        description: 'Compressor: first stage'\n" in text
    )
    assert "  forecast_horizon: 12h\n" in text.partition("plants:")[0]
    assert "        model_name: loop-two\n" in text
    assert fleet.type("validate").code == 0
    assert fleet.type("fmt", "--check").code == 0


def test_adopting_again_does_nothing_and_finishes_what_was_not_done(
    fleet: Repository, source: Path, models: Path
) -> None:
    two = models / "loop-two"
    shutil.move(two, models.parent / "kept")
    first = adopt(fleet, source, "--models", str(models))
    assert f"no model found for {CIRCUIT02}: if it has none here, the plan says to train it" in first.out
    simulate(fleet)
    assert fleet.actions() == {CIRCUIT01: "up to date", CIRCUIT02: "train"}
    shutil.move(models.parent / "kept", two)
    second = adopt(fleet, source, "--models", str(models))
    assert "plant001-circuit01 was adopted before" in second.out
    assert "adopted loop-two" in second.out
    log = len(fleet.rows("SELECT number FROM audit"))
    assert "loop-two was adopted before" in adopt(fleet, source, "--models", str(models)).out
    assert len(fleet.rows("SELECT number FROM audit")) == log
    assert fleet.versions() == [("loop-two", 1), ("plant001-circuit01", 1)]


def test_a_dry_run_checks_everything_and_writes_nothing(
    fleet: Repository, source: Path, models: Path
) -> None:
    done = adopt(fleet, source, "--models", str(models), "--dry-run", "--format", "json")
    assert done.code == 0
    assert [row["outcome"] for row in done.json["models"]] == ["would adopt", "would adopt"]
    assert done.json["files"]
    assert not fleet.folder.exists()


@pytest.mark.slow
def test_an_adopted_model_forecasts_and_a_challenger_is_held_against_it(
    fleet: Repository, source: Path, models: Path
) -> None:
    assert adopt(fleet, source, "--models", str(models)).code == 0
    simulate(fleet)
    made = fleet.type("forecast", CIRCUIT01, "--format", "json")
    assert made.code == 0, made.err
    assert (made.json["family"], made.json["standing"], made.json["steps"]) == ("mlflow", "promoted", 12)
    assert made.json["provenance"]["job_id"] is None
    assert made.json["provenance"]["adopted_from"] == "folder plant001-circuit01"
    sensor = made.json["sensors"]["temperature"]
    assert all(
        low < point < high
        for low, point, high in zip(sensor["lower_95"], sensor["point"], sensor["upper_95"], strict=True)
    )
    assert "the intervals come from the model's errors from 24 recent origins" in made.json["notes"][1]

    fleet.declare_block("CIRCUIT01", "cutoff_date: 2025-02-28")
    assert fleet.plan()[CIRCUIT01] == ("train", "cutoff_date 2025-02-20 → 2025-02-28")
    assert fleet.actions()[CIRCUIT02] == "up to date"
    trained = fleet.type("train")
    assert trained.code == 3, trained.out + trained.err
    (request,) = [row for row in fleet.requests() if row["name"] == "plant001-circuit01"]
    checks = {check["name"]: check for check in request["checks"]}
    assert "against version 1 on" in checks["champion"]["says"]
    again = fleet.type("train")
    assert again.code == 3
    assert [row["request_id"] for row in fleet.requests()].count(request["request_id"]) == 1
    fleet.approve_all()
    assert fleet.type("train").code == 0
    assert fleet.shared() == [("loop-two", 1), ("plant001-circuit01", 1), ("plant001-circuit01", 2)]
    shown = fleet.type("models", "show", f"{CIRCUIT01}:1")
    assert "adopted from" in shown.out
    assert fleet.type("models", "list").code == 0
    assert fleet.type("status").code == 0
    text = fleet.type("forecast", CIRCUIT02)
    assert text.code == 0, text.err
    assert "adopted from" in text.out or "loop-two:1" in text.out


@pytest.mark.slow
def test_a_champion_that_cannot_run_is_not_comparable(fleet: Repository, source: Path, models: Path) -> None:
    shutil.rmtree(models / "plant001-circuit01")
    later = "if frame.index[-1].year == 2025: raise RuntimeError(os.getcwd())"
    save_foreign(models / "plant001-circuit01", f"{later}\nreturn np.zeros((12, 2))")
    assert adopt(fleet, source, "--models", str(models)).code == 0
    simulate(fleet)
    failed = fleet.type("forecast", CIRCUIT01)
    assert failed.code == 1
    assert "plant001-circuit01:1 could not forecast: RuntimeError" in failed.err
    assert "Traceback" not in failed.err
    fleet.declare_block("CIRCUIT01", "cutoff_date: 2025-02-28")
    assert fleet.type("train").code == 3
    (request,) = [row for row in fleet.requests() if row["name"] == "plant001-circuit01"]
    (check,) = [check for check in request["checks"] if check["name"] == "champion"]
    assert check["verdict"] == "not comparable"
    assert "cannot be run" in check["says"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("predict", "says"),
    [
        ("raise RuntimeError('no weights')", "could not forecast: RuntimeError: no weights"),
        ("return np.zeros((3, 2))", "its answer has the shape (3, 2), not (12, 2)"),
        ("return np.full((12, 2), np.nan)", "24 values that are no numbers"),
    ],
)
def test_a_model_that_cannot_forecast_is_not_adopted(
    fleet: Repository, source: Path, models: Path, predict: str, says: str
) -> None:
    shutil.rmtree(models / "loop-two")
    save_foreign(models / "loop-two", predict)
    done = adopt(fleet, source, "--models", str(models))
    assert done.code == 1
    assert "folder loop-two" in done.err
    assert says in " ".join(done.err.split())
    assert "plant001-circuit01" not in done.err
    assert "Traceback" not in done.err
    assert not fleet.folder.exists()


@pytest.mark.slow
def test_a_model_that_takes_longer_than_the_fleet_allows_is_not_adopted(
    fleet: Repository, source: Path, models: Path
) -> None:
    assert adopt(fleet, source).code == 0
    with (fleet.folder / "fleetcast.yaml").open("a") as settings:
        settings.write("foreign_models: {time: 15s}\n")
    shutil.rmtree(models / "loop-two")
    save_foreign(models / "loop-two", "time.sleep(600)")
    done = adopt(fleet, source, "--models", str(models))
    assert done.code == 1
    assert "folder loop-two did not answer within 15s" in done.err
    assert fleet.type("models", "list", "--format", "json").json[0]["champion_version"] is None


@pytest.mark.slow
def test_a_model_of_32_bit_floats_is_adopted_and_forecasts(
    fleet: Repository, source: Path, models: Path
) -> None:
    shutil.rmtree(models / "plant001-circuit01")
    columns = [{"name": name, "type": "float"} for name in ("temperature", "vibration")]
    save_foreign(models / "plant001-circuit01", signature=json.dumps(columns))
    assert adopt(fleet, source, "--models", str(models)).code == 0
    simulate(fleet)
    assert fleet.type("forecast", CIRCUIT01, "--format", "json").code == 0


BAD = {
    "syntax": (
        "    features: [temperature, vibration]\n    cutoff",
        "    features: [temperature\n    cutoff",
        10,
    ),
    "no date": ('cutoff_date: "2025-02-20"', "cutoff_date: soon", 10),
    "no horizon": ("    forecast_horizon: 12h\n    hyper", "    hyper", 6),
    "no plant": ('- plant_id: "PLANT001"\n    circuit_id: "CIRCUIT01"', '- circuit_id: "CIRCUIT01"', 5),
    "twice": ("CIRCUIT02", "CIRCUIT01", 17),
    "no list": ("circuits:\n", "loops:\n", 3),
    "wrong number": ("delta_version: 0", "delta_version: latest", 11),
}


@pytest.mark.parametrize("mistake", BAD)
def test_a_source_that_cannot_be_read_is_named_with_its_line_and_nothing_is_written(
    fleet: Repository, source: Path, models: Path, mistake: str
) -> None:
    before, after, line = BAD[mistake]
    assert before in SOURCE
    source.write_text(SOURCE.replace(before, after, 1))
    done = adopt(fleet, source, "--models", str(models))
    assert done.code == 1
    assert f"{source}:{line}: " in done.err, done.err
    assert "fix:" in done.err
    assert "Traceback" not in done.err
    assert not fleet.folder.exists()


def test_a_model_that_does_not_fit_its_circuit_stops_the_adoption_before_anything_is_written(
    fleet: Repository, source: Path, models: Path
) -> None:
    shutil.rmtree(models / "loop-two")
    signature = json.dumps([{"name": "torque", "type": "double"}])
    save_foreign(models / "loop-two", signature=signature)
    done = adopt(fleet, source, "--models", str(models))
    assert done.code == 1
    assert "wants a column 'torque', which is no feature of its circuit" in done.err
    assert not fleet.folder.exists()


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_model_with_a_link_out_of_its_folder_is_refused(
    fleet: Repository, source: Path, models: Path, kind: str
) -> None:
    target = source if kind == "file" else source.parent
    (models / "loop-two" / "data").symlink_to(target)
    done = adopt(fleet, source, "--models", str(models))
    assert done.code == 1
    assert "is a symbolic link" in done.err
    assert not fleet.folder.exists()


def test_a_model_is_not_looked_for_outside_of_the_folder(
    fleet: Repository, source: Path, models: Path, tmp_path: Path
) -> None:
    (models / "MLmodel").write_text((models / "loop-two" / "MLmodel").read_text())
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text("layout: predecessor\nregistered_as: '..'\n")
    done = adopt(fleet, source, "--models", str(models / "loop-two"), "--mapping", str(mapping))
    assert done.code == 1
    assert f"{mapping}:2: `registered_as`: '..' is not the name of one folder" in done.err
    mapping.write_text("layout: predecessor\nregistered_as: '../{circuit_id}'\n")
    done = adopt(fleet, source, "--models", str(models), "--mapping", str(mapping))
    assert done.code == 1
    assert f"{source}:5: `registered_as`: '../CIRCUIT01' is not the name of one folder" in done.err
    assert not fleet.folder.exists()


def test_nothing_is_written_through_a_link_that_leads_out_of_the_repository(
    fleet: Repository, source: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    fleet.folder.mkdir()
    (fleet.folder / "config").symlink_to(tmp_path / "elsewhere")
    done = adopt(fleet, source)
    assert done.code == 1
    assert "would be written outside of" in done.err
    assert not list((tmp_path / "elsewhere").iterdir())


def test_an_index_says_which_folder_is_whose_and_what_is_known_of_it(
    fleet: Repository, source: Path, models: Path
) -> None:
    (models / "loop-two").rename(models / "exported-17")
    index = f"models:\n  {CIRCUIT02}: {{path: exported-17, lookback: 30, trained_by: grace}}\n  P9/C9: exported-17\n"
    (models / "models.yaml").write_text(index)
    done = adopt(fleet, source, "--models", str(models), "--format", "json")
    assert done.code == 0, done.err
    first, second = done.json["models"]
    assert first["outcome"] == "no model"
    assert (second["source"], second["lookback_steps"]) == ("folder exported-17", 30)
    assert second["stated"]["trained_by"] == "grace"
    assert second["stated"]["run_id"] == "0123456789abcdef"
    assert done.json["unused_models"] == ["P9/C9"]


@pytest.mark.parametrize(
    "entry", ["{path: ../models}", "{path: /tmp}", "{path: gone}", "[]", "{path: loop-two, lookback: x}"]
)
def test_an_index_with_a_mistake_is_named_with_its_line(
    fleet: Repository, source: Path, models: Path, entry: str
) -> None:
    (models / "models.yaml").write_text(f"models:\n  {CIRCUIT02}: {entry}\n")
    done = adopt(fleet, source, "--models", str(models))
    assert done.code == 1
    assert "models.yaml:2: " in done.err
    assert not fleet.folder.exists()


def test_circuits_come_into_a_fleet_that_exists(
    fleet: Repository, source: Path, models: Path, tmp_path: Path
) -> None:
    source.write_text(SOURCE.partition('  - plant_id: "PLANT001"\n    circuit_id: "CIRCUIT02"')[0])
    assert adopt(fleet, source).code == 0
    main = (fleet.folder / CIRCUITS).read_text()
    more = tmp_path / "more.yaml"
    more.write_text(SOURCE)
    done = adopt(fleet, more, "--models", str(models))
    assert done.code == 0, done.err
    assert "1 circuit declared already, left as declared" in done.out
    assert (fleet.folder / CIRCUITS).read_text() == main
    assert fleet.type("fmt", "--check").code == 0
    assert fleet.actions() == {CIRCUIT01: "up to date", CIRCUIT02: "up to date"}


def test_a_circuit_that_collides_with_the_fleet_is_named_with_its_line_in_the_source(
    fleet: Repository, source: Path, tmp_path: Path
) -> None:
    assert adopt(fleet, source).code == 0
    more = tmp_path / "more.yaml"
    more.write_text(SOURCE.replace("CIRCUIT02", "CIRCUIT03"))
    done = adopt(fleet, more)
    assert done.code == 1
    assert f"{more}:18: model name 'loop-two' is taken" in done.err, done.err
    assert not (fleet.folder / "config" / "circuits").exists()


def test_an_adoption_that_was_killed_while_it_wrote_is_finished_by_the_next(
    fleet: Repository, source: Path, tmp_path: Path
) -> None:
    whole = Repository(tmp_path / "whole")
    assert adopt(whole, source).code == 0
    shutil.copytree(whole.folder, fleet.folder)
    (fleet.folder / "fleetcast.yaml").unlink()
    (fleet.folder / "README.md").unlink()
    assert adopt(fleet, source).code == 0
    assert fleet.type("validate").code == 0


def test_files_of_somebody_else_are_not_overwritten(fleet: Repository, source: Path) -> None:
    fleet.folder.mkdir()
    (fleet.folder / "README.md").write_text("mine")
    done = adopt(fleet, source)
    assert done.code == 1
    assert "README.md would be overwritten" in done.err
    assert [path.name for path in fleet.folder.iterdir()] == ["README.md"]


def test_a_mapping_file_reads_another_layout(fleet: Repository, tmp_path: Path) -> None:
    other = tmp_path / "loops.yaml"
    other.write_text(
        "sites:\n"
        "  East Hall:\n"
        "    loops:\n"
        "      L1: &loop\n"
        "        signals: 'flow, heat'\n"
        "        sampled: 600\n"
        "        ahead_hours: 24\n"
        "        history: 90\n"
        "        until: 20250131T000000\n"
        "        table: 4\n"
        "        note: x\n"
        "      L2: *loop\n"
    )
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(
        "circuits: sites.*.loops.*\n"
        "fields:\n"
        "  plant_id: {from: $1, as: id}\n"
        "  circuit_id: $2\n"
        "  features: {from: signals, as: list}\n"
        "  frequency: {from: sampled, as: seconds}\n"
        "  forecast_horizon: {from: ahead_hours, as: hours}\n"
        "  training_days: history\n"
        "  cutoff_date: {from: until, as: day}\n"
        "  delta_version: table\n"
        "constants: {model: seasonal_naive}\n"
        "model_name: 'hall-{circuit_id.lower}'\n"
        "data_sources:\n"
        "  plant: {kind: own, path: data/plant}\n"
    )
    done = adopt(fleet, other, "--mapping", str(mapping))
    assert done.code == 0, done.err
    assert "left out note" in done.out
    assert fleet.type("validate").code == 0
    text = (fleet.folder / CIRCUITS).read_text()
    assert "East-Hall:" in text
    assert "frequency: 600s" in text
    assert "cutoff_date: 2025-01-31" in text
    assert "data_source: plant" in text
    assert "model_name: hall-l1" in text
    assert "  plant:\n    kind: own\n    path: data/plant\n" in (fleet.folder / "fleetcast.yaml").read_text()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("fields: {plant: site}\n", ":1: 'plant' is no field of a circuit (did you mean 'plant_id'?"),
        ("fields:\n  features: {from: s, as: csv}\n", ":2: "),
        ("fields:\n  plant_id: $2\n", ":2: $2 names a key"),
        ("constants: {frequency: often}\n", ":1: "),
        ("model_name: '{plant_id.camel}'\n", ":1: unknown spelling .camel"),
        ("data_sources: {readings: {kind: paper}}\n", ":1: "),
        ("fields: [\n", "YAML"),
        ("field: {}\n", ":1: "),
    ],
)
def test_a_mapping_with_a_mistake_is_named_with_its_line(
    fleet: Repository, source: Path, tmp_path: Path, content: str, says: str
) -> None:
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text("layout: predecessor\n" + content)
    done = adopt(fleet, source, "--mapping", str(mapping))
    assert done.code == 1
    said = done.err.replace(f"{mapping}:", ":").replace(":2:", ":1:").replace(":3:", ":2:")
    assert says in said, done.err
    assert "Traceback" not in done.err
    assert not fleet.folder.exists()
