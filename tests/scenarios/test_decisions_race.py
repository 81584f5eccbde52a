"""Decisions at the same moment: everybody who may counts, one outcome comes of it, and nothing is acknowledged in vain.

Called `decisions_race`, after what is tried: `make test ARGS="-k decisions_race"`.
"""

from __future__ import annotations

import multiprocessing as mp
import os
import signal
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path
from unittest.mock import patch

import pytest

from fleetcast.app import Desk, open_desk
from fleetcast.domain.approval import Choice, NotDecidable, RequestState
from fleetcast.domain.audit import Actor
from fleetcast.domain.gate import GatePolicy
from tests.contracts.samples import request
from tests.logs import is_whole
from tests.scenarios.repository import Repository

ROUNDS = 200
SPAWN = mp.get_context("spawn")
ADA, GRACE = Actor("ada"), Actor("grace")
TWO = GatePolicy(minimum=2)


def open_requests(fleet: Repository, count: int, policy: GatePolicy) -> Desk:
    """A desk with so many requests that wait."""
    with patch.dict(os.environ, fleet.environment):
        desk = open_desk(fleet.folder)
    book, now = desk.as_(Actor("ci")).platform.control.approvals, desk.clock.now()
    wanted = (request(f"m{number}", policy=policy) for number in range(count))
    book.open([replace(one, opened_at=now) for one in wanted])
    return desk


def decide_each(
    environment: Mapping[str, str],
    folder: Path,
    actor: Actor,
    choice: Choice,
    numbers: Sequence[int],
    together: Barrier,
    told: Connection,
) -> None:
    """Decide on one request after another, each at the same moment as the others; tells what came of it."""
    os.environ.update(environment)
    desk = open_desk(folder)
    answers = []
    for number in numbers:
        deciding = desk.as_(actor).books.deciding
        together.wait(timeout=300)
        try:
            deciding([number], choice, f"{choice.value}, says {actor}")
            answers.append("counted")
        except NotDecidable:
            answers.append("refused")
    told.send(answers)


def at_once(
    fleet: Repository, who: Sequence[tuple[Actor, Choice]], numbers: Sequence[int]
) -> list[list[str]]:
    """Several processes decide on the same requests; gives what came of it, process by process."""
    together = SPAWN.Barrier(len(who))
    processes, answers = [], []
    for actor, choice in who:
        mine, theirs = SPAWN.Pipe(duplex=False)
        arguments = (dict(fleet.environment), fleet.folder, actor, choice, numbers, together, theirs)
        process = SPAWN.Process(target=decide_each, args=arguments)
        process.start()
        processes.append((process, mine))
    for process, mine in processes:
        assert mine.poll(timeout=240), "a process did not come to its end"
        answers.append(mine.recv())
        process.join()
    return answers


def audited(desk: Desk) -> Counter[str]:
    log = desk.as_(ADA).books.audit
    assert is_whole(log)
    return Counter(entry.event.action for entry in log.entries())


@pytest.mark.slow
def test_decisions_race_approve_against_reject_gives_one_outcome(declared: Repository) -> None:
    desk = open_requests(declared, ROUNDS, GatePolicy())
    numbers = range(1, ROUNDS + 1)
    answers = at_once(declared, [(ADA, Choice.APPROVE), (GRACE, Choice.REJECT)], numbers)
    states = {RequestState.APPROVED: 0, RequestState.REJECTED: 1}
    for number, held in zip(numbers, desk.as_(ADA).books.control.approvals.listed(), strict=True):
        winner = states[held.state]
        assert [answers[side][number - 1] for side in (winner, 1 - winner)] == ["counted", "refused"]
        assert len(held.decisions) == 1
    actions = audited(desk)
    assert actions["request.approved"] + actions["request.rejected"] == ROUNDS
    assert actions["decision.refused"] == ROUNDS


@pytest.mark.slow
def test_decisions_race_two_people_who_approve_at_once_both_count(declared: Repository) -> None:
    count = 25
    desk = open_requests(declared, count, TWO)
    at_once(declared, [(ADA, Choice.APPROVE), (GRACE, Choice.APPROVE)], range(1, count + 1))
    for held in desk.as_(ADA).books.control.approvals.listed():
        assert held.state is RequestState.APPROVED
        assert {decision.by.name for decision in held.decisions} == {"ada", "grace"}
    assert audited(desk)["decision.refused"] == 0


@pytest.mark.slow
def test_decisions_race_the_same_person_many_times_at_once_counts_once(declared: Repository) -> None:
    from concurrent.futures import ThreadPoolExecutor

    desk = open_requests(declared, 1, TWO)

    def approve(spelling: str) -> bool:
        try:
            desk.as_(Actor(spelling)).books.deciding([1], Choice.APPROVE, "")
        except NotDecidable:
            return False
        return True

    with ThreadPoolExecutor(20) as pool:
        counted = list(pool.map(approve, ["ada", "ADA", "Ada", "aDa"] * 5))
    assert counted.count(True) == 1
    (held,) = desk.as_(ADA).books.control.approvals.listed()
    assert (held.state, held.missing) == (RequestState.PENDING, 1)
    assert audited(desk)["decision.refused"] == 19


def acknowledge(environment: Mapping[str, str], folder: Path, told: Connection) -> None:
    """Decide, say so, and stand still."""
    os.environ.update(environment)
    open_desk(folder).as_(ADA).books.deciding([1], Choice.APPROVE, "fine")
    told.send("approved")
    signal.pause()


@pytest.mark.slow
def test_decisions_race_a_kill_after_the_acknowledgement_loses_nothing(declared: Repository) -> None:
    desk = open_requests(declared, 1, GatePolicy())
    mine, theirs = SPAWN.Pipe(duplex=False)
    process = SPAWN.Process(target=acknowledge, args=(dict(declared.environment), declared.folder, theirs))
    process.start()
    assert mine.poll(timeout=300)
    assert mine.recv() == "approved"
    process.kill()
    process.join()
    (held,) = desk.as_(ADA).books.control.approvals.listed()
    assert [decision.by.name for decision in held.decisions] == ["ada"]
    assert audited(desk)["request.approved"] == 1
