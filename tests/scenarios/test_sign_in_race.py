"""One-time links and passwords at the same moment, from several processes: one is first, and that alone counts."""

from __future__ import annotations

import multiprocessing as mp
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path
from unittest.mock import patch

import pytest

from fleetcast.app import SignInDoor, open_sign_in
from fleetcast.domain.attempts import OF_A_NAME
from fleetcast.domain.people import Denied
from fleetcast.workflows.links import LinkSaysNothing
from fleetcast.workflows.sign_in import NotSignedIn, TooManyAttempts
from tests.logs import broken_at
from tests.passwords import GOOD, OTHER, WRONG
from tests.scenarios.repository import Repository

SPAWN = mp.get_context("spawn")
Act = Callable[[SignInDoor, str, int], None]


def use(door: SignInDoor, secret: str, who: int) -> None:
    door.using_link(secret, (GOOD, OTHER)[who], ("anna.berg", "mallory")[who])


def take_part(
    environment: Mapping[str, str],
    folder: Path,
    act: Act,
    secrets: Sequence[str],
    who: int,
    together: Barrier,
    told: Connection,
) -> None:
    """Do the same as another process at the same moment, once for each secret; tells what came of it."""
    os.environ.update(environment)
    door = open_sign_in(folder)
    answers = []
    for secret in secrets:
        together.wait(timeout=300)
        try:
            act(door, secret, who)
            answers.append("done")
        except LinkSaysNothing:
            answers.append("refused")
    told.send(answers)


def race(fleet: Repository, act: Act, secrets: Sequence[str]) -> list[list[str]]:
    """Two processes at once; gives what came of it, process by process."""
    together, running = SPAWN.Barrier(2), []
    for who in range(2):
        mine, theirs = SPAWN.Pipe(duplex=False)
        arguments = (dict(fleet.environment), fleet.folder, act, secrets, who, together, theirs)
        process = SPAWN.Process(target=take_part, args=arguments)
        process.start()
        running.append((process, mine))
    answers = []
    for process, mine in running:
        assert mine.poll(timeout=120), "a process did not come to its end"
        answers.append(mine.recv())
        process.join()
    return answers


def opened(fleet: Repository) -> SignInDoor:
    with patch.dict(os.environ, fleet.environment):
        return open_sign_in(fleet.folder)


def audited(door: SignInDoor) -> Counter[str]:
    entries = list(door.control.audit.entries())
    assert broken_at(entries) is None
    return Counter(entry.event.action for entry in entries)


@pytest.mark.slow
def test_one_link_used_by_two_processes_makes_one_first_admin(declared: Repository) -> None:
    door = opened(declared)
    link = door.opening_first_admin_link()
    assert link is not None
    answers = race(declared, use, [link.secret])
    assert sorted(answer for (answer,) in answers) == ["done", "refused"]
    winner = [answer for (answer,) in answers].index("done")
    names, passwords = ("anna.berg", "mallory"), (GOOD, OTHER)
    (person,) = door.control.people.directory().people
    assert person.name == names[winner]
    door.signing_in(names[winner], passwords[winner])
    with pytest.raises(NotSignedIn):
        door.signing_in(names[1 - winner], passwords[1 - winner])
    counted = audited(door)
    assert (counted["link.used"], counted["account.password-set"], counted["person.added"]) == (1, 1, 1)


@pytest.mark.slow
def test_two_first_links_used_at_once_make_one_first_admin(declared: Repository) -> None:
    door = opened(declared)
    links = [door.opening_first_admin_link() for _ in range(2)]
    secrets = [link.secret for link in links if link is not None]

    def attempt(who: int) -> bool:
        try:
            door.using_link(secrets[who], GOOD, ("anna.berg", "mallory")[who])
        except Denied:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(attempt, range(2))) == [False, True]
    assert len(door.control.people.directory().people) == 1


@pytest.mark.slow
def test_many_guesses_at_the_same_moment_are_no_more_than_a_few(declared: Repository) -> None:
    door = opened(declared)
    link = door.opening_first_admin_link()
    assert link is not None
    door.using_link(link.secret, GOOD, "anna.berg")

    def guess(number: int) -> type[Exception] | None:
        try:
            door.signing_in("anna.berg", f"{WRONG} {number}", f"192.0.2.{number}")
        except (NotSignedIn, TooManyAttempts) as refused:
            return type(refused)
        return None

    with ThreadPoolExecutor(20) as pool:
        answers = Counter(pool.map(guess, range(20)))
    assert answers == {NotSignedIn: OF_A_NAME.free, TooManyAttempts: 20 - OF_A_NAME.free}
