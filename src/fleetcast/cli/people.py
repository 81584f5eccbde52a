"""`fleetcast people`: who is on record, and what they may do; and `fleetcast whoami`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from fleetcast.cli.options import FleetOption, View, ViewOption, WideOption
from fleetcast.cli.output import console, say, show_json
from fleetcast.domain.errors import BadInput
from fleetcast.domain.place import EnvironmentName, Gate, Scope
from fleetcast.domain.role import Role

if TYPE_CHECKING:
    from fleetcast.domain.audit import Proof
    from fleetcast.domain.people import Directory

people_app = typer.Typer(
    no_args_is_help=True,
    help=(
        "People, groups and roles. As long as nobody is on record, whoever reaches the database may do what asks "
        "for nobody who is signed in; from the first person on, nothing that was not granted."
    ),
)

NameArgument = Annotated[str, typer.Argument(help="As others call them.")]
GateOption = Annotated[Gate | None, typer.Option("--gate", help="Only at this gate.")]
EnvironmentOption = Annotated[
    EnvironmentName | None, typer.Option("--environment", help="Only in this environment.")
]
PlantOption = Annotated[str | None, typer.Option("--plant", help="Only for this plant.")]
SystemUserOption = Annotated[
    list[str] | None,
    typer.Option(
        "--system-user",
        metavar="UID@HOST",
        help="As whom they are recognised on a machine; see `whoami`. May be repeated.",
    ),
]
OidcOption = Annotated[
    tuple[str, str] | None,
    typer.Option("--oidc", metavar="ISSUER SUBJECT", help="Their account at an OpenID Connect provider."),
]
EntraOption = Annotated[
    tuple[UUID, UUID] | None,
    typer.Option("--entra", metavar="TENANT OBJECT", help="Their object in Entra ID, by the ids of both."),
]
_SYSTEM_USER = re.compile(r"([0-9]{1,10})@([A-Za-z0-9][A-Za-z0-9._-]{0,252})")


@people_app.command("list")
def show_people(
    fleet: FleetOption = Path(),
    view: ViewOption = View.TEXT,
    wide: WideOption = False,  # noqa: FBT002
) -> None:
    """Show who is on record, with their groups and roles.

    For example:

    fleetcast people list
    """
    from fleetcast.app import open_books
    from fleetcast.views.people import as_json

    directory = open_books(fleet).people()
    if view is View.JSON:
        show_json(as_json(directory))
        return
    _print(directory, wide=wide)


@people_app.command("add")
def add(
    name: NameArgument,
    fleet: FleetOption = Path(),
    *,
    service: Annotated[bool, typer.Option("--service", help="A program, not a human.")] = False,
    full_name: Annotated[str, typer.Option("--full-name", help="For people to read.")] = "",
    alias: Annotated[
        list[str] | None, typer.Option("--alias", help="Another name of the same human; may be repeated.")
    ] = None,
    system_user: SystemUserOption = None,
    oidc: OidcOption = None,
    entra: EntraOption = None,
    group: Annotated[list[str] | None, typer.Option("--group", help="Joins it; may be repeated.")] = None,
    role: Annotated[list[Role] | None, typer.Option("--role", help="Everywhere; may be repeated.")] = None,
) -> None:
    """Put somebody on record.

    Whoever puts the first person on record is put there too, with every role.

    For example:

    fleetcast people add anna.berg --full-name 'Anna Berg' --role approver

    fleetcast people add nightly --service --role engineer
    """
    from fleetcast.app import open_books
    from fleetcast.domain.people import Kind
    from fleetcast.workflows.manage_people import NewPerson

    new = NewPerson(
        name,
        Kind.SERVICE if service else Kind.HUMAN,
        full_name,
        tuple(alias or ()),
        _identities(system_user, oidc, entra),
        tuple(group or ()),
    )
    _print(open_books(fleet).people.add(new, [(one, Scope()) for one in role or ()]))


@people_app.command("identify")
def identify(
    name: NameArgument,
    system_user: SystemUserOption = None,
    oidc: OidcOption = None,
    entra: EntraOption = None,
    fleet: FleetOption = Path(),
) -> None:
    """Add as whom somebody is recognised: a user of a machine, or an account at an identity provider.

    For example:

    fleetcast people identify anna.berg --system-user 1000@workshop
    """
    from fleetcast.app import open_books

    identities = _identities(system_user, oidc, entra)
    if not identities:
        raise BadInput("no identity was named", fix="give one with --system-user, --oidc or --entra")
    _print(open_books(fleet).people.identify(name, list(identities)))


@people_app.command("invite")
def invite(
    name: NameArgument,
    url: Annotated[
        str, typer.Option("--url", help="How others reach `fleetcast web`: https://fleet.example.org.")
    ] = "http://127.0.0.1:8484",
    fleet: FleetOption = Path(),
) -> None:
    """Make a link by which somebody on record sets a password for `fleetcast web`; it works once, for a day.

    Only an admin who has signed in may: make a token at the page /tokens, and name it in FLEETCAST_TOKEN.

    For example:

    fleetcast people invite anna.berg --url https://fleet.example.org
    """
    from fleetcast.app import open_books

    made = open_books(fleet).inviting(name)
    say(f"{url.rstrip('/')}/link?secret={made.secret}")
    say(f"give it to {name} alone; an earlier link opens nothing any more", err=True)


@people_app.command("disable")
def disable(name: NameArgument, fleet: FleetOption = Path()) -> None:
    """Let somebody act no more; what they decided and did not take effect yet no longer counts.

    For example:

    fleetcast people disable anna.berg
    """
    from fleetcast.app import open_books

    _print(open_books(fleet).people.disable(name))


@people_app.command("enable")
def enable(name: NameArgument, fleet: FleetOption = Path()) -> None:
    """Let somebody act again who was disabled.

    For example:

    fleetcast people enable anna.berg
    """
    from fleetcast.app import open_books

    _print(open_books(fleet).people.enable(name))


@people_app.command("group")
def group(
    name: Annotated[str, typer.Argument(help="Of the group.")],
    members: Annotated[list[str], typer.Argument(metavar="MEMBER...", help="All of its members.")],
    fleet: FleetOption = Path(),
) -> None:
    """Make a group of these people, or give it these members instead of the ones it has.

    For example:

    fleetcast people group leads anna.berg jo.marsh
    """
    from fleetcast.app import open_books

    _print(open_books(fleet).people.group(name, members))


@people_app.command("grant")
def grant(
    name: Annotated[str, typer.Argument(help="A person or a group.")],
    role: Role,
    fleet: FleetOption = Path(),
    gate: GateOption = None,
    environment: EnvironmentOption = None,
    plant: PlantOption = None,
) -> None:
    """Give a role, everywhere or at one place.

    For example:

    fleetcast people grant leads approver --gate registry-promotion --plant PLANT001
    """
    from fleetcast.app import open_books

    _print(open_books(fleet).people.grant(name, role, Scope(gate, environment, plant)))


@people_app.command("revoke")
def revoke(
    name: Annotated[str, typer.Argument(help="A person or a group.")],
    role: Role,
    fleet: FleetOption = Path(),
    gate: GateOption = None,
    environment: EnvironmentOption = None,
    plant: PlantOption = None,
) -> None:
    """Take a role back, as it was given.

    For example:

    fleetcast people revoke leads approver --gate registry-promotion --plant PLANT001
    """
    from fleetcast.app import open_books

    _print(open_books(fleet).people.revoke(name, role, Scope(gate, environment, plant)))


def whoami(fleet: FleetOption = Path(), view: ViewOption = View.TEXT) -> None:
    """Show in whose name commands act here, how that is known, and what they may do.

    Without a token and a login it is the operating system's user, by its number; no environment variable changes that.

    For example:

    fleetcast whoami
    """
    from fleetcast.app import open_asking
    from fleetcast.views.people import actor_as_json

    found = open_asking(fleet).whoami()
    if view is View.JSON:
        show_json(actor_as_json(found.actor, found.roles, on_record=found.on_record))
        return
    actor = found.actor
    shown = f", {actor.proof.detail}" if actor.proof is not None else ""
    say(f"{actor} ({actor.standing.value}{shown})")
    if found.open:
        say("nobody is on record in this fleet yet: `fleetcast people add` puts the first person there")
    elif not found.on_record:
        say("not on record in this fleet: ask an admin, sign in with `fleetcast login`, or use a token")
    else:
        say(f"roles: {'; '.join(map(str, found.roles)) or 'none'}")


def _print(directory: Directory, *, wide: bool = False) -> None:
    from fleetcast.cli.people_views import print_people

    print_people(directory, console(wide=wide))


def _identities(
    system_user: list[str] | None, oidc: tuple[str, str] | None, entra: tuple[UUID, UUID] | None
) -> tuple[Proof, ...]:
    from fleetcast.domain.shown import at_issuer, in_tenant

    shown = [_system_user(text) for text in system_user or ()]
    if oidc is not None:
        shown.append(at_issuer(*oidc))
    if entra is not None:
        shown.append(in_tenant(*entra))
    return tuple(shown)


def _system_user(text: str) -> Proof:
    from fleetcast.domain.audit import Means, Proof

    found = _SYSTEM_USER.fullmatch(text)
    if found is None:
        raise BadInput(
            f"{text!r} is no user of a machine", fix="write UID@HOST, as `fleetcast whoami` shows them"
        )
    return Proof(Means.SYSTEM_USER, f"uid {int(found[1])} on {found[2]}")
