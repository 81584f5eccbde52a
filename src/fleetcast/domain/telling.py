"""From the audit log to what people are told: which entries are news to somebody, and how they are said."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

from fleetcast.domain.alarm import CauseKind
from fleetcast.domain.approval import Request, RequestState
from fleetcast.domain.audit import AuditEntry, AuditEvent
from fleetcast.domain.deployment import DeploymentState
from fleetcast.domain.duration import format_duration
from fleetcast.domain.gate_rule import can_still_approve
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.notice import PAGES, EventKind, Fact, Notice, NoticeLink
from fleetcast.domain.people import Directory
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.rollout import Phase
from fleetcast.domain.run import Run, RunState
from fleetcast.domain.wording import impact_in_words

RUNBOOKS: Mapping[EventKind, str] = MappingProxyType(
    {
        EventKind.ROLLED_BACK: "docs/DEPLOYMENT.md",
        EventKind.DATA_STALE: "docs/MONITORING.md",
        EventKind.ENDPOINT_DOWN: "docs/MONITORING.md",
        EventKind.SCHEDULE_FAILED: "docs/PIPELINES.md",
    }
)
"""What to do about what cannot wait, unless the fleet says otherwise."""
_LONGEST = 300
"""Of a fact's value."""
_CAUSES = {
    CauseKind.DATA_STALE.value: EventKind.DATA_STALE,
    CauseKind.GATEWAY_DOWN.value: EventKind.DATA_STALE,
    CauseKind.ENDPOINT_DOWN.value: EventKind.ENDPOINT_DOWN,
    CauseKind.PROCESS_CHANGED.value: EventKind.DRIFT,
}


@dataclass(frozen=True, slots=True)
class Told:
    """How far the audit log was read, and when was looked for what comes with time alone."""

    entry: int
    """The last one that was read; 0: none."""
    run: str
    """The run that trained then; empty: none."""
    looked_at: datetime
    """Aware UTC."""


@dataclass(frozen=True, slots=True)
class Known:
    """What entries alone do not say, as of now."""

    owners: Mapping[CircuitKey, str] = field(default_factory=lambda: MappingProxyType({}))
    """As the fleet repository declares them."""
    circuits: Mapping[str, CircuitKey] = field(default_factory=lambda: MappingProxyType({}))
    """By the name of their model."""
    requests: Mapping[int, Request] = field(default_factory=lambda: MappingProxyType({}))
    directory: Directory = field(default_factory=Directory)
    runbooks: Mapping[EventKind, str] = field(default_factory=lambda: MappingProxyType({}))
    """In place of `RUNBOOKS`."""
    site: str = ""
    """Where the pages are that links lead to; empty: there are no links."""


def notice_of(entry: AuditEntry, known: Known) -> Notice | None:
    """What people are told of an entry; None: nothing.

    Its id is the entry's digest: the same however often it is told, and of nothing else.
    """
    said = _TOLD.get(entry.event.action)
    told = None if said is None else said(entry, known)
    return None if told is None else _whole(told, entry.digest.hex[:_ID], entry.at, known)


def requests_in(entries: Sequence[AuditEntry]) -> frozenset[int]:
    """The requests whose evidence and policy are needed to tell of these entries."""
    found = (entry.event.detail.get("request") for entry in entries if entry.event.action in _OF_REQUESTS)
    return frozenset(number for number in found if isinstance(number, int))


def names_circuit(entry: AuditEntry) -> bool:
    """Whether its owner, or the circuit of a model, is looked for to tell of an entry."""
    return entry.event.action in _OF_CIRCUITS


def lapse_reminders(
    requests: Sequence[Request], before: Sequence[timedelta], known: Known, since: datetime, now: datetime
) -> Iterator[Notice]:
    """Who can still decide is reminded, so long before a request lapses; once for all times that came since.

    Args:
        requests: Those that wait.
        before: How long before.
        known: Who is on record.
        since: When was looked last, aware; what came until then was told.
        now: Aware.
    """
    for request in requests:
        if request.as_of(now).state is not RequestState.PENDING:
            continue
        due = [length for length in before if since < request.lapses_at - length <= now]
        # A request that lapses sooner than it would be reminded of was just opened: that was told.
        due = [length for length in due if request.lapses_at - length > request.opened_at]
        if due:
            people = deciders(request, known.directory)
            told = _Told(
                EventKind.APPROVAL_EXPIRING,
                f"request {request.id} for {request.subject} lapses in {_about(request.lapses_at - now)}",
                _request_facts(request, people, known.directory),
                _environment_of(request),
                request_circuit(request, known),
                people=people,
                request=request.id,
            )
            name = f"request {request.id} {request.subject.digest.hex} lapses {min(due).total_seconds():g}"
            yield _whole(told, Digest.of(name.encode()).hex[:_ID], now, known)


