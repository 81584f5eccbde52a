"""Asking servers outside: where it may go is decided as it connects."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path

import pytest

from fleetcast.domain.errors import Unavailable
from fleetcast.domain.outgoing import Outgoing
from fleetcast.platforms.http.addresses import AddressRefused
from fleetcast.platforms.http.guarded import Bounds, GuardedHttp
from tests.servers.certificates import write_certificates
from tests.servers.tls import tls_in_front

HERE = Outgoing(networks=(ip_network("127.0.0.1/32"),), setting="somewhere.allowed_networks")


class Web(BaseHTTPRequestHandler):
    """A server with something to ask for at each path."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(f"GET {self.path} {self.headers.get('Authorization', '-')}")
        path, _, target = self.path.partition("?")
        if path == "/to":
            self._say(302, b"", Location=target)
        elif path == "/round":
            self._say(302, b"", Location="/round")
        elif path == "/long":
            self._say(200, b"x" * 2_000)
        elif path == "/packed":
            self._say(200, gzip.compress(b"x" * 10_000_000), **{"Content-Encoding": "gzip"})
        elif path == "/list":
            self._say(200, b"[1]")
        elif path == "/deep":
            self._say(200, b'{"a":' * 100_000)
        elif path == "/cookie":
            self._say(200, b"{}", **{"Set-Cookie": "a=b"})
        else:
            self._say(200, b'{"here": true}')

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.asked.append(f"POST {self.path} {body}")
        self._say(307, b"", Location="/elsewhere")

    def _say(self, status: int, content: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def asked() -> list[str]:
    """What the server was asked, in order."""
    return []


@pytest.fixture
def port(asked: list[str]) -> Iterator[int]:
    """Of a server on this machine."""
    handler = type("Asked", (Web,), {"asked": asked})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def leads_to(*addresses: str) -> Callable[[str, int], Sequence[str]]:
    """A name service that gives these addresses for every name."""
    return lambda _host, _port: addresses


def test_a_server_that_is_allowed_answers(port: int) -> None:
    answer = GuardedHttp(HERE).get(f"http://127.0.0.1:{port}/")
    assert answer.is_good
    assert answer.json() == {"here": True}


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("127.0.0.1", "127.0.0.1 is loopback"),
        ("::ffff:127.0.0.1", "::ffff:7f00:1 is 127.0.0.1, which is loopback"),
        ("169.254.169.254", "169.254.169.254 is link-local"),
        ("fe80::1%eth0", "fe80::1 is link-local"),
        ("0.0.0.0", "0.0.0.0 is unspecified"),  # noqa: S104  # what a name may lead to
        ("10.0.0.1", "10.0.0.1 is private"),
    ],
)
def test_a_name_that_leads_inside_is_not_connected_to(
    address: str, says: str, port: int, asked: list[str]
) -> None:
    with pytest.raises(AddressRefused) as error:
        GuardedHttp(Outgoing(), resolve=leads_to(address)).get(f"https://login.example.com:{port}/secret?a=b")
    assert says in str(error.value)
    assert "secret" not in str(error.value)
    assert "allowed_networks" in error.value.fix
    assert asked == []


@pytest.mark.parametrize(
    "host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "[::1]", "[::ffff:7f00:1]"]
)
def test_other_ways_to_write_this_machine_are_seen_through(host: str, port: int) -> None:
    with pytest.raises((AddressRefused, Unavailable)) as error:
        GuardedHttp(Outgoing()).get(f"https://{host}:{port}/")
    said = str(error.value)
    assert any(text in said for text in ("loopback", "name is not known", "this is no address"))


def test_of_several_addresses_only_those_that_are_allowed_are_tried(port: int, asked: list[str]) -> None:
    http = GuardedHttp(HERE, resolve=leads_to("10.0.0.1", "192.168.0.1", "127.0.0.1"))
    assert http.get(f"http://login.example.com:{port}/").is_good
    assert len(asked) == 1


def test_a_name_is_looked_up_once_and_what_was_judged_is_connected_to(port: int) -> None:
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    http = GuardedHttp(HERE, resolve=lambda _host, _port: next(answers))
    assert http.get(f"http://changing.example.com:{port}/").is_good
    assert next(answers) == ["10.0.0.1"]


def test_a_redirect_is_judged_as_well(port: int, asked: list[str]) -> None:
    places = {"a.example.com": ["127.0.0.1"], "b.example.com": ["10.0.0.1"]}
    http = GuardedHttp(HERE, resolve=lambda host, _port: places[host])
    with pytest.raises(AddressRefused, match=r"10\.0\.0\.1 is private"):
        http.get(f"http://a.example.com:{port}/to?http://b.example.com:{port}/")
    with pytest.raises(AddressRefused, match="is not asked"):
        http.get(f"http://a.example.com:{port}/to?file:///etc/passwd")
    assert http.get(f"http://a.example.com:{port}/to?/").json() == {"here": True}
    assert len(asked) == 4


def test_redirects_end(port: int, asked: list[str]) -> None:
    with pytest.raises(Unavailable, match="leads on more than 3 times"):
        GuardedHttp(HERE).get(f"http://127.0.0.1:{port}/round")
    assert len(asked) == 4


