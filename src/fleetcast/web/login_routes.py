"""Routes by which a command line signs in and out: a device code of our own (in the manner of RFC 8628)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response

from fleetcast.domain.errors import BadInput
from fleetcast.domain.people import Denied
from fleetcast.ports.served import PREFIX
from fleetcast.views.moments import iso
from fleetcast.web import shapes
from fleetcast.web.answers import CHANGES, OPEN_CHANGES, PLAIN, TOKEN, answers, json_answer
from fleetcast.web.bodies import AskedLogin, BegunLogin
from fleetcast.web.command_lines import ASKED_EVERY, LASTS, LOGIN_LASTS, NoSuchLogin
from fleetcast.web.guard import caller_of
from fleetcast.web.showing import books_of, pages_of
from fleetcast.workflows.tokens import token_number

if TYPE_CHECKING:
    from fleetcast.app import Service

open_login_routes = APIRouter(prefix=PREFIX, tags=["people"])
login_routes = APIRouter(prefix=PREFIX, tags=["people"], dependencies=[TOKEN])


@open_login_routes.post("/login", dependencies=PLAIN, responses=answers(shapes.LoginBegun, OPEN_CHANGES))
def begin_login(request: Request, body: BegunLogin) -> Response:
    """Begin a sign-in of a command line: somebody who is signed in agrees at the page /login, with the `user_code`."""
    begun = pages_of(request).command_lines.begin(body.from_)
    return json_answer(
        {
            "device_code": begun.device_code,
            "user_code": begun.user_code,
            "expires_in_seconds": LASTS.total_seconds(),
            "interval_seconds": ASKED_EVERY.total_seconds(),
        }
    )


@open_login_routes.post(
    "/login/token", dependencies=PLAIN, responses=answers(shapes.LoginState, OPEN_CHANGES)
)
def ask_login(request: Request, body: AskedLogin) -> Response:
    """Ask whether somebody has agreed; once they have, this gives a token that acts for them for 12 hours."""
    try:
        agreed = pages_of(request).command_lines.take(body.device_code)
    except NoSuchLogin:
        raise Denied("this sign-in is over, or was refused", fix="`fleetcast login` again") from None
    if agreed is None:
        return json_answer({"state": "pending", "name": None, "token": None, "expires_at": None})
    by, machine = agreed
    service: Service = request.app.state.service
    made = service.books(by).tokens.create(f"fleetcast login, {machine}"[:200], LOGIN_LASTS)
    return json_answer(
        {
            "state": "done",
            "name": by.actor.name,
            "token": made.text,
            "expires_at": iso(made.token.expires_at),
        }
    )


@login_routes.post("/logout", dependencies=PLAIN, responses=answers(shapes.LoggedOut, CHANGES))
def log_out(request: Request) -> Response:
    """End the token that this call shows."""
    proof = caller_of(request.scope).by.actor.proof
    number = token_number(proof)
    if number is None:
        raise BadInput("no token was shown", fix="sign out at the page")
    books_of(request).tokens.revoke(number)
    return json_answer({"state": "revoked"})
