"""`fleetcast help`: the help of a command, by its name."""

from __future__ import annotations

from typing import Annotated

import typer

from fleetcast.cli.output import show_text


def show_help(
    context: typer.Context,
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[COMMAND]...", help="Such as train, or data quality.")
    ] = None,
) -> None:
    """Show what a command is for and how it is typed; without one, list all of them.

    For example:

    fleetcast help

    fleetcast help data quality
    """
    root = context.find_root()
    command, found = root.command, root
    for at, word in enumerate(words or ()):
        if not hasattr(command, "resolve_command"):
            raise typer.BadParameter(
                f"{found.command_path} has no commands, so none named {word!r}", ctx=found
            )
        name, command, _ = command.resolve_command(found, list(words or ())[at:])
        found = type(found)(command, info_name=name, parent=found)
    show_text(command.get_help(found))
