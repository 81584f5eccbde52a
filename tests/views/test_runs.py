from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from fleetcast.cli.plain_rich import Console
from fleetcast.cli.run_views import print_run
from fleetcast.domain.approval import Request
from fleetcast.domain.evidence import Bound, BoundCheck, ChampionCheck, Check, NoChampion, Outcome
from fleetcast.domain.job import JobPage
from fleetcast.domain.run import Ending, Run, RunState, StageRecord
from fleetcast.views.moments import lasted
from fleetcast.views.runs import (
    as_json,
    begun_in_words,
    found_as_json,
    next_steps,
    short_commit,
    took_in_words,
)
from fleetcast.workflows.look import PagesOfRun
from tests.clocks import NOON
from tests.views.examples import PENDING, RUN


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        (Ending.DONE, "run-0001: done"),
        (Ending.AWAITING, "run-0001: 2 requests wait for approval"),
        (
            Ending.STILL_RUNNING,
            "run-0001: jobs are still running; run `fleetcast train` to go on watching them",
        ),
        (Ending.FAILED, "run-0001 failed in part; fix the cause, then run `fleetcast train` to continue it"),
    ],
)
def test_each_ending_says_what_comes_next(ending: Ending, said: str) -> None:
    assert next_steps(RUN, ending, waiting=[PENDING, replace(PENDING, id=13)])[0] == said


def _asked(number: int, outcome: Outcome) -> Request:
    limit, value = (0.5, 0.1) if outcome is Outcome.FAILING else (0.5, 0.9)
    special: dict[Outcome, tuple[Check, ...]] = {
        Outcome.NOT_MEASURED: (BoundCheck(Bound.MIN_SKILL, None, limit),),
        Outcome.NOT_COMPARABLE: (ChampionCheck(NoChampion()),),
    }
    checks = special.get(outcome, (BoundCheck(Bound.MIN_SKILL, value, limit),))
    request = replace(PENDING, id=number, evidence=replace(PENDING.evidence, checks=checks))
    assert request.evidence.outcome is outcome
    return request


def test_requests_that_fail_a_check_are_named_and_looked_at_before_the_others_are_approved() -> None:
    waiting = [_asked(1, Outcome.PASSING), _asked(2, Outcome.FAILING), _asked(3, Outcome.FAILING)]
    assert next_steps(RUN, Ending.AWAITING, waiting=waiting) == [
        "run-0001: 3 requests wait for approval",
        "  1 passes every check",
        "  2 fail a check: 2, 3",
        "  look:    fleetcast approvals show 2",
        "  approve: fleetcast approve --passing --comment '…'",
        "  then:    fleetcast train",
    ]


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Outcome.FAILING, "  1 fails a check: 7"),
        (Outcome.NOT_MEASURED, "  1 has a bound on what was not measured: 7"),
        (Outcome.NOT_COMPARABLE, "  1 has nothing to compare with: 7"),
    ],
)
@pytest.mark.parametrize("ending", [Ending.AWAITING, Ending.FAILED])
def test_where_no_request_passes_nobody_is_told_to_approve_those_that_do(
    ending: Ending, outcome: Outcome, said: str
) -> None:
    lines = next_steps(RUN, ending, waiting=[_asked(7, outcome)])
    assert said in lines
    assert not any("every check" in line for line in lines)
    assert "  look:    fleetcast approvals show 7" in lines
    assert not any("--passing" in line for line in lines)


def test_where_a_gate_lets_nobody_approve_what_fails_it_is_only_rejected() -> None:
    failing = _asked(7, Outcome.FAILING)
    shut = replace(failing, policy=replace(failing.policy, failing_allowed=False))
    said = {line[:10]: line for line in next_steps(RUN, Ending.AWAITING, waiting=[shut])}
    assert said["  decide: "] == (
        "  decide:  its gate lets nobody approve what fails a check: mend it, or fleetcast reject 7 --comment '…'"
    )


def test_where_all_pass_they_are_approved_at_once() -> None:
    assert next_steps(RUN, Ending.AWAITING, waiting=[_asked(1, Outcome.PASSING)]) == [
        "run-0001: 1 request waits for approval",
        "  look:    fleetcast approvals list",
        "  approve: fleetcast approve --passing --comment '…'",
        "  then:    fleetcast train",
    ]


