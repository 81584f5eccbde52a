"""The HTTP API: each route reads what was sent, calls one workflow, and answers with a view of the command line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response, Security
from fastapi.security import HTTPBearer
from pydantic import BaseModel

from fleetcast import __version__
from fleetcast.app import sent
from fleetcast.app.answers import PlanMade, RunsListed
from fleetcast.app.asking import actor_known, run_found
from fleetcast.domain import approval
from fleetcast.domain.approval import Choice, WantedRequests
from fleetcast.domain.canonical import Json, digest_of
from fleetcast.domain.errors import BadInput, FleetcastError
from fleetcast.domain.people import Denied
from fleetcast.domain.place import Scope
from fleetcast.domain.repeat import Answer
from fleetcast.domain.role import Right, Role
from fleetcast.ports.served import PREFIX, VALUES, VERSION_HEADER
from fleetcast.stored.form import Stored, Unreadable
from fleetcast.views import approvals, audit, models, people, plan, runs, status, unused
from fleetcast.views.moments import iso
from fleetcast.web import problems, shapes
from fleetcast.web.bodies import (
    GREATEST_NUMBER,
    AddedPerson,
    AskedLogin,
    AuditQuery,
    BegunLogin,
    GroupMembers,
    ModelsQuery,
    NamedGrant,
    NamedPerson,
    NewDecision,
    NewGrant,
    NoQuery,
    PageQuery,
    RequestsQuery,
    VersionQuery,
)
from fleetcast.web.command_lines import ASKED_EVERY, LASTS, LOGIN_LASTS, CommandLines, NoSuchLogin
from fleetcast.web.guard import caller_of
from fleetcast.web.health import Health
from fleetcast.web.paging import after_name, after_number, cursor
from fleetcast.web.problems import Missing, Problem, problem_of
from fleetcast.web.showing import Pages
from fleetcast.workflows.browse import Stretch, WantedEntries
from fleetcast.workflows.manage_people import NewPerson
from fleetcast.workflows.tokens import token_number

if TYPE_CHECKING:
    from fleetcast.app import OpenBooks, OpenFleet, Service
    from fleetcast.domain.people import Directory

T = TypeVar("T")
_READS = (401, 403, 404, 408, 413, 415, 421, 422, 500, 503)
_CHANGES = (*_READS, 409)
_OPEN_CHANGES = (403, 408, 413, 415, 421, 422, 429, 500, 503)


def _problems(statuses: Sequence[int]) -> dict[int | str, dict[str, Any]]:
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {
        status: {
            "description": "; ".join(kind.title for kind in problems.KINDS if kind.status == status),
            "content": {problems.MEDIA_TYPE: schema},
        }
        for status in statuses
    }


def _answers(
    shape: type[BaseModel], statuses: Sequence[int] = _READS, *, more: Sequence[int] = ()
) -> dict[int | str, dict[str, Any]]:
    return {200: {"model": shape, "description": shape.__doc__ or ""}, **_problems((*statuses, *more))}


async def no_query(query: Annotated[NoQuery, Query()]) -> None:
    """Refuse everything in the query; without a thread, for which it would wait behind those that ask the database."""
    del query


_TOKEN = Security(HTTPBearer(auto_error=False, bearerFormat="fct_…", description="A token of fleetcast."))
_PLAIN = [Depends(no_query)]
Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=64,
        pattern=r"^[A-Za-z0-9._~-]+$",
        description="Made up anew for each change, and the same where it is sent again: then nothing is done twice, "
        "and the answer is the same for 24 hours.",
    ),
]
open_routes = APIRouter(prefix=PREFIX, tags=["server"])
routes = APIRouter(prefix=PREFIX, dependencies=[_TOKEN])


@open_routes.get("/health", dependencies=_PLAIN, responses=_answers(shapes.Health, (413, 415, 421, 422, 503)))
async def health(request: Request) -> Response:
    """Whether the server works and its database answers. Needs no token."""
    found: Health = request.app.state.health
    await found.ask()
    return _json({"status": "ok"})


@open_routes.post(
    "/login", tags=["people"], dependencies=_PLAIN, responses=_answers(shapes.LoginBegun, _OPEN_CHANGES)
)
def begin_login(request: Request, body: BegunLogin) -> Response:
    """Begin a sign-in of a command line: somebody who is signed in agrees at the page /login, with the `user_code`."""
    begun = _command_lines(request).begin(body.from_)
    return _json(
        {
            "device_code": begun.device_code,
            "user_code": begun.user_code,
            "expires_in_seconds": LASTS.total_seconds(),
            "interval_seconds": ASKED_EVERY.total_seconds(),
        }
    )


@open_routes.post(
    "/login/token", tags=["people"], dependencies=_PLAIN, responses=_answers(shapes.LoginState, _OPEN_CHANGES)
)
def ask_login(request: Request, body: AskedLogin) -> Response:
    """Ask whether somebody has agreed; once they have, this gives a token that acts for them for 12 hours."""
    try:
        agreed = _command_lines(request).take(body.device_code)
    except NoSuchLogin:
        raise Denied("this sign-in is over, or was refused", fix="`fleetcast login` again") from None
    if agreed is None:
        return _json({"state": "pending", "name": None, "token": None, "expires_at": None})
    by, machine = agreed
    service: Service = request.app.state.service
    made = service.books(by).tokens.create(f"fleetcast login, {machine}"[:200], LOGIN_LASTS)
    return _json(
        {
            "state": "done",
            "name": by.actor.name,
            "token": made.text,
            "expires_at": iso(made.token.expires_at),
        }
    )


@routes.post("/logout", tags=["people"], dependencies=_PLAIN, responses=_answers(shapes.LoggedOut, _CHANGES))
def log_out(request: Request) -> Response:
    """End the token that this call shows."""
    proof = caller_of(request.scope).by.actor.proof
    number = token_number(proof)
    if number is None:
        raise BadInput("no token was shown", fix="sign out at the page")
    _books(request).tokens.revoke(number)
    return _json({"state": "revoked"})


@routes.get("/whoami", tags=["people"], dependencies=_PLAIN, responses=_answers(shapes.Acting))
def whoami(request: Request) -> Response:
    """In whose name this token acts, and what they may do."""
    found = actor_known(_books(request))
    if _wants_values(request):
        return _values(sent.ACTOR, found)
    return _json(people.actor_as_json(found.actor, found.roles, on_record=found.on_record))


@routes.get("/plan", tags=["fleet"], dependencies=_PLAIN, responses=_answers(shapes.Plan, _CHANGES))
def show_plan(request: Request) -> Response:
    """What differs between the fleet repository on the server and what exists."""
    fleet = _fleet(request)
    made = fleet.planning(fleet.fleet)
    if _wants_values(request):
        return _values(sent.PLAN, sent.PlanSent.of(PlanMade(made, fleet.unused)))
    return _json({**plan.as_json(made), "unused": unused.unused_as_json(fleet.unused)})


@routes.get("/status", tags=["fleet"], dependencies=_PLAIN, responses=_answers(shapes.Status, _CHANGES))
def show_status(request: Request) -> Response:
    """How the fleet stands, every circuit with its state."""
    fleet = _fleet(request)
    found = fleet.status(fleet.fleet)
    return _values(sent.STATUS, found) if _wants_values(request) else _json(status.as_json(found))


@routes.get("/runs", tags=["runs"], responses=_answers(shapes.Runs))
def list_runs(request: Request, query: Annotated[PageQuery, Query()]) -> Response:
    """Runs of the pipeline, newest first."""
    books = _books(request)
    page = books.browsing.runs(Stretch(query.limit, after_number(query)))
    at_work = any(run.state.is_unfinished for run in page.items) and books.runs.at_work() is not None
    if _wants_values(request):
        return _values(sent.RUNS, RunsListed(page.items, at_work, cursor(query, page.next)))
    return _json(
        {
            "runs": [runs.as_json(run, at_work=at_work) for run in page.items],
            "next": cursor(query, page.next),
        }
    )


@routes.get("/runs/{run_id}", tags=["runs"], dependencies=_PLAIN, responses=_answers(shapes.Run))
def show_run(request: Request, run_id: Annotated[str, Path(max_length=64)]) -> Response:
    """One run with its stages."""
    books = _books(request)
    with _or_missing():
        found = run_found(books, run_id)
    if _wants_values(request):
        return _values(sent.RUN, found)
    return _json(runs.as_json(found.run, at_work=found.at_work))


@routes.get("/models", tags=["models"], responses=_answers(shapes.Models, _CHANGES))
def list_models(request: Request, query: Annotated[ModelsQuery, Query()]) -> Response:
    """Declared circuits with the model version that each uses, by plant and circuit."""
    fleet = _fleet(request)
    if _wants_values(request):
        return _values(sent.MODELS, sent.ModelsListed(fleet.models(fleet.fleet, query.plant_id)))
    after = after_name(query)
    rows = sorted(fleet.models(fleet.fleet, query.plant_id), key=lambda row: str(row.key))
    left = [row for row in rows if after is None or str(row.key) > after]
    shown = left[: query.limit]
    last = str(shown[-1].key) if len(left) > len(shown) else None
    return _json({"models": models.rows_as_json(shown), "next": cursor(query, last)})


@routes.get("/models/{model_name}", tags=["models"], responses=_answers(shapes.Model, _CHANGES))
def show_named_model(
    request: Request,
    model_name: Annotated[str, Path(max_length=200)],
    query: Annotated[VersionQuery, Query()],
) -> Response:
    """Every version of one model, by its name; also of a circuit that is no longer declared."""
    return _model(request, model_name, query)


@routes.get("/models/{plant_id}/{circuit_id}", tags=["models"], responses=_answers(shapes.Model, _CHANGES))
def show_model(
    request: Request,
    plant_id: Annotated[str, Path(max_length=64)],
    circuit_id: Annotated[str, Path(max_length=64)],
    query: Annotated[VersionQuery, Query()],
) -> Response:
    """Every version of one circuit's model."""
    return _model(request, f"{plant_id}/{circuit_id}", query)


