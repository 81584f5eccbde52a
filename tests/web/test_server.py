"""`fleetcast web` as people start it: its addresses, its log and its end."""

from __future__ import annotations

import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from fleetcast.cli.main import run
from fleetcast.web import server
from tests.web.conftest import MadeFleet
from tests.web.serving import command, served

ANY = ("--port", "0")
EVERYWHERE = "0.0.0.0"  # noqa: S104  # what the tests say about it


def bearer(made: MadeFleet, who: str = "ada") -> dict[str, str]:
    return {"authorization": f"Bearer {made.tokens[who]}"}


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


@pytest.mark.slow
def test_it_serves_this_machine_and_ends_in_order_when_asked_to(made: MadeFleet) -> None:
    with served(made.folder) as found:
        assert found.url.startswith("http://127.0.0.1:")
        assert httpx.get(f"{found.url}/api/v1/health").json() == {"status": "ok"}
        shown = httpx.get(f"{found.url}/api/v1/whoami?token=query-secret", headers=bearer(made))
        assert shown.status_code == 422
        named = httpx.get(f"http://localhost:{port_of(found.url)}/api/v1/whoami", headers=bearer(made))
        assert named.json()["name"] == "ada"
        assert "server" not in named.headers
        refused = httpx.get(f"{found.url}/api/v1/plan", headers={"host": "evil.example"} | bearer(made))
        assert refused.status_code == 421
        assert httpx.get(f"{found.url}/secret-path").status_code == 401
        assert found.end() == 0
        log = found.log.read_text()
    assert " 127.0.0.1 p-ada GET /api/v1/whoami 200 " in log
    assert "ended" in log
    for secret in ("secret", "evil", "fct_", "Bearer", "Traceback"):
        assert secret not in log


@pytest.mark.slow
def test_what_is_at_work_is_finished_before_it_ends(made: MadeFleet) -> None:
    with served(made.folder) as found, ThreadPoolExecutor(1) as pool, socket.socket() as slow:
        slow.connect(("127.0.0.1", port_of(found.url)))
        lines = (
            "POST /api/v1/decisions HTTP/1.1",
            f"host: 127.0.0.1:{port_of(found.url)}",
            f"authorization: Bearer {made.tokens['grace']}",
            "content-type: application/json",
            "idempotency-key: key-number-1",
            "content-length: 54",
        )
        body = b'{"choice": "approve", "requests": [{"request_id": 1}]}'
        assert len(body) == 54
        slow.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body[:10])
        assert httpx.get(f"{found.url}/api/v1/health").status_code == 200
        ended = pool.submit(found.end)
        slow.sendall(body[10:])
        answer = b""
        while part := slow.recv(65_536):
            answer += part
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert ended.result(30) == 0


@pytest.mark.slow
def test_behind_a_proxy_it_answers_to_its_public_name_and_knows_who_asks(made: MadeFleet) -> None:
    options = ("--port", "0", "--public-url", "https://fleet.example.org", "--proxy", "127.0.0.1")
    url = f"http://127.0.0.1:{free_port()}"
    options = ("--port", url.rpartition(":")[2], *options[2:])
    with served(made.folder, options) as found:
        assert found.url == "https://fleet.example.org"
        passed_on = {
            "host": "fleet.example.org",
            "x-forwarded-for": "203.0.113.5",
            "x-forwarded-host": "evil",
        }
        answer = httpx.get(f"{url}/api/v1/whoami", headers=passed_on | bearer(made))
        assert answer.json()["name"] == "ada"
        assert answer.headers["strict-transport-security"]
        assert found.end() == 0
        assert " 203.0.113.5 p-ada GET /api/v1/whoami 200 " in found.log.read_text()


def free_port() -> int:
    with server.listening("127.0.0.1", 0) as opened:
        return int(opened.getsockname()[1])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--host", EVERYWHERE), "without https"),
        (("--host", EVERYWHERE, "--public-url", "http://fleet.example.org"), "without https"),
        (("--host", EVERYWHERE, "--plain-http"), "by which address"),
        (("--public-url", "http://fleet.example.org"), "is not https"),
        (("--public-url", "https://fleet.example.org/x"), "not the address of a site"),
        (("--public-url", "fleet.example.org"), "is not https"),
        (("--proxy", "proxy.example.org"), "no address of a proxy"),
        (("--host", "no.such.host.invalid"), "no address of this machine"),
    ],
)
def test_it_does_not_start_where_tokens_could_be_read_or_nobody_would_be_answered(
    made_once: MadeFleet, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], says: str
) -> None:
    assert run(["web", "--fleet", str(made_once.folder), *ANY, *options]) == 1
    said = capsys.readouterr()
    assert says in said.err
    assert "fix:" in said.err
    assert not said.out


def test_a_port_that_is_taken_is_said(made_once: MadeFleet, capsys: pytest.CaptureFixture[str]) -> None:
    with server.listening("127.0.0.1", 0) as opened:
        port = str(opened.getsockname()[1])
        assert run(["web", "--fleet", str(made_once.folder), "--port", port]) == 1
    assert "cannot listen at 127.0.0.1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("host", "urls"),
    [
        ("127.0.0.1", ["http://127.0.0.1:{}", "http://localhost:{}", "http://[::1]:{}"]),
        (EVERYWHERE, ["http://0.0.0.0:{}"]),
    ],
)
def test_it_goes_by_names_of_loopback_only_where_that_is_all_it_listens_at(
    host: str, urls: list[str]
) -> None:
    with server.listening(host, 0) as opened:
        port = opened.getsockname()[1]
        assert list(server.own_urls(opened)) == [url.format(port) for url in urls]
        assert server.is_loopback(opened) == (host == "127.0.0.1")


MISSING = """
import sys
sys.modules.update({name: None for name in ("fastapi", "uvicorn", "starlette")})
from fleetcast.cli.main import main
main()
"""


def test_without_its_libraries_it_says_what_to_install(made_once: MadeFleet) -> None:
    arguments = command(made_once.folder)[3:]
    done = subprocess.run(
        [sys.executable, "-c", MISSING, *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert "pip install 'fleetcast[web]'" in done.stderr


@pytest.mark.slow
def test_the_first_admins_link_is_printed_and_never_logged(made: MadeFleet) -> None:
    with served(made.folder) as found:
        assert found.process.stdout is not None
        address = found.process.stdout.readline().split()[-1]
        assert address.startswith(f"{found.url}/link?secret=fcl_")
        led = httpx.get(address)
        assert (led.status_code, led.headers["location"]) == (303, "/link")
        assert found.end() == 0
        log = found.log.read_text()
    assert " GET /link 303 " in log
    assert "fcl_" not in log
    assert "secret" not in log
