"""`fleetcast keys`: the key that this user signs with."""

from __future__ import annotations

import typer

from fleetcast.cli.options import View, ViewOption
from fleetcast.cli.output import say, show_json

keys_app = typer.Typer(
    no_args_is_help=True,
    help="Look after the key that signs: the one in FLEETCAST_SIGNING_KEY, or one made for this user.",
)


@keys_app.command("show")
def show(view: ViewOption = View.TEXT) -> None:
    """Show the key that signs, its public part, and where it comes from; the first one is made if there is none.

    For example:

    fleetcast keys show
    """
    from fleetcast.app import look_at_keys
    from fleetcast.views.keys import as_json, facts

    own = look_at_keys()
    if view is View.JSON:
        show_json(as_json(own))
        return
    for label, value in facts(own):
        say(f"{label + ':':<15}{value}")


@keys_app.command("rotate")
def rotate(view: ViewOption = View.TEXT) -> None:
    """Replace the key that was made for this user; what the old one signed stays trusted here.

    Of the old key only the public part is kept, beside the new one. A key in FLEETCAST_SIGNING_KEY is replaced where it
    comes from.

    For example:

    fleetcast keys rotate
    """
    from fleetcast.app import rotate_key
    from fleetcast.views.keys import rotated_as_json, trusted_lines

    replaced, own = rotate_key()
    if view is View.JSON:
        show_json(rotated_as_json(replaced, own))
        return
    say(f"{own.public.id} signs from now on, in place of {replaced.id}")
    say("  for other machines, write into fleetcast.yaml what is not there yet:")
    for line in trusted_lines(replaced, own.public):
        say(f"    {line}")
    say("  if the old key was stolen, write `revoked: true` beside it: nothing that it signed counts then")
