"""Pages for people, without scripts: signing in, one's account and tokens, and deciding on what waits.

Each form goes to an address of its own without parameters, which the guard knows as one that takes forms.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.resources import files
from math import ceil
from secrets import token_urlsafe
from threading import Lock
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from fleetcast.domain.approval import Choice, RequestState, WantedRequests
from fleetcast.domain.audit import Means
from fleetcast.domain.duration import parse_duration
from fleetcast.domain.errors import BadInput, FleetcastError, Unavailable
from fleetcast.domain.link import LINK_PREFIX, LinkPurpose
from fleetcast.domain.people import Denied
from fleetcast.domain.role import Right
from fleetcast.domain.shown import SignInRefused
from fleetcast.domain.token import TokenState
from fleetcast.ports.identity_provider import LONGEST_ATTEMPT, Attempt
from fleetcast.stored.form import Unreadable
from fleetcast.views.evidence import facts_in_words, says
from fleetcast.views.people import granted
from fleetcast.web import problems
from fleetcast.web.bodies import GREATEST_NUMBER
from fleetcast.web.guard import CSRF_FIELD, Asked, OpenDoor, Page, caller_of, cookies
from fleetcast.web.limits import RateLimit
from fleetcast.web.problems import Missing, Problem, problem_of
from fleetcast.workflows.browse import Stretch
from fleetcast.workflows.links import LinkSaysNothing
from fleetcast.workflows.sign_in import NewSession, NotSignedIn, TooManyAttempts

if TYPE_CHECKING:
    from fleetcast.app import OpenBooks, Service, SignInDoor
    from fleetcast.domain.approval import Request as Waiting
    from fleetcast.ports.clock import Clock

SIGN_IN, OIDC, CALLBACK, LINK, STYLE = (
    "/sign-in",
    "/sign-in/oidc",
    "/sign-in/oidc/callback",
    "/link",
    "/style.css",
)
HOME = "/approvals"
FORMS = frozenset(
    {SIGN_IN, LINK, "/sign-out", "/account/password", "/tokens", "/tokens/revoke", "/decisions"}
)
"""Addresses that take the forms of these pages."""
_KEPT_AT_ONCE = 1_000
_LINK_KEPT = timedelta(minutes=15)
_PER_PAGE = 50
_LONGEST_NEXT = 500
_templates = Environment(
    loader=PackageLoader("fleetcast.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
page_routes = APIRouter(include_in_schema=False)


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
        before = "__Host-" if secure else ""
        self.session_cookie = f"{before}fleetcast-session"
        self.attempt_cookie = f"{before}fleetcast-attempt"
        self.link_cookie = f"{before}fleetcast-link"

    @property
    def open_doors(self) -> frozenset[OpenDoor]:
        """What is answered before somebody has signed in."""
        doors = [("GET", SIGN_IN), ("POST", SIGN_IN), ("GET", LINK), ("POST", LINK), ("GET", STYLE)]
        if self.door.provider is not None:
            doors += [("GET", OIDC), ("GET", CALLBACK)]
        return frozenset(OpenDoor(*door) for door in doors)

    def limits(self) -> Mapping[OpenDoor, RateLimit]:
        """How often each address may try."""
        tried = (("POST", SIGN_IN), ("GET", OIDC), ("GET", CALLBACK), ("GET", LINK), ("POST", LINK))
        return {OpenDoor(*door): RateLimit(30, timedelta(minutes=1)) for door in tried}

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


@page_routes.get(STYLE)
def style() -> Response:
    """How pages look."""
    return Response((files("fleetcast.web") / "style.css").read_bytes(), media_type="text/css")


@page_routes.get("/")
def first_page() -> Response:
    """Lead to what waits."""
    return _to(HOME)


@page_routes.get(SIGN_IN)
def show_sign_in(request: Request, then: Annotated[str, Query(alias="next")] = "") -> Response:
    """The page to sign in at."""
    return _sign_in_page(request, own_path(then))


@page_routes.post(SIGN_IN)
def sign_in(request: Request, form: Form) -> Response:
    """Sign in with a name and a password."""
    then, name = own_path(_one(form, "next")), _one(form, "name")
    try:
        began = _pages(request).door.signing_in(name, _password(form), _address(request))
    except TooManyAttempts as error:
        answer = _sign_in_page(request, then, 429, error=error, name=name)
        answer.headers["retry-after"] = str(max(1, ceil(error.wait.total_seconds())))
        return answer
    except NotSignedIn as error:
        return _sign_in_page(request, then, 401, error=error, name=name)
    except BadInput as error:
        return _sign_in_page(request, then, 422, error=error, name=name)
    return _begun(request, began, then)


@page_routes.get(OIDC)
def begin_oidc(request: Request, then: Annotated[str, Query(alias="next")] = "") -> Response:
    """Send a browser to the provider: a link, as the policy for forms lets none lead to another site."""
    pages = _pages(request)
    if pages.door.provider is None:
        raise Missing("this fleet has no identity provider", fix="sign in with a name and a password")
    try:
        attempt = pages.door.provider.begin(f"{_origin(request)}{CALLBACK}")
    except (Unavailable, BadInput, SignInRefused) as error:
        return _sign_in_page(request, own_path(then), 503, error=error)
    answer = _to(attempt.url)
    pages.set_cookie(
        answer, pages.attempt_cookie, pages.attempts.keep(attempt, own_path(then)), LONGEST_ATTEMPT
    )
    return answer


@page_routes.get(CALLBACK)
def end_oidc(request: Request) -> Response:
    """Take what a browser brings back from the provider."""
    pages = _pages(request)
    provider = pages.door.provider
    kept = pages.attempts.take(_cookie(request, pages.attempt_cookie))
    if kept is None or provider is None:
        answer = _sign_in_page(
            request, HOME, 403, error=SignInRefused("this sign-in is over, or began elsewhere", fix="sign in")
        )
    else:
        attempt, then = kept
        try:
            shown = provider.finish(attempt, dict(request.query_params))
            answer = _begun(request, pages.door.signing_in_by(shown.proof, _address(request)), then)
        except NotSignedIn as error:
            answer = _sign_in_page(request, then, 401, error=error, identity=shown.proof.detail)
        except SignInRefused as error:
            answer = _sign_in_page(request, then, 403, error=error)
        except (Unavailable, BadInput) as error:
            answer = _sign_in_page(request, then, 503, error=error)
    pages.drop_cookie(answer, pages.attempt_cookie)
    return answer


@page_routes.get(LINK)
def show_link(request: Request, secret: str = "") -> Response:
    """What a one-time link is for. Its secret leaves the address at once, so that no history or log keeps it."""
    pages = _pages(request)
    if secret:
        answer = _to(LINK)
        if (
            len(secret) < 200
            and secret.startswith(f"{LINK_PREFIX}_")
            and secret.replace("-", "_").isidentifier()
        ):
            pages.set_cookie(answer, pages.link_cookie, secret, _LINK_KEPT)
        return answer
    return _link_page(request)


@page_routes.post(LINK)
def use_link(request: Request, form: Form) -> Response:
    """Set a password by a one-time link."""
    pages = _pages(request)
    secret = _cookie(request, pages.link_cookie)
    try:
        person = pages.door.using_link(secret, _new_password(form), _one(form, "name"))
    except LinkSaysNothing:
        return _link_page(request)
    except BadInput as error:
        return _link_page(request, error, _one(form, "name"))
    answer = _sign_in_page(request, HOME, name=person.name, notice="Your password is set. Sign in with it.")
    pages.drop_cookie(answer, pages.link_cookie)
    return answer


@page_routes.post("/sign-out")
def sign_out(request: Request) -> Response:
    """End the session."""
    pages = _pages(request)
    pages.door.signing_out(_cookie(request, pages.session_cookie))
    answer = _to(SIGN_IN)
    pages.drop_cookie(answer, pages.session_cookie)
    return answer


@page_routes.get("/account")
def show_account(request: Request) -> Response:
    """Who one is here."""
    return _account_page(request)


@page_routes.post("/account/password")
def change_password(request: Request, form: Form) -> Response:
    """Choose another password; all sessions end."""
    pages, actor = _pages(request), caller_of(request.scope).by.actor
    try:
        pages.door.changing_password_of(actor)(_one(form, "old"), _new_password(form), _address(request))
    except (BadInput, Denied) as error:
        wrong = error
        if isinstance(error, NotSignedIn):
            wrong = BadInput("the present password is another one", fix="type it again")
        status = 429 if isinstance(error, TooManyAttempts) else problem_of(wrong).kind.status
        return _account_page(request, wrong, status)
    answer = _sign_in_page(
        request,
        HOME,
        name=actor.name,
        notice="Your password is another one now, and every session has ended.",
    )
    pages.drop_cookie(answer, pages.session_cookie)
    return answer


@page_routes.get("/tokens")
def show_tokens(request: Request) -> Response:
    """One's own tokens."""
    return _tokens_page(request)


