"""`fleetcast web`: serve the HTTP API and the pages of a fleet."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fleetcast.cli.options import FleetOption
from fleetcast.cli.output import say
from fleetcast.domain.errors import BadInput


def web(
    fleet: FleetOption = Path(),
    host: Annotated[str, typer.Option(help="Address of this machine to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any that is free.")] = 8484,
    public_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="How others reach it through a proxy: https://fleet.example.org. No other works.",
        ),
    ] = None,
    proxy: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDRESS",
            help="A proxy that says whose requests it passes on, or a network; may be repeated.",
        ),
    ] = None,
    *,
    plain_http: Annotated[
        bool,
        typer.Option("--plain-http", help="Listen for other machines without https: tokens can be read."),
    ] = False,
) -> None:
    """Serve pages to sign in and decide, and the HTTP API, for this machine alone unless told otherwise.

    Programs show a token, which `fleetcast token create` makes; people sign in at /sign-in. Where nobody can look after
    the fleet by signing in yet, a one-time link for the first admin is printed. docs/API.md says more.

    For example:

    fleetcast web

    fleetcast web --host 0.0.0.0 --public-url https://fleet.example.org --proxy 10.0.0.7
    """
    try:
        from fleetcast.web import server
        from fleetcast.web.site import Reached, site
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("anyio", "fastapi", "jinja2", "starlette", "uvicorn"):
            raise
        raise BadInput(
            "serving needs libraries that are not installed", fix="pip install 'fleetcast[web]'"
        ) from error
    from fleetcast.app import Service

    proxies = tuple(server.network(text) for text in proxy or ())
    if plain_http and public_url is None and host in ("0.0.0.0", "::"):  # noqa: S104  # refused here
        raise BadInput(
            "nobody can say by which address others reach this",
            fix="give it with --public-url http://NAME:PORT, or listen at one address",
        )
    with server.listening(host, port) as opened:
        local = server.is_loopback(opened)
        secure = public_url is not None and public_url.startswith("https://")
        if not (local or secure or plain_http):
            raise BadInput(
                f"other machines would reach {host} without https, and tokens could be read on the way",
                fix="put a proxy with https before it and give --public-url https://…, or give --plain-http",
            )
        if public_url is not None and not (secure or plain_http):
            raise BadInput(f"{public_url} is not https", fix="give an https address, or --plain-http")
        own = server.own_urls(opened)
        urls = (*(own if local or public_url is None else ()), *([public_url] if public_url else ()))
        service = Service(fleet)
        serving = site(service, Reached(urls, proxies, secure=secure))
        reached_at = (public_url or own[0]).rstrip("/")

        def ready() -> None:
            say(f"fleetcast web at {reached_at}")
            link = service.sign_in().opening_first_admin_link()
            if link is not None:
                say(
                    f"nobody can look after this fleet by signing in yet; within an hour, once: "
                    f"{reached_at}/link?secret={link.secret}"
                )

        server.serve(serving, opened, ready)
    say("ended", err=True)
