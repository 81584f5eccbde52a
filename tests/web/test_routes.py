"""Every route, every verb and every spelling of a path, asked by somebody who is not known, or may not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from fleetcast.web.guard import Guard
from tests.web.conftest import Client

VERBS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND", "get")
OPEN = {
    ("GET", "/api/v1/health"),
    ("GET", "/api/v1/openapi.json"),
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("GET", "/link"),
    ("POST", "/link"),
    ("GET", "/style.css"),
    ("GET", "/icon.svg"),
    ("POST", "/api/v1/login"),
    ("POST", "/api/v1/login/token"),
}
PAGES = {
    "/",
    "/account",
    "/account/password",
    "/approvals",
    "/approvals/{request_id}",
    "/decisions",
    "/icon.svg",
    "/link",
    "/login",
    "/login/agree",
    "/sign-in",
    "/sign-in/oidc",
    "/sign-in/oidc/callback",
    "/sign-out",
    "/style.css",
    "/tokens",
    "/tokens/revoke",
}
"""For people; not described for programs."""
FOR_EVERYBODY = {
    "/api/v1/health",
    "/api/v1/openapi.json",
    "/api/v1/whoami",
    "/sign-in",
    "/account",
    "/login",
    "/style.css",
    "/icon.svg",
}
CHANGE_ALONE = {
    "/account/password",
    "/api/v1/login",
    "/api/v1/login/token",
    "/api/v1/logout",
    "/decisions",
    "/login/agree",
    "/sign-out",
    "/tokens/revoke",
}
POST_ALONE = ("/api/v1/decisions", "/acknowledge", "/snooze")
OWN = {"origin": "https://fleet.example.org"}
ELSEWHERE = (
    "",
    "/",
    "/static/site.css",
    "/metrics",
    "/docs",
    "/redoc",
    "/openapi.json",
    "/.env",
    "/api/v1",
    "*",
)
NO_IDENTITY: tuple[Mapping[str, str], ...] = (
    {},
    {"authorization": "Bearer fct_1_" + 43 * "x"},
    {"x-remote-user": "ada", "x-forwarded-for": "127.0.0.1"},
)


def table(routes: Iterable[BaseRoute]) -> Iterator[BaseRoute]:
    """All routes, through the routers that were included."""
    for route in routes:
        router = getattr(route, "original_router", None)
        yield from [route] if router is None else table(router.routes)


def paths(client: Client) -> list[str]:
    """Every path that the application has, with something in place of each parameter."""
    fill = {
        "run_id": "run-0001",
        "plant_id": "PLANT001",
        "circuit_id": "CIRCUIT01",
        "request_id": "1",
        "alarm_id": "1",
    }
    fill |= {"model_name": "plant001-circuit01", "job_id": "plant001-circuit01.0123456789ab.1"}
    found = []
    for route in table(inner(client).routes):
        assert isinstance(route, Route), f"{route} is not looked at yet"
        found.append(route.path.format(**fill))
    return sorted(set(found))


def inner(client: Client) -> FastAPI:
    assert isinstance(client.app, Guard)
    app = client.app._app
    assert isinstance(app, FastAPI)
    return app


def spellings(path: str) -> Iterator[str]:
    """A path, and ways to write it that some servers take for the same."""
    yield path
    yield path + "/"
    yield path + "//"
    yield "/" + path
    yield path.replace("/", "//", 2)
    yield path.replace("/api/v1/", "/api/v1/%2e%2e/v1/")
    yield path.replace("/api/v1/", "/api/v1/./")
    yield path.replace("/api/v1/", "/api/x/../v1/")
    yield path.replace("/api/v1/", "/api%2fv1%2F")
    yield path.replace("/api/v1/", "/api/v1\\")
    yield path.replace("v1", "%76%31")
    yield path.upper()
    yield path + "%00"
    yield path + "%20"
    yield path + ";x=1"
    yield path + "/."
    yield path + ".json"
    yield path + "?"
    yield path + "?token=1"
    yield path + "%3ftoken=1"
    yield "/api/v1/health/.." + path
    yield "/api/v1/health/%2e%2e" + path
    yield "/api/v1/health;" + path


def says_no(answer: httpx.Response, method: str) -> None:
    """A refusal, in the one shape that every refusal has."""
    assert answer.status_code in (401, 403, 404, 405), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    if method != "HEAD":
        assert {"type", "title", "status", "detail", "fix"} <= set(answer.json())
        assert answer.json()["status"] == answer.status_code
    assert "traceback" not in answer.text.lower()


@pytest.mark.parametrize("verb", VERBS)
def test_routes_answer_nobody_who_is_not_known(shared: Client, verb: str) -> None:
    asked = 0
    for path in [*paths(shared), *ELSEWHERE]:
        for spelling in spellings(path) if path.startswith("/api") else [path]:
            if (verb, spelling.partition("?")[0]) in OPEN:
                continue
            says_no(shared.ask(verb, spelling, None, headers=NO_IDENTITY[asked % 3]), verb)
            asked += 1
    assert asked > 300


def test_routes_that_are_open_are_those_that_are_listed(shared: Client) -> None:
    answered = {
        (verb, path)
        for path in paths(shared)
        for verb in VERBS
        if shared.ask(verb, path, None, headers=OWN).status_code not in (401, 403, 404, 405)
    }
    assert answered == OPEN


def test_routes_of_the_table_are_all_described_or_listed_here(shared: Client) -> None:
    described = set(shared.get("/api/v1/openapi.json")["paths"])
    assert all(isinstance(route, Route) for route in table(inner(shared).routes))
    there = {route.path for route in table(inner(shared).routes) if isinstance(route, APIRoute)}
    assert there == described | PAGES
    assert {route.path for route in table(inner(shared).routes) if type(route) is Route} == {
        "/api/v1/openapi.json"
    }


def test_routes_that_change_something_refuse_a_viewer(shared: Client) -> None:
    bodies = {
        "/api/v1/decisions": {"choice": "approve", "requests": [{"request_id": 1}]},
        "/api/v1/alarms/{alarm_id}/acknowledge": {"comment": "mine"},
        "/api/v1/alarms/{alarm_id}/snooze": {"until": "2099-01-01T00:00:00Z"},
        "/api/v1/people": {"name": "mallory"},
        "/api/v1/people/disable": {"name": "ada"},
        "/api/v1/people/enable": {"name": "ada"},
        "/api/v1/people/group": {"name": "leads", "members": ["vera"]},
        "/api/v1/people/grant": {"name": "vera", "role": "admin"},
        "/api/v1/people/revoke": {"name": "ada", "role": "admin"},
    }
    changing = {
        path
        for path, item in shared.get("/api/v1/openapi.json")["paths"].items()
        if set(item) - {"get", "head"}
    }
    # These act for whoever asks, and for nobody else.
    assert changing == {*bodies, "/api/v1/login", "/api/v1/login/token", "/api/v1/logout"}
    before = shared.get("/api/v1/audit", newest_first="true", limit="1")["entries"]
    for path, body in bodies.items():
        for who in ("vera", "nobody", "ada, only to look"):
            answer = shared.ask("POST", path.format(alarm_id=1), who, json=body)
            assert (answer.status_code, answer.json()["type"]) == (403, "urn:fleetcast:problem:denied"), path
    assert shared.get("/api/v1/audit", newest_first="true", limit="1")["entries"] == before


def test_routes_that_show_something_refuse_whoever_has_no_role(shared: Client) -> None:
    for path in paths(shared):
        answer = shared.ask("GET", path, "nobody")
        if path in FOR_EVERYBODY:
            assert answer.status_code == 200
        elif path == "/":
            assert answer.status_code == 303
        elif path == "/link":
            assert answer.status_code == 410
        elif path.startswith("/sign-in/oidc"):
            assert answer.status_code in (403, 404)
        elif path in CHANGE_ALONE or path.endswith(POST_ALONE) or "/people/" in path:
            assert answer.status_code == 405
        else:
            assert answer.status_code == 403, path


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in ("GET", "POST")])
def test_routes_take_no_other_verb_from_anybody(shared: Client, verb: str) -> None:
    for path in [*paths(shared), "/nothing"]:
        if (verb, path) == ("HEAD", "/api/v1/openapi.json"):
            continue
        answer = shared.ask(verb, path)
        says_no(answer, verb)
        assert answer.status_code in (404, 405)


def test_routes_spelt_in_an_odd_way_are_none_for_anybody(shared: Client) -> None:
    for path in paths(shared):
        for spelling in spellings(path):
            answer = shared.ask("GET", spelling)
            if answer.status_code in (200, 303, 410) or "oidc" in path:
                assert answer.status_code in (200, 303, 410, 403, 404, 405, 422)
                assert (
                    answer.status_code in (404, 422)
                    or spelling.partition("?")[0].replace("%76%31", "v1") == path
                ), spelling
            else:
                assert answer.status_code in (404, 405, 422), spelling


def test_routes_that_are_mounted_later_are_behind_the_guard_too(client: Client, tmp_path: object) -> None:
    inner(client).router.routes.append(Mount("/static", StaticFiles(directory=str(tmp_path))))
    inner(client).router.routes.append(Route("/metrics", lambda _: None))
    for path in ("/static", "/static/control.db", "/static/../fleet/fleetcast.yaml", "/metrics", "/metrics/"):
        for verb in VERBS:
            says_no(client.ask(verb, path, None), verb)
