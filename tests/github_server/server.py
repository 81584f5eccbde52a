"""Answers for one repository over HTTP, remembers each exchange, and fails where a test says so."""

from __future__ import annotations

import copy
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.azure_emulator.exchange import Exchange
from tests.devops_server.refused import Refused
from tests.github_server.repository import NAME, OWNER, Repository

VERSION = "2022-11-28"
TOKEN = "github_pat_of-nobody"  # noqa: S105  # nobody's
HOST = "api.github.com"
"""As exchanges name it, whatever the address here is."""
BASE = "/api/v3"
REPOSITORY = f"/repos/{OWNER}/{NAME}"
PAGES = "per_page page"

Query = Mapping[str, str]
Handler = Callable[[Repository, tuple[str, ...], Any], Any]


@dataclass(frozen=True, slots=True)
class Route:
    """One operation; `{}` in its path stands for a part of any name."""

    method: str
    path: str
    handler: Handler
    status: int = 200
    inside: str | None = None
    """Of a list: the field of the answer that holds it; empty: the answer is the list. None: it is no list."""
    query: str = ""
    most: int = 100
    """How many a page holds at most."""
    body: bool = False
    """Whether there has to be one."""

    def match(self, method: str, path: str) -> tuple[str, ...] | None:
        pattern = re.escape(BASE + self.path).replace(r"\{\}", "([^/]+)")
        found = re.fullmatch(pattern, path) if method == self.method else None
        return None if found is None else tuple(map(unquote, found.groups()))

    def check(self, query: Query, body: Any) -> None:
        """Refuse parameters that there are not, and a body where none belongs."""
        known = {*self.query.split(), *(PAGES.split() if self.inside is not None else ())}
        stray = sorted(set(query) - known)
        if stray:
            raise Refused(400, f"unknown parameters: {', '.join(stray)}")
        if (body is not None) is not self.body:
            raise Refused(400, "Problems parsing JSON")

    def page(self, found: list[Any], query: Query) -> tuple[Any, Mapping[str, str]]:
        """Part of a list, with the way to the next one."""
        size, number = min(int(query.get("per_page", "30")), self.most), int(query.get("page", "1"))
        part = found[(number - 1) * size : number * size]
        more = number * size < len(found)
        link = {"Link": f'<https://{HOST}{self.path}?page={number + 1}>; rel="next"'} if more else {}
        return ({"total_count": len(found), self.inside: part} if self.inside else part), link


def check_shown(headers: Mapping[str, str]) -> None:
    """Refuse whoever shows another token, or none, or speaks of another version."""
    if headers.get("Authorization") != f"Bearer {TOKEN}":
        raise Refused(401, "Bad credentials")
    if headers.get("X-GitHub-Api-Version") != VERSION:
        raise Refused(400, f"X-GitHub-Api-Version must be {VERSION}")


ROUTES = (
    Route("GET", REPOSITORY, lambda repo, _at, _b: repo.itself()),
    Route("GET", "/users/{}", lambda repo, at, _b: repo.user(at[0])),
    Route("GET", "/orgs/{}/teams/{}", lambda repo, at, _b: repo.team(at[0], at[1])),
    Route(
        "GET",
        f"{REPOSITORY}/environments",
        lambda repo, _at, _b: repo.list_environments(),
        inside="environments",
    ),
    Route(
        "PUT",
        f"{REPOSITORY}/environments/{{}}",
        lambda repo, at, b: repo.put_environment(at[0], b),
        body=True,
    ),
    Route(
        "GET",
        f"{REPOSITORY}/environments/{{}}/deployment-branch-policies",
        lambda repo, at, _b: repo.list_policies(at[0]),
        inside="branch_policies",
    ),
    Route(
        "POST",
        f"{REPOSITORY}/environments/{{}}/deployment-branch-policies",
        lambda repo, at, b: repo.add_policy(at[0], b),
        body=True,
    ),
    Route(
        "DELETE",
        f"{REPOSITORY}/environments/{{}}/deployment-branch-policies/{{}}",
        lambda repo, at, _b: repo.remove_policy(at[0], int(at[1])),
        204,
    ),
    Route(
        "GET",
        f"{REPOSITORY}/actions/variables",
        lambda repo, _at, _b: repo.list_variables(""),
        inside="variables",
        most=30,
    ),
    Route(
        "POST",
        f"{REPOSITORY}/actions/variables",
        lambda repo, _at, b: repo.add_variable("", b),
        201,
        body=True,
    ),
    Route(
        "PATCH",
        f"{REPOSITORY}/actions/variables/{{}}",
        lambda repo, at, b: repo.patch_variable("", at[0], b),
        204,
        body=True,
    ),
    Route(
        "GET",
        f"{REPOSITORY}/environments/{{}}/variables",
        lambda repo, at, _b: repo.list_variables(at[0]),
        inside="variables",
        most=30,
    ),
    Route(
        "POST",
        f"{REPOSITORY}/environments/{{}}/variables",
        lambda repo, at, b: repo.add_variable(at[0], b),
        201,
        body=True,
    ),
    Route(
        "PATCH",
        f"{REPOSITORY}/environments/{{}}/variables/{{}}",
        lambda repo, at, b: repo.patch_variable(at[0], at[1], b),
        204,
        body=True,
    ),
    Route(
        "GET",
        f"{REPOSITORY}/actions/secrets",
        lambda repo, _at, _b: [{"name": name} for name in repo.secrets],
        inside="secrets",
    ),
    Route(
        "GET",
        f"{REPOSITORY}/actions/organization-secrets",
        lambda repo, _at, _b: [{"name": name} for name in repo.lent],
        inside="secrets",
    ),
    Route(
        "GET",
        f"{REPOSITORY}/actions/workflows",
        lambda repo, _at, _b: [*repo.workflows.values()],
        inside="workflows",
    ),
    Route(
        "PUT",
        f"{REPOSITORY}/actions/workflows/{{}}/enable",
        lambda repo, at, _b: repo.enable(int(at[0])),
        204,
    ),
    Route(
        "GET",
        f"{REPOSITORY}/rulesets",
        lambda repo, _at, _b: repo.list_rulesets(),
        inside="",
        query="includes_parents targets",
    ),
    Route("POST", f"{REPOSITORY}/rulesets", lambda repo, _at, b: repo.add_ruleset(b), 201, body=True),
    Route(
        "GET",
        f"{REPOSITORY}/rulesets/{{}}",
        lambda repo, at, _b: repo.get_ruleset(int(at[0])),
        query="includes_parents",
    ),
    Route(
        "PUT",
        f"{REPOSITORY}/rulesets/{{}}",
        lambda repo, at, b: repo.put_ruleset(int(at[0]), b),
        body=True,
    ),
)


