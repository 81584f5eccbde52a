"""Shells offer commands, options and the names of the fleet, at once, and never a complaint."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fleetcast.cli.commands import COMMANDS
from fleetcast.cli.completion import STAGE_NAMES
from fleetcast.cli.main import run
from fleetcast.pipeline.stages import STAGES
from fleetcast.platforms.database.names import Kept, kept_names

COMMAND = [sys.executable, "-m", "fleetcast.cli.main"]
BEYOND_START_UP_SECONDS = 0.3


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fleet that trained one of its circuits, and waits for people."""
    folder = tmp_path_factory.mktemp("shell") / "fleet"
    assert run(["init", str(folder)]) == 0
    circuits = folder / "config" / "circuits.yaml"
    circuits.write_text(
        "defaults: {features: [temperature, pressure], frequency: 1h, forecast_horizon: 12h, training_days: 30,\n"
        "  cutoff_date: 2025-02-05, data_source: readings, delta_version: 0, pipeline_component_version: 1.0.0,\n"
        "  model: linear, owner: cooling}\n"
        "plants:\n  PLANT001: {circuits: {CIRCUIT01: {tags: {line: A}}}}\n"
    )
    more = folder / "config" / "circuits"
    more.mkdir()
    at = ["--fleet", str(folder)]
    assert run(["simulate", "--plants", "1", "--circuits", "1", "--length", "40d", *at]) == 0
    assert run(["train", *at]) == 3
    (more / "lyon.yaml").write_text("circuits: [{plant_id: LYON, circuit_id: PUMP7, owner: pumps}]\n")
    return folder


