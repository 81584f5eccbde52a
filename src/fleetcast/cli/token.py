"""`fleetcast token`: secrets by which programs and command lines show who they act for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fleetcast.cli.options import FleetOption, View, ViewOption, WideOption, duration_of
from fleetcast.cli.output import console, say, show_json
from fleetcast.domain.role import Right

token_app = typer.Typer(
    no_args_is_help=True,
    help="Tokens, by which programs act for people: a program shows one in FLEETCAST_TOKEN.",
)


@token_app.command("create")
def create(
    purpose: Annotated[str, typer.Argument(help="What for, in a few words.")],
    fleet: FleetOption = Path(),
    view: ViewOption = View.TEXT,
    *,
    expires: Annotated[
        str,
        typer.Option("--expires", metavar="DURATION", help="After this it says nothing any more: 12h, 30d."),
    ] = "90d",
    only: Annotated[
        list[Right] | None, typer.Option("--only", help="What it reaches to at most; may be repeated.")
    ] = None,
    of: Annotated[
        str | None, typer.Option("--of", help="The service account that it is for. Default: yourself.")
    ] = None,
) -> None:
    """Make a token, and show it this once.

    For example:

    fleetcast token create 'runs at night' --of nightly --expires 30d
    """
    from fleetcast.app import open_books
    from fleetcast.views.people import token_as_json

    books = open_books(fleet)
    made = books.tokens.create(purpose, duration_of(expires), only=only or (), of=of)
    directory = books.control.people.directory()
    if view is View.JSON:
        show_json({**token_as_json(made.token, directory, books.clock.now()), "secret": made.text})
        return
    say(made.text)
    say(
        f"token {made.token.number}, until {made.token.expires_at:%Y-%m-%d %H:%M} UTC: it is shown this once, "
        "give it to the program in FLEETCAST_TOKEN",
        err=True,
    )


@token_app.command("list")
def show_tokens(
    fleet: FleetOption = Path(),
    view: ViewOption = View.TEXT,
    wide: WideOption = False,  # noqa: FBT002
) -> None:
    """Show your tokens; an admin sees everybody's.

    For example:

    fleetcast token list
    """
    from fleetcast.app import open_books
    from fleetcast.cli.people_views import print_tokens
    from fleetcast.views.people import tokens_as_json

    books = open_books(fleet)
    tokens, now = books.tokens.listed(), books.clock.now()
    directory = books.control.people.directory()
    if view is View.JSON:
        show_json(tokens_as_json(tokens, directory, now))
        return
    print_tokens(tokens, directory, now, console(wide=wide))


@token_app.command("revoke")
def revoke(
    token: Annotated[int, typer.Argument(help="Number, as `token list` shows it.")],
    fleet: FleetOption = Path(),
) -> None:
    """End a token now.

    For example:

    fleetcast token revoke 1
    """
    from fleetcast.app import open_books

    ended = open_books(fleet).tokens.revoke(token)
    say(f"token {ended.number} says nothing any more")
