"""Who types what other tools call it is told which command or option does here what they mean."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from fleetcast.cli.command_lines import complaint_of
from fleetcast.cli.main import app, run
from fleetcast.cli.near_misses import NO_COMMANDS, NO_OPTIONS, NO_VALUES, OF_ONE_COMMAND
from tests.first_impressions.screens import at_terminal

ROOT = typer.main.get_command(app)
_STANDS_FOR = {
    "PLANT/CIRCUIT": "PLANT001/CIRCUIT01",
    "ENV/PLANT": "prod/PLANT001",
    "PLANT": "PLANT001",
    "JOB": "plant001-circuit01.3f2a91c07be4.1",
    "RUN": "run-0001",
    "REQUEST": "12",
    "NUMBER": "1",
    "NAME": "anna.berg",
    "FILE": "file",
    "FOLDER": ".",
    "{value}": "PLANT001",
    "{value}d": "3d",
}
_NEEDS_MORE = re.compile(r".* is missing")


def asked(words: str, capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    assert run(words.split()) == 64
    said = capsys.readouterr()
    assert said.out == ""
    error, fix = said.err.splitlines()
    return error, fix


@pytest.mark.parametrize(
    ("words", "error", "fix"),
    [
        ("apply", "fleetcast has no command 'apply'", "`fleetcast train` trains what `fleetcast plan` shows"),
        ("run", "fleetcast has no command 'run'", "`fleetcast train` runs all stages"),
        ("promote", "fleetcast has no command 'promote'", "`fleetcast approve` decides on it"),
        ("list", "fleetcast has no command 'list'", "`fleetcast circuits list`, `models list`"),
        ("logs", "fleetcast has no command 'logs'", "`fleetcast runs logs JOB`"),
        ("delete", "fleetcast has no command 'delete'", "`fleetcast circuits retire`"),
        ("remove", "fleetcast has no command 'remove'", "`fleetcast circuits retire`"),
        ("destroy", "fleetcast has no command 'destroy'", "nothing destroys a fleet"),
        ("start", "fleetcast has no command 'start'", "`fleetcast up` starts all servers"),
        ("stop", "fleetcast has no command 'stop'", "Ctrl-C ends `fleetcast up`"),
        ("predict", "fleetcast has no command 'predict'", "`fleetcast forecast PLANT/CIRCUIT`"),
        ("circuit list", "fleetcast has no command 'circuit'", "write `fleetcast circuits list`"),
        ("model show X/Y", "fleetcast has no command 'model'", "write `fleetcast models show`"),
        ("run list", "fleetcast has no command 'run'", "`fleetcast runs list`"),
        ("approval", "fleetcast has no command 'approval'", "write `fleetcast approvals`"),
        ("PLAN", "fleetcast has no command 'PLAN'", "write `fleetcast plan`"),
        ("data list", "fleetcast data has no command 'list'", "`fleetcast data show` lists"),
        ("data ingest x.csv", "fleetcast data has no command 'ingest'", "`fleetcast ingest` stores"),
        ("runs plan", "fleetcast runs has no command 'plan'", "`fleetcast plan` is a command of its own"),
        ("verify", "fleetcast has no command 'verify'", "`fleetcast models verify` or `fleetcast audit verify`"),
        ("sign-off P", "fleetcast has no command 'sign-off'", "write `fleetcast qa sign-off`"),
        ("help aply", "fleetcast has no command 'aply'", "`fleetcast --help` says more"),
        ("help predict", "fleetcast has no command 'predict'", "`fleetcast forecast PLANT/CIRCUIT`"),
        ("simulate --days 1", "fleetcast simulate has no option --days", "write `--length 1d`"),
        ("simulate --days=30", "fleetcast simulate has no option --days", "write `--length 30d`"),
        ("simulate --days", "fleetcast simulate has no option --days", "write `--length Nd`"),
        ("plan --json", "fleetcast plan has no option --json", "write `--format json`"),
        ("fmt --json", "fleetcast fmt has no option --json", "`fleetcast fmt --help` says more"),
        ("train --dry-run", "fleetcast train has no option --dry-run", "`fleetcast plan` shows what would train"),
        ("approve 1 --reason x", "fleetcast approve has no option --reason", "write `--comment TEXT`"),
        ("rollback prod --comment x", "fleetcast rollback has no option --comment", "write `--reason TEXT`"),
        ("--fleet x plan", "fleetcast has no option --fleet", "`fleetcast plan --fleet FOLDER`"),
        ("rollback", "ENVIRONMENT is missing", "such as `fleetcast rollback prod PLANT001/CIRCUIT01`"),
        ("forecast", "PLANT/CIRCUIT is missing", "such as `fleetcast forecast PLANT001/CIRCUIT01`"),
        ("rollback PLANT001", "'PLANT001' is no value of ENVIRONMENT", "`fleetcast rollback prod PLANT001`"),
        ("deploy LYON", "'LYON' is no value of WHAT", "`fleetcast deploy prod --plants LYON`"),
        ("deploy dev", "'dev' is no value of WHAT", "nothing is served in dev"),
    ],
)  # fmt: skip
def test_a_near_miss_is_told_what_to_type(
    words: str, error: str, fix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    what, told = asked(words, capsys)

    assert what == f"error: {error}"
    assert told.startswith("  fix: ")
    assert fix in told


def test_what_follows_a_word_is_not_typed_twice(capsys: pytest.CaptureFixture[str]) -> None:
    _, told = asked("circuit --format json", capsys)

    assert "write `fleetcast circuits`;" in told


@pytest.mark.parametrize("words", NO_COMMANDS)
def test_no_near_miss_is_a_command(words: str) -> None:
    command: Any = ROOT
    *groups, last = words.split()
    for group in groups:
        command = command.commands[group]

    assert last not in command.commands


def test_options_of_one_command_are_near_misses_of_a_command_that_has_none_such() -> None:
    for words, options in OF_ONE_COMMAND.items():
        command: Any = ROOT
        for word in words.split():
            command = command.commands[word]
        has = {name for param in command.params for name in (*param.opts, *param.secondary_opts)}
        assert not has & set(options), words


def told() -> Iterator[str]:
    """Each call of fleetcast that a near miss is told to type."""
    texts = [*NO_COMMANDS.values(), *NO_VALUES.values()]
    texts += [text for options in OF_ONE_COMMAND.values() for text in options.values()]
    for text in texts:
        for code in re.findall(r"`([^`]+)`", text):
            first = code.split()[0]
            if first == "fleetcast":
                yield code
            elif first in ROOT.commands:  # type: ignore[attr-defined]  # the second of a list
                yield f"fleetcast {code}"


@pytest.mark.parametrize("line", sorted(set(told())))
def test_what_is_told_can_be_typed(line: str) -> None:
    words = [_STANDS_FOR.get(word.strip("'"), word.strip("'")) for word in line.split()[1:]]

    complaint = complaint_of(words)
    assert not complaint or _NEEDS_MORE.fullmatch(complaint), complaint


def test_what_replaces_an_option_is_an_option_of_some_command() -> None:
    def names(command: Any) -> Iterator[str]:
        for param in command.params:
            yield from param.opts
        for one in getattr(command, "commands", {}).values():
            yield from names(one)

    has = set(names(ROOT))
    for instead in NO_OPTIONS.values():
        assert {option.split()[0] for option in instead} <= has


@pytest.mark.parametrize("width", [60])
def test_it_is_whole_at_a_narrow_terminal(width: int, tmp_path: Path) -> None:
    screen = at_terminal(["apply"], tmp_path, width=width)

    assert screen.code == 64
    assert "`fleetcast train` trains what `fleetcast plan` shows" in screen.text


@pytest.mark.parametrize("words", [["-h"], ["train", "-h"], ["--install-completion"], ["--show-completion"]])
def test_looking_whether_a_line_fits_answers_and_installs_nothing(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert complaint_of(words) == ""
    assert capsys.readouterr().out == ""