def asked(shell: str, typed: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What a shell hears when somebody presses Tab after this."""
    said = {"COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split(" ")) - 1)}
    if shell != "bash":
        said = {"_TYPER_COMPLETE_ARGS": typed, "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    return subprocess.run(
        COMMAND,
        cwd=folder,
        env=os.environ | said | {"_FLEETCAST_COMPLETE": f"complete_{shell}"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


Offers = Callable[..., list[str]]


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Offers:
    """What bash is offered, asked in this process."""

    def ask(typed: str, folder: Path) -> list[str]:
        monkeypatch.chdir(folder)
        monkeypatch.setenv("_FLEETCAST_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", typed)
        monkeypatch.setenv("COMP_CWORD", str(len(typed.split(" ")) - 1))
        with pytest.raises(SystemExit) as ended:
            run([])
        said = capsys.readouterr()
        assert (ended.value.code, said.err) == (0, "")
        return said.out.split()

    return ask


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("fleetcast tra", ["train"]),
        ("fleetcast data q", ["quality"]),
        ("fleetcast train --ret", ["--retry-failed"]),
        ("fleetcast forecast ", ["PLANT001/CIRCUIT01", "LYON/PUMP7"]),
        ("fleetcast train --circuits P", ["PLANT001/*", "PLANT001/CIRCUIT01"]),
        ("fleetcast train --circuits LYON/PUMP7,PLANT001/C", ["LYON/PUMP7,PLANT001/CIRCUIT01"]),
        ("fleetcast rollback prod ", ["PLANT001", "LYON", "PLANT001/CIRCUIT01", "LYON/PUMP7"]),
        ("fleetcast deploy ", ["test", "prod", "status"]),
        ("fleetcast deploy test --plants L", ["LYON"]),
        ("fleetcast monitor ", ["dev", "test", "prod"]),
        ("fleetcast stage Promote", ["PromoteEnvironment", "PromoteModels"]),
        ("fleetcast models show plant", ["plant001-circuit01"]),
        ("fleetcast unblock ", ["plant001-circuit01:1"]),
        ("fleetcast runs show ", ["run-0001"]),
        ("fleetcast stage RegisterData --run ", ["run-0001"]),
        ("fleetcast approve ", ["2", "1"]),
        ("fleetcast circuits list --tag ", ["line=A"]),
        ("fleetcast circuits list --owner ", ["cooling", "pumps"]),
        ("fleetcast forecast PLANT001/CIRCUIT01 --sensor ", ["temperature", "pressure"]),
        ("fleetcast explain-forecast prod/L", ["prod/LYON/PUMP7"]),
        ("fleetcast endpoints key test/L", ["test/LYON"]),
        ("fleetcast alarms show ", []),
    ],
)  # fmt: skip
def test_what_begins_so_is_offered(typed: str, names: list[str], fleet: Path, offered: Offers) -> None:
    assert offered(typed, fleet) == names


def test_after_a_word_that_is_no_command_the_commands_are_offered(fleet: Path, offered: Offers) -> None:
    assert offered("fleetcast nonsense ", fleet) == list(COMMANDS)


def test_the_names_of_stages_are_those_of_the_pipeline() -> None:
    assert tuple(stage.name for stage in STAGES) == STAGE_NAMES


def test_a_job_is_offered(fleet: Path, offered: Offers) -> None:
    (job,) = offered("fleetcast runs logs ", fleet)
    assert re.fullmatch(r"plant001-circuit01\.[0-9a-f]{12}\.1", job)


def test_the_fleet_is_found_above_the_folder_or_where_the_option_says(
    fleet: Path, tmp_path: Path, offered: Offers
) -> None:
    assert offered("fleetcast forecast L", fleet / "config" / "circuits") == ["LYON/PUMP7"]
    assert offered(f"fleetcast forecast --fleet {fleet} L", tmp_path) == ["LYON/PUMP7"]
    assert offered("fleetcast forecast ", tmp_path) == []


def test_what_is_wrong_is_not_said_to_a_prompt(tmp_path: Path, offered: Offers) -> None:
    broken = tmp_path / "broken"
    (broken / "config").mkdir(parents=True)
    (broken / "fleetcast.yaml").write_text("a: [")
    assert offered("fleetcast forecast ", broken) == []
    (broken / "fleetcast.yaml").write_text("platform: 7\n")
    (broken / "config" / "circuits.yaml").write_bytes(b"plants: \xff")
    assert offered("fleetcast forecast ", broken) == []
    (broken / "config" / "circuits.yaml").write_text("plants: {P: 3, Q: {circuits: [1, {plant_id: x}]}}\n")
    assert offered("fleetcast forecast ", broken) == []
    assert offered("fleetcast approve ", broken) == []
    (broken / ".fleetcast").mkdir()
    (broken / ".fleetcast" / "control.db").write_bytes(b"not a database")
    assert offered("fleetcast runs show ", broken) == []


def test_asking_makes_no_database(tmp_path: Path, offered: Offers) -> None:
    (tmp_path / "fleetcast.yaml").write_text("platform: {kind: local}\n")
    assert offered("fleetcast approve ", tmp_path) == []
    assert [path.name for path in tmp_path.iterdir()] == ["fleetcast.yaml"]


def test_a_database_at_a_server_is_not_asked_at_each_key(
    fleet: Path, offered: Offers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLEETCAST_DATABASE_URL", "postgresql://nobody@192.0.2.1/none")
    assert offered("fleetcast approve ", fleet) == []
    assert offered("fleetcast forecast L", fleet) == ["LYON/PUMP7"]


@pytest.mark.parametrize("kept", Kept)
def test_the_database_knows_each_kind_of_name(kept: Kept, fleet: Path) -> None:
    assert all(kept_names(fleet / ".fleetcast" / "control.db", kept))


def test_offering_is_quick(fleet: Path) -> None:
    def seconds(typed: str) -> float:
        before = os.times()
        assert asked("bash", typed, fleet).stdout
        after = os.times()
        return after.children_user + after.children_system - before.children_user - before.children_system

    # Time of the processor, as other processes may keep this one waiting.
    start_up = min(seconds("fleetcast --v") for _ in range(2))
    for typed in ("fleetcast forecast ", "fleetcast approve "):
        assert min(seconds(typed) for _ in range(2)) - start_up < BEYOND_START_UP_SECONDS, typed


def test_zsh_is_told_what_commands_are_for(fleet: Path) -> None:
    said = asked("zsh", "fleetcast tra", fleet)
    assert said.stdout.startswith("_arguments")
    assert '"train":"Train what the plan shows"' in said.stdout
    assert '"LYON/PUMP7"' in asked("zsh", "fleetcast forecast ", fleet).stdout


def test_fish_is_told_what_commands_are_for(fleet: Path) -> None:
    assert asked("fish", "fleetcast tra", fleet).stdout == "train\tTrain what the plan shows\n"
    assert "LYON/PUMP7\n" in asked("fish", "fleetcast forecast ", fleet).stdout


@pytest.mark.parametrize(
    ("shell", "file", "begins"),
    [
        ("bash", ".bash_completions/fleetcast.sh", "complete -o default -F"),
        ("zsh", ".zfunc/_fleetcast", "#compdef fleetcast"),
        ("fish", ".config/fish/completions/fleetcast.fish", "complete --command fleetcast"),
    ],
)
def test_completion_is_installed_for_the_shell_it_is_typed_in(
    shell: str, file: str, begins: str, tmp_path: Path
) -> None:
    # Another shell under this name serves as well: what types the command is told by its name alone.
    typed_in = tmp_path / shell
    shutil.copy(str(shutil.which("bash")), typed_in)
    done = subprocess.run(
        [typed_in, "-c", f"{' '.join(COMMAND)} --install-completion; exit $?"],
        env=os.environ | {"HOME": str(tmp_path), "SHELL": str(typed_in)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert f"{shell} completion installed in {tmp_path / file}" in done.stdout
    assert begins in (tmp_path / file).read_text()


def test_bash_completes_by_what_is_installed(fleet: Path, tmp_path: Path) -> None:
    program = tmp_path / "fleetcast"
    program.write_text(f'#!/bin/sh\nexec {" ".join(COMMAND)} "$@"\n')
    program.chmod(0o755)
    script = subprocess.run(
        COMMAND,
        env=os.environ | {"_FLEETCAST_COMPLETE": "source_bash"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    press_tab = (
        f"{script}\nCOMP_WORDS=(fleetcast forecast LY) COMP_CWORD=2\n"
        '_fleetcast_completion fleetcast\nprintf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "-c", press_tab],
        cwd=fleet,
        env=os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "LYON/PUMP7\n"