def _model(request: Request, name: str, query: VersionQuery) -> Response:
    fleet = _fleet(request)
    with _or_missing():
        found = fleet.model(fleet.fleet, name if query.version is None else f"{name}:{query.version}")
    return _values(sent.MODEL, found) if _wants_values(request) else _json(models.history_as_json(found))


@routes.get("/requests", tags=["approvals"], responses=_answers(shapes.Requests))
def list_requests(request: Request, query: Annotated[RequestsQuery, Query()]) -> Response:
    """What waits, or waited, at gates, with the evidence and the decisions."""
    wanted = WantedRequests((query.state,) if query.state else (), query.gate, query.kind, query.name)
    stretch = Stretch(query.limit, after_number(query), query.newest_first)
    page = _books(request).browsing.requests(wanted, stretch)
    if _wants_values(request):
        return _values(sent.REQUESTS, sent.RequestsListed(page.items, cursor(query, page.next)))
    return _json({**_requests(page.items), "next": cursor(query, page.next)})


@routes.get(
    "/requests/{request_id}", tags=["approvals"], dependencies=_PLAIN, responses=_answers(shapes.Request)
)
def show_request(request: Request, request_id: Annotated[int, Path(ge=1, le=GREATEST_NUMBER)]) -> Response:
    """One request, with all the evidence and the decisions so far."""
    books = _books(request)
    with _or_missing():
        found = books.approvals.find(request_id).as_of(books.clock.now())
    if _wants_values(request):
        return _values(sent.REQUESTS, sent.RequestsListed((found,)))
    return _json(approvals.request_as_json(found))


