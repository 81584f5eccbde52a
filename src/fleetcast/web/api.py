"""The HTTP API: each route reads what was sent, calls one workflow, and answers with a view of the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from fastapi import APIRouter, Header, Path, Query, Request, Response
from fastapi.responses import PlainTextResponse
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
from fleetcast.views import (
    alarm_metrics,
    alarms,
    approvals,
    audit,
    models,
    people,
    plan,
    runs,
    status,
    unused,
)
from fleetcast.web import problems, shapes
from fleetcast.web.answers import CHANGES, PLAIN, TOKEN, answers, json_answer, json_text
from fleetcast.web.bodies import (
    GREATEST_NUMBER,
    AddedPerson,
    AlarmsQuery,
    AuditQuery,
    GroupMembers,
    ModelsQuery,
    NamedGrant,
    NamedPerson,
    NewDecision,
    NewGrant,
    PageQuery,
    QuietAlarm,
    RequestsQuery,
    TakenAlarm,
    VersionQuery,
)
from fleetcast.web.guard import caller_of
from fleetcast.web.health import Health
from fleetcast.web.paging import after_name, after_number, cursor
from fleetcast.web.problems import Missing, Problem, problem_of
from fleetcast.web.showing import books_of
from fleetcast.workflows.browse import Stretch, WantedEntries
from fleetcast.workflows.manage_people import NewPerson

if TYPE_CHECKING:
    from fleetcast.app import OpenBooks, OpenFleet, Service
    from fleetcast.domain.people import Directory

T = TypeVar("T")
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
routes = APIRouter(prefix=PREFIX, dependencies=[TOKEN])


@open_routes.get("/health", dependencies=PLAIN, responses=answers(shapes.Health, (413, 415, 421, 422, 503)))
async def health(request: Request) -> Response:
    """Whether the server works and its database answers. Needs no token."""
    found: Health = request.app.state.health
    await found.ask()
    return json_answer({"status": "ok"})


@routes.get("/whoami", tags=["people"], dependencies=PLAIN, responses=answers(shapes.Acting))
def whoami(request: Request) -> Response:
    """In whose name this token acts, and what they may do."""
    found = actor_known(books_of(request))
    if _wants_values(request):
        return _values(sent.ACTOR, found)
    return json_answer(people.actor_as_json(found.actor, found.roles, on_record=found.on_record))


@routes.get("/plan", tags=["fleet"], dependencies=PLAIN, responses=answers(shapes.Plan, CHANGES))
def show_plan(request: Request) -> Response:
    """What differs between the fleet repository on the server and what exists."""
    fleet = _fleet(request)
    made = fleet.planning(fleet.fleet)
    if _wants_values(request):
        return _values(sent.PLAN, sent.PlanSent.of(PlanMade(made, fleet.unused)))
    return json_answer({**plan.as_json(made), "unused": unused.unused_as_json(fleet.unused)})


@routes.get("/status", tags=["fleet"], dependencies=PLAIN, responses=answers(shapes.Status, CHANGES))
def show_status(request: Request) -> Response:
    """How the fleet stands, every circuit with its state."""
    fleet = _fleet(request)
    found = fleet.status(fleet.fleet)
    return _values(sent.STATUS, found) if _wants_values(request) else json_answer(status.as_json(found))


@routes.get("/runs", tags=["runs"], responses=answers(shapes.Runs))
def list_runs(request: Request, query: Annotated[PageQuery, Query()]) -> Response:
    """Runs of the pipeline, newest first."""
    books = books_of(request)
    page = books.browsing.runs(Stretch(query.limit, after_number(query)))
    at_work = any(run.state.is_unfinished for run in page.items) and books.runs.at_work() is not None
    if _wants_values(request):
        return _values(sent.RUNS, RunsListed(page.items, at_work, cursor(query, page.next)))
    return json_answer(
        {
            "runs": [runs.as_json(run, at_work=at_work) for run in page.items],
            "next": cursor(query, page.next),
        }
    )


@routes.get("/runs/{run_id}", tags=["runs"], dependencies=PLAIN, responses=answers(shapes.RunFound))
def show_run(request: Request, run_id: Annotated[str, Path(max_length=64)]) -> Response:
    """One run with its stages."""
    books = books_of(request)
    with _or_missing():
        found = run_found(books, run_id)
    if _wants_values(request):
        return _values(sent.RUN, found)
    return json_answer(runs.found_as_json(found.run, found.jobs, at_work=found.at_work))


@routes.get("/jobs/{job_id}/log", tags=["runs"], dependencies=PLAIN, responses=answers(shapes.JobLog))
def show_log(request: Request, job_id: Annotated[str, Path(max_length=200)]) -> Response:
    """What one training job said, as far as it has come."""
    with _or_missing():
        found = books_of(request).jobs.log(job_id)
    return _values(sent.LOG, found) if _wants_values(request) else json_answer(runs.log_as_json(found))


@routes.get("/models", tags=["models"], responses=answers(shapes.Models, CHANGES))
def list_models(request: Request, query: Annotated[ModelsQuery, Query()]) -> Response:
    """Circuits with the model version that each uses, by plant and circuit; retired ones are marked."""
    fleet = _fleet(request)
    if _wants_values(request):
        return _values(sent.MODELS, sent.ModelsListed(fleet.models(fleet.fleet, query.plant_id)))
    after = after_name(query)
    rows = sorted(fleet.models(fleet.fleet, query.plant_id), key=lambda row: str(row.key))
    left = [row for row in rows if after is None or str(row.key) > after]
    shown = left[: query.limit]
    last = str(shown[-1].key) if len(left) > len(shown) else None
    return json_answer({"models": models.rows_as_json(shown), "next": cursor(query, last)})


@routes.get("/models/{model_name}", tags=["models"], responses=answers(shapes.Model, CHANGES))
def show_named_model(
    request: Request,
    model_name: Annotated[str, Path(max_length=200)],
    query: Annotated[VersionQuery, Query()],
) -> Response:
    """Every version of one model, by its name; also of a circuit that is no longer declared."""
    return _model(request, model_name, query)


@routes.get("/models/{plant_id}/{circuit_id}", tags=["models"], responses=answers(shapes.Model, CHANGES))
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
    return (
        _values(sent.MODEL, found) if _wants_values(request) else json_answer(models.history_as_json(found))
    )


@routes.get("/requests", tags=["approvals"], responses=answers(shapes.Requests))
def list_requests(request: Request, query: Annotated[RequestsQuery, Query()]) -> Response:
    """What waits, or waited, at gates, with the evidence and the decisions."""
    wanted = WantedRequests((query.state,) if query.state else (), query.gate, query.kind, query.name)
    stretch = Stretch(query.limit, after_number(query), query.newest_first)
    page = books_of(request).browsing.requests(wanted, stretch)
    if _wants_values(request):
        return _values(sent.REQUESTS, sent.RequestsListed(page.items, cursor(query, page.next)))
    return json_answer({**_requests(page.items), "next": cursor(query, page.next)})


@routes.get(
    "/requests/{request_id}", tags=["approvals"], dependencies=PLAIN, responses=answers(shapes.Request)
)
def show_request(request: Request, request_id: Annotated[int, Path(ge=1, le=GREATEST_NUMBER)]) -> Response:
    """One request, with all the evidence and the decisions so far."""
    books = books_of(request)
    with _or_missing():
        found = books.requests.find(request_id)
    if _wants_values(request):
        return _values(sent.REQUESTS, sent.RequestsListed((found,)))
    return json_answer(approvals.request_as_json(found))


@routes.post("/decisions", tags=["approvals"], dependencies=PLAIN, responses=answers(shapes.Decided, CHANGES))
def decide(request: Request, body: NewDecision, key: Key) -> Response:
    """Approve, reject, hand one's vote on, or break glass; on several requests, all or none.

    Only records the decision: the next run acts on it, if the gate's rule is met then.
    """
    books = books_of(request)
    right = Right.BREAK_GLASS if body.choice is Choice.BREAK_GLASS else Right.DECIDE
    return _once(request, books, key, right, body, lambda: _decided(books, body))


@routes.get("/alarms", tags=["monitoring"], responses=answers(shapes.Alarms))
def list_alarms(request: Request, query: Annotated[AlarmsQuery, Query()]) -> Response:
    """What monitoring found that somebody should see to, the most harmful first, and when was looked last."""
    found, place, last = books_of(request).alarms, query.environment, query.last
    shown = found.open_ones(place) if last is None else found.listed(place, last)
    if _wants_values(request):
        return _values(sent.ALARMS, sent.AlarmsListed(tuple(shown)))
    return json_answer(
        {"alarms": alarms.alarms_as_json(shown), "last_looks": alarms.looks_as_json(found.last_looks())}
    )


@routes.get(
    "/metrics",
    tags=["monitoring"],
    dependencies=PLAIN,
    response_class=PlainTextResponse,
    responses={**answers(shapes.Alarms), 200: {"description": "Alarms and looks, as Prometheus reads them."}},
)
def show_metrics(request: Request) -> Response:
    """Alarms by environment, kind and state, and when was looked last, as Prometheus reads it with a token."""
    found = books_of(request).alarms
    text = alarm_metrics.metrics(found.open_ones(), found.last_looks())
    return Response(text, media_type=alarm_metrics.MEDIA_TYPE)


@routes.get("/alarms/{alarm_id}", tags=["monitoring"], dependencies=PLAIN, responses=answers(shapes.Alarm))
def show_alarm(request: Request, alarm_id: Annotated[int, Path(ge=1, le=GREATEST_NUMBER)]) -> Response:
    """One alarm with what shows it."""
    with _or_missing():
        found = books_of(request).alarms.find(alarm_id)
    if _wants_values(request):
        return _values(sent.ALARMS, sent.AlarmsListed((found,)))
    return json_answer(alarms.alarm_as_json(found))


_ALARM: Mapping[str, Any] = {
    "tags": ["monitoring"],
    "dependencies": PLAIN,
    "responses": answers(shapes.Alarm, CHANGES),
}


@routes.post("/alarms/{alarm_id}/acknowledge", **_ALARM)
def acknowledge_alarm(
    request: Request, alarm_id: Annotated[int, Path(ge=1, le=GREATEST_NUMBER)], body: TakenAlarm, key: Key
) -> Response:
    """Say that one has an alarm in hand; it goes on until a look finds its cause gone."""
    books = books_of(request)

    def work() -> Json:
        return alarms.alarm_as_json(books.alarms.acknowledge(alarm_id, body.comment))

    return _once(request, books, key, Right.OPERATE, body, work)


@routes.post("/alarms/{alarm_id}/snooze", **_ALARM)
def snooze_alarm(
    request: Request, alarm_id: Annotated[int, Path(ge=1, le=GREATEST_NUMBER)], body: QuietAlarm, key: Key
) -> Response:
    """Have nobody told of an alarm for a while."""
    books = books_of(request)

    def work() -> Json:
        return alarms.alarm_as_json(books.alarms.snooze(alarm_id, body.until))

    return _once(request, books, key, Right.OPERATE, body, work)


@routes.get("/audit", tags=["audit"], responses=answers(shapes.Audit))
def list_audit(request: Request, query: Annotated[AuditQuery, Query()]) -> Response:
    """Entries of the audit log. A page may hold fewer than asked for, even none, and yet name a next one."""
    wanted = WantedEntries(query.by, query.action, query.request_id or 0, query.since, query.until)
    stretch = Stretch(query.limit, after_number(query), query.newest_first)
    page = books_of(request).browsing.audit(wanted, stretch)
    return json_answer({"entries": audit.as_json(page.items), "next": cursor(query, page.next)})


@routes.get("/audit/verify", tags=["audit"], dependencies=PLAIN, responses=answers(shapes.AuditVerified))
def verify_audit(request: Request) -> Response:
    """Whether the log is unbroken, and what requests it says otherwise about. Reads all of it."""
    return json_answer(audit.verified_as_json(books_of(request).verifying()))


@routes.get("/people", tags=["people"], dependencies=PLAIN, responses=answers(shapes.People))
def list_people(request: Request) -> Response:
    """Everybody on record, with groups and roles."""
    return json_answer(people.as_json(books_of(request).people()))


_PEOPLE: Mapping[str, Any] = {
    "tags": ["people"],
    "dependencies": PLAIN,
    "responses": answers(shapes.People, CHANGES),
}


@routes.post("/people", **_PEOPLE)
def add_person(request: Request, body: AddedPerson, key: Key) -> Response:
    """Put somebody on record."""
    books = books_of(request)
    return _managed(request, books, key, body, lambda: books.people.add(*_new_person(body)))


@routes.post("/people/disable", **_PEOPLE)
def disable_person(request: Request, body: NamedPerson, key: Key) -> Response:
    """Let somebody act no more."""
    books = books_of(request)
    return _managed(request, books, key, body, lambda: books.people.disable(body.name))


@routes.post("/people/enable", **_PEOPLE)
def enable_person(request: Request, body: NamedPerson, key: Key) -> Response:
    """Let somebody act again who was disabled."""
    books = books_of(request)
    return _managed(request, books, key, body, lambda: books.people.enable(body.name))


@routes.post("/people/group", **_PEOPLE)
def put_group(request: Request, body: GroupMembers, key: Key) -> Response:
    """Make a group of these people, or give it these members instead of the ones it has."""
    books = books_of(request)
    return _managed(request, books, key, body, lambda: books.people.group(body.name, body.members))


@routes.post("/people/grant", **_PEOPLE)
def grant_role(request: Request, body: NamedGrant, key: Key) -> Response:
    """Give a role to a person or a group."""
    books = books_of(request)
    return _managed(request, books, key, body, lambda: books.people.grant(body.name, body.role, _scope(body)))


@routes.post("/people/revoke", **_PEOPLE)
def revoke_role(request: Request, body: NamedGrant, key: Key) -> Response:
    """Take a role back, as it was given."""
    books = books_of(request)
    return _managed(
        request, books, key, body, lambda: books.people.revoke(body.name, body.role, _scope(body))
    )


def _fleet(request: Request) -> OpenFleet:
    service: Service = request.app.state.service
    return service.fleet(caller_of(request.scope).by)


def _wants_values(request: Request) -> bool:
    """Whether a command line asks, which shows values as it shows those of a fleet on its machine."""
    return VALUES in request.headers.get("accept", "")


def _values(form: Stored[T], value: T) -> Response:
    return Response(form.to_json(value), media_type=VALUES, headers={VERSION_HEADER: __version__})


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
            return Answer(200, json_text(work()))
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
        return _answer(books, books.deciding(numbers, body.choice, body.comment, displayed=displayed))
    if len(numbers) > 1:
        raise BadInput("votes are handed on one by one", fix="send one request at a time")
    return _answer(books, [books.deciding.hand_on(numbers[0], body.to, body.comment, displayed)])


def _answer(books: OpenBooks, decided: Sequence[approval.Request]) -> Json:
    waits = [(one.id, awaited) for one in decided if (awaited := books.deciding.awaited(one)) is not None]
    return {**_requests(decided), "awaited": [approvals.awaited_as_json(*one) for one in waits]}


def _requests(found: Sequence[approval.Request]) -> dict[str, Json]:
    return approvals.as_json(found)


def _new_person(body: AddedPerson) -> tuple[NewPerson, list[tuple[Role, Scope]]]:
    new = NewPerson(
        body.name, body.kind, body.full_name, tuple(body.aliases), groups=tuple(dict.fromkeys(body.groups))
    )
    return new, [(grant.role, _scope(grant)) for grant in body.roles]


def _scope(grant: NewGrant) -> Scope:
    return Scope(grant.gate, grant.environment, grant.plant_id)
