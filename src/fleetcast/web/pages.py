"""Pages for people, without scripts: signing in, one's account and tokens, and deciding on what waits.

Each form goes to an address of its own without parameters, which the guard knows as one that takes forms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from importlib.resources import files
from math import ceil
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request, Response

from fleetcast.domain.approval import Choice, RequestState, WantedRequests
from fleetcast.domain.audit import Means
from fleetcast.domain.duration import parse_duration
from fleetcast.domain.errors import BadInput, FleetcastError, Unavailable
from fleetcast.domain.link import LINK_PREFIX, LinkPurpose
from fleetcast.domain.people import Denied
from fleetcast.domain.role import Right
from fleetcast.domain.shown import SignInRefused, left_out
from fleetcast.domain.token import TokenState
from fleetcast.ports.identity_provider import LONGEST_ATTEMPT
from fleetcast.stored.form import Unreadable
from fleetcast.views.approvals import behind_in_words
from fleetcast.views.evidence import facts_in_words, says
from fleetcast.views.people import granted
from fleetcast.web.bodies import GREATEST_NUMBER
from fleetcast.web.guard import caller_of
from fleetcast.web.problems import Missing, problem_of
from fleetcast.web.showing import (
    CALLBACK,
    HOME,
    ICON,
    LINK,
    OIDC,
    SIGN_IN,
    STYLE,
    Form,
    address_of,
    books_of,
    cookie_of,
    number_of,
    one_of,
    origin_of,
    own_path,
    page,
    pages_of,
    to,
)
from fleetcast.workflows.browse import Stretch
from fleetcast.workflows.links import LinkSaysNothing
from fleetcast.workflows.sign_in import NewSession, NotSignedIn, TooManyAttempts

if TYPE_CHECKING:
    from fleetcast.domain.approval import Request as Waiting

_LINK_KEPT = timedelta(minutes=15)
_PER_PAGE = 100
page_routes = APIRouter(include_in_schema=False)


@page_routes.get(STYLE)
def style() -> Response:
    """How pages look."""
    return Response((files("fleetcast.web") / "style.css").read_bytes(), media_type="text/css")


@page_routes.get(ICON)
def icon() -> Response:
    """What a browser shows beside the title."""
    return Response((files("fleetcast.web") / "icon.svg").read_bytes(), media_type="image/svg+xml")


@page_routes.get("/")
def first_page() -> Response:
    """Lead to what waits."""
    return to(HOME)


@page_routes.get(SIGN_IN)
def show_sign_in(request: Request, then: Annotated[str, Query(alias="next")] = "") -> Response:
    """The page to sign in at."""
    return _sign_in_page(request, own_path(then))


@page_routes.post(SIGN_IN)
def sign_in(request: Request, form: Form) -> Response:
    """Sign in with a name and a password."""
    then, name = own_path(one_of(form, "next")), one_of(form, "name")
    try:
        began = pages_of(request).door.signing_in(name, _password(form), address_of(request))
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
    pages = pages_of(request)
    if pages.door.provider is None:
        raise Missing("this fleet has no identity provider", fix="sign in with a name and a password")
    try:
        attempt = pages.door.provider.begin(f"{origin_of(request)}{CALLBACK}")
    except (Unavailable, BadInput, SignInRefused) as error:
        return _sign_in_page(request, own_path(then), 503, error=error)
    answer = to(attempt.url)
    pages.set_cookie(
        answer, pages.attempt_cookie, pages.attempts.keep(attempt, own_path(then)), LONGEST_ATTEMPT
    )
    return answer


@page_routes.get(CALLBACK)
def end_oidc(request: Request) -> Response:
    """Take what a browser brings back from the provider."""
    pages = pages_of(request)
    provider = pages.door.provider
    kept = pages.attempts.take(cookie_of(request, pages.attempt_cookie))
    if kept is None or provider is None:
        answer = _sign_in_page(
            request, HOME, 403, error=SignInRefused("this sign-in is over, or began elsewhere", fix="sign in")
        )
    else:
        attempt, then = kept
        try:
            shown = provider.finish(attempt, dict(request.query_params))
            answer = _begun(request, pages.door.signing_in_by(shown, address_of(request)), then)
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
    pages = pages_of(request)
    if secret:
        answer = to(LINK)
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
    pages = pages_of(request)
    secret = cookie_of(request, pages.link_cookie)
    try:
        person = pages.door.using_link(secret, _new_password(form), one_of(form, "name"))
    except LinkSaysNothing:
        return _link_page(request)
    except BadInput as error:
        return _link_page(request, error, one_of(form, "name"))
    answer = _sign_in_page(request, HOME, name=person.name, notice="Your password is set. Sign in with it.")
    pages.drop_cookie(answer, pages.link_cookie)
    return answer


@page_routes.post("/sign-out")
def sign_out(request: Request) -> Response:
    """End the session."""
    pages = pages_of(request)
    pages.door.signing_out(cookie_of(request, pages.session_cookie))
    answer = to(SIGN_IN)
    pages.drop_cookie(answer, pages.session_cookie)
    return answer


@page_routes.get("/account")
def show_account(request: Request) -> Response:
    """Who one is here."""
    return _account_page(request)


@page_routes.post("/account/password")
def change_password(request: Request, form: Form) -> Response:
    """Choose another password; all sessions end."""
    pages, actor = pages_of(request), caller_of(request.scope).by.actor
    try:
        pages.door.changing_password_of(actor)(one_of(form, "old"), _new_password(form), address_of(request))
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
        made = books_of(request).tokens.create(
            one_of(form, "purpose").strip(), parse_duration(one_of(form, "expires")), only=only
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
    books_of(request).tokens.revoke(number_of(form, "token"))
    return to("/tokens")


@page_routes.get(HOME)
def show_waiting(
    request: Request, after: Annotated[int | None, Query(ge=1, le=GREATEST_NUMBER)] = None
) -> Response:
    """What waits for a decision."""
    wanted = WantedRequests((RequestState.PENDING,))
    found = books_of(request).browsing.requests(wanted, Stretch(_PER_PAGE, after))
    return page(request, "approvals.html", waiting=found.items, next=found.next)


@page_routes.get("/approvals/{request_id}")
def show_request(request: Request, request_id: Annotated[int, Path(ge=1, le=GREATEST_NUMBER)]) -> Response:
    """One request with its evidence, and the form to decide on it."""
    return _request_page(request, request_id)


@page_routes.post("/decisions")
def decide(request: Request, form: Form) -> Response:
    """Decide on what was shown: approve, reject, hand one's vote on, or break glass."""
    number, choice = number_of(form, "request_id"), _choice(form)
    digest = one_of(form, "subject_digest")
    if not digest:
        raise BadInput("what was shown is not named", fix="load the page anew")
    comment = one_of(form, "comment")
    try:
        deciding = books_of(request).deciding
        if choice is Choice.HAND_ON:
            deciding.hand_on(number, one_of(form, "to"), comment, {number: digest})
        else:
            if choice is Choice.BREAK_GLASS and one_of(form, "sure") != "yes":
                raise BadInput("breaking glass asks for a second look", fix="tick that you are sure")
            deciding([number], choice, comment, displayed={number: digest})
    except Unreadable:
        raise
    except FleetcastError as error:
        problem = problem_of(error)
        if problem.kind.status >= 500:
            raise
        with suppress(Missing):
            return _request_page(request, number, error, problem.kind.status, comment)
        raise
    return to(f"/approvals/{number}")


