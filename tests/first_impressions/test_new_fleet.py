"""The first minutes: a folder without a fleet, a new fleet, and a fleet seen from one of its folders."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from fleetcast.cli.commands import COMMANDS
from fleetcast.cli.in_fleet import InFleet
from fleetcast.cli.main import app, run
from fleetcast.config.templates import init_fleet
from fleetcast.ports.served import URL_VARIABLE
from tests.first_impressions.screens import WIDTHS, Screen, at_terminal, piped

DOES_WITHOUT = {"dummy train", "dummy promote", "setup azure"}
"""What runs outside of a fleet, too: on one that is made up, or with `--roles`."""
WRITING = (
    "simulate",
    "ingest log.csv --plant P --circuit C",
    "bump --cutoff 2025-01-01",
    "fmt",
    "circuits add P/C",
    "data pin",
    "data vacuum",
    "database upgrade",
    "people add ada",
    "setup github --apply --yes",
    "update-template --ci github",
    "train",
    "login ada",
    "doctor",
    "validate --format json",
)
AS = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@plant.example",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@plant.example",
}


@pytest.fixture(scope="module")
def nowhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("nowhere").resolve()


def refusal(folder: Path) -> list[str]:
    return [
        f"error: there is no fleet here: neither {folder} nor a folder above holds fleetcast.yaml",
        "  fix: go to one, name it with --fleet, or make one: fleetcast init fleet",
    ]


def unwrapped(screen: Screen, folder: Path) -> bool:
    """Whether a screen is the refusal, and nothing else."""
    return screen.code == 1 and screen.lines == refusal(folder) and not list(folder.iterdir())


@pytest.mark.parametrize("width", WIDTHS)
def test_outside_of_a_fleet_a_command_says_so_in_a_line_at_any_width(nowhere: Path, width: int) -> None:
    seen = at_terminal(["plan"], nowhere, width=width)
    assert unwrapped(seen, nowhere), seen.shown


def test_outside_of_a_fleet_it_is_the_same_in_a_pipe_and_without_colours(nowhere: Path) -> None:
    for seen in (
        piped(["simulate"], nowhere),
        at_terminal(["simulate"], nowhere, environment={"NO_COLOR": "1"}),
    ):
        assert unwrapped(seen, nowhere), seen.shown
        assert seen.raw == seen.shown


@pytest.mark.parametrize("words", WRITING)
def test_nothing_is_written_outside_of_a_fleet(
    words: str, nowhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(nowhere)
    assert run(words.split()) == 1
    out, err = capsys.readouterr()
    assert (out, err.splitlines()) == ("", refusal(nowhere))
    assert not list(nowhere.iterdir())


@pytest.mark.parametrize("words", WRITING)
def test_a_folder_that_is_named_and_holds_no_fleet_is_not_written_to(
    words: str,
    nowhere: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(nowhere)
    code = run([*words.split(), "--fleet", str(tmp_path)])
    out, err = capsys.readouterr()
    assert code == 1
    assert f"there is no fleet in {tmp_path}: it holds no fleetcast.yaml" in out + err
    assert "is missing" not in out + err
    assert not list(tmp_path.iterdir())


def test_adopt_asks_where_to(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(nowhere)
    assert run(["adopt", "circuits.yaml"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        refusal(nowhere)[0],
        "  fix: go to one, or name the folder of one, new or not: --into fleet",
    ]


def leaves() -> Iterator[tuple[str, Any]]:
    root: Any = typer.main.get_command(app)
    for name in COMMANDS:
        command = root.commands[name]
        held = getattr(command, "commands", None)
        if held is None:
            yield name, command
        else:
            yield from ((f"{name} {each}", held[each]) for each in held)


def test_every_command_finds_its_fleet_in_the_one_way() -> None:
    seen = {
        name: next((each.default for each in command.params if each.name == "fleet"), ...)
        for name, command in leaves()
        if isinstance(command, InFleet)
    }
    assert set(seen) == {name for name, _ in leaves()}
    assert {name for name, default in seen.items() if default is None} == DOES_WITHOUT
    assert {default for default in seen.values() if default not in (None, ...)} == {Path()}


def test_words_that_do_not_fit_are_said_first(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(nowhere)
    assert run(["circuits", "add"]) == 64
    assert "PLANT/CIRCUIT is missing" in capsys.readouterr().err
    assert run(["plan", "--help"]) == 0
    assert run(["setup", "azure", "--roles"]) == 0
    assert capsys.readouterr().err == ""


def test_a_server_is_asked_from_anywhere_but_what_is_done_here_needs_the_fleet(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(nowhere)
    monkeypatch.setenv(URL_VARIABLE, "http://127.0.0.1:9")
    assert run(["status"]) == 1
    assert "no fleet" not in capsys.readouterr().err
    assert run(["simulate"]) == 1
    assert capsys.readouterr().err.startswith("error: there is no fleet here: it holds no fleetcast.yaml\n")
    assert not list(nowhere.iterdir())


def test_a_fleet_is_found_from_its_folders_and_paths_stay_those_of_the_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    init_fleet(tmp_path / "fleet")
    notes = tmp_path / "fleet" / "notes"
    notes.mkdir()
    (notes / "log.csv").write_text("time,temperature\n2025-01-01T00:00:00Z,20\n", encoding="utf-8")
    monkeypatch.chdir(notes)
    assert run(["ingest", "log.csv", "--plant", "PLANT001", "--circuit", "CIRCUIT01"]) == 0
    assert (tmp_path / "fleet" / ".fleetcast").is_dir()
    assert run(["database", "upgrade"]) == 0
    capsys.readouterr()
    assert run(["database", "show"]) == 0
    assert "../.fleetcast/control.db" in capsys.readouterr().out
    run(["doctor"])
    assert "names a folder by way of another" not in capsys.readouterr().err
    assert [path.name for path in notes.iterdir()] == ["log.csv"]


def test_circuits_alone_are_a_fleet_with_a_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    init_fleet(tmp_path)
    (tmp_path / "fleetcast.yaml").unlink()
    monkeypatch.chdir(tmp_path / "config")
    for words in (["plan"], ["simulate"]):
        assert run(words) == 1
        assert "fleetcast.yaml: is missing" in capsys.readouterr().err
    assert not (tmp_path / ".fleetcast").exists()


STEPS = [
    "next:",
    "  1. cd fleet",
    "  2. fleetcast simulate    # or: fleetcast ingest FILE...",
    "  3. fleetcast circuits add PLANT001/CIRCUIT02",
    "  4. fleetcast validate",
    "  5. fleetcast plan",
    "  6. fleetcast train",
]


@pytest.mark.parametrize("width", [*WIDTHS, 0], ids=lambda width: str(width) if width else "piped")
def test_a_new_fleet_says_what_comes_next(tmp_path: Path, width: int) -> None:
    words = ["init", "fleet"]
    seen = (
        at_terminal(words, tmp_path, width=width, environment=AS)
        if width
        else piped(words, tmp_path, environment=AS)
    )
    assert seen.code == 0, seen.shown
    assert seen.lines[0] == "wrote fleet/fleetcast.yaml"
    assert seen.lines[-8] == "made a git repository; its first commit is by Ada <ada@plant.example>"
    assert seen.lines[-7:] == STEPS
    assert all(len(line) <= min(WIDTHS) for line in STEPS)
    assert seen.raw == seen.shown


@pytest.mark.slow
def test_what_comes_next_can_be_typed_as_it_stands(tmp_path: Path) -> None:
    shown = piped(["init", "a fleet"], tmp_path, environment=AS).lines
    steps = [found[1] for line in shown if (found := re.match(r"  \d\. (.*)", line))]
    here = tmp_path
    assert len(steps) == 6
    for step in steps:
        if step.startswith("cd "):
            here = here / shlex.split(step)[1]
            continue
        done = _typed(step, here)
        assert done.returncode == (3 if step == "fleetcast train" else 0), (
            f"{step}\n{done.stdout}{done.stderr}"
        )


def test_inside_of_a_git_repository_the_commit_is_left_to_its_people(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    shown = piped(["init", "fleet"], tmp_path, environment=AS).lines
    at = shown.index("this folder is in a git repository already; to commit the files:")
    assert not (tmp_path / "fleet" / ".git").exists()
    done = _typed(shown[at + 1], tmp_path)
    assert done.returncode == 0, done.stderr
    listed = subprocess.run(
        ["git", "ls-files"], cwd=tmp_path, check=True, capture_output=True, text=True
    ).stdout
    assert "fleet/config/circuits.yaml" in listed.splitlines()
    assert ".fleetcast" not in listed


def test_without_git_or_without_wanting_it_the_files_are_written(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    seen = piped(["init", "fleet"], tmp_path, environment={"PATH": str(tmp_path / "bin")})
    assert seen.code == 0
    assert "no git repository: git is not installed" in seen.text
    assert seen.lines[-7:] == STEPS
    seen = piped(["init", "other", "--no-git"], tmp_path)
    assert (seen.code, "no git repository: --no-git" in seen.lines) == (0, True)
    assert not any((tmp_path / name / ".git").exists() for name in ("fleet", "other"))


def test_who_is_unknown_to_git_is_told_how_to_say_who_they_are(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    home = {
        "HOME": str(tmp_path / "home"),
        "XDG_CONFIG_HOME": str(tmp_path / "home"),
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    seen = piped(["init", "fleet"], tmp_path, environment=home)
    assert seen.code == 0, seen.shown
    assert "git does not know who you are" in seen.text
    assert '  git config --global user.name "YOUR NAME"' in seen.lines


def test_no_fleet_is_written_where_it_would_do_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet = tmp_path.resolve() / "fleet"
    init_fleet(fleet)
    before = sorted(fleet.rglob("*"))
    monkeypatch.chdir(fleet)
    for words in (
        ["init", "sub"],
        ["init", "config/deep/er"],
        ["demo", "sub"],
        ["adopt", "x.yaml", "--into", "sub"],
    ):
        assert run(words) == 1
        assert f"would be a fleet inside of another one, {fleet}\n" in capsys.readouterr().err
    assert run(["init", "."]) == 1
    assert "fleetcast.yaml" in (said := capsys.readouterr().err)
    assert "would be overwritten in ." in said
    assert sorted(fleet.rglob("*")) == before
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    assert run(["init", "file/fleet"]) == 1
    assert capsys.readouterr().err.startswith("error: cannot write file: ")


def _typed(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        ["sh", "-c", line],
        cwd=folder,
        env={**os.environ, **AS, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
