"""Help says what each command is for in whole sentences, at any width, and shows lines that people can copy."""

from __future__ import annotations

import importlib
import inspect
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import typer

from fleetcast.cli.command_lines import complaint_of
from fleetcast.cli.commands import COMMANDS, HEADINGS
from fleetcast.cli.main import app, run
from fleetcast.cli.option_headings import HEADINGS as OPTION_HEADINGS
from fleetcast.cli.shown_help import EXAMPLES, examples_in
from tests.first_impressions.screens import WIDTHS, at_terminal, piped

ROOT = typer.main.get_command(app)


def below(command: Any, context: Any) -> Iterator[tuple[Any, Any]]:
    for name, one in getattr(command, "commands", {}).items():
        inner = type(context)(one, info_name=name, parent=context)
        yield one, inner
        yield from below(one, inner)


ALL = list(below(ROOT, ROOT.make_context("fleetcast", [], resilient_parsing=True)))
LEAVES = [(command, context) for command, context in ALL if not hasattr(command, "commands")]


def name_of(value: Any) -> str:
    return str(getattr(value, "command_path", "")).removeprefix("fleetcast ").replace(" ", "-") or "it"


def said(*words: str) -> tuple[int, str]:
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run(list(words))
    return code, out.getvalue() + err.getvalue()


@pytest.mark.parametrize("width", WIDTHS)
def test_the_list_of_commands_has_headings_and_cuts_nothing(width: int, tmp_path: Path) -> None:
    screen = at_terminal(["--help"], tmp_path, width=width)

    assert screen.code == 0
    assert "..." not in screen.shown.replace("[ARGS]...", "")
    assert max(map(len, screen.lines)) <= width
    headings = [line.removesuffix(":") for line in screen.lines if re.fullmatch(r"[A-Z][a-z ]+:", line)]
    assert headings == ["Options", *HEADINGS]
    for name, listed in COMMANDS.items():
        assert f"{name} {listed.says}" in screen.text


def test_without_a_terminal_it_is_the_same_without_colours(tmp_path: Path) -> None:
    screen = piped(["-h"], tmp_path)

    assert screen.raw == screen.shown
    assert all(f"{name} {listed.says}" in screen.text for name, listed in COMMANDS.items())


@pytest.mark.parametrize("name", COMMANDS)
def test_a_line_of_the_list_is_how_the_command_itself_begins(name: str) -> None:
    module, _, attribute = COMMANDS[name].place.partition(":")
    found = getattr(importlib.import_module(module), attribute)
    told = str(found.info.help) if isinstance(found, typer.Typer) else inspect.getdoc(found)
    told = " ".join(str(told).split())

    rest = told.removeprefix(COMMANDS[name].says)
    assert rest != told
    assert rest.startswith((".", ",", ":", ";", " (", " and ")), told


def test_the_list_of_commands_loads_none_of_them() -> None:
    code = (
        "import sys\n"
        "from fleetcast.cli.main import run\n"
        "run(['--help'])\n"
        "print(*(name for name in sys.modules if name.startswith('fleetcast.')), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "fleetcast.cli.commands" in done.stderr.split()
    loaded = {place.place.partition(":")[0] for place in COMMANDS.values()}
    assert not loaded & set(done.stderr.split())


@pytest.mark.parametrize(("command", "context"), ALL, ids=name_of)
def test_each_command_answers_to_both_names_of_the_option(command: Any, context: Any) -> None:
    words = context.command_path.split()[1:]

    assert said(*words, "-h") == said(*words, "--help") == said("help", *words)
    assert f"Usage: {context.command_path}" in said(*words, "-h")[1]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(("command", "context"), ALL, ids=name_of)
def test_no_help_is_cut_or_runs_over(command: Any, context: Any, width: int) -> None:
    narrow = type(context)(
        command, info_name=context.info_name, parent=context.parent, terminal_width=width - 2
    )
    lines = command.get_help(narrow).splitlines()

    copied = set(examples_in(command.help or ""))
    assert [line for line in lines if len(line) > width and line.strip() not in copied] == []
    assert [line for line in lines if line.endswith("...") and not line.startswith((" ", "Usage"))] == []


@pytest.mark.parametrize(("command", "context"), LEAVES, ids=name_of)
def test_each_command_shows_lines_that_the_command_line_takes(command: Any, context: Any) -> None:
    examples = examples_in(command.help or "")

    assert examples, "an example, please"
    assert any(f"{context.command_path} " in f"{line} " for line in examples)
    shown = command.get_help(context)
    for line in examples:
        assert f"    {line}\n" in shown, "whole, to be copied"
        for words in typed(line):
            assert complaint_of(words) == "", line


@pytest.mark.parametrize(("command", "context"), LEAVES, ids=name_of)
def test_nothing_comes_after_the_examples(command: Any, context: Any) -> None:
    _, _, shown = inspect.cleandoc(command.help).partition(EXAMPLES)

    assert tuple(line for line in shown.splitlines() if line) == examples_in(command.help)


def typed(line: str) -> Iterator[list[str]]:
    """The words of each call of fleetcast in a line for a shell."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|>&")
    lexer.whitespace_split = True
    lexer.commenters = ""
    call: list[str] | None = None
    for word in lexer:
        if word == "fleetcast":
            call = []
        elif word in ("|", "&&", ">"):
            if call is not None:
                yield call
            call = None
        elif call is not None:
            call.append(word)
    if call is not None:
        yield call


@pytest.mark.parametrize("words", list(OPTION_HEADINGS))
def test_options_under_headings_are_options_of_the_command(words: str) -> None:
    command: Any = ROOT
    for word in words.split():
        command = command.commands[word]
    named = [name for names in OPTION_HEADINGS[words].values() for name in names]
    options = {param.name for param in command.params if param.param_type_name == "option"}

    assert len(named) == len(set(named))
    assert set(named) <= options


@pytest.mark.parametrize("words", list(OPTION_HEADINGS))
def test_long_lists_of_options_are_in_parts(words: str) -> None:
    _, shown = said(*words.split(), "--help")

    for title in OPTION_HEADINGS[words]:
        assert f"\n{title}:\n" in shown
    assert shown.index("\nEverywhere:\n") > shown.rindex(f"\n{list(OPTION_HEADINGS[words])[-1]}:\n")


def test_help_of_what_is_no_command_is_wrong_usage() -> None:
    assert said("help", "nonsense")[0] == 64
    assert said("help", "data", "nonsense")[0] == 64
    assert said("help", "train", "nonsense")[0] == 64


def test_arguments_are_named_as_they_are_typed() -> None:
    assert "Usage: fleetcast reject [OPTIONS] REQUEST...\n" in said("reject", "-h")[1]
    assert "Usage: fleetcast data show [OPTIONS] [PLANT/CIRCUIT...]\n" in said("data", "show", "-h")[1]
    assert "Usage: fleetcast rollback [OPTIONS] ENVIRONMENT [PLANT[/CIRCUIT]]\n" in said("rollback", "-h")[1]


def test_choices_are_said_once() -> None:
    assert "ENVIRONMENT  test or prod.\n" in said("score", "-h")[1]
    assert "One of viewer, engineer, approver" in re.sub(r"\s+", " ", said("people", "grant", "-h")[1])