def test_secrets_do_not_follow_redirects(port: int, asked: list[str]) -> None:
    http = GuardedHttp(HERE)
    assert http.post(f"http://127.0.0.1:{port}/token", {"code": "sesame"}).status == 307
    answer = http.get(f"http://127.0.0.1:{port}/to?/", headers={"Authorization": "Bearer sesame"})
    assert answer.status == 302
    assert asked == ["POST /token code=sesame", "GET /to?/ Bearer sesame"]


def test_cookies_are_not_kept(port: int) -> None:
    http = GuardedHttp(HERE)
    http.get(f"http://127.0.0.1:{port}/cookie")
    assert http.get(f"http://127.0.0.1:{port}/cookie").is_good


def test_only_named_hosts_are_asked(port: int, asked: list[str]) -> None:
    named = Outgoing(networks=HERE.networks, hosts=("login.example.com",))
    http = GuardedHttp(named, resolve=leads_to("127.0.0.1"))
    assert http.get(f"http://LOGIN.example.com.:{port}/").is_good
    with pytest.raises(AddressRefused, match="not among the hosts"):
        http.get(f"http://login.example.com.evil.example:{port}/")
    with pytest.raises(AddressRefused, match="not among the hosts"):
        http.get(f"http://login.example.com:{port}/to?http://evil.example:{port}/")
    assert len(asked) == 2


@pytest.mark.parametrize(
    "url",
    ["ftp://a.example.com/", "file:///etc/passwd", "a.example.com", "https://", "https://u:p@a.example/", ""],
)
def test_what_is_no_address_of_the_web_is_refused(url: str) -> None:
    with pytest.raises((AddressRefused, Unavailable)) as error:
        GuardedHttp(Outgoing()).get(url)
    assert "u:p" not in str(error.value)


def test_without_tls_only_this_machine_is_asked() -> None:
    for outgoing in (Outgoing(), Outgoing(networks=(ip_network("10.0.0.0/8"),))):
        with pytest.raises(AddressRefused, match="not asked without TLS"):
            GuardedHttp(outgoing, resolve=leads_to("10.0.0.1")).get("http://login.example.com/")
    both = Outgoing(networks=(*HERE.networks, ip_network("10.0.0.0/8")))
    with pytest.raises(AddressRefused, match="does not begin with https"):
        GuardedHttp(both, resolve=leads_to("10.0.0.1")).get("http://login.example.com/")


def test_the_certificate_is_held_against_the_name_and_not_the_address(port: int, tmp_path: Path) -> None:
    certificates = write_certificates(tmp_path)
    trusting = ssl.create_default_context(cafile=str(certificates.authority))
    http = GuardedHttp(HERE, resolve=leads_to("127.0.0.1"), tls=trusting)
    with tls_in_front(port, certificates) as secured:
        assert http.get(f"https://localhost:{secured}/").is_good
        with pytest.raises(Unavailable, match="certificate verify failed"):
            http.get(f"https://login.example.com:{secured}/")
        with pytest.raises(Unavailable, match="certificate verify failed"):
            GuardedHttp(HERE, resolve=leads_to("127.0.0.1")).get(f"https://localhost:{secured}/")


def test_proxies_of_the_environment_are_not_used(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert GuardedHttp(HERE).get(f"http://127.0.0.1:{port}/").is_good


def test_an_answer_is_bounded(port: int) -> None:
    http = GuardedHttp(HERE, bounds=Bounds(size=1_000))
    with pytest.raises(Unavailable, match="longer than 1,000 bytes"):
        http.get(f"http://127.0.0.1:{port}/long")
    with pytest.raises(Unavailable, match="packed form"):
        http.get(f"http://127.0.0.1:{port}/packed")


@pytest.mark.parametrize("path", ["list", "deep", "long"])
def test_what_is_no_mapping_in_json_is_none(path: str, port: int) -> None:
    assert GuardedHttp(HERE).get(f"http://127.0.0.1:{port}/{path}").json() is None


@pytest.mark.parametrize(
    "said", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"], ids=len
)
def test_a_server_that_dribbles_is_given_up(said: bytes) -> None:
    http = GuardedHttp(HERE, bounds=Bounds(seconds=0.5))
    with dribbling(said) as port:
        began = time.monotonic()
        with pytest.raises(Unavailable, match="did not answer in time"):
            http.get(f"http://127.0.0.1:{port}/")
        assert time.monotonic() - began < 5


def test_a_name_service_that_hangs_is_given_up() -> None:
    hanging = threading.Event()

    def resolve(_host: str, _port: int) -> list[str]:
        hanging.wait(20)
        return []

    try:
        with pytest.raises(Unavailable, match="in time"):
            GuardedHttp(HERE, bounds=Bounds(seconds=0.2), resolve=resolve).get("https://slow.example.com/")
    finally:
        hanging.set()


def test_names_that_lead_nowhere() -> None:
    with pytest.raises(Unavailable, match="its name leads nowhere"):
        GuardedHttp(HERE, resolve=leads_to()).get("https://nowhere.example.com/")

    def unknown(_host: str, _port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(Unavailable, match="its name is not known"):
        GuardedHttp(HERE, resolve=unknown).get("https://nowhere.example.com/")


@contextmanager
def dribbling(said: bytes) -> Iterator[int]:
    """A server that says something, and then one more byte now and then."""
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve() -> None:
        with suppress(OSError):
            client, _ = listener.accept()
            with client:
                client.sendall(said)
                while not over.wait(0.05):
                    client.sendall(b"H" if not said else b"X")

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        over.set()
        listener.close()
