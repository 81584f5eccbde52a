"""A fleet that is trained, approved and promoted while its processes are killed or its connections are cut."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import sqlalchemy as sa

from tests.scenarios.repository import Repository
from tests.servers.postgres import PostgresServer

PATIENCE = 240
"""Seconds that any one command may take."""


class Wrong(Exception):
    """Something that no kill may lead to."""


def state_of(fleet: Repository) -> dict[str, object]:
    """What a fleet has come to, without the names of runs and the times."""
    audited = fleet.rows("SELECT content FROM audit ORDER BY number")
    events = [json.loads(content)["event"] for (content,) in audited]
    return {
        "versions": sorted(fleet.rows("SELECT name, version, training_hash, artifact FROM model_versions")),
        "shared": sorted(fleet.rows("SELECT name, version, artifact FROM shared_models")),
        "selected": sorted(fleet.rows("SELECT name, version FROM selected_models")),
        "champions": sorted(fleet.rows("SELECT name, version FROM champions")),
        "requests": sorted(fleet.rows("SELECT kind, name, version, state FROM requests")),
        "jobs": sorted(fleet.rows("SELECT id, state FROM jobs")),
        "events": Counter(f"{event['action']} {event['subject']}" for event in events if _counts(event)),
    }


def _counts(event: dict[str, str]) -> bool:
    """Whether an event tells of the fleet, and not of the run that happened to come by.

    Whoever decides again as a kill took the answer, though not the decision, is refused, and that is on record.
    """
    return not event["action"].startswith("run.") and event["action"] != "decision.refused"


@dataclass
class Ordeal:
    """One fleet on its way, and what is done to it."""

    fleet: Repository
    chance: random.Random
    kills: int
    """Processes that are to be killed."""
    tries: int = 1
    """Times that a command may be typed until it ends as it should."""
    killed: int = 0
    typed: int = 0
    said: list[str] = field(default_factory=list)
    """What commands wrote to standard error."""

    def go(self, seconds: float) -> None:
        """Train, approve and promote; kills come after a random part of `seconds`, the time that it takes at rest."""
        first, deciding = self.kills // 2, min(1, self.kills // 3)
        self._until_done(["train"], first, seconds, code=3)
        requests = [str(number) for (number,) in self.fleet.rows("SELECT id FROM requests ORDER BY id")]
        self._until_done(["approve", *requests], deciding, seconds / 3, code=0)
        self._until_done(["train"], self.kills - first - deciding, seconds, code=0)

    def _until_done(self, words: list[str], kills: int, seconds: float, *, code: int) -> None:
        """Type a command again and again while it is killed, and then until it ends as it should."""
        wanted = self.killed + kills
        for _ in range(3 * kills):  # now and then it is faster
            if self.killed < wanted:
                self._killed_after(words, self.chance.uniform(0, seconds))
        for _ in range(self.tries):
            ended = self.type_in_peace(words)
            if ended == code or (words[0] == "approve" and not self._waits()):
                return
        raise Wrong(f"{words[0]} ended with {ended} instead of {code}: {self.said[-1][-2000:]}")

    def _waits(self) -> bool:
        return bool(self.fleet.rows("SELECT id FROM requests WHERE state = 'pending'"))

    def type_in_peace(self, words: list[str]) -> int:
        """Type a command, and let it end."""
        process = self.fleet.start(*words)
        _, err = process.communicate(timeout=PATIENCE)
        self._note(err)
        return process.returncode

    def _killed_after(self, words: list[str], seconds: float) -> None:
        """Kill a command with all that it started, unless it is faster."""
        process = subprocess.Popen(
            self.fleet.command(*words),
            env={**os.environ, **self.fleet.environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            _, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            _, err = process.communicate(timeout=PATIENCE)
            self.killed += 1
        self._note(err)

    def _note(self, err: str) -> None:
        self.typed += 1
        self.said.append(err)
        if "Traceback" in err:
            raise Wrong(f"a traceback:\n{err[-3000:]}")


@contextmanager
def cutting(
    server: PostgresServer, database: str, chance: random.Random, count: int
) -> Iterator[Callable[[], int]]:
    """End the server's processes for a database, at random moments, so many times; gives how many were ended."""
    ended: list[int] = []
    over = threading.Event()

    def work() -> None:
        address = server.url("postgres").replace("postgresql:", "postgresql+pg8000:")
        engine = sa.create_engine(address, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        query = sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name")
        with engine.connect() as connection:
            while len(ended) < count and not over.wait(chance.uniform(0.05, 0.4)):
                ended.extend(1 for _ in connection.execute(query, {"name": database}))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield lambda: len(ended)
    finally:
        over.set()
        thread.join()


def differences(clean: dict[str, object], found: dict[str, object]) -> list[str]:
    """What a fleet came to that one without trouble did not, and what it lacks."""
    wrong = []
    for name, expected in clean.items():
        more, less = found[name], expected
        if isinstance(more, Counter) and isinstance(less, Counter):
            more, less = more - less, less - more
        if found[name] != expected:
            wrong.append(f"{name}: {more!r} instead of {less!r}")
    return wrong