@page_routes.post("/tokens")
def create_token(request: Request, form: Form) -> Response:
    """Make a token, and show it this once."""
    try:
        only = [Right(each) for each in form.get("only", ())]
        made = _books(request).tokens.create(
            _one(form, "purpose").strip(), parse_duration(_one(form, "expires")), only=only
        )
    except ValueError as error:
        wrong = error if isinstance(error, BadInput) else BadInput("there is no such right", fix="tick some")
        return _tokens_page(request, wrong, 422)
    except BadInput as error:
        return _tokens_page(request, error, 422)
    return _tokens_page(request, made=made.text)


@page_routes.post("/tokens/revoke")
def revoke_token(request: Request, form: Form) -> Response:
    """End a token."""
    _books(request).tokens.revoke(_number(form, "token"))
    return _to("/tokens")


@page_routes.get(HOME)
def show_waiting(
    request: Request, after: Annotated[int | None, Query(ge=1, le=GREATEST_NUMBER)] = None
) -> Response:
    """What waits for a decision."""
    wanted = WantedRequests((RequestState.PENDING,))
    page = _books(request).browsing.requests(wanted, Stretch(_PER_PAGE, after))
    return _page(request, "approvals.html", waiting=page.items, next=page.next)


@page_routes.get("/approvals/{request_id}")
def show_request(request: Request, request_id: Annotated[int, Path(ge=1, le=GREATEST_NUMBER)]) -> Response:
    """One request with its evidence, and the form to decide on it."""
    return _request_page(request, request_id)