def long_running(
    run: Run | None, every: timedelta, known: Known, since: datetime, now: datetime
) -> Notice | None:
    """That training goes on, each time that so much of it went by; once for all times that came since."""
    if run is None or not run.state.is_unfinished:
        return None
    began = run.resumed_at or run.started_at
    times = (now - began) // every
    if times < 1 or began + times * every <= since:
        return None
    last = run.stages[-1] if run.stages else None
    stage = () if last is None else (Fact("last stage", f"{last.stage}: {last.says}"[:_LONGEST]),)
    told = _Told(
        EventKind.TRAINING_LONG_RUNNING,
        f"{run.id} has been training for {_about(now - began)}",
        (Fact("started by", run.by), Fact("commit", run.commit), *stage),
    )
    return _whole(told, Digest.of(f"{run.id} {run.fleet.hex} {times}".encode()).hex[:_ID], now, known)


def deciders(request: Request, directory: Directory) -> tuple[str, ...]:
    """Who can still decide on a request, by name; empty: anyone, or nobody is on record who could."""
    return tuple(
        sorted(
            actor.name
            for actor in can_still_approve(request.policy, directory, request.asked, request.decisions)
        )
    )


_ID = 24
"""So many digits of a digest."""


@dataclass(frozen=True, slots=True)
class _Told:
    """What is said of one event."""

    kind: EventKind
    title: str
    facts: tuple[Fact, ...] = ()
    environment: EnvironmentName | None = None
    key: CircuitKey | None = None
    plant: str | None = None
    """Where no circuit is known."""
    people: tuple[str, ...] = ()
    request: int = 0
    """Whose page shows the evidence, and takes decisions; 0: none."""
    owner: str | None = None
    """As the event says; None: as the circuit's is declared."""


def _whole(told: _Told, notice_id: str, at: datetime, known: Known) -> Notice:
    key = told.key
    runbook = known.runbooks.get(told.kind, RUNBOOKS.get(told.kind))
    return Notice(
        id=notice_id,
        kind=told.kind,
        at=at,
        title=told.title,
        facts=told.facts,
        environment=told.environment,
        plant=told.plant if key is None else key.plant,
        circuit=None if key is None else key.circuit,
        owner=told.owner or (None if key is None else known.owners.get(key) or None),
        people=told.people,
        links=tuple(_links(told, known)),
        runbook=runbook,
    )


def _links(told: _Told, known: Known) -> Iterator[NoticeLink]:
    if told.request and known.site:
        decide = told.kind in (EventKind.APPROVAL_REQUIRED, EventKind.APPROVAL_EXPIRING)
        says = "Look and decide" if decide else "Look"
        yield NoticeLink(says, f"{known.site}/approvals/{told.request}")


def _facts(event: AuditEvent, *names: str) -> tuple[Fact, ...]:
    """Details of an event under these names; what is not there is left out."""
    values = ((name, event.detail.get(name)) for name in names)
    return tuple(
        Fact(name.replace("_", " "), str(value)[:_LONGEST])
        for name, value in values
        if value not in (None, "")
    )


