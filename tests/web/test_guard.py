"""The outermost layer: hosts, origins, proxies, cookies, bodies, headers, and how often somebody may try."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.people import Denied
from fleetcast.web.guard import (
    LARGEST_BODY,
    Caller,
    Doors,
    Guard,
    Headers,
    OpenDoor,
    by_token,
    caller_of,
    same_site,
)
from fleetcast.web.limits import RateLimit
from fleetcast.web.server import network
from fleetcast.workflows.tokens import ByToken
from tests.clocks import NOON, FixedClock
from tests.web.conftest import actor

URL = "https://fleet.example.org"
ADA = ByToken(actor("ada"))


class Echo:
    """An application that says what reached it."""

    def __init__(self) -> None:
        self.reached: list[MutableMapping[str, Any]] = []
        self.bodies: list[bytes] = []
        self.breaks: Exception | None = None

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        self.reached.append(scope)
        if self.breaks:
            raise self.breaks
        message = await receive()
        assert not message.get("more_body")
        self.bodies.append(message["body"])
        headers = [(b"server", b"echo"), (b"cache-control", b"public"), (b"content-type", b"text/plain")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"reached"})


def recognise(token: str) -> ByToken:
    if token == "away":  # noqa: S105
        raise Unavailable("the control database does not answer at secret-address")
    if token != "right":  # noqa: S105
        raise Denied("this token is not valid")
    return ADA


def by_cookie(headers: Headers) -> Caller | None:
    return Caller(ADA, csrf="the page's own") if headers.get("cookie") == ["session=1"] else None


DOORS = Doors(
    hosts=frozenset({"fleet.example.org"}),
    origins=frozenset({URL}),
    recognisers=(by_token(recognise), by_cookie),
    open=frozenset({OpenDoor("GET", "/health"), OpenDoor("POST", "/sign-in")}),
    forms=frozenset({"/sign-in", "/approve"}),
    proxies=(network("10.0.0.7"), network("10.1.0.0/16")),
    secure=True,
)
BEARER = {"authorization": "Bearer right"}
COOKIE = {"cookie": "session=1"}
JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
def echo() -> Echo:
    return Echo()


Ask = Callable[..., httpx.Response]


@pytest.fixture
def ask(echo: Echo) -> Ask:
    def asked(
        method: str = "GET",
        path: str = "/x",
        headers: Mapping[str, str] | list[tuple[str, str]] = BEARER,
        content: Any = None,
        *,
        doors: Doors = DOORS,
        address: str = "192.0.2.7",
        clock: FixedClock | None = None,
    ) -> httpx.Response:
        guard = Guard(echo, doors, clock or FixedClock())

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(guard, client=(address, 1))
            async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
                return await client.request(method, path, headers=headers, content=content)

        return asyncio.run(send())

    return asked


def kind(answer: httpx.Response) -> str:
    assert answer.headers["content-type"] == "application/problem+json"
    found: str = answer.json()["type"].rpartition(":")[2]
    assert answer.json()["status"] == answer.status_code
    return found


# Hosts and origins


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "fleet.example.org.evil.example",
        "fleet.example.org:8484",
        "127.0.0.1",
        "",
        "localhost",
    ],
)
def test_another_host_is_not_served(ask: Ask, echo: Echo, host: str) -> None:
    answer = ask(headers={**BEARER, "host": host})
    assert (answer.status_code, kind(answer)) == (421, "other-host")
    assert ask(path="/health", headers={"host": host}).status_code == 421
    assert not echo.reached


def test_a_host_that_is_named_twice_is_none(ask: Ask, echo: Echo) -> None:
    twice = [("host", "fleet.example.org"), ("host", "evil.example"), *BEARER.items()]
    assert ask(headers=twice).status_code == 421
    assert not echo.reached


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://fleet.example.org", "null", "https://fleet.example.org.evil"]
)
def test_a_page_of_another_site_is_refused(ask: Ask, echo: Echo, method: str, origin: str) -> None:
    answer = ask(method, headers={**BEARER, "origin": origin})
    assert (answer.status_code, kind(answer)) == (403, "foreign-origin")
    assert "access-control-allow-origin" not in answer.headers
    assert not echo.reached


def test_a_link_on_another_site_leads_here_and_changes_nothing(ask: Ask) -> None:
    crossing = {**COOKIE, "sec-fetch-site": "cross-site"}
    assert ask("GET", headers=crossing).status_code == 200
    assert kind(ask("POST", headers=crossing)) == "foreign-origin"


@pytest.mark.parametrize(
    "url", ["fleet.example.org", "ftp://x", "https://a@x", "https://x/y", "https://x?y", "https://"]
)
def test_what_is_no_address_of_a_site_is_refused(url: str) -> None:
    with pytest.raises(BadInput, match="is not the address of a site"):
        same_site(url)


# Identity


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer wrong"},
        {"authorization": "Basic right"},
        {"authorization": "right"},
        {"cookie": "session=2"},
        {"authorization": "Bearer wrong", "cookie": "session=1"},
        [("authorization", "Bearer right"), ("authorization", "Bearer right")],
    ],
)
def test_whoever_is_not_known_gets_one_answer(ask: Ask, echo: Echo, headers: Any) -> None:
    answer = ask(headers=headers)
    assert (answer.status_code, kind(answer)) == (401, "no-identity")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json() == ask(headers={}).json()
    assert not echo.reached


def test_an_open_door_is_open_for_its_verb_and_spelling_alone(ask: Ask, echo: Echo) -> None:
    assert ask(path="/health", headers={}).status_code == 200
    assert caller_is_nobody(echo)
    for method, path in (("POST", "/health"), ("HEAD", "/health"), ("GET", "/health/"), ("GET", "/sign-in")):
        assert ask(method, path, headers={}).status_code == 401


def caller_is_nobody(echo: Echo) -> bool:
    with pytest.raises(Denied):
        caller_of(echo.reached[-1])
    return True


def test_where_nobody_can_be_looked_up_it_says_so_and_no_more(ask: Ask) -> None:
    answer = ask(headers={"authorization": "Bearer away"})
    assert (answer.status_code, kind(answer)) == (503, "unavailable")
    assert "secret-address" not in answer.text


def test_websockets_are_closed() -> None:
    said: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        said.append(message)

    asyncio.run(Guard(Echo(), DOORS, FixedClock())({"type": "websocket", "headers": []}, receive, send))
    assert said == [{"type": "websocket.close", "code": 1008, "reason": ""}]


# Proxies

IDENTITIES = {
    "x-remote-user": "boss",
    "remote-user": "boss",
    "x-authenticated-user": "boss",
    "x-auth-request-email": "boss@example.org",
    "x-forwarded-user": "boss",
    "x-forwarded-host": "evil.example",
    "x-forwarded-proto": "http",
    "forwarded": "for=1.2.3.4;host=evil.example",
    "x-real-ip": "1.2.3.4",
    "x-original-url": "/admin",
    "x-rewrite-url": "/admin",
    "x-http-method-override": "DELETE",
    "x-ms-client-principal-name": "boss",
}


@pytest.mark.parametrize("address", ["192.0.2.7", "10.0.0.7"])
def test_headers_of_identity_are_believed_from_nobody(ask: Ask, echo: Echo, address: str) -> None:
    assert ask(headers=IDENTITIES, address=address).status_code == 401
    assert ask(headers={**BEARER, **IDENTITIES}, address=address).status_code == 200
    names = {name.decode() for name, _ in echo.reached[-1]["headers"]}
    assert not names & set(IDENTITIES)
    assert echo.reached[-1]["scheme"] == "https"
    assert caller_of(echo.reached[-1]).by == ADA


@pytest.mark.parametrize(
    ("address", "forwarded", "believed"),
    [
        ("192.0.2.7", "203.0.113.5", "192.0.2.7"),
        ("10.0.0.7", "203.0.113.5", "203.0.113.5"),
        ("10.0.0.7", "1.2.3.4, 203.0.113.5", "203.0.113.5"),
        ("10.0.0.7", "1.2.3.4, 203.0.113.5, 10.1.2.3", "203.0.113.5"),
        ("10.0.0.7", "1.2.3.4, nonsense", "10.0.0.7"),
        ("10.0.0.7", "", "10.0.0.7"),
        ("10.0.0.8", "203.0.113.5", "10.0.0.8"),
        ("10.0.0.7", "2001:db8::1", "2001:db8::1"),
    ],
)
def test_a_proxy_that_is_named_says_whose_request_it_is(
    ask: Ask, echo: Echo, address: str, forwarded: str, believed: str
) -> None:
    ask(headers={**BEARER, "x-forwarded-for": forwarded}, address=address)
    assert echo.reached[-1]["client"][0] == believed


def test_what_is_no_address_of_a_proxy_is_refused() -> None:
    with pytest.raises(BadInput, match="no address of a proxy"):
        network("proxy.example.org")


# Cookies

OURS = {"origin": URL, "x-csrf-token": "the page's own"}


def test_what_a_browser_sends_by_itself_changes_nothing(ask: Ask, echo: Echo) -> None:
    assert ask("GET", headers=COOKIE).status_code == 200
    reached = len(echo.reached)
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"):
        for some in (
            {},
            {"origin": URL},
            {"x-csrf-token": "the page's own"},
            {**OURS, "x-csrf-token": "another's"},
            {**OURS, "x-csrf-token": ""},
        ):
            answer = ask(method, headers={**COOKIE, **some})
            assert (answer.status_code, kind(answer)) == (403, "no-csrf-token")
    assert len(echo.reached) == reached
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert ask(method, headers={**COOKIE, **OURS}).status_code == 200


def test_a_form_of_a_page_carries_its_token_in_a_field(ask: Ask, echo: Echo) -> None:
    sent = {**COOKIE, **FORM, "origin": URL}
    form = b"csrf_token=the+page%27s+own&request=1"
    assert ask("POST", "/approve", sent, form).status_code == 200
    assert echo.bodies[-1] == form
    for wrong in (
        b"",
        b"csrf_token=",
        b"csrf_token=x",
        form + b"&csrf_token=x",
        b"csrf_token",
        b"a=1&" * 200,
    ):
        assert kind(ask("POST", "/approve", sent, wrong)) == "no-csrf-token"
    assert kind(ask("POST", "/approve", {**COOKIE, **FORM}, form)) == "no-csrf-token"
    assert kind(ask("POST", "/approve", {**COOKIE, **OURS, **JSON}, b"{}")) == "not-json"


def test_a_session_without_a_token_for_its_pages_changes_nothing(ask: Ask) -> None:
    def careless(headers: Headers) -> Caller | None:
        del headers
        return Caller(ADA, csrf="")

    doors = replace(DOORS, recognisers=(careless,))
    answer = ask("POST", headers={"origin": URL, "x-csrf-token": ""}, doors=doors)
    assert kind(answer) == "no-csrf-token"


def test_a_token_shown_on_purpose_needs_no_page(ask: Ask) -> None:
    assert ask("POST", headers={**BEARER, **COOKIE, **JSON}, content=b"{}").status_code == 200


# Bodies


def test_a_body_that_is_too_large_is_refused_before_anybody_reads_it(ask: Ask, echo: Echo) -> None:
    assert ask("POST", headers={**BEARER, **JSON}, content=LARGEST_BODY * b" ").status_code == 200
    assert len(echo.bodies[-1]) == LARGEST_BODY
    reached = len(echo.reached)

    async def pieces() -> Any:
        for _ in range(80):
            yield 1024 * b" "

    for content in ((LARGEST_BODY + 1) * b" ", pieces()):
        answer = ask("POST", headers={**BEARER, **JSON}, content=content)
        assert (answer.status_code, kind(answer)) == (413, "too-large")
    lies = {**BEARER, **JSON, "content-length": "9" * 30}
    assert kind(ask("POST", headers=lies, content=b"{}")) == "too-large"
    assert len(echo.reached) == reached


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "multipart/form-data; boundary=x"},
        {"content-type": "application/jsonp"},
        {**JSON, "content-encoding": "gzip"},
    ],
)
def test_a_body_of_another_type_is_refused(ask: Ask, echo: Echo, headers: dict[str, str]) -> None:
    answer = ask("POST", headers={**BEARER, **headers}, content=b"{}")
    assert (answer.status_code, kind(answer)) == (415, "not-json")
    assert not echo.reached


def test_a_type_may_name_its_alphabet(ask: Ask) -> None:
    headers = {**BEARER, "content-type": "Application/JSON; charset=utf-8"}
    assert ask("POST", headers=headers, content=b"{}").status_code == 200


# Answers


def test_every_answer_has_the_headers_of_security(ask: Ask) -> None:
    for answer in (ask(), ask(headers={}), ask(path="/health", headers={}), ask(headers={"host": "x"})):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "script-src" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers.get_list("cache-control") == ["no-store"]
        assert answer.headers["strict-transport-security"]
        assert len(answer.headers["x-request-id"]) == 16
    plain = ask(doors=replace(DOORS, secure=False))
    assert "strict-transport-security" not in plain.headers


def test_what_breaks_is_said_without_what_it_said(
    ask: Ask, echo: Echo, caplog: pytest.LogCaptureFixture
) -> None:
    echo.breaks = RuntimeError("password=hunter2")
    with caplog.at_level(logging.INFO, "fleetcast.web"):
        answer = ask()
    assert (answer.status_code, kind(answer)) == (500, "broken")
    assert "hunter2" not in answer.text + caplog.text
    assert answer.headers["x-request-id"] in answer.json()["detail"]
    assert "RuntimeError" in caplog.text


def test_the_log_says_nothing_that_a_caller_wrote(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "fleetcast.web"):
        ask(path="/secret-path?token=secret-query", headers={**BEARER, "x-odd": "secret-header", **COOKIE})
        ask("SECRET-VERB", headers={"authorization": "Bearer secret-token"})
    assert len(caplog.records) == 2
    assert "secret" not in caplog.text.lower()
    assert "right" not in caplog.text
    assert " 192.0.2.7 p-ada GET - 200 " in caplog.text


# How often


def test_whoever_tries_too_often_waits(ask: Ask, echo: Echo) -> None:
    clock = FixedClock()
    door = OpenDoor("POST", "/sign-in")
    doors = replace(DOORS, limits={door: RateLimit(3, timedelta(minutes=1))})

    def attempt(address: str = "192.0.2.7", **headers: str) -> int:
        sent = {"x-forwarded-for": headers["forwarded"]} if headers else {}
        return ask(
            "POST", "/sign-in", {"origin": URL, **sent}, doors=doors, clock=clock, address=address
        ).status_code

    assert [attempt() for _ in range(5)] == [200, 200, 200, 429, 429]
    assert attempt(forwarded="203.0.113.9") == 429
    assert attempt("192.0.2.8") == 200
    assert attempt("10.0.0.7", forwarded="203.0.113.9") == 200
    answer = ask("POST", "/sign-in", {"origin": URL}, doors=doors, clock=clock)
    assert (kind(answer), answer.headers["retry-after"]) == ("too-often", "60")
    clock.sleep(timedelta(seconds=61))
    assert attempt() == 200
    assert len(echo.reached) == 6


def test_a_limit_forgets_addresses_that_were_seen_long_ago() -> None:
    limit = RateLimit(1, timedelta(minutes=1))
    for number in range(10_001):
        assert limit.wait(f"2001:db8::{number:x}", NOON) is None
    assert limit.wait("2001:db8::0", NOON) is None
    assert limit.wait("2001:db8::2710", NOON) == timedelta(minutes=1)
