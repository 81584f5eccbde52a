"""Answers for one organisation over HTTP, remembers each exchange, and fails where a test says so."""

from __future__ import annotations

import base64
import copy
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from tests.azure_emulator.exchange import Exchange
from tests.devops_server.organisation import ORGANISATION, PROJECT, Organisation
from tests.devops_server.refused import Refused

STABLE, PREVIEW = "7.1", "7.1-preview.1"
TOKEN = "s3cret-token-of-nobody"  # noqa: S105  # nobody's
HOST = "dev.azure.com"
"""As exchanges name it, whatever the address here is."""

Query = Mapping[str, str]
Handler = Callable[[Organisation, tuple[str, ...], Query, Any], Any]


@dataclass(frozen=True, slots=True)
class Route:
    """One operation; `{}` in its path stands for a part of any name."""

    method: str
    path: str
    handler: Handler
    query: str = ""
    version: str = STABLE
    above: bool = False
    """Whether it belongs to the organisation, not the project."""

    def match(self, method: str, path: str) -> tuple[str, ...] | None:
        start = f"/{ORGANISATION}" if self.above else f"/{ORGANISATION}/{quote(PROJECT)}"
        pattern = re.escape(f"{start}/_apis/{self.path}").replace(r"\{\}", "([^/]+)")
        found = re.fullmatch(pattern, path, re.IGNORECASE) if method == self.method else None
        return None if found is None else tuple(map(unquote, found.groups()))

    def check(self, query: Query) -> None:
        """Refuse another version, and parameters that there are not."""
        if query.get("api-version") != self.version:
            raise Refused(400, f"api-version must be {self.version}")
        stray = sorted(set(query) - {"api-version", *self.query.split()})
        if stray:
            raise Refused(400, f"unknown parameters: {', '.join(stray)}")


def check_shown(shown: str) -> None:
    """Refuse whoever shows another token, or none."""
    basic = base64.b64encode(f":{TOKEN}".encode()).decode()
    if shown not in (f"Bearer {TOKEN}", f"Basic {basic}"):
        raise Refused(401, "TF400813: The user is not authorized to access this resource.")


