"""What `--help` shows: whole sentences, options under headings where there are many, and examples as they are typed."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from fleetcast.cli.commands import COMMANDS, HEADINGS
from fleetcast.cli.option_headings import CI, EVERYWHERE, FEW, OPTIONS, heading
from fleetcast.cli.option_headings import HEADINGS as OPTION_HEADINGS

EXAMPLES = "For example:"
"""What stands in a docstring before the lines that people can copy."""

VERBOSE = "fleetcast.verbose"
"""What a context notes where somebody asked to be told what is done."""

Records = list[tuple[Any, tuple[str, str]]]
"""Parameters, each with how it is typed and what it means."""

_REFUSAL: type[Exception] = typer.BadParameter.__bases__[0]  # it has no public name there
_PROGRAM = "fleetcast"
_EXAMPLE = re.compile(r"(?:[A-Z_]+=\S+ )*fleetcast(?: .*)?")
_LONGEST_CHOICES = 30
_TYPE = re.compile(r"<([^<>]+)>")
_KINDS = {"str": "TEXT", "int": "NUMBER", "int range": "NUMBER", "float": "NUMBER", "float range": "NUMBER"}


class Command(TyperCommand):
    """One command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take what was typed after its name; an error that says it does not fit keeps that."""
        with _keeping(args):
            rest = super().parse_args(ctx, list(args))
        if ctx.resilient_parsing:  # a shell asks what may come next
            from fleetcast.cli.completion import offer_names

            offer_names(ctx, _called)
        return rest

    def get_params(self, ctx: Any) -> list[Any]:
        """Its own, and `--verbose` of all commands before `--help`."""
        *own, last = super().get_params(ctx)
        return [*own, *(one for one in ctx.find_root().command.params if one.name == "verbose"), last]

    def invoke(self, ctx: Any) -> Any:
        """Do it; where somebody asked for it, say the steps."""
        if not ctx.meta.get(VERBOSE) and os.environ.get("FLEETCAST_VERBOSE") != "1":
            self.prepare(ctx)
            return super().invoke(ctx)
        from fleetcast.cli.verbose import speaking

        with speaking(str(ctx.command_path)):
            self.prepare(ctx)
            return super().invoke(ctx)

    def prepare(self, ctx: Any) -> None:
        """What comes before it, once its words fit; nothing here."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """What is typed after its name."""
        return _usage(self.get_params(ctx))

    def format_help_text(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002  # Typer gives it
        """What it is for, then examples that no line break spoils."""
        _write_text(self.help or "", formatter)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Arguments, then options; where there are many under headings."""
        _write_options(self.get_params(ctx), ctx, formatter)