@routes.post(
    "/decisions", tags=["approvals"], dependencies=_PLAIN, responses=_answers(shapes.Decided, _CHANGES)
)
def decide(request: Request, body: NewDecision, key: Key) -> Response:
    """Approve, reject, hand one's vote on, or break glass; on several requests, all or none.

    Only records the decision: the next run acts on it, if the gate's rule is met then.
    """
    books = _books(request)
    right = Right.BREAK_GLASS if body.choice is Choice.BREAK_GLASS else Right.DECIDE
    return _once(request, books, key, right, body, lambda: _decided(books, body))


@routes.get("/audit", tags=["audit"], responses=_answers(shapes.Audit))
def list_audit(request: Request, query: Annotated[AuditQuery, Query()]) -> Response:
    """Entries of the audit log. A page may hold fewer than asked for, even none, and yet name a next one."""
    wanted = WantedEntries(query.by, query.action, query.request_id or 0, query.since, query.until)
    stretch = Stretch(query.limit, after_number(query), query.newest_first)
    page = _books(request).browsing.audit(wanted, stretch)
    return _json({"entries": audit.as_json(page.items), "next": cursor(query, page.next)})


@routes.get("/audit/verify", tags=["audit"], dependencies=_PLAIN, responses=_answers(shapes.AuditVerified))
def verify_audit(request: Request) -> Response:
    """Whether the log is unbroken, and what requests it says otherwise about. Reads all of it."""
    return _json(audit.verified_as_json(_books(request).verifying()))


@routes.get("/people", tags=["people"], dependencies=_PLAIN, responses=_answers(shapes.People))
def list_people(request: Request) -> Response:
    """Everybody on record, with groups and roles."""
    return _json(people.as_json(_books(request).people()))


_PEOPLE: Mapping[str, Any] = {
    "tags": ["people"],
    "dependencies": _PLAIN,
    "responses": _answers(shapes.People, _CHANGES),
}


@routes.post("/people", **_PEOPLE)
def add_person(request: Request, body: AddedPerson, key: Key) -> Response:
    """Put somebody on record."""
    books = _books(request)
    return _managed(request, books, key, body, lambda: books.people.add(*_new_person(body)))


@routes.post("/people/disable", **_PEOPLE)
def disable_person(request: Request, body: NamedPerson, key: Key) -> Response:
    """Let somebody act no more."""
    books = _books(request)
    return _managed(request, books, key, body, lambda: books.people.disable(body.name))


