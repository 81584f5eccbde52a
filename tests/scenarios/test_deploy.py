"""A release on its way to clients, and back: real commands, a real server, requests over HTTP."""

from __future__ import annotations

import socket
from contextlib import ExitStack, suppress
from urllib.parse import urlsplit

import httpx
import pytest

from tests.scenarios.repository import ON_SQLITE, Repository
from tests.servers.scoring import Client, quick, serving, until

pytestmark = [pytest.mark.slow, ON_SQLITE]


@pytest.fixture
def on_release_branch(monkeypatch: pytest.MonkeyPatch) -> None:
    """As an agent says that it builds one."""
    monkeypatch.setenv("TF_BUILD", "True")
    monkeypatch.setenv("BUILD_SOURCEBRANCH", "refs/heads/release/1")


def approved(fleet: Repository) -> None:
    (request,) = fleet.requests()
    assert request["kind"] == "deployment"
    assert fleet.type("approve", str(request["request_id"])).code == 0


def test_the_wrong_branch_is_refused_and_says_which_is_right(promoted: Repository) -> None:
    refused = promoted.type("deploy", "test")
    assert refused.code == 1
    assert "release/*" in refused.err
    assert promoted.type("releases", "list").out.startswith("Nothing was released yet")


@pytest.mark.usefixtures("on_release_branch")
def test_a_release_reaches_its_clients_and_a_circuit_goes_back(promoted: Repository) -> None:
    fleet = promoted
    quick(fleet)
    assert "+ CIRCUIT01: plant001-circuit01:1" in fleet.type("releases", "diff", "test/PLANT001").out
    asked = fleet.type("deploy", "test")
    assert asked.code == 3, asked.err
    approved(fleet)
    assert fleet.type("deploy", "test").code == 0
    key = fleet.type("endpoints", "key", "test/PLANT001").out.strip()
    with serving(fleet) as url:
        client = Client(url, key)
        done = fleet.type("deploy", "test", "--wait")
        assert done.code == 0, done.out + done.err
        assert "nothing to deploy" in fleet.type("deploy", "test").out
        answer = client.asks()
        assert answer.status_code == 200, answer.text
        said = answer.json()
        assert (said["release"], said["version"]) == ("test/PLANT001:1", 1)
        assert until(lambda: client.asks().json()["deployment"], "blue")
        assert said["readings"]["delta_version"] is not None
        for lines in said["sensors"].values():
            assert len(lines["point"]) == said["steps"]

        # Another version of one circuit: half of the traffic, then all of it.
        fleet.declare("CIRCUIT02", "cutoff_date: 2025-02-27")
        fleet.promote()
        differs = fleet.type("releases", "diff", "test/PLANT001").out
        assert "~ CIRCUIT02: plant001-circuit02:1 → plant001-circuit02:2" in differs
        assert fleet.type("deploy", "test").code == 3
        approved(fleet)
        moved = fleet.type("deploy", "test", "--wait")
        assert moved.code == 0, moved.out + moved.err + fleet.type("deploy", "status").out
        assert until(lambda: client.version("CIRCUIT02"), 2)
        assert client.version("CIRCUIT01") == 1

        back = fleet.type("rollback", "test", "PLANT001/CIRCUIT02", "-m", "off by 100", "--write-back")
        assert back.code == 0, back.err
        assert "blocked: plant001-circuit02:2" in back.out
        assert "1 circuit set back" in back.out
        assert fleet.actions()["PLANT001/CIRCUIT02"] == "reuse"
        fleet.declare("CIRCUIT02", "cutoff_date: 2025-02-27")
        assert until(lambda: client.version("CIRCUIT02"), 1)
        assert client.version("CIRCUIT01") == 1
        again = fleet.type("deploy", "test")
        assert again.code == 0
        assert "rolled back" in again.out
        assert client.version("CIRCUIT02") == 1

        hold = ("hold", "PLANT001/CIRCUIT01", "--env", "test")
        held = fleet.type(*hold, "--use", "seasonal_naive", "--until", "2099-01-01")
        assert held.code == 0, held.err
        assert until(lambda: client.asks().json()["override"], "held")
        assert client.asks().json()["version"] is None
        assert fleet.type(*hold, "--end").code == 0
        assert until(lambda: client.asks().json()["override"], None)
    listed = fleet.type("releases", "list", "test/PLANT001", "--format", "json").json
    assert [one["release"] for one in listed["releases"]] == [2, 1]
    assert listed["live_release"] == 1
    assert fleet.type("audit", "verify").code == 0


