"""Apprise: in a process of its own, so that neither its time, its log nor its connections are its own affair."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_network

import pytest

from fleetcast.domain.outgoing import Outgoing
from fleetcast.domain.settings.notifications import NotificationSettings
from fleetcast.platforms.channels.apprise import AppriseService
from fleetcast.ports.channels import Sent, TryLater
from tests.servers.recorded import Recorded, recorded
from tests.servers.talking import dribbles, talking
from tests.views.notices import HOSTILE, PAGE, WORDS

PUBLIC = NotificationSettings().outgoing
HERE = replace(PUBLIC, networks=(ip_network("127.0.0.1/32"),))
SECRET = "s3cr3t"  # noqa: S105  # of nobody
ENVIRON = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


@pytest.fixture
def server() -> Iterator[Recorded]:
    with recorded() as found:
        yield found


def service(url: str, outgoing: Outgoing = HERE, *, seconds: float = 30.0) -> AppriseService:
    return AppriseService(url, "PAGER_URL", WORDS, outgoing, ENVIRON, seconds=seconds)


def address(server: Recorded, more: str = "") -> str:
    return server.url.replace("http://", "json://") + f"/{SECRET}{more}"


def test_a_message_is_a_title_and_a_short_text(server: Recorded) -> None:
    server.answer("POST", f"/{SECRET}", {})
    assert service(address(server)).send(PAGE) == Sent()
    (asked,) = server.asked
    title, text = WORDS.line(PAGE)
    assert (asked.body["title"], asked.body["message"]) == (title, text)


def test_text_of_users_mentions_nobody_and_links_nowhere(server: Recorded) -> None:
    server.answer("POST", f"/{SECRET}", {})
    assert service(address(server)).send(HOSTILE) == Sent()
    said = json.dumps(server.asked[0].body["title"], ensure_ascii=False)
    assert "＠evil.example" in said
    assert not set("<>@") & set(said)
    assert "://" not in said


@pytest.mark.parametrize("status", [302, 400, 429, 500])
@pytest.mark.parametrize("more", ["", "?redirect=yes"])
def test_what_is_not_taken_waits_and_nothing_is_sent_on(server: Recorded, status: int, more: str) -> None:
    server.answer("POST", f"/{SECRET}", {}, status, {"Location": "/elsewhere", "Retry-After": "1"})
    found = service(address(server, more)).send(PAGE)
    assert found == TryLater("the service of PAGER_URL did not take it; Apprise does not say why")
    assert [asked.path for asked in server.asked] == [f"/{SECRET}"]


def test_what_apprise_does_not_know_is_not_shown() -> None:
    found = service(f"nonsense-{SECRET}").send(PAGE)
    assert found == TryLater("PAGER_URL holds no address that Apprise knows; see its list of services")


def test_a_private_address_is_not_connected_to_unless_it_is_allowed(server: Recorded) -> None:
    found = service(address(server), PUBLIC).send(PAGE)
    assert found == TryLater(
        "the service of PAGER_URL leads to an address that is not public; if that is meant, "
        "add its network to `notifications.allowed_networks`"
    )
    assert server.asked == []


def test_a_service_that_is_slow_is_given_up() -> None:
    over = threading.Event()
    try:
        with talking(dribbles(b"HTTP/1.1 200 OK\r\n", over)) as port:
            began = time.monotonic()
            found = service(f"json://127.0.0.1:{port}/{SECRET}", seconds=3.0).send(PAGE)
            assert time.monotonic() - began < 8
    finally:
        over.set()
    assert found == TryLater("the service of PAGER_URL did not answer in time")


def test_nothing_is_printed_or_handed_on_but_what_is_needed(
    server: Recorded, capfd: pytest.CaptureFixture[str]
) -> None:
    server.answer("POST", f"/{SECRET}", {}, 500)
    proxied = {**ENVIRON, "HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
    AppriseService(address(server), "PAGER_URL", WORDS, HERE, proxied, seconds=30.0).send(PAGE)
    assert len(server.asked) == 1, "the proxy of the environment was used"
    assert capfd.readouterr() == ("", "")
