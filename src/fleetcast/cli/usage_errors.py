"""What a person is told when a command line does not fit: one sentence and what to write instead, in our own words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, get_args

import typer

from fleetcast.cli.near_misses import instead_of_command, instead_of_option, instead_of_value
from fleetcast.cli.shown_help import examples_in
from fleetcast.domain.errors import BadInput
from fleetcast.domain.legible import legible

UsageError: type[Exception] = typer.BadParameter.__bases__[0]
"""What Typer raises when a command line does not fit; it has no public name there."""

_NO_COMMAND = re.compile(r"No such command '(.*?)'\.", re.DOTALL)
_TOO_MUCH = re.compile(r"Got unexpected extra argument\(s\) \((.*)\)", re.DOTALL)
_NO_VALUE = re.compile(r"Option '(.*?)' requires (an argument|\d+ arguments)")
_NUMBERS = {
    "int_type": "whole number",
    "int_parsing": "whole number",
    "int_from_float": "whole number",
    "int_parsing_size": "whole number",
    "float_type": "number",
    "float_parsing": "number",
    "finite_number": "finite number",
}
_BOUNDS = {
    "greater_than_equal": ("is too small", "ge", "write {} or more"),
    "greater_than": ("is too small", "gt", "write more than {}"),
    "less_than_equal": ("is too large", "le", "write {} or less"),
    "less_than": ("is too large", "lt", "write less than {}"),
}
_LONGEST = 80


class WrongUsage(BadInput):
    """An option or argument that cannot be taken as it was typed."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What does not fit in a command line, and what to write instead."""

    what: str
    fix: str = ""


def refusal(error: Any) -> Refusal:
    """What Typer refuses, in our words.

    Args:
        error: A `UsageError`.
    """
    found = _of_kind(error)
    command = _command(error)
    if not command:
        return found
    more = f"`{command} --help` says more"
    between = " " if found.fix.endswith("?") else "; "
    return Refusal(found.what, f"{found.fix}{between}{more}" if found.fix else more)


def is_help(error: Exception) -> bool:
    """Whether somebody typed a group alone, which shows its help."""
    return _kind(error) == "NoArgsIsHelpError"


def near(name: str, known: Iterable[str]) -> str:
    """What somebody may have meant: "did you mean `plan` or `clean`?"; empty where nothing is near."""
    from difflib import get_close_matches  # what a command line that fits has no use for

    close = get_close_matches(name, sorted(set(known)))
    return f"did you mean {_either([f'`{one}`' for one in close])}?" if close else ""


def _of_kind(error: Any) -> Refusal:
    kind, message = _kind(error), str(error.message)
    if kind == "NoSuchOption":
        return _no_option(error, str(error.option_name))
    if kind == "MissingParameter":
        return _missing(error)
    if kind == "BadParameter" and error.param is not None:
        return _not_taken(error)
    if (found := _NO_VALUE.match(message)) is not None:
        return Refusal(f"{found[1]} is without a value", f"write {found[1]} VALUE")
    if (found := _NO_COMMAND.match(message)) is not None:
        return _no_command(error, found[1])
    if (found := _TOO_MUCH.fullmatch(message)) is not None:
        return _too_much(error, found[1])
    # `raise typer.BadParameter` of a command says it in our own words; of the rest, the first line is shown.
    return Refusal(_clean(message))


def _no_command(error: Any, name: str) -> Refusal:
    commands = getattr(error.ctx.command, "commands", {}) if error.ctx is not None else {}
    asked = _command(error) or "fleetcast"
    fix = (
        instead_of_command(_words(error), name, _typed_after(error, name), commands)
        or _below_others(asked, name, commands)
        or near(name, commands)
    )
    return Refusal(f"{asked} has no command {_quoted(name)}", fix)


def _below_others(asked: str, name: str, commands: Mapping[str, Any]) -> str:
    """The groups that do have a command of that name."""
    found = [
        f"`{asked} {group} {name}`" for group, one in commands.items() if name in getattr(one, "commands", ())
    ]
    return f"write {_either(found)}" if found else ""


def _no_option(error: Any, name: str) -> Refusal:
    known = [one for param in _params(error) for one in (*param.opts, *param.secondary_opts)]
    value = "".join(_typed_after(error, name)[:1])
    fix = instead_of_option(_words(error), name, "" if value.startswith("-") else _clean(value), known)
    return Refusal(
        f"{_command(error) or 'fleetcast'} has no option {_clean(name)}",
        fix or near(name, (one for one in known if one.startswith("-"))),
    )