def test_a_run_is_shown_with_the_pages_of_its_jobs_and_without_those_that_are_not_known() -> None:
    page = JobPage("run-0001: PLANT001/CIRCUIT01 and 3 more", "https://ml.azure.com/runs/fleetcast-1?wsid=2")
    written = io.StringIO()
    console = Console(file=written, width=40, highlight=False)
    print_run(RUN, console, folder=Path("runs"), jobs=PagesOfRun((page,)), at_work=False, now=NOON)
    assert f"{page.title}: {page.url}\n" in written.getvalue()
    unknown = PagesOfRun(unknown="Azure does not answer")
    print_run(RUN, console, folder=Path("runs"), jobs=unknown, at_work=False, now=NOON)
    assert "where the platform shows its jobs is not known: Azure does not answer\n" in written.getvalue()
    assert found_as_json(RUN, PagesOfRun((page,)), at_work=False) == {
        **as_json(RUN, at_work=False),
        "pages": [{"title": page.title, "url": page.url}],
        "pages_unknown": None,
    }


def test_a_commit_is_shown_as_far_as_people_read_it() -> None:
    assert short_commit(RUN.commit) == "0123456789"
    assert short_commit(f"{RUN.commit}+3f") == "0123456789+"
    assert short_commit("uncommitted") == "uncommitted"


def _stage(name: str, begins: timedelta, takes: timedelta) -> StageRecord:
    return StageRecord(name, Ending.DONE, "done", NOON + begins, NOON + begins + takes)


def _continued() -> Run:
    """A run that trained for ten minutes, waited for people for two hours, and ended within a minute after that."""
    run = Run("run-0007", RUN.fleet, "0123abc", "ada", NOON)
    run = run.with_stage(_stage("MonitorTraining", timedelta(0), timedelta(minutes=10)))
    run = run.ended(Ending.AWAITING, NOON + timedelta(minutes=10))
    run = run.beginning("MonitorTraining", "grace", NOON + timedelta(hours=2))
    run = run.with_stage(_stage("MonitorTraining", timedelta(hours=2), timedelta(minutes=1)))
    return run.ended(Ending.DONE, NOON + timedelta(hours=2, minutes=1))


def test_a_run_took_all_its_time_and_says_how_much_of_it_was_work() -> None:
    assert took_in_words(_continued()) == "2 h 1 min, 11 min of it at work"
    assert as_json(_continued(), at_work=False)["took_seconds"] == 7260.0
    assert as_json(_continued(), at_work=False)["worked_seconds"] == 660.0


def test_a_run_that_did_not_wait_says_one_time() -> None:
    run = Run("run-0007", RUN.fleet, "0123abc", "ada", NOON)
    run = run.with_stage(_stage("RegisterData", timedelta(0), timedelta(seconds=1.5)))
    assert took_in_words(run.ended(Ending.DONE, NOON + timedelta(seconds=2))) == "2.0 s"


def test_a_run_at_work_says_its_stage_and_takes_time_until_now() -> None:
    run = _continued().beginning("PromoteModels", "grace", NOON + timedelta(hours=3))
    now = NOON + timedelta(hours=3, minutes=9)
    assert run.state is RunState.OPEN
    assert took_in_words(run, now) == "3 h 9 min, 20 min of it at work"
    assert (
        begun_in_words(run, at_work=True) == "at work on PromoteModels, since 2025-12-01 15:00 UTC, by grace"
    )
    assert begun_in_words(run, at_work=False).startswith("interrupted in PromoteModels, since")
    assert begun_in_words(_continued(), at_work=True) == ""


def test_what_an_interrupted_run_took_ends_with_its_last_stage() -> None:
    run = replace(_continued(), state=RunState.OPEN, ended_at=None)
    assert run.took() == timedelta(hours=2, minutes=1)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0.0 s"),
        (1.46, "1.5 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min"),
        (200, "3 min 20 s"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
        (273_600, "3 d 4 h"),
    ],
)
def test_a_length_of_time_is_said_in_two_units_at_most(seconds: float, said: str) -> None:
    assert lasted(timedelta(seconds=seconds)) == said
