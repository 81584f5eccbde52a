"""The outermost layer: nothing behind it is reached without an identity, but for what is listed as open.

It looks at the raw request, before any route is known, so that no route, mount, verb or spelling of a path can be
forgotten. What somebody may do is asked by workflows; here it is only asked who they are, and whether they mean it.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import re
import time
import traceback
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address
from math import ceil
from secrets import token_hex
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from anyio.to_thread import run_sync

from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.people import Denied
from fleetcast.ports.clock import Clock
from fleetcast.web import problems
from fleetcast.web.limits import RateLimit
from fleetcast.web.problems import Problem
from fleetcast.workflows.sign_in import BySession
from fleetcast.workflows.tokens import ByToken

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Network = IPv4Network | IPv6Network
Headers = Mapping[str, Sequence[str]]
"""By their names in lower case; each as often as it was sent."""

LARGEST_BODY = 64 * 1024
"""Bytes."""
ARRIVES_WITHIN = timedelta(seconds=10)
"""How long a body may take."""
CSRF_HEADER, CSRF_FIELD = "x-csrf-token", "csrf_token"
"""Where a page says that it is ours; a form without scripts has the field."""
CALLER = "fleetcast.caller"
"""Where the scope names who asks."""
ROUTE_LOGGED = "fleetcast.route"
"""Where the scope names the route, once it is known."""
_SAFE = frozenset({"GET", "HEAD"})
_JSON, _FORM = "application/json", "application/x-www-form-urlencoded"
_ODD_PATH = re.compile(
    rb"//|/$|/\.{1,2}(/|$)|%([01][0-9a-f]|2[05ef]|5c|7f)|[\\\x00-\x20\x7f-\xff;]", re.IGNORECASE
)
"""Spellings that another server may read as another path."""
_PASSED_ON = frozenset(
    {
        "accept", "accept-language", "authorization", "content-length", "content-type", "cookie", "host",
        "idempotency-key", "origin", "user-agent", CSRF_HEADER,
    }
)  # fmt: skip
"""Headers that mean something here. What else comes, such as people or hosts that a proxy names, ends here."""
_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        # Stricter ones make browsers send the forms of our own pages with `Origin: null`.
        "referrer-policy": "same-origin",
        "cache-control": "no-store",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=()",
    }
)
_log = logging.getLogger("fleetcast.web")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and by what they showed it."""

    by: ByToken
    csrf: str | None = None
    """What pages of this session carry, where a browser shows the identity by itself; None: it was shown on purpose."""
    groups_left_out: bool = False
    """Whether the identity provider left out groups that roles depend on when this session began."""

    @property
    def ambient(self) -> bool:
        """Whether the identity came with the request without anybody's doing, as cookies do."""
        return self.csrf is not None


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page needs to know of a request that is refused."""

    method: str
    target: str
    """Path and query as they were sent."""
    headers: Headers


@dataclass(frozen=True, slots=True)
class Page:
    """What a person is shown, or where a browser is sent, in place of problem details."""

    status: int
    headers: Mapping[str, str]
    body: bytes


Words = Callable[[Problem, Asked], Page | None]
"""Says a problem to a person; None: who asks is a program."""
Recogniser = Callable[[Headers], Caller | None]
"""Finds out who asks; None: by this means nobody. May block, and may raise `Denied`: what was shown says nothing."""


@dataclass(frozen=True, slots=True)
class OpenDoor:
    """One request that is answered to whoever asks."""

    method: str
    path: str


@dataclass(frozen=True, slots=True)
class Doors:
    """Who is let in where."""

    hosts: frozenset[str]
    """What callers may call this server: `fleet.example.org`, `127.0.0.1:8484`."""
    origins: frozenset[str]
    """Sites whose pages may send requests: `https://fleet.example.org`."""
    recognisers: tuple[Recogniser, ...]
    """Asked in turn; the first that knows somebody is believed."""
    open: frozenset[OpenDoor] = frozenset()
    """Everything else asks for an identity."""
    forms: frozenset[str] = frozenset()
    """Paths that take the forms of pages; all others take JSON."""
    limits: Mapping[OpenDoor, RateLimit] = field(default_factory=dict)
    """Doors at which attempts are counted by address, before anything is read."""
    proxies: tuple[Network, ...] = ()
    """Addresses of proxies that are believed about whose request they pass on, and about nothing else."""
    secure: bool = False
    """Whether callers come by https."""
    words: Words = lambda _problem, _asked: None
    """Asked first how a refusal is said."""


def same_site(public_url: str) -> tuple[str, str]:
    """The host and the origin of the address under which a server is reached.

    Raises:
        BadInput: It is no address of a site.
    """
    parts = urlsplit(public_url)
    plain = parts.scheme in ("http", "https") and parts.hostname and not parts.query and not parts.fragment
    if not plain or parts.path not in ("", "/") or "@" in parts.netloc:
        raise BadInput(
            f"{public_url!r} is not the address of a site", fix="write it as https://fleet.example.org"
        )
    host = parts.netloc.lower()
    return host, f"{parts.scheme}://{host}"


class _Refused(Exception):
    """The request ends here."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.kind.name)
        self.problem = problem


