"""Teams: what a webhook is sent, and what becomes of it whatever it answers; nobody is told its address."""

from __future__ import annotations

import json
import logging
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from fleetcast.domain.outgoing import Outgoing
from fleetcast.domain.settings.notifications import NotificationSettings
from fleetcast.platforms.channels.limits import asked_pause
from fleetcast.platforms.channels.teams import LARGEST, TeamsWebhook
from fleetcast.platforms.http.guarded import Bounds, GuardedHttp
from fleetcast.ports.channels import Delivery, Gone, Refused, Sent, TryLater
from tests.clocks import NOON, FixedClock
from tests.servers.certificates import Certificates, write_certificates
from tests.servers.recorded import Recorded, recorded
from tests.servers.talking import dribbles, hangs, talking
from tests.servers.tls import tls_in_front
from tests.views.notices import MANY, PAGE, WORDS

PUBLIC = NotificationSettings().outgoing
HERE = replace(PUBLIC, networks=(ip_network("127.0.0.1/32"),))
SECRET = "s3cr3t-signature"  # noqa: S105  # of nobody
PATH = "/workflows/abc/triggers/manual/paths/invoke"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return write_certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def server() -> Iterator[Recorded]:
    with recorded() as found:
        yield found


Open = Callable[[int], TeamsWebhook]
How = Callable[[bytes, threading.Event], Callable[[socket.socket], None]]


@pytest.fixture
def opened(certificates: Certificates) -> Open:
    """Opens the webhook at a port of this machine that speaks TLS."""

    def open_it(port: int, seconds: float = 5.0, outgoing: Outgoing = HERE) -> TeamsWebhook:
        tls = ssl.create_default_context(cafile=str(certificates.authority))
        http = GuardedHttp(outgoing, Bounds(seconds=seconds), tls=tls)
        url = f"https://localhost:{port}{PATH}?sig={SECRET}"
        return TeamsWebhook(url, "OPERATORS_TEAMS", WORDS, http, FixedClock())

    return open_it


@pytest.fixture
def port(server: Recorded, certificates: Certificates) -> Iterator[int]:
    with tls_in_front(int(server.url.rpartition(":")[2]), certificates) as found:
        yield found


def test_it_is_sent_the_card_in_the_envelope_of_workflows(server: Recorded, port: int, opened: Open) -> None:
    server.answer("POST", PATH, {}, 202)
    assert opened(port).send(PAGE) == Sent()
    (asked,) = server.asked
    assert asked.path == f"{PATH}?sig={SECRET}"
    assert asked.headers["Content-Type"] == "application/json; charset=utf-8"
    assert asked.body == json.loads(WORDS.card(PAGE, LARGEST))
    assert asked.body["type"] == "message"


def test_what_is_sent_is_never_longer_than_teams_takes(server: Recorded, port: int, opened: Open) -> None:
    server.answer("POST", PATH, {}, 202)
    assert opened(port).send(MANY) == Sent()
    assert int(server.asked[0].headers["Content-Length"]) <= LARGEST < 28 * 1024


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (200, {}, Sent),
        (410, {}, Gone),
        (400, {}, Refused),
        (413, {}, Refused),
        (422, {}, Refused),
        (401, {}, TryLater),
        (403, {}, TryLater),
        (404, {}, TryLater),
        (302, {"Location": "/elsewhere"}, TryLater),
        (307, {"Location": "/elsewhere"}, TryLater),
        (429, {}, TryLater),
        (500, {}, TryLater),
        (503, {"Retry-After": "120"}, TryLater),
    ],
)
def test_what_comes_of_each_answer(
    server: Recorded, port: int, opened: Open, status: int, headers: dict[str, str], expected: type[Delivery]
) -> None:
    server.answer("POST", PATH, {"error": f"{SECRET} is wrong"}, status, headers)
    found = opened(port).send(PAGE)
    assert type(found) is expected
    assert SECRET not in repr(found)
    if not isinstance(found, Sent):
        assert str(status) in found.why
        assert "OPERATORS_TEAMS" in found.why
    assert len(server.asked) == 1, "it was followed elsewhere, or asked again"
    if isinstance(found, TryLater):
        assert found.after == (timedelta(minutes=2) if status == 503 else None)


