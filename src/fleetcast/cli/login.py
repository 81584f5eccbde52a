"""`fleetcast login` and `fleetcast logout`: as whom the commands that come after act."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleetcast.cli.options import FleetOption
from fleetcast.cli.output import say
from fleetcast.domain.errors import BadInput

if TYPE_CHECKING:
    from fleetcast.app.login import CodeToType


def login(
    name: Annotated[
        str | None,
        typer.Argument(help="Of an account of the fleet: its password is asked for. Left out: in a browser."),
    ] = None,
    fleet: FleetOption = Path(),
) -> None:
    """Sign in: the commands that come after act in your name, as somebody who is verified, until the login ends.

    A fleet on this machine: with NAME and the password, or at the identity provider that fleetcast.yaml declares. A
    server (FLEETCAST_URL): at its page, in a browser on any machine. What shows it is kept in your state folder, for
    you alone; a token in FLEETCAST_TOKEN comes before it.

    For example:

    fleetcast login anna.berg

    FLEETCAST_URL=https://fleet.example.org fleetcast login
    """
    from fleetcast.app.login import log_in_at_provider, log_in_at_server, log_in_with_password
    from fleetcast.ports.served import URL_VARIABLE

    url = os.environ.get(URL_VARIABLE)
    if url is not None:
        if name is not None:
            raise BadInput(
                "a server asks for name and password at its own page", fix="`fleetcast login` without a name"
            )
        signed_in = log_in_at_server(url, _tell)
    elif name is not None:
        signed_in = log_in_with_password(fleet, name, _password())
    else:
        signed_in = log_in_at_provider(fleet, _tell)
    say(f"signed in as {signed_in.name}")
    if signed_in.groups_left_out:
        from fleetcast.domain.shown import left_out

        lacking = left_out("groups")
        say(f"no role that a group gives: {lacking}; {lacking.fix}", err=True)


def logout(fleet: FleetOption = Path()) -> None:
    """End the login: commands act as the operating system's user again.

    For example:

    fleetcast logout
    """
    from fleetcast.app.kept_logins import kept_login, place_asked
    from fleetcast.app.login import log_out

    kept = kept_login(place_asked(fleet, os.environ))
    if kept is None:
        say("nobody is signed in")
        return
    log_out(kept)
    say(f"{kept.name} is signed out")


def _tell(shown: CodeToType) -> None:
    say(f"open {shown.page_with_code or shown.page}", err=True)
    say(f"and type {shown.code}", err=True)


def _password() -> str:
    """Asked for at the terminal; else the first line of standard input, as a password manager gives it."""
    if sys.stdin.isatty():
        asked: str = typer.prompt("Password", hide_input=True, err=True)
        return asked
    return sys.stdin.readline().rstrip("\n")
