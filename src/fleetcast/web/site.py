"""Everything that one fleet serves over HTTP, behind the guard."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException

from fleetcast import __version__
from fleetcast.app import Service
from fleetcast.domain.errors import FleetcastError
from fleetcast.ports.served import PREFIX
from fleetcast.web import problems, shapes
from fleetcast.web.api import open_routes, routes
from fleetcast.web.guard import Asked, Doors, Guard, Network, OpenDoor, by_session, by_token, same_site
from fleetcast.web.health import Health
from fleetcast.web.login_pages import login_pages
from fleetcast.web.login_routes import login_routes, open_login_routes
from fleetcast.web.pages import page_routes
from fleetcast.web.problems import Kind, Problem, problem_of
from fleetcast.web.showing import FORMS, Pages, in_words

OPENAPI = f"{PREFIX}/openapi.json"
AT_ONCE = 5
"""Requests that work at the same time: each has a connection to the database, of which there are six."""
_MOST_ERRORS = 20
_BY_STATUS: Mapping[int, Kind] = {
    400: problems.BAD_INPUT,
    401: problems.NO_IDENTITY,
    403: problems.DENIED,
    404: problems.NOT_FOUND,
    405: problems.NO_SUCH_METHOD,
    413: problems.TOO_LARGE,
    415: problems.NOT_JSON,
    422: problems.BAD_INPUT,
}


@dataclass(frozen=True, slots=True)
class Reached:
    """Under which addresses a server is reached."""

    urls: Sequence[str]
    """Such as `https://fleet.example.org`; nobody is answered under another."""
    proxies: tuple[Network, ...] = ()
    """Proxies that are believed about whose request they pass on."""
    secure: bool = False
    """Whether callers come by https, through a proxy."""


def site(service: Service, reached: Reached) -> Guard:
    """The whole site of a fleet.

    Raises:
        BadInput: An address is none.
    """
    sites = [same_site(url) for url in reached.urls]
    door = service.sign_in()
    pages = Pages(door, service.clock, secure=reached.secure)
    doors = Doors(
        hosts=frozenset(host for host, _ in sites),
        origins=frozenset(origin for _, origin in sites),
        recognisers=(by_token(service.recognise), by_session(door.recognising, pages.session_cookie)),
        open=frozenset({OpenDoor("GET", f"{PREFIX}/health"), OpenDoor("GET", OPENAPI)}) | pages.open_doors,
        forms=FORMS,
        limits=pages.limits(),
        proxies=reached.proxies,
        secure=reached.secure,
        words=in_words,
    )
    return Guard(application(service, pages), doors, service.clock)


def application(service: Service, pages: Pages) -> FastAPI:
    """The routes behind the guard; reached without it, it would answer nobody who is not known."""
    app = FastAPI(
        title="fleetcast",
        version=__version__,
        summary="Plan, runs, models, requests, decisions, audit and people of one fleet.",
        openapi_url=OPENAPI,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
        exception_handlers={
            FleetcastError: _told,
            RequestValidationError: _not_taken,
            HTTPException: _refused,
        },
    )
    app.state.service = service
    app.state.health = Health(service.check)
    app.include_router(open_routes)
    app.include_router(routes)
    app.include_router(open_login_routes)
    app.include_router(login_routes)
    app.state.pages = pages
    app.include_router(page_routes)
    app.include_router(login_pages)
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]  # FastAPI's own way to extend it
    return app


@asynccontextmanager
async def _lifespan(_: FastAPI) -> AsyncIterator[None]:
    current_default_thread_limiter().total_tokens = AT_ONCE
    yield


def _described(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        found = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
        schemas = found["components"]["schemas"]
        shape = shapes.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= {**shape.pop("$defs"), "Problem": shape}
        app.openapi_schema = found
    return app.openapi_schema


async def _told(request: Request, error: Exception) -> Response:
    assert isinstance(error, FleetcastError)  # noqa: S101  # registered for these
    return _response(request, problem_of(error))


async def _not_taken(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  # registered for these
    wrong = [
        {"where": ".".join(map(str, each["loc"]))[:200], "says": str(each["msg"])[:200]}
        for each in error.errors()[:_MOST_ERRORS]
    ]
    return _response(
        request,
        Problem(
            problems.BAD_INPUT,
            "; ".join(f"{each['where']}: {each['says']}" for each in wrong[:3]),
            f"see {OPENAPI} for what can be sent",
            wrong,
        ),
    )


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # registered for these
    kind = _BY_STATUS.get(error.status_code, problems.BAD_INPUT)
    detail = {404: "there is nothing at this address", 405: "this address does not take this method"}
    return _response(
        request,
        Problem(
            kind,
            detail.get(error.status_code, "the body cannot be read"),
            f"see {OPENAPI} for what there is",
            headers=dict(error.headers or {}),
        ),
    )


def _response(request: Request, problem: Problem) -> Response:
    sent: dict[str, list[str]] = {}
    for name, value in request.headers.items():
        sent.setdefault(name, []).append(value)
    said = in_words(problem, Asked(request.method, request.url.path, sent))
    if said is not None:
        return Response(said.body, said.status, dict(said.headers))
    return Response(problem.body(), problem.kind.status, dict(problem.headers), problems.MEDIA_TYPE)