@routes.post("/people/enable", **_PEOPLE)
def enable_person(request: Request, body: NamedPerson, key: Key) -> Response:
    """Let somebody act again who was disabled."""
    books = _books(request)
    return _managed(request, books, key, body, lambda: books.people.enable(body.name))


@routes.post("/people/group", **_PEOPLE)
def put_group(request: Request, body: GroupMembers, key: Key) -> Response:
    """Make a group of these people, or give it these members instead of the ones it has."""
    books = _books(request)
    return _managed(request, books, key, body, lambda: books.people.group(body.name, body.members))


@routes.post("/people/grant", **_PEOPLE)
def grant_role(request: Request, body: NamedGrant, key: Key) -> Response:
    """Give a role to a person or a group."""
    books = _books(request)
    return _managed(request, books, key, body, lambda: books.people.grant(body.name, body.role, _scope(body)))


@routes.post("/people/revoke", **_PEOPLE)
def revoke_role(request: Request, body: NamedGrant, key: Key) -> Response:
    """Take a role back, as it was given."""
    books = _books(request)
    return _managed(
        request, books, key, body, lambda: books.people.revoke(body.name, body.role, _scope(body))
    )


def _command_lines(request: Request) -> CommandLines:
    pages: Pages = request.app.state.pages
    return pages.command_lines


def _books(request: Request) -> OpenBooks:
    service: Service = request.app.state.service
    return service.books(caller_of(request.scope).by)


def _fleet(request: Request) -> OpenFleet:
    service: Service = request.app.state.service
    return service.fleet(caller_of(request.scope).by)


def _json(value: Json) -> Response:
    return Response(_text(value), media_type="application/json")


def _wants_values(request: Request) -> bool:
    """Whether a command line asks, which shows values as it shows those of a fleet on its machine."""
    return VALUES in request.headers.get("accept", "")


def _values(form: Stored[T], value: T) -> Response:
    return Response(form.to_json(value), media_type=VALUES, headers={VERSION_HEADER: __version__})


def _text(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@contextmanager
def _or_missing() -> Iterator[None]:
    """What an address names and nobody has is missing, not wrong."""
    try:
        yield
    except Unreadable:
        raise
    except BadInput as error:
        raise Missing(str(error), fix=error.fix) from error


def _once(
    request: Request, books: OpenBooks, key: str, right: Right, body: BaseModel, work: Callable[[], Json]
) -> Response:
    """Do it, or answer as before."""
    content = digest_of({"path": request.url.path, "body": body.model_dump(mode="json")})

    def answer() -> Answer:
        try:
            return Answer(200, _text(work()))
        except Denied:
            raise
        except FleetcastError as error:
            problem: Problem = problem_of(error)
            if problem.kind.status >= 500:
                raise
            return Answer(problem.kind.status, problem.body().decode())

    answered = books.answering(key, content, right, answer)
    done = answered.answer
    return Response(
        done.body,
        done.status,
        {"idempotent-replayed": "true"} if answered.again else None,
        "application/json" if done.status < 400 else problems.MEDIA_TYPE,
    )


def _managed(
    request: Request, books: OpenBooks, key: str, body: BaseModel, work: Callable[[], Directory]
) -> Response:
    return _once(request, books, key, Right.MANAGE, body, lambda: people.as_json(work()))


def _decided(books: OpenBooks, body: NewDecision) -> Json:
    numbers = [one.request_id for one in body.requests]
    displayed = {one.request_id: one.subject_digest for one in body.requests if one.subject_digest}
    if len(set(numbers)) < len(numbers):
        raise BadInput("a request is named twice", fix="name each once")
    if len(numbers) > 1 and len(displayed) < len(numbers):
        raise BadInput(
            "a decision on several requests names what was shown", fix="send the subject_digest of each"
        )
    if (body.choice is Choice.HAND_ON) != (body.to is not None):
        raise BadInput(
            "a vote is handed on to somebody", fix="send `to` with the choice `hand on`, and with no other"
        )
    if body.to is None:
        return _requests(books.deciding(numbers, body.choice, body.comment, displayed=displayed))
    if len(numbers) > 1:
        raise BadInput("votes are handed on one by one", fix="send one request at a time")
    return _requests([books.deciding.hand_on(numbers[0], body.to, body.comment, displayed)])


def _requests(found: Sequence[approval.Request]) -> dict[str, Json]:
    return approvals.as_json(found)


def _new_person(body: AddedPerson) -> tuple[NewPerson, list[tuple[Role, Scope]]]:
    new = NewPerson(
        body.name, body.kind, body.full_name, tuple(body.aliases), groups=tuple(dict.fromkeys(body.groups))
    )
    return new, [(grant.role, _scope(grant)) for grant in body.roles]


def _scope(grant: NewGrant) -> Scope:
    return Scope(grant.gate, grant.environment, grant.plant_id)
