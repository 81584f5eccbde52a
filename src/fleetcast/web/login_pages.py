"""The pages at which somebody who is signed in lets a command line act for them."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from fleetcast.domain.errors import BadInput
from fleetcast.web.command_lines import LOGIN_LASTS, NoSuchLogin
from fleetcast.web.guard import caller_of
from fleetcast.web.showing import AGREE, LOGIN, Form, one_of, page, pages_of

login_pages = APIRouter(include_in_schema=False)


@login_pages.get(LOGIN)
def show_login(request: Request) -> Response:
    """Ask for the code that the command line shows."""
    return _login_page(request)


@login_pages.post(LOGIN)
def type_code(request: Request, form: Form) -> Response:
    """Show which machine asks with this code, and ask whether it may."""
    code = one_of(form, "code")
    try:
        machine = pages_of(request).command_lines.machine(code)
    except NoSuchLogin:
        return _no_such_login(request)
    return _login_page(request, machine=machine, code=code)


@login_pages.post(AGREE)
def agree(request: Request, form: Form) -> Response:
    """Let it act for whoever is signed in, or not."""
    code, choice, lines = one_of(form, "code"), one_of(form, "choice"), pages_of(request).command_lines
    try:
        if choice == "agree":
            lines.agree(code, caller_of(request.scope).by)
            return _login_page(request, notice="The command line acts for you now. You may close this page.")
        lines.refuse(code)
    except NoSuchLogin:
        return _no_such_login(request)
    return _login_page(request, notice="It acts for nobody. You may close this page.")


def _no_such_login(request: Request) -> Response:
    error = BadInput(
        "no command line waits with this code, or not any more",
        fix="type it as `fleetcast login` shows it, or run that again",
    )
    return _login_page(request, 422, error=error)


def _login_page(
    request: Request,
    status: int = 200,
    *,
    error: BadInput | None = None,
    machine: str = "",
    code: str = "",
    notice: str = "",
) -> Response:
    hours = int(LOGIN_LASTS.total_seconds() // 3_600)
    return page(
        request, "login.html", status, error=error, machine=machine, code=code, notice=notice, hours=hours
    )