def test_a_pause_is_taken_from_an_answer_by_the_clock(server: Recorded, port: int, opened: Open) -> None:
    server.answer("POST", PATH, {}, 429, {"Retry-After": "Mon, 01 Dec 2025 12:05:00 GMT"})
    found = opened(port).send(PAGE)
    assert isinstance(found, TryLater)
    assert found.after == timedelta(minutes=5)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("0", timedelta()),
        ("30", timedelta(seconds=30)),
        ("999999999", timedelta(days=1)),
        ("9" * 5_000, timedelta(days=1)),
        ("Mon, 01 Dec 2025 12:00:30 GMT", timedelta(seconds=30)),
        ("Mon, 01 Dec 2025 11:00:00 GMT", timedelta()),
        ("Mon, 01 Dec 2025 13:00:30 +0100", timedelta(seconds=30)),
        ("Monday, 01-Dec-25 12:00:30 GMT", timedelta(seconds=30)),
        ("Mon, 01 Dec 9999 12:00:30 GMT", timedelta(days=1)),
        (None, None),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("soon", None),
        ("Mon, 99 Dec 2025 12:00:30 GMT", None),
    ],
)
def test_pauses_are_read_as_seconds_and_as_dates(said: str | None, expected: timedelta | None) -> None:
    assert asked_pause(said, NOON) == expected
    assert datetime(2025, 12, 1, 12, tzinfo=UTC) == NOON


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 202 Acc", b"HTTP/1.1 202 Accepted\r\nX: "], ids=len)
@pytest.mark.parametrize("how", [dribbles, hangs], ids=lambda how: how.__name__)
def test_a_server_that_is_slow_is_given_up(
    certificates: Certificates,
    opened: Callable[..., TeamsWebhook],
    said: bytes,
    how: How,
) -> None:
    over = threading.Event()
    try:
        with talking(how(said, over)) as plain, tls_in_front(plain, certificates) as port:
            began = time.monotonic()
            found = opened(port, 0.5).send(PAGE)
            assert time.monotonic() - began < 3
    finally:
        over.set()
    assert found == TryLater(f"https://localhost:{port} cannot be asked: it did not answer in time")


def test_a_server_that_hangs_after_its_status_took_the_message(
    certificates: Certificates, opened: Callable[..., TeamsWebhook]
) -> None:
    over = threading.Event()
    said = b"HTTP/1.1 202 Accepted\r\nContent-Length: 99\r\n\r\n{"
    try:
        with talking(hangs(said, over)) as plain, tls_in_front(plain, certificates) as port:
            assert opened(port, 5.0).send(PAGE) == Sent()
    finally:
        over.set()


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 202 Acc", b"220 mail.example.com ESMTP\r\n"], ids=len)
def test_a_server_that_closes_half_way_did_not_take_it(
    certificates: Certificates, opened: Open, said: bytes
) -> None:
    def handle(client: socket.socket) -> None:
        client.recv(65_536)
        client.sendall(said)

    with talking(handle) as plain, tls_in_front(plain, certificates) as port:
        found = opened(port).send(PAGE)
    assert isinstance(found, TryLater)
    assert SECRET not in found.why


def test_a_private_address_is_not_connected_to_unless_it_is_allowed(
    server: Recorded, port: int, opened: Callable[..., TeamsWebhook]
) -> None:
    found = opened(port, 5.0, PUBLIC).send(PAGE)
    assert isinstance(found, TryLater)
    assert "127.0.0.1 is loopback" in found.why
    assert "`notifications.allowed_networks`" in found.why
    assert SECRET not in found.why
    assert server.asked == []


def test_a_certificate_that_is_not_trusted_ends_it(server: Recorded, port: int) -> None:
    webhook = TeamsWebhook(
        f"https://localhost:{port}{PATH}?sig={SECRET}", "V", WORDS, GuardedHttp(HERE), FixedClock()
    )
    found = webhook.send(PAGE)
    assert isinstance(found, TryLater)
    assert "certificate" in found.why
    assert server.asked == []


@pytest.mark.parametrize(
    "url",
    [
        f"http://example.org/{SECRET}", f"{SECRET}", f"https://{SECRET}", f"https://{SECRET}/", f"https:/{SECRET}/x",
        f"https://{SECRET}@example.org/x", f"https://example.org:x{SECRET}/x", f"https://[{SECRET}/x",
        f"https://example.org/{SECRET}\nHost: evil", f"https://example.org/ {SECRET}", "https://é.example/x",
    ],
)  # fmt: skip
def test_what_is_no_webhook_is_not_asked_and_not_shown(url: str) -> None:
    found = TeamsWebhook(url, "OPERATORS_TEAMS", WORDS, GuardedHttp(PUBLIC), FixedClock()).send(PAGE)
    assert isinstance(found, TryLater)
    assert "OPERATORS_TEAMS holds no address of a webhook" in found.why
    assert SECRET not in found.why


def test_nothing_of_the_address_is_logged(
    server: Recorded, port: int, opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    server.answer("POST", PATH, {}, 500)
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("httpcore").debug("this log is heard")
        opened(port).send(PAGE)
    assert "this log is heard" in caplog.text
    assert not re.search(rf"{SECRET}|{PATH}", caplog.text)


def test_a_reader_that_stalls_does_not_hold_it(certificates: Certificates, tmp_path: Path) -> None:
    over = threading.Event()
    try:
        # Nobody speaks TLS there: the handshake is what waits.
        with talking(hangs(b"", over)) as port:
            webhook = TeamsWebhook(
                f"https://localhost:{port}{PATH}",
                "V",
                WORDS,
                GuardedHttp(HERE, Bounds(seconds=0.3)),
                FixedClock(),
            )
            began = time.monotonic()
            assert isinstance(webhook.send(PAGE), TryLater)
            assert time.monotonic() - began < 3
    finally:
        over.set()