_DEFINITIONS = "name queryOrder $top continuationToken path repositoryId repositoryType yamlFilename"
ROUTES = (
    Route("GET", "git/repositories/{}", lambda org, at, _q, _b: org.repository(at[0])),
    Route(
        "GET",
        "serviceendpoint/endpoints",
        lambda org, _at, q, _b: org.list_endpoints(q),
        "type authSchemes endpointIds owner includeFailed includeDetails actionFilter endpointNames",
    ),
    Route("POST", "serviceendpoint/endpoints", lambda org, _at, _q, b: org.add_endpoint(b), above=True),
    Route(
        "PUT",
        "serviceendpoint/endpoints/{}",
        lambda org, at, q, b: org.put_endpoint(at[0], b, q),
        "operation",
        above=True,
    ),
    Route(
        "GET",
        "distributedtask/variablegroups",
        lambda org, _at, q, _b: org.list_groups(q),
        "groupName actionFilter $top continuationToken queryOrder",
    ),
    Route("POST", "distributedtask/variablegroups", lambda org, _at, _q, b: org.add_group(b), above=True),
    Route(
        "PUT",
        "distributedtask/variablegroups/{}",
        lambda org, at, _q, b: org.put_group(int(at[0]), b),
        above=True,
    ),
    Route(
        "GET",
        "distributedtask/environments",
        lambda org, _at, q, _b: org.list_environments(q),
        "name continuationToken $top",
    ),
    Route("POST", "distributedtask/environments", lambda org, _at, _q, b: org.add_environment(b)),
    Route(
        "POST",
        "pipelines/checks/queryconfigurations",
        lambda org, _at, q, b: org.query_checks(b, q),
        "$expand",
        PREVIEW,
    ),
    Route(
        "POST",
        "pipelines/checks/configurations",
        lambda org, _at, _q, b: org.add_check(b),
        version=PREVIEW,
    ),
    Route(
        "PATCH",
        "pipelines/checks/configurations/{}",
        lambda org, at, _q, b: org.patch_check(int(at[0]), b),
        version=PREVIEW,
    ),
    Route("GET", "build/definitions", lambda org, _at, q, _b: org.list_definitions(q), _DEFINITIONS),
    Route("POST", "build/definitions", lambda org, _at, _q, b: org.add_definition(b)),
    Route("GET", "build/definitions/{}", lambda org, at, _q, _b: org.get_definition(int(at[0]))),
    Route("PUT", "build/definitions/{}", lambda org, at, _q, b: org.put_definition(int(at[0]), b)),
    Route(
        "GET",
        "pipelines/pipelinepermissions/{}/{}",
        lambda org, at, _q, _b: org.get_permission(at[0], at[1]),
        version=PREVIEW,
    ),
    Route(
        "PATCH",
        "pipelines/pipelinepermissions/{}/{}",
        lambda org, at, _q, b: org.patch_permission(at[0], at[1], b),
        version=PREVIEW,
    ),
    Route(
        "GET",
        "policy/configurations",
        lambda org, _at, q, _b: org.list_policies(q),
        "scope $top continuationToken policyType",
    ),
    Route("POST", "policy/configurations", lambda org, _at, _q, b: org.add_policy(b)),
    Route("PUT", "policy/configurations/{}", lambda org, at, _q, b: org.put_policy(int(at[0]), b)),
    Route("POST", "pipelines/{}/runs", lambda org, at, _q, b: org.add_run(int(at[0]), b), "pipelineVersion"),
    Route("GET", "pipelines/{}/runs/{}", lambda org, at, _q, _b: org.get_run(int(at[0]), int(at[1]))),
    Route("GET", "build/builds/{}", lambda org, at, _q, _b: org.get_build(int(at[0])), "propertyFilters"),
    Route(
        "GET",
        "build/builds/{}/timeline/{}",
        lambda org, at, _q, _b: org.get_timeline(int(at[0]), at[1]),
        "changeId planId",
    ),
    Route(
        "GET",
        "pipelines/approvals",
        lambda org, _at, q, _b: org.list_approvals(q),
        "approvalIds $expand userIds state top",
    ),
    Route("PATCH", "pipelines/approvals", lambda org, _at, _q, b: org.patch_approvals(b)),
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


@dataclass(slots=True)
class DevOpsServer:
    """A running server."""

    url: str
    organisation: Organisation = field(default_factory=Organisation)
    exchanges: list[Exchange] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    """How each request said who asks."""
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
    ) -> None:
        """Let requests fail whose path holds something."""
        self.faults.append(Fault(method, path, status, times, is_done, headers or {}))

    @property
    def writes(self) -> list[Exchange]:
        """What changed something, or tried to."""
        reading = ("/queryconfigurations",)
        return [one for one in self.exchanges if one.method != "GET" and not one.path.endswith(reading)]

    @property
    def unknown(self) -> list[Exchange]:
        """Requests that Azure DevOps does not know."""
        return [one for one in self.exchanges if not one.known]

    def answer(self, method: str, target: str, shown: str, body: Any) -> tuple[int, Any, Mapping[str, str]]:
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        with self.lock:
            asked = copy.deepcopy(body)
            status, answer, headers, known = self._answer(method, parts.path, query, shown, body)
            answer, small = copy.deepcopy(answer), {name.lower(): value for name, value in headers.items()}
            self.shown.append(shown)
            self.exchanges.append(
                Exchange(method, HOST, unquote(parts.path), query, asked, status, small, answer, known)
            )
        return status, answer, headers

    def _answer(
        self, method: str, path: str, query: Query, shown: str, body: Any
    ) -> tuple[int, Any, Mapping[str, str], bool]:
        route, at = next(
            ((one, found) for one in ROUTES if (found := one.match(method, path)) is not None), (None, ())
        )
        if route is None:
            return 404, {"message": f"no route for {method} {path}"}, {}, False
        try:
            check_shown(shown)
            fault = next(
                (one for one in self.faults if one.method == method and one.path in path and one.times), None
            )
            if fault is not None:
                fault.times -= 1
                if fault.is_done:
                    route.handler(self.organisation, at, query, copy.deepcopy(body))
                return fault.status, {"message": "as the test said"}, fault.headers, True
            route.check(query)
            answered = route.handler(self.organisation, at, query, copy.deepcopy(body))
        except Refused as refused:
            return refused.status, {"message": refused.message, "typeKey": "Refused"}, {}, True
        headers: Mapping[str, str] = {}
        if isinstance(answered, tuple):
            answered, headers = answered
        return 200, answered, headers, True


@contextmanager
def devops_server() -> Iterator[DevOpsServer]:
    """A server of an empty organisation, on this machine."""

    class Requests(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = json.loads(sent) if sent else None
            status, answer, headers = running.answer(
                self.command, self.path, self.headers.get("Authorization", ""), body
            )
            content = json.dumps(answer).encode()
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
    running = DevOpsServer(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
