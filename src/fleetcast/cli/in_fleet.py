"""The fleet that a command is about, where `--fleet` does not name one: the nearest upwards, as git finds its own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import typer

from fleetcast.cli.shown_help import Command
from fleetcast.domain.errors import BadInput

_OPTION = "fleet"


class InFleet(Command):
    """A command that finds its fleet once its words fit: not for `--help`, completion or a look at a command line."""

    def prepare(self, ctx: Any) -> None:  # a Context of Typer's own, which it gives no public name
        """Find the fleet.

        Raises:
            NoFleet: There is none here, or none where one was named.
        """
        named = ctx.params.get(_OPTION)  # nothing where a command does without: it looks for one by itself
        if named is not None:
            ctx.params[_OPTION] = _checked(named) if _was_named(ctx) else _found()


def fleet_or_none() -> Path | None:
    """The fleet that the person is in, as they would type it; None: they are in none.

    Raises:
        NoFleet: It belongs to another user.
        BadInput: The folder that they are in was removed.
    """
    from fleetcast.config.find_fleet import nearest_fleet, users_home

    return nearest_fleet(_here(), users_home())


def fleet_needed() -> Path:
    """The same, where there has to be one.

    Raises:
        NoFleet: There is none; errors else as of `fleet_or_none`.
    """
    from fleetcast.config.find_fleet import no_fleet_here

    found = fleet_or_none()
    if found is None:
        raise no_fleet_here(_here())
    return found


def _checked(named: Path) -> Path:
    from fleetcast.config.find_fleet import check_is_fleet

    if not _asks_server():
        check_is_fleet(named)
    return named


def _found() -> Path:
    if _asks_server():
        # Whoever needs the repository all the same looks for it here, and says that it is not.
        return fleet_or_none() or Path()
    return fleet_needed()


def _asks_server() -> bool:
    from fleetcast.ports.served import URL_VARIABLE

    return URL_VARIABLE in os.environ


def _here() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError as error:
        raise BadInput("the folder that you are in is not there any more", fix="go to another one") from error


def _was_named(ctx: typer.Context) -> bool:
    source = ctx.get_parameter_source(_OPTION)
    return source is not None and source.name == "COMMANDLINE"