class Guard:
    """Lets requests through to an application that nobody else can reach."""

    def __init__(self, app: App, doors: Doors, clock: Clock) -> None:
        self._app = app
        self._doors = doors
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI has it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": ""})
        elif scope["type"] == "http":
            await self._request(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = _Answer(send, lambda problem: self._doors.words(problem, _asked(scope)), self._doors.secure)
        begun = time.perf_counter()
        address = self._address(scope)
        try:
            await self._checked(scope, receive, answer, address)
        except _Refused as refused:
            await answer.problem(refused.problem)
        except Exception as error:  # noqa: BLE001  # the last one who can answer; nothing of it reaches the caller
            _log.error("request %s broke: %s\n%s", answer.id, type(error).__name__, _frames(error))
            await answer.problem(
                Problem(problems.BROKEN, f"request {answer.id} broke", "tell whoever runs this server")
            )
        _log.info("%s", _line(scope, answer, address, time.perf_counter() - begun))

    async def _checked(self, scope: Scope, receive: Receive, answer: _Answer, address: str) -> None:
        headers = _headers(scope)
        method, path = str(scope["method"]), bytes(scope.get("raw_path") or scope["path"].encode())
        self._check_host(headers)
        self._check_origin(headers, method)
        door = OpenDoor(method, path.decode("latin-1"))
        self._check_rate(door, address)
        caller = None
        if door not in self._doors.open:
            caller = await self._caller(headers)
        if _ODD_PATH.search(path) and path != b"/":
            raise _Refused(
                Problem(problems.NOT_FOUND, "the path is spelt in an odd way", "write it as documented")
            )
        body = await _body(headers, receive)
        self._check_type(headers, door.path, body)
        if caller is not None and caller.ambient and method not in _SAFE:
            _check_csrf(caller, headers, body)
        elif caller is None and method not in _SAFE and door.path in self._doors.forms:
            _check_own_page(headers)
        inner = {
            **scope,
            "headers": [
                (name, value)
                for name, value in scope["headers"]
                if name.decode("latin-1").lower() in _PASSED_ON
            ],
            "scheme": "https" if self._doors.secure else "http",
            "client": (address, 0),
            "root_path": "",
            CALLER: caller,
        }
        try:
            await self._app(inner, _replayed(body, receive), answer)
        finally:
            scope[ROUTE_LOGGED] = getattr(inner.get("route"), "path", None)
            scope[CALLER] = caller

    def _address(self, scope: Scope) -> str:
        """Whose request it is: of a believed proxy, the last one it names that is no such proxy itself."""
        client = scope.get("client")
        address = str(client[0]) if client else ""
        if not self._believed(address):
            return address
        named = ",".join(_headers(scope).get("x-forwarded-for", ()))
        for text in reversed([part.strip() for part in named.split(",") if part.strip()]):
            if not _is_address(text):
                break
            address = text
            if not self._believed(text):
                break
        return address

    def _believed(self, address: str) -> bool:
        return _is_address(address) and any(ip_address(address) in each for each in self._doors.proxies)

    def _check_host(self, headers: Headers) -> None:
        hosts = [host.lower() for host in headers.get("host", ())]
        if len(hosts) != 1 or hosts[0] not in self._doors.hosts:
            raise _Refused(
                Problem(
                    problems.OTHER_HOST,
                    "this server does not go by the name that the request gives",
                    "use its public address, or tell the server with --public-url what that is",
                )
            )

    def _check_origin(self, headers: Headers, method: str) -> None:
        origins = headers.get("origin", ())
        foreign = any(origin.lower() not in self._doors.origins for origin in origins)
        # A link in a message leads here from another site too, and changes nothing.
        elsewhere = method not in _SAFE and "cross-site" in headers.get("sec-fetch-site", ())
        if foreign or elsewhere or len(origins) > 1:
            raise _Refused(
                Problem(
                    problems.FOREIGN_ORIGIN,
                    "a page of another site sent this request",
                    "send it from a page of this server, or without a browser",
                )
            )

    def _check_rate(self, door: OpenDoor, address: str) -> None:
        limit = self._doors.limits.get(door)
        wait = None if limit is None else limit.wait(address, self._clock.now())
        if wait is not None:
            seconds = str(max(1, ceil(wait.total_seconds())))
            raise _Refused(
                Problem(
                    problems.TOO_OFTEN,
                    "there were too many attempts from this address",
                    f"try again in {seconds} s",
                    headers={"retry-after": seconds},
                )
            )

    async def _caller(self, headers: Headers) -> Caller:
        try:
            for recogniser in self._doors.recognisers:
                caller = await run_sync(recogniser, headers)
                if caller is not None:
                    return caller
        except Denied:
            pass  # the same answer as to one who shows nothing
        except Unavailable as error:
            found = problems.problem_of(error)
            raise _Refused(
                replace(found, detail="the control database does not answer", fix="try again later")
            ) from error
        raise _Refused(
            Problem(
                problems.NO_IDENTITY,
                "this needs somebody who is known here",
                "send a token of yours: Authorization: Bearer fct_…",
                headers={"www-authenticate": "Bearer"},
            )
        )

    def _check_type(self, headers: Headers, path: str, body: bytes) -> None:
        types = headers.get("content-type", ())
        if not body and not types:
            return
        sent = types[0].partition(";")[0].strip().lower() if len(types) == 1 else ""
        wanted = _FORM if path in self._doors.forms else _JSON
        if sent != wanted or headers.get("content-encoding"):
            raise _Refused(
                Problem(problems.NOT_JSON, f"a body here is {wanted}", f"send Content-Type: {wanted}")
            )


def by_token(recognise: Callable[[str], ByToken]) -> Recogniser:
    """Recognise whoever shows a token in the header `Authorization`.

    Args:
        recognise: Looks a token up; raises `Denied` for one that says nothing.
    """

    def recogniser(headers: Headers) -> Caller | None:
        shown = headers.get("authorization", ())
        if not shown:
            return None
        scheme, _, token = shown[0].partition(" ")
        if len(shown) > 1 or scheme.lower() != "bearer":
            raise Denied("this is no token")
        return Caller(recognise(token))

    return recogniser


def by_session(recognise: Callable[[str], BySession], cookie: str) -> Recogniser:
    """Recognise whoever's browser keeps the secret of a session in a cookie.

    Args:
        recognise: Looks a session up; raises `Denied` for one that says nothing.
        cookie: Its name.
    """

    def recogniser(headers: Headers) -> Caller | None:
        shown = cookies(headers.get("cookie", ()), cookie)
        if not shown:
            return None
        if len(shown) > 1:
            raise Denied("two sessions at once are none")
        found = recognise(shown[0])
        return Caller(ByToken(found.actor), found.csrf, found.session.groups_left_out)

    return recogniser


def cookies(sent: Iterable[str], name: str) -> list[str]:
    """What a browser sends as the cookie of this name, as often as it does."""
    pairs = [pair.strip().partition("=") for header in sent for pair in header.split(";")]
    return [value for found, _, value in pairs if found == name]


def caller_of(scope: Mapping[str, Any]) -> Caller:
    """Who asks, behind the guard.

    Raises:
        Denied: Nobody: the door was open, and what stands behind it asks for somebody.
    """
    caller = scope.get(CALLER)
    if not isinstance(caller, Caller):
        raise Denied("nobody is known here", fix="sign in")
    return caller


class _Answer:
    """Sends what the application answers, with the headers that every answer has."""

    def __init__(self, send: Send, words: Callable[[Problem], Page | None], secure: bool) -> None:  # noqa: FBT001
        self._send = send
        self._words = words
        self._secure = secure
        self.id = token_hex(8)
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = int(message["status"])
            message = {**message, "headers": self._with_ours(message.get("headers", ()))}
        await self._send(message)

    async def problem(self, problem: Problem) -> None:
        """Answer with a problem, where nothing was answered yet."""
        if self.status:
            return
        said = self._words(problem) or Page(
            problem.kind.status, {"content-type": problems.MEDIA_TYPE, **problem.headers}, problem.body()
        )
        headers = {**said.headers, "content-length": str(len(said.body))}
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await self({"type": "http.response.start", "status": said.status, "headers": raw})
        await self({"type": "http.response.body", "body": said.body})

    def _with_ours(self, headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        ours = {**_HEADERS, "x-request-id": self.id}
        if self._secure:
            ours["strict-transport-security"] = "max-age=31536000"
        kept = [(name, value) for name, value in headers if name.decode("latin-1").lower() not in ours]
        return [*kept, *((name.encode(), value.encode()) for name, value in ours.items())]


async def _body(headers: Headers, receive: Receive) -> bytes:
    """The whole body, which is small or refused.

    Raises:
        _Refused: It is too large, or does not arrive in time.
    """
    too_large = _Refused(
        Problem(problems.TOO_LARGE, f"a body has at most {LARGEST_BODY:,} bytes", "send less at once")
    )
    said = headers.get("content-length", ("0",))[0]
    if said.isascii() and said.isdigit() and int(said[:20]) > LARGEST_BODY:
        raise too_large
    parts, size = [], 0
    try:
        async with asyncio.timeout(ARRIVES_WITHIN.total_seconds()):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    break
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > LARGEST_BODY:
                    raise too_large
                if not message.get("more_body", False):
                    break
    except TimeoutError as late:
        raise _Refused(
            Problem(problems.TOO_SLOW, "the body did not arrive in time", "send it again")
        ) from late
    return b"".join(parts)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Give the application the body that was read already, and then what comes after."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _check_csrf(caller: Caller, headers: Headers, body: bytes) -> None:
    """Make sure that a browser that shows an identity by itself was led to this request by a page of ours.

    Raises:
        _Refused: It names no origin, or does not carry what pages of this session carry.
    """
    shown = headers.get(CSRF_HEADER, ())
    if not shown and headers.get("content-type", ("",))[0].partition(";")[0].strip().lower() == _FORM:
        with suppress(ValueError):
            shown = parse_qs(body.decode("latin-1"), max_num_fields=100).get(CSRF_FIELD, ())
    wanted = caller.csrf.encode() if caller.csrf else b""
    fits = len(shown) == 1 and bool(wanted) and hmac.compare_digest(shown[0].encode(), wanted)
    if not fits or not headers.get("origin"):
        raise _Refused(
            Problem(problems.NO_CSRF_TOKEN, "no page of this session sent this request", "load the page anew")
        )


def _check_own_page(headers: Headers) -> None:
    """Make sure that a form that asks for no identity was sent by a page of ours.

    There is no session yet that a token could belong to. Every browser names the origin of a form it posts, no page can
    change that, and a foreign one was refused already; so it is enough that there is one.

    Raises:
        _Refused: It names no origin.
    """
    if not headers.get("origin"):
        raise _Refused(
            Problem(problems.NO_CSRF_TOKEN, "no page of this site sent this form", "load the page anew")
        )


def _asked(scope: Scope) -> Asked:
    path = bytes(scope.get("raw_path") or scope["path"].encode())
    query = bytes(scope.get("query_string") or b"")
    target = path + b"?" + query if query else path
    return Asked(str(scope["method"]), target.decode("latin-1"), _headers(scope))


def _headers(scope: Scope) -> Headers:
    found: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return found


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _line(scope: Scope, answer: _Answer, address: str, seconds: float) -> str:
    """One line of the log: the route as it is written in the code, and nothing that a caller wrote."""
    caller = scope.get(CALLER)
    who = caller.by.actor.person or "-" if isinstance(caller, Caller) else "-"
    method = scope["method"] if scope["method"].isalpha() and len(scope["method"]) <= 10 else "?"
    route = scope.get(ROUTE_LOGGED) or "-"
    return f"{answer.id} {address} {who} {method} {route} {answer.status} {seconds * 1000:.0f} ms"


def _frames(error: BaseException) -> str:
    """Where an error came from, without its text, in which a secret may stand."""
    return "".join(traceback.format_tb(error.__traceback__))