def _about(length: timedelta) -> str:
    """A length of time in hours, or in minutes where it is less than two."""
    unit = timedelta(hours=1) if length >= timedelta(hours=2) else timedelta(minutes=1)
    return format_duration(max(length // unit, 1) * unit)


# One for each action that is news


def _run_began(entry: AuditEntry, _known: Known) -> _Told:
    by = Fact("started by", entry.actor.name)
    return _Told(
        EventKind.TRAINING_STARTED,
        f"{entry.event.subject} began to train",
        (by, *_facts(entry.event, "jobs", "commit")),
    )


def _run_ended(entry: AuditEntry, _known: Known) -> _Told:
    event = entry.event
    state = str(event.detail.get("state"))
    kind = {
        RunState.FAILED.value: EventKind.TRAINING_FAILED,
        RunState.STILL_RUNNING.value: EventKind.TRAINING_LONG_RUNNING,
    }.get(state, EventKind.TRAINING_COMPLETED)
    stages = event.detail.get("stages")
    said = tuple(
        Fact(str(stage.get("stage")), str(stage.get("says"))[:_LONGEST])
        for stage in (stages if isinstance(stages, list) else ())
        if isinstance(stage, dict)
    )
    return _Told(kind, f"{event.subject} ended: {state}", (*_facts(event, "commit"), *said))


def _job_failed(entry: AuditEntry, _known: Known) -> _Told:
    detail = entry.event.detail
    key = CircuitKey(str(detail.get("plant")), str(detail.get("circuit")))
    return _Told(
        EventKind.TRAINING_FAILED,
        f"training of {key} failed",
        (Fact("job", entry.event.subject), *_facts(entry.event, "run", "attempt", "error")),
        EnvironmentName.DEV,
        key,
    )


def _registered(entry: AuditEntry, known: Known) -> _Told:
    name = entry.event.subject.partition(":")[0]
    return _Told(
        EventKind.TRAINING_COMPLETED,
        f"{entry.event.subject} was trained",
        _facts(entry.event, "job", "commit"),
        EnvironmentName.DEV,
        known.circuits.get(name),
    )


def _asked(entry: AuditEntry, known: Known) -> _Told | None:
    request = known.requests.get(_number(entry))
    if request is None:
        title = f"request {_number(entry)} waits: {entry.event.subject}"
        return _Told(EventKind.APPROVAL_REQUIRED, title, _facts(entry.event, "gate"), request=_number(entry))
    if request.state is not RequestState.PENDING:
        return None
    again = " again" if entry.event.action == "request.reopened" else ""
    people = deciders(request, known.directory)
    return _Told(
        EventKind.APPROVAL_REQUIRED,
        f"request {request.id} waits{again}: {request.subject} at {request.gate.value}",
        _request_facts(request, people, known.directory),
        _environment_of(request),
        request_circuit(request, known),
        people=people,
        request=request.id,
    )


def _decided(entry: AuditEntry, known: Known) -> _Told:
    verb = entry.event.action.partition(".")[2].replace("_", " ")
    request = known.requests.get(_number(entry))
    return _Told(
        EventKind.APPROVAL_DECIDED,
        f"request {_number(entry)} for {entry.event.subject}: {verb}",
        (Fact("by", entry.actor.name), *_facts(entry.event, "gate", "comment")),
        None if request is None else _environment_of(request),
        None if request is None else request_circuit(request, known),
        request=_number(entry),
    )


def _deployment(entry: AuditEntry, _known: Known) -> _Told | None:
    event = entry.event
    state = str(event.detail.get("state"))
    environment, _, number = event.subject.partition(":")
    if state == DeploymentState.WAITING.value:
        return None
    begins = state == DeploymentState.RUNNING.value
    return _Told(
        EventKind.DEPLOYMENT_STARTED if begins else EventKind.DEPLOYMENT_COMPLETED,
        f"deployment {number} to {environment} {'began' if begins else f'ended: {state}'}",
        _facts(event, "plants", "commit"),
        _environment(environment),
    )


def _rollout(entry: AuditEntry, _known: Known) -> _Told | None:
    event = entry.event
    environment, _, plant = event.subject.partition("/")
    phase = str(event.detail.get("phase"))
    facts = _facts(event, "deployment", "cause", "says")
    if phase == Phase.ROLLED_BACK.value:
        title = f"{event.subject} was rolled back"
        return _Told(EventKind.ROLLED_BACK, title, facts, _environment(environment), plant=plant)
    if phase in (Phase.DONE.value, Phase.SUPERSEDED.value):
        done = phase == Phase.DONE.value
        title = (
            f"{event.subject}: {'the new release serves everything' if done else 'a newer release took over'}"
        )
        return _Told(EventKind.DEPLOYMENT_STEP, title, facts, _environment(environment), plant=plant)
    return None


def _shifted(entry: AuditEntry, _known: Known) -> _Told:
    environment, _, plant = entry.event.subject.partition("/")
    return _Told(
        EventKind.DEPLOYMENT_STEP,
        f"{entry.event.subject}: the new release gets {entry.event.detail.get('share')} % of the traffic",
        _facts(entry.event, "deployment"),
        _environment(environment),
        plant=plant,
    )


def _alarm(entry: AuditEntry, _known: Known) -> _Told:
    event = entry.event
    cause = str(event.detail.get("kind"))
    over = event.action == "alarm.recovered"
    kind = EventKind.RECOVERED if over else _CAUSES.get(cause, EventKind.ALARM)
    if kind in PAGES and event.detail.get("page") is False:
        kind = EventKind.ALARM
    plant, circuit = event.detail.get("plant"), event.detail.get("circuit")
    where = "/".join(str(part) for part in (plant, circuit) if part)
    return _Told(
        kind,
        f"{cause}: {where or event.subject}{' is over' if over else ''}",
        (Fact("alarm", event.subject), *_facts(event, "sensor"), *_alarm_facts(event, over=over)),
        _environment(event.detail.get("environment")),
        CircuitKey(str(plant), str(circuit)) if plant and circuit else None,
        str(plant) if plant else None,
        owner=str(event.detail.get("owner") or "") or None,
    )


def _alarm_facts(event: AuditEvent, *, over: bool) -> Iterator[Fact]:
    """Since when, how bad and where to look; of one that is over, why it is."""
    detail = event.detail
    number, impact = detail.get("number"), detail.get("impact")
    if over:
        yield from _facts(event, "why")
        return
    if isinstance(since := detail.get("since"), str):
        yield Fact("since", f"{datetime.fromisoformat(since):%Y-%m-%d %H:%M} UTC")
    if isinstance(impact, int | float):
        yield Fact("impact", impact_in_words(impact))
    if isinstance(number, int):
        yield Fact("look", f"fleetcast alarms show {number}")


def _channel(entry: AuditEntry, _known: Known) -> _Told:
    return _Told(
        EventKind.CHANNEL_DISABLED,
        f"the channel {entry.event.subject} takes no messages any more",
        (Fact("channel", entry.event.subject), *_facts(entry.event, "why")),
    )


def _schedule(entry: AuditEntry, _known: Known) -> _Told:
    duty = entry.event.subject
    return _Told(
        EventKind.SCHEDULE_FAILED,
        f"{duty} failed {entry.event.detail.get('attempts')} times and is not tried again",
        (*_facts(entry.event, "due", "exit_code"), Fact("see", "fleetcast schedules list")),
        _environment(duty.rpartition(" ")[2]),
    )


def _number(entry: AuditEntry) -> int:
    number = entry.event.detail.get("request")
    return number if isinstance(number, int) else 0


def _environment(name: object) -> EnvironmentName | None:
    return next((one for one in EnvironmentName if one.value == name), None)


def _environment_of(request: Request) -> EnvironmentName | None:
    return request.asked.place.environment


def request_circuit(request: Request, known: Known) -> CircuitKey | None:
    """The circuit that a request is about; None: it is about more than one, or the fleet declares it no more."""
    return known.circuits.get(request.subject.name)


def _request_facts(request: Request, people: Sequence[str], directory: Directory) -> tuple[Fact, ...]:
    nobody = "nobody on record" if not directory.is_open else "anyone"
    return (
        Fact("gate", request.gate.value),
        Fact("checks", request.evidence.outcome.value),
        Fact("asked by", request.requested_by.name),
        Fact("can decide", ", ".join(people)[:_LONGEST] or nobody),
        Fact("lapses", request.lapses_at.strftime("%Y-%m-%d %H:%M UTC")),
        Fact("decide", f"fleetcast approvals show {request.id}"),
    )


_OPENED = ("request.opened", "request.reopened")
_ENDED = (
    "request.approved",
    "request.rejected",
    "request.lapsed",
    "request.void",
    "request.broken-glass",
    "request.distrusted",
)
_OF_REQUESTS = frozenset({*_OPENED, *_ENDED})
_OF_CIRCUITS = _OF_REQUESTS | {"job.failed", "model.registered", "alarm.raised", "alarm.recovered"}
_TOLD: Mapping[str, Callable[[AuditEntry, Known], _Told | None]] = MappingProxyType(
    {
        "run.began": _run_began,
        "run.ended": _run_ended,
        "job.failed": _job_failed,
        "model.registered": _registered,
        **dict.fromkeys(_OPENED, _asked),
        **dict.fromkeys(_ENDED, _decided),
        "deployment.changed": _deployment,
        "rollout.changed": _rollout,
        "traffic.shifted": _shifted,
        "alarm.raised": _alarm,
        "alarm.recovered": _alarm,
        "channel.disabled": _channel,
        "schedule.failed": _schedule,
    }
)