@page_routes.post("/decisions")
def decide(request: Request, form: Form) -> Response:
    """Approve or reject what was shown."""
    number, choice = _number(form, "request_id"), _one(form, "choice")
    if choice not in (Choice.APPROVE, Choice.REJECT):
        raise BadInput("a decision is to approve or to reject", fix="load the page anew")
    digest = _one(form, "subject_digest")
    if not digest:
        raise BadInput("what was shown is not named", fix="load the page anew")
    comment = _one(form, "comment")
    try:
        _books(request).deciding([number], Choice(choice), comment, displayed={number: digest})
    except Unreadable:
        raise
    except FleetcastError as error:
        problem = problem_of(error)
        if problem.kind.status >= 500:
            raise
        with suppress(Missing):
            return _request_page(request, number, error, problem.kind.status, comment)
        raise
    return _to(f"/approvals/{number}")


def _begun(request: Request, began: NewSession, then: str) -> Response:
    """Go on in a session that just began; one that this browser had before ends."""
    pages = _pages(request)
    pages.door.signing_out(_cookie(request, pages.session_cookie))
    answer = _to(then)
    lasts = began.session.expires_at - pages.clock.now()
    pages.set_cookie(answer, pages.session_cookie, began.secret, lasts)
    return answer


def _sign_in_page(
    request: Request,
    then: str,
    status: int = 200,
    *,
    error: FleetcastError | None = None,
    name: str = "",
    notice: str = "",
    identity: str = "",
) -> Response:
    door = _pages(request).door
    oidc = f"{OIDC}?{urlencode({'next': then})}" if door.provider is not None else ""
    return _page(
        request,
        "sign_in.html",
        status,
        then=then,
        error=error,
        name=name,
        notice=notice,
        identity=identity,
        oidc=oidc,
        provider=door.provider_name,
    )


