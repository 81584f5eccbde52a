"""Whether command lines of fleetcast that stand in somebody's files are ones that it takes."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from fleetcast.config.check_pipelines import PLACEHOLDER

_STANDS_IN = (PLACEHOLDER, "1")
"""For what is only known when a command runs: a text, and a number."""

_ANSWERING = frozenset({"--help", "-h"})
_ANSWERING_FIRST = frozenset({"--version", "--install-completion", "--show-completion"})


def complaint_of(words: Sequence[str]) -> str:
    """What is wrong with the words of a command, without the program's name; empty if nothing is.

    What is only known when it runs is `PLACEHOLDER`, and fits everywhere.
    """
    if _ANSWERING.intersection(words) or (words and words[0] in _ANSWERING_FIRST):
        return ""  # they answer while they are read, which nobody asked for here
    first = ""
    for stand_in in _STANDS_IN:
        said = _refusal([word.replace(PLACEHOLDER, stand_in) for word in words])
        if not said or (stand_in in said and any(PLACEHOLDER in word for word in words)):
            return ""
        first = first or said
    return first


def _refusal(words: list[str]) -> str:
    """What the command line says to these words, in one line; empty if it would run them."""
    from fleetcast.cli.main import app
    from fleetcast.cli.usage_errors import UsageError, refusal

    command, name, context = typer.main.get_command(app), "fleetcast", None
    left = words
    try:
        while True:
            context = command.make_context(name, left, parent=context)
            if not hasattr(command, "resolve_command"):
                return ""
            rest = [*context._protected_args, *context.args]  # noqa: SLF001  # there is no other way to it
            found, command, left = command.resolve_command(context, rest)
            name = str(found)
    except UsageError as error:
        return refusal(error).what
