"""What all pages share: how they are shown, what browsers keep, and the forms that come back."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from secrets import token_urlsafe
from threading import Lock
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from fastapi import Depends, Request, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from fleetcast.domain.errors import BadInput
from fleetcast.domain.legible import legible_lines
from fleetcast.domain.people import Denied
from fleetcast.ports.identity_provider import LONGEST_ATTEMPT, Attempt
from fleetcast.web import problems
from fleetcast.web.bodies import GREATEST_NUMBER
from fleetcast.web.command_lines import ASK_LOGIN, BEGIN_LOGIN, CommandLines
from fleetcast.web.guard import CSRF_FIELD, Asked, OpenDoor, Page, caller_of, cookies
from fleetcast.web.limits import RateLimit
from fleetcast.web.problems import Problem

if TYPE_CHECKING:
    from fleetcast.app import OpenBooks, Service, SignInDoor
    from fleetcast.ports.clock import Clock

SIGN_IN, OIDC, CALLBACK, LINK, STYLE, ICON = (
    "/sign-in",
    "/sign-in/oidc",
    "/sign-in/oidc/callback",
    "/link",
    "/style.css",
    "/icon.svg",
)
HOME = "/approvals"
LOGIN, AGREE = "/login", "/login/agree"
FORMS = frozenset(
    {
        SIGN_IN, LINK, "/sign-out", "/account/password", "/tokens", "/tokens/revoke", "/decisions", LOGIN, AGREE,
    }
)  # fmt: skip
"""Addresses that take the forms of these pages."""
_KEPT_AT_ONCE = 1_000
_LONGEST_NEXT = 500


def _legibly(shown: object) -> object:
    """Text of which nothing is hidden; what is HTML already was text before."""
    return legible_lines(shown) if type(shown) is str else shown


_templates = Environment(
    loader=PackageLoader("fleetcast.web"),
    autoescape=True,
    finalize=_legibly,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(slots=True)
class Attempts:
    """Sign-ins at a provider that have begun: each for the browser that has its id in a cookie, and used once."""

    clock: Clock
    _kept: OrderedDict[str, tuple[Attempt, str]] = field(default_factory=OrderedDict, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def keep(self, attempt: Attempt, then: str) -> str:
        """Keep one, and where its browser wanted to go; gives its id. Of too many, the oldest are forgotten."""
        name, now = token_urlsafe(32), self.clock.now()
        with self._lock:
            for old in [key for key, (one, _) in self._kept.items() if now - one.began_at > LONGEST_ATTEMPT]:
                del self._kept[old]
            self._kept[name] = attempt, then
            while len(self._kept) > _KEPT_AT_ONCE:
                self._kept.popitem(last=False)
        return name

    def take(self, name: str) -> tuple[Attempt, str] | None:
        """Take one out; None if there is none, or not any more."""
        with self._lock:
            return self._kept.pop(name, None)


class Pages:
    """What the pages of one site share. Threads may share it."""

    def __init__(self, door: SignInDoor, clock: Clock, *, secure: bool) -> None:
        self.door = door
        self.clock = clock
        self.secure = secure
        self.attempts = Attempts(clock)
        self.command_lines = CommandLines(clock)
        before = "__Host-" if secure else ""
        self.session_cookie = f"{before}fleetcast-session"
        self.attempt_cookie = f"{before}fleetcast-attempt"
        self.link_cookie = f"{before}fleetcast-link"

    @property
    def open_doors(self) -> frozenset[OpenDoor]:
        """What is answered before somebody has signed in."""
        doors = [("GET", SIGN_IN), ("POST", SIGN_IN), ("GET", LINK), ("POST", LINK), ("GET", STYLE)]
        doors += [("GET", ICON), ("POST", BEGIN_LOGIN), ("POST", ASK_LOGIN)]
        if self.door.provider is not None:
            doors += [("GET", OIDC), ("GET", CALLBACK)]
        return frozenset(OpenDoor(*door) for door in doors)

    def limits(self) -> Mapping[OpenDoor, RateLimit]:
        """How often each address may try."""
        tried = (
            ("POST", SIGN_IN),
            ("GET", OIDC),
            ("GET", CALLBACK),
            ("GET", LINK),
            ("POST", LINK),
            ("POST", LOGIN),
            ("POST", BEGIN_LOGIN),
        )
        limits = {OpenDoor(*door): RateLimit(30, timedelta(minutes=1)) for door in tried}
        # A command line asks every few seconds, and several may stand behind one address.
        return {**limits, OpenDoor("POST", ASK_LOGIN): RateLimit(300, timedelta(minutes=1))}

    def set_cookie(self, answer: Response, name: str, value: str, lasts: timedelta) -> None:
        """Give a browser something to keep that no script sees.

        `Lax`, not `Strict`: a strict one does not come along from a provider's page or a link in a message.
        """
        answer.set_cookie(
            name,
            value,
            max_age=max(0, int(lasts.total_seconds())),
            path="/",
            secure=self.secure,
            httponly=True,
            samesite="lax",
        )

    def drop_cookie(self, answer: Response, name: str) -> None:
        """Let a browser forget it."""
        answer.delete_cookie(name, path="/", secure=self.secure, httponly=True, samesite="lax")


def own_path(text: str) -> str:
    """Where to go next, if it is a page here; else the first page."""
    plain = text.isascii() and text.isprintable() and not set(text) & set(' \\"<>')
    try:
        parts = urlsplit(text)
    except ValueError:
        return HOME
    here = text.startswith("/") and not text.startswith("//") and not parts.scheme and not parts.netloc
    if not (plain and here) or len(text) > _LONGEST_NEXT or _is_of_api(parts.path) or parts.path == SIGN_IN:
        return HOME
    return text


def in_words(problem: Problem, asked: Asked) -> Page | None:
    """A problem as a page, for a browser that asked for one; who is not known is sent to sign in."""
    accepted = ",".join(asked.headers.get("accept", ()))
    if _is_of_api(asked.target) or "text/html" not in accepted:
        return None
    if problem.kind is problems.NO_IDENTITY:
        to = own_path(asked.target) if asked.method == "GET" else HOME
        query = "" if to == HOME else "?" + urlencode({"next": to})
        return Page(303, {"location": SIGN_IN + query}, b"")
    text = _templates.get_template("problem.html").render(problem=problem, signed_in=None)
    return Page(
        problem.kind.status, {"content-type": "text/html; charset=utf-8", **problem.headers}, text.encode()
    )


async def sent_form(request: Request) -> Mapping[str, Sequence[str]]:
    """The fields of a form.

    Raises:
        BadInput: It cannot be read.
    """
    try:
        return parse_qs((await request.body()).decode(), max_num_fields=100, strict_parsing=False)
    except ValueError as error:
        raise BadInput("the form cannot be read", fix="load the page anew") from error


Form = Annotated[Mapping[str, Sequence[str]], Depends(sent_form)]


def page(request: Request, template: str, status: int = 200, /, **shown: Any) -> Response:
    """A page, with who is signed in and what its forms carry."""
    try:
        caller = caller_of(request.scope)
    except Denied:
        who, csrf = None, ""
    else:
        who, csrf = caller.by.actor.name, caller.csrf or ""
    text = _templates.get_template(template).render(
        **shown, signed_in=who, csrf=csrf, csrf_field=CSRF_FIELD, moment=_moment
    )
    return Response(text, status, media_type="text/html")


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def to(path: str) -> Response:
    """Send a browser on to another page."""
    return Response(status_code=303, headers={"location": path})


def pages_of(request: Request) -> Pages:
    """What the pages of this site share."""
    pages: Pages = request.app.state.pages
    return pages


def books_of(request: Request) -> OpenBooks:
    """Requests, people and tokens, in the name of whoever asks."""
    service: Service = request.app.state.service
    return service.books(caller_of(request.scope).by)


def cookie_of(request: Request, name: str) -> str:
    """What a browser keeps under this name; empty if it keeps nothing, or two things."""
    found = cookies(request.headers.getlist("cookie"), name)
    return found[0] if len(found) == 1 else ""


def origin_of(request: Request) -> str:
    """Under which of its addresses the server was asked; the guard knows the host."""
    return f"{request.url.scheme}://{request.headers['host']}"


def address_of(request: Request) -> str:
    """From which address they ask."""
    return request.client.host if request.client else ""


def one_of(form: Mapping[str, Sequence[str]], name: str) -> str:
    """What a field of a form holds; empty where it was not sent.

    Raises:
        BadInput: It was sent twice.
    """
    sent = form.get(name, ())
    if len(sent) > 1:
        raise BadInput(f"{name} was sent twice", fix="load the page anew")
    return sent[0] if sent else ""


def number_of(form: Mapping[str, Sequence[str]], name: str) -> int:
    """The number that a field of a form holds.

    Raises:
        BadInput: It holds none.
    """
    text = one_of(form, name)
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and 0 < int(text) <= GREATEST_NUMBER):
        raise BadInput(f"{name} is no number", fix="load the page anew")
    return int(text)


def _is_of_api(path: str) -> bool:
    return path == "/api" or path.startswith("/api/")
