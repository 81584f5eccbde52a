"""One desk for many people: each thing they do carries their own name, and their own lease."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Event

import pytest
import sqlalchemy as sa

from fleetcast.app import Desk, open_desk
from fleetcast.domain.approval import Choice, Request, RequestState
from fleetcast.domain.audit import Actor, Standing
from fleetcast.domain.run import Ending, Run, worst
from fleetcast.domain.settings import DATABASE_URL_VARIABLE
from fleetcast.pipeline.runner import StageWatcher
from fleetcast.platforms.database import schema
from fleetcast.ports.runs import RunInProgress, RunTakenOver
from tests.fleets import UNWATCHED, small_fleet
from tests.logs import is_whole
from tests.servers.postgres import PostgresServer

ADA, GRACE = Actor("ada"), Actor("grace", Standing.VERIFIED)
AT_ONCE = timedelta(0)


@pytest.fixture(params=["sqlite", "postgres"])
def desk(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    if request.param == "postgres":
        server: PostgresServer = request.getfixturevalue("postgres")
        monkeypatch.setenv(DATABASE_URL_VARIABLE, server.url(server.new_database()))
    return open_desk(small_fleet(tmp_path, family="seasonal_naive").opened.directory)


def train(desk: Desk, actor: Actor, watcher: StageWatcher = UNWATCHED) -> Run:
    return desk.as_(actor).training(desk.fleet, watcher, lock_timeout=AT_ONCE)


def approve(desk: Desk, actor: Actor, requests: Sequence[Request]) -> Sequence[Request]:
    deciding = desk.as_(actor).books.deciding
    return deciding([request.id for request in requests], Choice.APPROVE, f"fine, says {actor.name}")


def waiting(desk: Desk) -> Sequence[Request]:
    return desk.as_(ADA).books.deciding.pending()


def who_did(desk: Desk, action: str) -> set[str]:
    """Who is named by the audit entries of an action."""
    entries = desk.as_(ADA).books.audit.entries()
    return {entry.actor.name for entry in entries if entry.event.action == action}


def held_at(stage: str, begun: Event, let_go: Event) -> StageWatcher:
    """Let a run stand still where a stage begins."""

    def begins(entry: object) -> None:
        if getattr(entry, "name", "") == stage:
            begun.set()
            assert let_go.wait(60)

    return StageWatcher(begins, lambda *_: None, lambda *_: None)


def test_two_people_in_turn_each_act_in_their_own_name(desk: Desk) -> None:
    assert worst(record.ending for record in train(desk, ADA).stages) is Ending.AWAITING
    decided = approve(desk, GRACE, waiting(desk))
    assert {decision.by.name for request in decided for decision in request.decisions} == {"grace"}
    assert worst(record.ending for record in train(desk, GRACE).stages) is Ending.DONE

    assert who_did(desk, "model.registered") == {"ada"}
    assert who_did(desk, "request.opened") == {"ada"}
    assert who_did(desk, "request.approved") == {"grace"}
    assert who_did(desk, "model.shared") == who_did(desk, "model.crowned") == {"grace"}
    assert is_whole(desk.as_(GRACE).books.audit)


def test_a_decision_and_a_run_at_the_same_time_each_carry_the_right_name(desk: Desk) -> None:
    begun, let_go = Event(), Event()
    with ThreadPoolExecutor() as threads:
        running = threads.submit(train, desk, ADA, held_at("SubmitTraining", begun, let_go))
        try:
            assert begun.wait(60)
            (environment,) = waiting(desk)
            decided = threads.submit(approve, desk, GRACE, [environment]).result()
            with pytest.raises(RunInProgress, match="ada on"):
                train(desk, GRACE)
        finally:
            let_go.set()
        running.result()
    assert [request.state for request in decided] == [RequestState.APPROVED]
    assert who_did(desk, "request.approved") == {"grace"}
    assert who_did(desk, "model.registered") == {"ada"}


def test_a_lease_that_one_lost_does_not_fence_the_other(desk: Desk) -> None:
    begun, let_go = Event(), Event()
    with ThreadPoolExecutor() as threads:
        running = threads.submit(train, desk, ADA, held_at("SubmitTraining", begun, let_go))
        try:
            assert begun.wait(60)
            taken = sa.update(schema.leases).values(token=schema.leases.c.token + 1, holder="another process")
            desk.database.change(lambda connection: connection.execute(taken))
            assert len(approve(desk, GRACE, waiting(desk))) == 1
            assert len(desk.as_(ADA).books.control.approvals.listed()) == 1
        finally:
            let_go.set()
        with pytest.raises(RunTakenOver, match="another process"):
            running.result()
    assert who_did(desk, "request.approved") == {"grace"}
    assert who_did(desk, "model.registered") == set()


def test_decisions_from_two_threads_at_once_keep_the_log_unbroken(desk: Desk) -> None:
    train(desk, ADA)
    first, *others = waiting(desk)
    together = Barrier(2)

    def decide(actor: Actor, requests: Sequence[Request]) -> None:
        together.wait(60)
        for request in requests:
            approve(desk, actor, [request])

    with ThreadPoolExecutor() as threads:
        both = [threads.submit(decide, ADA, [first]), threads.submit(decide, GRACE, others)]
        for one in both:
            one.result()
    books = desk.as_(ADA).books
    by = {
        request.id: [decision.by.name for decision in request.decisions]
        for request in books.control.approvals.listed()
    }
    assert by == {first.id: ["ada"]} | {request.id: ["grace"] for request in others}
    assert is_whole(books.audit)


def test_everybody_at_a_desk_reads_the_same_fleet(desk: Desk) -> None:
    ada, grace = desk.as_(ADA), desk.as_(GRACE)
    train(desk, ADA)
    assert ada.fleet is grace.fleet
    assert ada.platform.workspace.tables is grace.platform.workspace.tables
    assert ada.status(ada.fleet).counts == grace.status(grace.fleet).counts
    circuit = ada.fleet.circuits[0]
    assert ada.forecasting(circuit).provenance == grace.forecasting(circuit).provenance