def _link_page(request: Request, error: FleetcastError | None = None, name: str = "") -> Response:
    pages = _pages(request)
    try:
        found = pages.door.using_link.look(_cookie(request, pages.link_cookie))
    except LinkSaysNothing as gone:
        answer = _page(request, "link.html", 410, found=None, error=gone, first=False, name="")
        pages.drop_cookie(answer, pages.link_cookie)
        return answer
    first = found.purpose is LinkPurpose.FIRST_ADMIN
    status = 200 if error is None else 422
    return _page(request, "link.html", status, found=found, error=error, first=first, name=name or found.name)


def _account_page(request: Request, error: FleetcastError | None = None, status: int = 200) -> Response:
    control = _books(request).control
    directory = control.people.directory()
    actor = control.actor
    person = directory.person(actor.person)
    return _page(
        request,
        "account.html",
        status,
        actor=actor,
        roles=[] if person is None else list(map(str, granted(directory, person))),
        by_password=actor.proof is not None and actor.proof.means is Means.PASSWORD,
        error=error,
    )


def _tokens_page(
    request: Request, error: FleetcastError | None = None, status: int = 200, made: str = ""
) -> Response:
    books = _books(request)
    own, now = books.control.actor.person, books.clock.now()
    listed = [token for token in books.tokens.listed() if token.person == own]
    return _page(
        request,
        "tokens.html",
        status,
        tokens=[(token, token.state(now), token.state(now) is TokenState.VALID) for token in listed],
        rights=[right.value for right in Right],
        made=made,
        error=error,
    )


def _request_page(
    request: Request,
    number: int,
    error: FleetcastError | None = None,
    status: int = 200,
    comment: str = "",
) -> Response:
    books = _books(request)
    try:
        found: Waiting = books.approvals.find(number).as_of(books.clock.now())
    except Unreadable:
        raise
    except BadInput as missing:
        raise Missing(str(missing), fix="see what waits") from missing
    return _page(
        request,
        "request.html",
        status,
        found=found,
        checks=[(check.name, check.verdict.value, says(check)) for check in found.evidence.checks],
        facts=facts_in_words(found.evidence),
        waits=found.state is RequestState.PENDING,
        error=error,
        comment=comment,
    )


def _page(request: Request, template: str, status: int = 200, /, **shown: Any) -> Response:
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


def _to(path: str) -> Response:
    return Response(status_code=303, headers={"location": path})


def _pages(request: Request) -> Pages:
    pages: Pages = request.app.state.pages
    return pages


def _books(request: Request) -> OpenBooks:
    service: Service = request.app.state.service
    return service.books(caller_of(request.scope).by)


def _cookie(request: Request, name: str) -> str:
    """What a browser keeps under this name; empty if it keeps nothing, or two things."""
    found = cookies(request.headers.getlist("cookie"), name)
    return found[0] if len(found) == 1 else ""


def _origin(request: Request) -> str:
    """Under which of its addresses the server was asked; the guard knows the host."""
    return f"{request.url.scheme}://{request.headers['host']}"


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _one(form: Mapping[str, Sequence[str]], name: str) -> str:
    sent = form.get(name, ())
    if len(sent) > 1:
        raise BadInput(f"{name} was sent twice", fix="load the page anew")
    return sent[0] if sent else ""


def _password(form: Mapping[str, Sequence[str]]) -> str:
    typed = _one(form, "password")
    if not typed or not _one(form, "name"):
        raise BadInput("name or password is missing", fix="type both")
    return typed


def _new_password(form: Mapping[str, Sequence[str]]) -> str:
    typed = _one(form, "password")
    if typed != _one(form, "again"):
        raise BadInput("the two passwords are not the same", fix="type it twice alike")
    return typed


def _number(form: Mapping[str, Sequence[str]], name: str) -> int:
    text = _one(form, name)
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and 0 < int(text) <= GREATEST_NUMBER):
        raise BadInput(f"{name} is no number", fix="load the page anew")
    return int(text)


def _is_of_api(path: str) -> bool:
    return path == "/api" or path.startswith("/api/")
