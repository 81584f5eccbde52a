"""A small fleet whose API is asked by people of different rights; copied for every test that changes it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from json import dumps
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlencode

import httpx
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from fleetcast.app import Service, open_desk
from fleetcast.domain.audit import Actor, Means, Proof, Standing
from fleetcast.domain.people import Grant, Kind, Person
from fleetcast.domain.role import Right, Role
from fleetcast.web.guard import App
from fleetcast.web.site import Reached, site
from tests.fleets import UNWATCHED, small_fleet

URL = "https://fleet.example.org"
EVERYBODY: Mapping[str, frozenset[Role]] = {
    "ada": frozenset(Role),
    "grace": frozenset({Role.APPROVER}),
    "edsger": frozenset({Role.APPROVER}),
    "vera": frozenset({Role.VIEWER}),
    "nobody": frozenset(),
}
"""Who is on record, with what role."""


@dataclass(frozen=True, slots=True)
class MadeFleet:
    """A fleet in its folder, and a token of everybody."""

    folder: Path
    tokens: Mapping[str, str]

    def copy_to(self, folder: Path) -> MadeFleet:
        shutil.copytree(self.folder, folder)
        return MadeFleet(folder, self.tokens)


def actor(name: str) -> Actor:
    return Actor(name, Standing.VERIFIED, Proof(Means.PASSWORD, name), f"p-{name}")


PLAIN_GATE = "registry-promotion: {approvers: ['*'], minimum: 1, own_request: allowed}"


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> MadeFleet:
    """Trained once, with five people on record; the environment and both models await approval."""
    return made_in(tmp_path_factory.mktemp("web"))


def made_in(empty: Path, gate: str = PLAIN_GATE) -> MadeFleet:
    """The same in a folder of its own, with another gate."""
    folder = small_fleet(empty, family="seasonal_naive").opened.directory
    settings = folder / "fleetcast.yaml"
    written = settings.read_text()
    assert PLAIN_GATE in written
    settings.write_text(written.replace(PLAIN_GATE, gate))
    desk = open_desk(folder)
    opened = desk.as_(actor("ada"))
    opened.training(opened.fleet, UNWATCHED, lock_timeout=timedelta(0))
    people = [Person(f"p-{name}", name) for name in EVERYBODY]
    robot = Person("p-robot", "robot", Kind.SERVICE)
    grants = [Grant(f"p-{name}", role) for name, roles in EVERYBODY.items() for role in roles]
    opened.platform.control.people.add([*people, robot], grants, first=True)
    tokens = {
        name: desk.as_(actor(name)).books.tokens.create(f"{name}'s", timedelta(days=300)).text
        for name in EVERYBODY
        if name != "nobody"
    }
    opened.platform.control.people.grant([Grant("p-nobody", Role.VIEWER)])
    tokens["nobody"] = desk.as_(actor("nobody")).books.tokens.create("none", timedelta(days=300)).text
    opened.platform.control.people.revoke([Grant("p-nobody", Role.VIEWER)])
    reads = desk.as_(actor("ada")).books.tokens.create("only looks", timedelta(days=300), only=[Right.VIEW])
    return MadeFleet(folder, {**tokens, "ada, only to look": reads.text})


@pytest.fixture
def made(made_once: MadeFleet, tmp_path: Path) -> MadeFleet:
    """One that a test may change."""
    return made_once.copy_to(tmp_path / "fleet")


async def answered(
    app: App, method: str, path: str, headers: Mapping[str, str], content: bytes, address: str
) -> httpx.Response:
    """What an application answers to a request that is sent exactly as it is spelt: no client's library mends it."""
    raw, _, query = path.encode().partition(b"?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(raw.decode()),
        "raw_path": raw,
        "query_string": query,
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": (address, 4711),
        "server": ("127.0.0.1", 8484),
    }
    parts = iter([content])
    said: list[Any] = []

    async def receive() -> dict[str, Any]:
        part = next(parts, None)
        if part is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": part, "more_body": False}

    async def send(message: Any) -> None:
        said.append(message)

    await app(scope, receive, send)
    start, *rest = said
    return httpx.Response(
        start["status"], headers=start["headers"], content=b"".join(part.get("body", b"") for part in rest)
    )


@dataclass(frozen=True, slots=True)
class Client:
    """Somebody who asks the API, each in their own name."""

    app: App
    portal: BlockingPortal
    tokens: Mapping[str, str]
    address: str = "192.0.2.7"
    keys: Iterator[int] = field(default_factory=lambda: count(1))

    def ask(
        self,
        method: str,
        path: str,
        who: str | None = "ada",
        *,
        json: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        key: str | None = None,
        query: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send one request as it is spelt; changing ones with a key of their own."""
        sent = {"authorization": f"Bearer {self.tokens[who]}"} if who else {}
        if method == "POST":
            sent["idempotency-key"] = key or f"key-of-test-{next(self.keys):04}"
        if json is not None:
            content, sent["content-type"] = dumps(json).encode(), "application/json"
        if query:
            path = f"{path}?{urlencode(query)}"
        every = {"host": "fleet.example.org", **sent, **(headers or {})}
        return self.portal.call(answered, self.app, method, path, every, content or b"", self.address)

    def get(self, path: str, who: str | None = "ada", **query: str) -> Any:
        """What a page that exists says."""
        found = self.ask("GET", path, who, query=query or None)
        assert found.status_code == 200, found.text
        return found.json()

    def waiting(self) -> list[dict[str, Any]]:
        """Requests that wait."""
        found: list[dict[str, Any]] = self.get("/api/v1/requests", state="pending")["requests"]
        return found


@contextmanager
def client_of(made: MadeFleet, reached: Reached | None = None) -> Iterator[Client]:
    """A client of the whole site, with a loop of its own."""
    app = site(Service(made.folder), reached or Reached((URL,), secure=True))
    with start_blocking_portal() as portal:
        yield Client(app, portal, made.tokens)


@pytest.fixture(scope="session")
def shared(made_once: MadeFleet) -> Iterator[Client]:
    """A client for tests that change nothing."""
    with client_of(made_once) as client:
        yield client


@pytest.fixture
def client(made: MadeFleet) -> Iterator[Client]:
    """A client of a fleet that the test may change."""
    with client_of(made) as client:
        yield client