@dataclass(slots=True)
class Fault:
    """What goes wrong with the next requests of a kind."""

    method: str
    path: str
    """Part of it."""
    status: int
    times: int
    is_done: bool
    """Whether the request is carried out all the same."""
    headers: Mapping[str, str]
    message: str


@dataclass(slots=True)
class GitHubServer:
    """A running server."""

    url: str
    repository: Repository = field(default_factory=Repository)
    exchanges: list[Exchange] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fail(
        self,
        method: str,
        path: str,
        status: int,
        *,
        times: int = 1,
        is_done: bool = False,
        headers: Mapping[str, str] | None = None,
        message: str = "as the test said",
    ) -> None:
        """Let requests fail whose path holds something."""
        self.faults.append(Fault(method, path, status, times, is_done, headers or {}, message))

    @property
    def writes(self) -> list[Exchange]:
        """What changed something, or tried to."""
        return [one for one in self.exchanges if one.method != "GET"]

    @property
    def misunderstood(self) -> list[Exchange]:
        """Requests that GitHub does not know, or that are not as it describes them."""
        return [one for one in self.exchanges if not one.known or one.status == 400]

    def answer(
        self, method: str, target: str, headers: Mapping[str, str], body: Any
    ) -> tuple[int, Any, Mapping[str, str]]:
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        with self.lock:
            asked = copy.deepcopy(body)
            status, answer, said, known = self._answer(method, parts.path, query, headers, body)
            answer, small = copy.deepcopy(answer), {name.lower(): value for name, value in said.items()}
            path = unquote(parts.path).removeprefix(BASE)
            self.exchanges.append(Exchange(method, HOST, path, query, asked, status, small, answer, known))
        return status, answer, said

    def _answer(
        self, method: str, path: str, query: Query, headers: Mapping[str, str], body: Any
    ) -> tuple[int, Any, Mapping[str, str], bool]:
        route, at = next(
            ((one, found) for one in ROUTES if (found := one.match(method, path)) is not None), (None, ())
        )
        if route is None:
            return 404, {"message": "Not Found"}, {}, False
        try:
            check_shown(headers)
            fault = next(
                (one for one in self.faults if one.method == method and one.path in path and one.times), None
            )
            if fault is not None:
                fault.times -= 1
                if fault.is_done:
                    route.handler(self.repository, at, copy.deepcopy(body))
                return fault.status, {"message": fault.message}, fault.headers, True
            route.check(query, body)
            answered = route.handler(self.repository, at, copy.deepcopy(body))
        except Refused as refused:
            said = {"message": refused.message, "errors": list(refused.errors)}
            return refused.status, said, {}, True
        if route.inside is None:
            return route.status, answered, {}, True
        found, link = route.page(answered, query)
        return route.status, found, link, True


@contextmanager
def github_server() -> Iterator[GitHubServer]:
    """A server of an empty repository, on this machine."""

    class Requests(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = json.loads(sent) if sent else None
            status, answer, headers = running.answer(
                self.command, self.path, dict(self.headers.items()), body
            )
            content = b"" if status == 204 else json.dumps(answer).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Type": "application/json"}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _answer  # noqa: N815  # as http.server looks for them

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Requests)
    running = GitHubServer(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
