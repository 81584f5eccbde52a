"""Deciding through the HTTP API while 50 people's programs poll it, and a page of 100 among 30,000 requests.

A `fleetcast web` of its own, on SQLite and on a PostgreSQL server that syncs what it commits. Each of the 50 has a
token of their own, and asks every second: for the first ten requests that wait, and for one request, in turn. Another
process decides on one request after the other, over one connection. The page is asked for when nobody else asks. The
last line is JSON.

    python benchmarks/api.py [REQUESTS] [--decisions N] [--only sqlite|postgres]
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from http.client import HTTPConnection
from itertools import count
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path
from threading import Lock, Thread
from urllib.parse import urlsplit

from history import SENSORS, asked, run_of, versions, write_past

from fleetcast.app import open_desk
from fleetcast.config.templates import NewFleet, init_fleet
from fleetcast.domain.audit import Actor, Means, Proof, Standing
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.people import Grant, Person
from fleetcast.domain.role import Role
from fleetcast.domain.settings import DATABASE_URL_VARIABLE

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.servers.postgres import postgres_server  # the server that the tests use

CIRCUITS = 1_000
POLLING = 50
EVERY = 1.0
"""Seconds between two questions of one client."""
PAGE = 100
REPEATS = 20
IDLE = 3.0
"""Seconds after which a connection is made anew: servers end those that stand idle for five."""
WARM_UP = 20
"""Decisions before those that are measured."""
SYNCING = {"fsync": "on", "full_page_writes": "on"}
API = "/api/v1"
LIST = f"{API}/requests?limit={PAGE}&newest_first=true"
HTML = "/approvals"


@dataclass(frozen=True)
class Made:
    """A fleet with requests that wait, and a token of everybody."""

    folder: Path
    tokens: Sequence[str]
    waiting: Sequence[int]


@dataclass
class Client:
    """One connection that is kept, in one person's name."""

    url: str
    token: str
    keys: Iterator[int] = field(default_factory=lambda: count(1))
    asked: float = 0.0
    """When it was answered last."""

    def __post_init__(self) -> None:
        where = urlsplit(self.url)
        self.connection = HTTPConnection(where.hostname or "", where.port, timeout=60)

    def get(self, path: str) -> bytes:
        return self._ask("GET", path)

    def decide(self, request: int) -> None:
        key = f"benchmark-{request}-{next(self.keys)}"
        said = {"choice": "approve", "requests": [{"request_id": request}], "comment": "as good as before"}
        self._ask("POST", f"{API}/decisions", json.dumps(said), {"Idempotency-Key": key})

    def _ask(self, method: str, path: str, body: str = "", headers: Mapping[str, str] | None = None) -> bytes:
        sent = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        if body:
            sent["Content-Type"] = "application/json"
        if time.perf_counter() - self.asked > IDLE:
            self.connection.close()
        self.connection.request(method, path, body or None, sent)
        answer = self.connection.getresponse()
        content = answer.read()
        self.asked = time.perf_counter()
        assert answer.status == 200, (answer.status, content)
        return content


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("requests", type=int, nargs="?", default=30_000)
    parser.add_argument("--decisions", type=int, default=300)
    parser.add_argument("--only", choices=("sqlite", "postgres"))
    told = parser.parse_args()
    result: dict[str, object] = {"benchmark": "api", "requests": told.requests, "polling": POLLING}
    print(f"{told.requests} requests, {told.decisions} decisions while {POLLING} poll, milliseconds")
    print(
        f"{'':<10}{'p50':>7}{'p95':>7}{'p99':>7}{'alone':>8}{'polls/s':>9}{'poll p99':>10}{'list':>7}{'HTML':>7}"
    )
    for name, opened in (("sqlite", _no_server), ("postgres", _server)):
        if told.only in (None, name):
            with opened() as address:
                os.environ[DATABASE_URL_VARIABLE] = address
                found = _measure(told.requests, told.decisions)
            result |= {f"{name}_{what}": round(value, 1) for what, value in found.items()}
            print(
                f"{name:<10}{found['p50_ms']:7.0f}{found['p95_ms']:7.0f}{found['p99_ms']:7.0f}"
                f"{found['alone_ms']:8.0f}{found['polls']:9.1f}{found['poll_p99_ms']:10.0f}"
                f"{found['list_ms']:7.0f}{found['html_ms']:7.0f}",
                flush=True,
            )
    print(json.dumps(result))


@contextmanager
def _no_server() -> Iterator[str]:
    yield ""


@contextmanager
def _server() -> Iterator[str]:
    with postgres_server() as server:
        server.settings |= SYNCING
        server.restart("fast")
        yield server.url("postgres")


