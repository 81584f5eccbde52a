"""Runs of the pipeline in words and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from fleetcast.domain.approval import Request, SubjectKind
from fleetcast.domain.canonical import Json
from fleetcast.domain.evidence import Outcome
from fleetcast.domain.job import JobLog
from fleetcast.domain.run import Ending, Run
from fleetcast.domain.wording import counted, some_of
from fleetcast.views.moments import iso, iso_or_null, lasted, shown
from fleetcast.workflows.look import PagesOfRun

_HARDLY = timedelta(seconds=10)
"""A run that did not work for less than this, or than a tenth of its time, has not waited for anybody."""

_NOT_PASSING = (
    (Outcome.FAILING, "fails a check", "fail a check"),
    (Outcome.NOT_MEASURED, "has a bound on what was not measured", "have a bound on what was not measured"),
    (Outcome.NOT_COMPARABLE, "has nothing to compare with", "have nothing to compare with"),
)
"""What keeps a request from being approved with the others, of one and of many."""


def state_in_words(run: Run, *, at_work: bool) -> str:
    """The state of a run, for people; an unfinished one is at work only while somebody runs stages."""
    if not run.state.is_unfinished:
        return run.state.value
    return f"{run.state.value}, {'at work' if at_work else 'nobody at work'}"


def took_in_words(run: Run, now: datetime | None = None) -> str:
    """How long a run took, from its first start to its last end; and how long it worked, where it waited in between.

    Args:
        run: The run.
        now: While somebody is at work on it.
    """
    took = run.took(now)
    working = timedelta(0) if now is None or run.begun is None else max(now - run.begun.at, timedelta(0))
    worked = timedelta(seconds=run.worked_seconds) + working
    if took - worked < max(_HARDLY, took / 10):
        return lasted(took)
    return f"{lasted(took)}, {lasted(worked)} of it at work"


def begun_in_words(run: Run, *, at_work: bool) -> str:
    """Which stage somebody works on, or was interrupted in; empty where none has begun that has not ended."""
    if run.begun is None:
        return ""
    stage = f"{run.begun.stage}, since {shown(run.begun.at)}, by {run.begun.by}"
    return f"at work on {stage}" if at_work else f"interrupted in {stage}"


def as_json(run: Run, *, at_work: bool) -> dict[str, Json]:
    """A run for programs, with the stages that ran."""
    return {
        "run_id": run.id,
        "state": run.state.value,
        "is_at_work": run.state.is_unfinished and at_work,
        "by": run.by,
        "commit": run.commit,
        "fleet_digest": run.fleet.hex,
        "started_at": iso(run.started_at),
        "ended_at": iso_or_null(run.ended_at),
        "took_seconds": round(run.took().total_seconds(), 3),
        "worked_seconds": round(run.worked_seconds, 3),
        "begun": None
        if run.begun is None
        else {"stage": run.begun.stage, "by": run.begun.by, "at": iso(run.begun.at)},
        "stages": [
            {
                "stage": record.stage,
                "ending": record.ending.value,
                "says": record.says,
                "started_at": iso(record.started_at),
                "ended_at": iso(record.ended_at),
                "seconds": round(record.seconds, 3),
            }
            for record in run.stages
        ],
    }


def found_as_json(run: Run, jobs: PagesOfRun, *, at_work: bool) -> Json:
    """A run for programs, and where the platform shows its jobs."""
    return {
        **as_json(run, at_work=at_work),
        "pages": [{"title": page.title, "url": page.url} for page in jobs.pages],
        "pages_unknown": jobs.unknown or None,
    }


def log_as_json(log: JobLog) -> Json:
    """What a job said, for programs."""
    return {"job_id": log.job_id, "text": log.text}


def next_steps(run: Run, ending: Ending, *, waiting: Sequence[Request]) -> list[str]:
    """What a person does after a run that ended like this.

    Args:
        run: The run.
        ending: How it ended, or the one stage of it that was run.
        waiting: The requests that wait for a decision.
    """
    asked = [one for one in waiting if one.subject.kind is not SubjectKind.DEPLOYMENT]
    if ending is Ending.FAILED:
        failed = f"{run.id} failed in part; fix the cause, then run `fleetcast train` to continue it"
        return [failed, *(_deciding(run, asked) if asked else ())]
    if ending is Ending.STILL_RUNNING:
        return [f"{run.id}: jobs are still running; run `fleetcast train` to go on watching them"]
    if ending is Ending.AWAITING:
        return [*_deciding(run, asked), "  then:    fleetcast train"]
    return [f"{run.id}: done"]


def _deciding(run: Run, asked: Sequence[Request]) -> Iterator[str]:
    """How many requests wait, how many of them pass, which do not, and how to look at those and approve the others."""
    yield f"{run.id}: {counted(len(asked), 'request waits', 'requests wait')} for approval"
    passing = [one.id for one in asked if one.evidence.outcome is Outcome.PASSING]
    others = {
        outcome: [one.id for one in asked if one.evidence.outcome is outcome]
        for outcome, _, _ in _NOT_PASSING
    }
    if 0 < len(passing) < len(asked):
        yield f"  {len(passing):,} {'passes' if len(passing) == 1 else 'pass'} every check"
    for outcome, one, many in _NOT_PASSING:
        if some := others[outcome]:
            yield f"  {len(some):,} {one if len(some) == 1 else many}: {some_of(some)}"
    first = next((some[0] for some in others.values() if some), None)
    yield f"  look:    fleetcast approvals {'list' if first is None else f'show {first}'}"
    if passing:
        yield "  approve: fleetcast approve --passing --comment '…'"
        return
    yield from (f"  decide:  {_one_by_one(request)}" for request in asked if request.id == first)


def _one_by_one(request: Request) -> str:
    """How somebody decides on a request whose checks do not say that it is good."""
    reject = f"fleetcast reject {request.id} --comment '…'"
    if request.evidence.outcome is Outcome.FAILING and not request.policy.failing_allowed:
        return f"its gate lets nobody approve what fails a check: mend it, or {reject}"
    return f"fleetcast approve {request.id} --comment '…', or {reject}"


def short_commit(commit: str) -> str:
    """A commit as far as people read it; `+` stands for changes that were not committed."""
    head, _, changes = commit.partition("+")
    return (head[:10] if len(head) == 40 else head) + ("+" if changes else "")