@pytest.mark.usefixtures("on_release_branch")
def test_clients_without_a_right_to_ask_learn_nothing(promoted: Repository) -> None:
    fleet = promoted
    quick(fleet)
    fleet.type("deploy", "test")
    approved(fleet)
    fleet.type("deploy", "test")
    key = fleet.type("endpoints", "key", "test/PLANT001").out.strip()
    with serving(fleet) as url:
        assert fleet.type("deploy", "test", "--wait").code == 0
        client, stranger = Client(url, key), Client(url, "fck_" + "x" * 43)
        assert client.asks().status_code == 200
        assert {stranger.asks().status_code, stranger.asks("NONE").status_code} == {401}
        assert stranger.asks(plant="NOWHERE").json() == stranger.asks().json()
        unknown = client.asks("NONE")
        assert unknown.status_code == 404
        assert "CIRCUIT0" not in unknown.text
        assert client.asks(plant="NOWHERE").status_code == 404
        azure = httpx.post(f"{url}/score", json={"circuit_id": "CIRCUIT01"}, headers=client.headers)
        assert azure.status_code == 200
        named = {**client.headers, "azureml-model-deployment": "green"}
        assert httpx.post(f"{url}/score", json={"circuit_id": "CIRCUIT01"}, headers=named).status_code == 404
        assert httpx.get(f"{url}/health/ready").status_code == 200
        answers_all_the_same_while_others_are_slow(url, client)
        takes_no_two_meanings(url, client)
        says_what_is_wrong_with_a_head_or_a_body(url, client)
        metrics = httpx.get(f"{url}/metrics").text
        assert 'fleetcast_requests_total{plant="PLANT001",status="200"}' in metrics
        assert key not in metrics


def answers_all_the_same_while_others_are_slow(url: str, client: Client) -> None:
    """Heads that never end, bodies that never come, and readers that do not read."""
    key = client.headers["authorization"]
    head = f"POST /endpoints/PLANT001/score HTTP/1.1\r\nHost: x\r\nAuthorization: {key}\r\n"
    begun = "Content-Type: application/json\r\nContent-Length: 28\r\n\r\n"
    whole = head + begun + '{"circuit_id":  "CIRCUIT01"}'
    with ExitStack() as stack:
        for sent in (head, head + begun, head + begun + '{"circuit_id"', whole * 20):
            for _ in range(20):
                one = stack.enter_context(connected(url))
                one.sendall(sent.encode())
        assert [client.asks().status_code for _ in range(5)] == [200] * 5
    assert client.asks().status_code == 200


def takes_no_two_meanings(url: str, client: Client) -> None:
    """What two readers could cut in two ways is refused, or its connection closed; nothing of it is answered twice."""
    key = client.headers["authorization"]
    head = f"POST /endpoints/PLANT001/score HTTP/1.1\r\nHost: x\r\nAuthorization: {key}\r\n"
    json = "Content-Type: application/json\r\n"
    body = '{"circuit_id": "CIRCUIT01"}'
    hidden = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
    for lengths in (
        f"Content-Length: {len(body)}\r\nContent-Length: {len(body) + len(hidden)}\r\n",
        f"Content-Length: {len(body)}\r\nTransfer-Encoding: chunked\r\n",
        f"Content-Length: +{len(body)}\r\n",
        "Content-Length: -1\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding : chunked\r\n",
    ):
        with connected(url) as one:
            one.sendall((head + json + lengths + "Connection: close\r\n\r\n" + body + hidden).encode())
            said = b""
            with suppress(OSError):
                while part := one.recv(65_536):
                    said += part
        assert b"fleetcast_requests" not in said, lengths
        assert said.count(b"HTTP/1.1 200") == 0, (lengths, said[:300])


def says_what_is_wrong_with_a_head_or_a_body(url: str, client: Client) -> None:
    """Headers that come twice or hold anything, bodies in parts, too large or of no stated length."""
    key = client.headers["authorization"]
    head = f"POST /endpoints/PLANT001/score HTTP/1.1\r\nHost: x\r\nAuthorization: {key}\r\n".encode()
    json, body = b"Content-Type: application/json\r\n", b'{"circuit_id": "CIRCUIT01"}'
    whole = b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    parts = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:5], body[5:], b""))
    for sent, status in (
        (head + json + whole, 200),
        (head + json + b"Transfer-Encoding: chunked\r\n\r\n" + parts, 200),
        (head + json + json + whole, 400),
        (head + f"authorization: {key}\r\n".encode() + json + whole, 400),
        (head + json + b"X-Odd: \xff\xfe\xc3\xa4\r\n" + whole, 200),
        (head + b"Content-Type: \xff\r\n" + whole, 415),
        (head + whole, 415),
        (head + json + b"Content-Encoding: gzip\r\n" + whole, 415),
        (head + json + b"Content-Length: 900000000\r\n\r\n", 413),
        (head + json + b"Content-Length: 0\r\n\r\n", 400),
        (head.replace(b"POST", b"PUT") + json + whole, 405),
        (head.replace(b"/score", b"/scores") + json + whole, 404),
    ):
        with connected(url) as one:
            one.sendall(sent)
            said = one.recv(65_536).split(b"\r\n")[0]
        assert said.startswith(b"HTTP/1.1 %d" % status), (sent[len(head) :][:120], said)
    endless = b"fffff\r\n" + b" " * 0xFFFFF + b"\r\n"
    with connected(url) as one, suppress(OSError):
        one.sendall(head + json + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(20):
            one.sendall(endless)
        assert one.recv(65_536).startswith(b"HTTP/1.1 413")


def connected(url: str) -> socket.socket:
    at = urlsplit(url)
    return socket.create_connection((at.hostname, at.port), timeout=20)


def test_nothing_is_served_in_dev(promoted: Repository) -> None:
    said = promoted.type("serve", "dev")
    assert said.code == 1
    assert "nothing is served in dev" in said.err