def _measure(requests: int, decisions: int) -> Mapping[str, float]:
    with ExitStack() as kept:
        folder = Path(kept.enter_context(tempfile.TemporaryDirectory()))
        made = _made(folder / "fleet", requests, 2 * WARM_UP + decisions + decisions // 4 + PAGE)
        url = kept.enter_context(_served(made.folder))
        decider = Client(url, made.tokens[0])
        waiting = iter(made.waiting)

        def decided(some: int) -> list[float]:
            return [_ms(lambda: decider.decide(next(waiting))) for _ in range(some)]

        decided(WARM_UP)
        alone = decided(decisions // 4)
        with _polled(url, made) as polls:
            decided(WARM_UP)
            measured = decided(decisions)
        took, seconds = polls()
        return {
            "p50_ms": _share(measured, 50),
            "p95_ms": _share(measured, 95),
            "p99_ms": _share(measured, 99),
            "alone_ms": statistics.median(alone),
            "polls": len(took) / seconds,
            "poll_p99_ms": _share(took, 99),
            "list_ms": _page(decider, LIST),
            "html_ms": _page(decider, HTML),
        }


def _page(client: Client, path: str) -> float:
    def one() -> None:
        shown = client.get(path)
        assert shown.count(b'"request_id"' if path == LIST else b'href="/approvals/') >= PAGE, shown[:500]

    one()
    return statistics.median(_ms(one) for _ in range(REPEATS))


def _ms(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def _share(values: Sequence[float], percent: int) -> float:
    """The value that so many percent do not exceed."""
    return sorted(values)[-(-len(values) * percent // 100) - 1]


def _made(folder: Path, requests: int, waiting: int) -> Made:
    keys = [CircuitKey(f"PLANT{n // 100 + 1:03d}", f"CIRCUIT{n % 100 + 1:02d}") for n in range(CIRCUITS)]
    init_fleet(folder, NewFleet(circuits=keys, features=SENSORS))
    desk = open_desk(folder)
    opened = desk.as_(_actor(0))
    people = [Person(f"p-{number}", f"person-{number}") for number in range(POLLING + 1)]
    grants = [
        Grant(person.id, role)
        for person in people
        for role in (Role.VIEWER, *((Role.ADMIN, Role.APPROVER) if person is people[0] else ()))
    ]
    opened.platform.control.people.add(people, grants, first=True)
    tokens = [
        desk.as_(_actor(number)).books.tokens.create("polling", timedelta(days=1)).text
        for number in range(POLLING + 1)
    ]
    policies = opened.fleet.settings.gates
    past = [model for circuit in opened.fleet.circuits for model in versions(circuit)]
    write_past(desk.database, policies, past, requests - waiting, 4 * requests, between=1)
    newest = [model for model in past if run_of(model) == "run-0001"][:waiting]
    new = opened.platform.control.approvals.open(
        [
            replace(
                asked(policies, model, 1, requests + index),
                id=0,
                opened_at=opened.clock.now(),
                requested_by=opened.platform.control.actor,
            )
            for index, model in enumerate(newest)
        ]
    )
    assert len(new) == waiting
    return Made(folder, tokens, [request.id for request in new])


def _actor(number: int) -> Actor:
    name = f"person-{number}"
    return Actor(name, Standing.VERIFIED, Proof(Means.PASSWORD, name), f"p-{number}")


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    """`fleetcast web` as a process of its own."""
    command = [sys.executable, "-m", "fleetcast.cli.main", "web", "--fleet", str(folder), "--port", "0"]
    log = folder.parent / "web.log"
    with log.open("w") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
    assert process.stdout is not None
    try:
        said = process.stdout.readline()
        assert said.startswith("fleetcast web at "), log.read_text()
        yield said.removeprefix("fleetcast web at ").strip()
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()


@contextmanager
def _polled(url: str, made: Made) -> Iterator[Callable[[], tuple[Sequence[float], float]]]:
    """Poll in a process of its own; afterwards, the milliseconds of each question, and how long it went on."""
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    begun, over = spawn.Event(), spawn.Event()
    polling = spawn.Process(target=_poll, args=(url, made.tokens[1:], made.waiting[-1], begun, over, there))
    polling.start()
    assert begun.wait(60)
    try:
        yield here.recv
    finally:
        over.set()
    polling.join(0)


def _poll(url: str, tokens: Sequence[str], request: int, begun: Event, over: Event, told: Connection) -> None:
    """Let each ask every second, one after the other, until it is over."""
    took: list[float] = []
    lock = Lock()
    paths = (f"{API}/requests?state=pending&limit=10", f"{API}/requests/{request}")
    started = time.perf_counter() + 1

    def ask(index: int) -> None:
        client = Client(url, tokens[index])
        due = started + index * EVERY / len(tokens)
        for number in count():
            if over.wait(max(0.0, due - time.perf_counter())):
                return
            path = paths[number % len(paths)]
            ms = _ms(partial(client.get, path))
            with lock:
                took.append(ms)
            due = max(due + EVERY, time.perf_counter())

    threads = [Thread(target=ask, args=(index,)) for index in range(len(tokens))]
    for thread in threads:
        thread.start()
    time.sleep(1 + EVERY)
    begun.set()
    for thread in threads:
        thread.join()
    told.send((took, time.perf_counter() - started))


if __name__ == "__main__":
    main()