class Group(TyperGroup):
    """Commands below one word."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As of a command."""
        with _keeping(args):
            return super().parse_args(ctx, list(args))

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The command that is named first, and what is typed after it; an error keeps that too."""
        with _keeping(args):
            return super().resolve_command(ctx, list(args))

    def format_help_text(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002  # Typer gives it
        """What it is for."""
        _write_text(self.help or "", formatter)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Options, then commands."""
        _write_options(self.get_params(ctx), ctx, formatter)
        self.format_commands(ctx, formatter)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002  # Typer gives it
        """Each command with its whole first sentence."""
        rows = [(name, first_sentence(command.help or "")) for name, command in self.commands.items()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


class Root(Group):
    """All commands, which its help and shells list without loading them."""

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """Options or commands that begin so."""
        if incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        from fleetcast.cli.completion import Offered

        return [
            Offered(name, listed.says) for name, listed in COMMANDS.items() if name.startswith(incomplete)
        ]

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002  # Typer gives it
        """Each command below what people look for."""
        width = max(len(name) for commands in HEADINGS.values() for name in commands)
        for title, commands in HEADINGS.items():
            with formatter.section(title):
                # Padded, lest each heading had a column of its own.
                formatter.write_dl([(f"{name:<{width}}", listed.says) for name, listed in commands.items()])


@contextmanager
def _keeping(typed: list[str]) -> Iterator[None]:
    try:
        yield
    except _REFUSAL as error:
        if not hasattr(error, "typed"):
            error.typed = tuple(typed)  # type: ignore[attr-defined]  # for whoever says what to write instead
        raise


def first_sentence(text: str) -> str:
    """The first sentence of a docstring, without its full stop."""
    paragraph = " ".join(inspect.cleandoc(text).partition("\n\n")[0].split())
    return paragraph.partition(". ")[0].removesuffix(".")


def examples_in(text: str) -> tuple[str, ...]:
    """The command lines that a docstring shows."""
    _, _, shown = inspect.cleandoc(text).partition(EXAMPLES)
    return tuple(line.strip() for line in shown.splitlines() if _EXAMPLE.fullmatch(line.strip()))


def record_of(param: Any, ctx: Any) -> tuple[str, str] | None:
    """How an option or argument is typed, and what it means; None if it is not shown."""
    record = param.get_help_record(ctx)
    if record is None:
        return None
    typed, says = record
    choices = _choices(typed)
    if param.param_type_name == "argument":
        typed = _name(param)
        says = says.replace("[required]", "").rstrip()  # the usage line says it
    else:
        typed = _TYPE.sub(lambda found: _value(found[1], param.name), typed)
    told = sum(
        bool(re.search(rf"\b{re.escape(choice)}\b", f"{typed} {param.help or ''}")) for choice in choices
    )
    if choices and told < 2:  # one alone may be an example
        says = f"{says} One of {', '.join(choices)}.".lstrip()
    return typed, says


def _usage(params: Iterable[Any]) -> list[str]:
    arguments = [param for param in params if param.param_type_name == "argument"]
    return ["[OPTIONS]", *(_name(one) if one.required else f"[{_name(one)}]" for one in arguments)]


def _name(argument: Any) -> str:
    """What an argument is called; with dots if there may be several."""
    name = str(argument.metavar or argument.name.upper()).removesuffix("...").strip("[]").removesuffix("...")
    if "[" in name and not name.endswith("]"):
        name += "]"  # what may be left out within the name itself: PLANT[/CIRCUIT]
    return name + ("..." if argument.nargs != 1 else "")


def _called(param: Any) -> str:
    if param.param_type_name == "argument":
        return _name(param).removesuffix("...")
    return str(max(param.opts, key=len))


def _choices(typed: str) -> list[str]:
    found = _TYPE.search(typed)
    return found[1].removeprefix("list[").removesuffix("]").split("|") if found and "|" in found[1] else []


def _value(kind: str, name: str) -> str:
    """What stands for a value: its name where it is one of many, the choices where they are few."""
    kind = kind.removeprefix("list[").removesuffix("]")
    if "|" in kind:
        return kind if len(kind) <= _LONGEST_CHOICES else name.upper().replace("_", "-")
    return _KINDS.get(kind, kind.upper())


def _write_text(text: str, formatter: Any) -> None:
    told, found, shown = inspect.cleandoc(text).partition(EXAMPLES)
    formatter.write_paragraph()
    with formatter.indentation():
        formatter.write_text(told.strip())
        if found:
            formatter.write_paragraph()
            formatter.write_text(EXAMPLES)
            for line in filter(None, map(str.strip, shown.splitlines())):
                formatter.write(f"{'':>{formatter.current_indent + 2}}{line}\n")


def _write_options(params: Iterable[Any], ctx: Any, formatter: Any) -> None:
    arguments: Records = []
    options: Records = []
    for param in params:
        record = record_of(param, ctx)
        if record is not None:
            (arguments if param.param_type_name == "argument" else options).append((param, record))
    if arguments:
        with formatter.section("Arguments"):
            formatter.write_dl([record for _, record in arguments])
    for title, rows in _under_headings(options, ctx).items():
        with formatter.section(title):
            formatter.write_dl(rows)


def _under_headings(options: Records, ctx: Any) -> Mapping[str, list[tuple[str, str]]]:
    command = str(ctx.command_path).removeprefix(f"{_PROGRAM} ")
    if len(options) <= FEW and command not in OPTION_HEADINGS:
        return {OPTIONS: [record for _, record in options]} if options else {}
    first = (*OPTION_HEADINGS.get(command, ()), OPTIONS, CI, EVERYWHERE)
    found: dict[str, list[tuple[str, str]]] = {title: [] for title in first}
    for param, record in options:
        found[heading(command, param.name)].append(record)
    return {title: rows for title, rows in found.items() if rows}