def _begun(request: Request, began: NewSession, then: str) -> Response:
    """Go on in a session that just began; one that this browser had before ends."""
    pages = pages_of(request)
    pages.door.signing_out(cookie_of(request, pages.session_cookie))
    answer = to(then)
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
    door = pages_of(request).door
    oidc = f"{OIDC}?{urlencode({'next': then})}" if door.provider is not None else ""
    return page(
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
    pages = pages_of(request)
    try:
        found = pages.door.using_link.look(cookie_of(request, pages.link_cookie))
    except LinkSaysNothing as gone:
        answer = page(request, "link.html", 410, found=None, error=gone, first=False, name="")
        pages.drop_cookie(answer, pages.link_cookie)
        return answer
    first = found.purpose is LinkPurpose.FIRST_ADMIN
    status = 200 if error is None else 422
    return page(request, "link.html", status, found=found, error=error, first=first, name=name or found.name)


def _account_page(request: Request, error: FleetcastError | None = None, status: int = 200) -> Response:
    control = books_of(request).control
    directory = control.people.directory()
    actor = control.actor
    person = directory.person(actor.person)
    return page(
        request,
        "account.html",
        status,
        actor=actor,
        roles=[] if person is None else list(map(str, granted(directory, person))),
        left_out=left_out("groups") if caller_of(request.scope).groups_left_out else None,
        by_password=actor.proof is not None and actor.proof.means is Means.PASSWORD,
        error=error,
    )


def _tokens_page(
    request: Request, error: FleetcastError | None = None, status: int = 200, made: str = ""
) -> Response:
    books = books_of(request)
    own, now = books.control.actor.person, books.clock.now()
    listed = [token for token in books.tokens.listed() if token.person == own]
    return page(
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
    books = books_of(request)
    try:
        found: Waiting = books.requests.find(number)
    except Unreadable:
        raise
    except BadInput as missing:
        raise Missing(str(missing), fix="see what waits") from missing
    return page(
        request,
        "request.html",
        status,
        found=found,
        others=books.deciding.open_choices(found),
        checks=[(check.name, check.verdict.value, says(check)) for check in found.evidence.checks],
        facts=facts_in_words(found.evidence),
        behind=list(behind_in_words(found)),
        waits=found.state is RequestState.PENDING,
        error=error,
        comment=comment,
    )


def _choice(form: Mapping[str, Sequence[str]]) -> Choice:
    try:
        return Choice(one_of(form, "choice"))
    except ValueError:
        raise BadInput("there is no such decision", fix="load the page anew") from None


def _password(form: Mapping[str, Sequence[str]]) -> str:
    typed = one_of(form, "password")
    if not typed or not one_of(form, "name"):
        raise BadInput("name or password is missing", fix="type both")
    return typed


def _new_password(form: Mapping[str, Sequence[str]]) -> str:
    typed = one_of(form, "password")
    if typed != one_of(form, "again"):
        raise BadInput("the two passwords are not the same", fix="type it twice alike")
    return typed