def _too_much(error: Any, words: str) -> Refusal:
    takes = " ".join(_name(param) for param in _params(error) if param.param_type_name == "argument")
    return Refusal(
        f"{_quoted(words)} is more than {_command(error) or 'fleetcast'} takes",
        f"it takes {takes}" if takes else "it takes options alone",
    )


def _missing(error: Any) -> Refusal:
    if error.param is None:
        return Refusal(_clean(error.message) or "something is missing")
    name = _name(error.param)
    choices = _choices(error.param)
    fix = f"write {_either(choices)}" if choices else _help(error.param)
    example = next(iter(examples_in(str(error.ctx.command.help or ""))), "") if error.ctx is not None else ""
    return Refusal(f"{name} is missing", "; ".join(filter(None, [fix, example and f"such as `{example}`"])))


def _not_taken(error: Any) -> Refusal:
    wrong = _first_wrong(error.__cause__)
    param = error.param
    if wrong is None:
        return Refusal(f"{_name(param)}: {_clean(error.message)}", _help(param))
    kind, given, bounds = wrong
    shown = _quoted(given)
    if (choices := _choices(param)) and kind in ("value_error", "enum", "literal_error"):
        meant = near(str(given), choices) or instead_of_value(_words(error), _clean(given))
        return Refusal(
            f"{shown} is no value of {_name(param)}",
            f"write {_either(choices)}" + (f"; {meant}" if meant else ""),
        )
    if kind in _BOUNDS:
        says, bound, fix = _BOUNDS[kind]
        return Refusal(f"{_name(param)}: {_clean(given)} {says}", fix.format(bounds.get(bound)))
    if kind in _NUMBERS:
        if param.param_type_name == "argument" and _NUMBERS[kind] == "whole number":
            return Refusal(f"{shown} is no number of {_with_article(_singular(param))}", _help(param))
        return Refusal(f"{_name(param)}: {shown} is no {_NUMBERS[kind]}", f"write a {_NUMBERS[kind]}")
    return Refusal(f"{_name(param)}: {shown} cannot be taken", _help(param))


def _first_wrong(cause: Any) -> tuple[str, object, dict[str, Any]] | None:
    """What the validator found first: its kind, what was given, and its bounds."""
    if not callable(getattr(cause, "errors", None)):
        return None
    first = cause.errors(include_url=False)[0]
    return str(first["type"]), first["input"], dict(first.get("ctx") or {})


def _kind(error: Exception) -> str:
    """Typer has no public names for them."""
    return type(error).__name__


def _command(error: Any) -> str:
    return str(error.ctx.command_path) if error.ctx is not None else ""


def _words(error: Any) -> str:
    """The words of the command that refused, without the program's name."""
    return _command(error).removeprefix("fleetcast").strip()


def _typed_after(error: Any, word: str) -> Sequence[str]:
    """What was typed after a word, or together with it as `--option=value`."""
    typed = [part for one in getattr(error, "typed", ()) for part in _parts(str(one), word)]
    return typed[typed.index(word) + 1 :] if word in typed else ()


def _parts(one: str, option: str) -> Sequence[str]:
    return one.split("=", 1) if one.startswith(f"{option}=") else [one]


def _params(error: Any) -> Sequence[Any]:
    return error.ctx.command.params if error.ctx is not None else ()


def _name(param: Any) -> str:
    if param.param_type_name == "option":
        return str(max(param.opts, key=len))
    return str(param.metavar or param.name).upper().removesuffix("...").strip("[]")


def _singular(param: Any) -> str:
    """What one value of an argument is called."""
    return re.sub(r"[^a-z -]", " ", str(param.name).replace("_", " ").lower()).strip().removesuffix("s")


def _with_article(noun: str) -> str:
    return f"{'an' if noun[:1] in 'aeiou' else 'a'} {noun}"


def _help(param: Any) -> str:
    """What is told of a parameter, as what to write."""
    said = " ".join(str(getattr(param, "help", "") or "").split()).rstrip(".")
    return f"{_name(param)}: {said[0].lower() + said[1:]}" if said else ""


def _choices(param: Any) -> list[str]:
    """The values that a parameter can have, where it is one of a few."""
    annotation = getattr(getattr(param, "type_descriptor", None), "annotation", None)
    for kind in (annotation, *get_args(annotation)):
        if isinstance(kind, type) and issubclass(kind, Enum):
            return [str(one.value) for one in kind]
    return []


def _either(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def _quoted(text: object) -> str:
    return f"'{_clean(text)}'"


def _clean(text: object) -> str:
    """What somebody typed or a library says, as one short line."""
    shown = legible(" ".join(str(text).split()))
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"
