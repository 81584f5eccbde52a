"""Three days of `fleetcast up` whose parts are killed: what schedules start happens once for each due instant.

The processes are real, and so is what they do. Their wall clock is not: Debian's libfaketime lays an offset over it,
which is read from a file, and this file is moved on by twenty minutes a few times a second,
while nothing that was scheduled runs. Clocks since the boot stay as
they are, so that pauses take as long as ever, and leases, which a file of one machine times by the boot, as well.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from fleetcast.app import open_fleet
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.wording import counted
from tests.chaos.ordeal import PATIENCE, Wrong
from tests.chaos.releases import typed
from tests.scenarios.repository import Repository, alive, write_fleet
from tests.servers.scoring import quick

MISSING = "libfaketime is not installed: as root, run `apt-get install faketime`"
TICK, TICKS_LAST = timedelta(minutes=20), 0.2
"""How far the clock is moved on at once, and for how many real seconds it then stands still."""
SCORE_AT, TRAIN_AT, PLANS_EVERY = 2, 3, 8
"""Hours."""
SCHEDULES = f"""
schedules:
  score: {{cron: '0 {SCORE_AT} * * *', environments: [test]}}
  train: '0 {TRAIN_AT} * * *'
  plan: '0 */{PLANS_EVERY} * * *'
"""
_SITE = Path(__file__).parent / "shifted"
"""Where Python finds what it does first: see there."""
PARTS = ("schedules", "serve", "deploy", "web")
"""Members of the group, by the commands that they are."""
AT_WORK = ("score", "schedules", "up")
"""What is killed while forecasts are made, one a day."""


def library() -> Path | None:
    """What is loaded before a program to lay an offset over its clock; None: it is not installed."""
    return next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))), None)


@dataclass
class ShiftedClock:
    """The wall clock of all processes that are started with `environment`."""

    file: Path
    library: Path
    offset: timedelta

    def __post_init__(self) -> None:
        self._write()

    @property
    def environment(self) -> Mapping[str, str]:
        return {
            "LD_PRELOAD": str(self.library),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
            "PYTHONPATH": os.pathsep.join(filter(None, (str(_SITE), os.environ.get("PYTHONPATH")))),
        }

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def move(self, length: timedelta) -> None:
        self.offset += length
        self._write()

    def _write(self) -> None:
        """As a whole: processes read it each time they ask for the time."""
        new = self.file.with_suffix(".new")
        new.write_text(f"+{self.offset.total_seconds():.0f}\n")
        new.rename(self.file)


@dataclass
class Group:
    """`fleetcast up`, which is started again when it is killed, as systemd does."""

    fleet: Repository
    clock: ShiftedClock
    log: Path
    ports: tuple[int, int]
    process: subprocess.Popen[bytes] | None = None
    killed: Counter[str] = field(default_factory=Counter)

    def start(self) -> None:
        port, web_port = map(str, self.ports)
        words = ("up", "test", "--port", port, "--web-port", web_port, "--every", "1s")
        with self.log.open("ab") as stream:
            self.process = subprocess.Popen(
                self.fleet.command(*words),
                env={**os.environ, **self.fleet.environment, **self.clock.environment},
                stdout=stream,
                stderr=stream,
            )

    def running(self, command: str) -> int | None:
        """The process of one command."""
        for number in alive(str(self.clock.file)):
            with suppress(OSError):
                words = Path(f"/proc/{number}/cmdline").read_bytes().decode().split("\0")
                if "fleetcast.cli.main" in words and words[words.index("fleetcast.cli.main") + 1] == command:
                    return number
        return None

    def kill(self, command: str) -> bool:
        """Kill one command; says whether it ran."""
        number = self.running(command)
        if number is None:
            return False
        with suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
            self.killed[command] += 1
        if command == "up":
            assert self.process is not None
            self.process.wait(PATIENCE)
            self.start()
        return True

    def end(self) -> list[str]:
        """Have it end; says what was wrong with that."""
        assert self.process is not None
        self.process.terminate()
        try:
            code = self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return ["it did not end when it was told to"]
        return [f"it ended with {code}"] if code else []


def main(seed: int, days: int) -> int:
    """Go through so many days, three at most; gives how many things were wrong."""
    preload = library()
    if preload is None:
        print(MISSING, flush=True)
        return 1
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        fleet = _served(Path(folder))
        first = date.fromordinal(datetime.now(UTC).toordinal() + 1)
        begins = datetime(first.year, first.month, first.day, tzinfo=UTC)
        clock = ShiftedClock(Path(folder) / "offset", preload, begins - datetime.now(UTC))
        group = Group(fleet, clock, Path(folder) / "up.log", _free_ports())
        print(f"\n━━ {counted(days, 'day')} from {begins:%Y-%m-%d %H:%M} UTC", flush=True)
        group.start()
        try:
            chance = random.Random(seed)  # noqa: S311  # moments, not secrets
            _noted(group)
            _pass(group, begins, days, chance)
            _settle(group, begins + timedelta(days=days))
            wrong = [f"{part} does not run at the end" for part in PARTS if group.running(part) is None]
        except Wrong as error:
            wrong = [str(error)]
        wrong += group.end()
        left = alive(str(clock.file))
        wrong += [f"{len(left)} processes outlived it"] if left else []
        wrong += list(_wrong(fleet, first, days, group))
        for one in wrong:
            print(f"    ✗ {one[:3000]}", flush=True)
        print(
            f"   killed: {', '.join(f'{part} {n}' for part, n in sorted(group.killed.items()))}", flush=True
        )
        return len(wrong)


def _served(folder: Path) -> Repository:
    """A fleet whose release is live in test, with schedules."""
    os.environ.update({"TF_BUILD": "True", "BUILD_SOURCEBRANCH": "refs/heads/release/1"})
    fleet = write_fleet(folder / "fleet", circuits=2, family="seasonal_naive")
    quick(fleet)
    settings = fleet.folder / "fleetcast.yaml"
    settings.write_text(settings.read_text() + SCHEDULES)
    fleet.promote()
    typed(fleet, 3, "deploy", "test")
    fleet.approve_all()
    typed(fleet, None, "deploy", "test")
    serving = fleet.start("serve", "test", "--port", "0")
    try:
        typed(fleet, 0, "deploy", "test", "--wait")
    finally:
        serving.kill()
        serving.communicate()
    return fleet


def _noted(group: Group) -> None:
    """Wait until every schedule counts: nothing is due before."""
    for _ in range(5 * 60):
        if len(group.fleet.rows("SELECT duty FROM scheduled_runs")) == len(PARTS) - 1:
            return
        time.sleep(0.2)
    raise Wrong(f"no schedule was looked at: {group.log.read_text()[-2000:]}")


def _pass(group: Group, begins: datetime, days: int, chance: random.Random) -> None:
    """Let days go by, and kill each part once a day, and something while forecasts are made."""
    at_random = sorted(
        (begins + timedelta(days=day, hours=chance.uniform(SCORE_AT + 4, 23)), part)
        for day in range(days)
        for part in (*PARTS, "up")
    )
    at_work = list(AT_WORK[:days])
    while group.clock.now() < begins + timedelta(days=days):
        now = group.clock.now()
        while at_random and now >= at_random[0][0] and group.kill(at_random[0][1]):
            at_random.pop(0)
        day = (now - begins).days
        if len(at_work) > days - 1 - day and group.running("score") is not None and group.kill(at_work[0]):
            at_work.pop(0)
        if not group.fleet.rows("SELECT duty FROM scheduled_runs WHERE state = 'running'"):
            group.clock.move(TICK)  # what takes seconds on a busy machine is not to take days there
        time.sleep(TICKS_LAST)
    if at_random or at_work:
        raise Wrong(f"not killed: {at_random} {at_work}")


def _settle(group: Group, ended: datetime) -> None:
    """Let all that was due come to its end, before anything else is due."""
    last = {"score test": SCORE_AT, "train": TRAIN_AT, "plan": 24}
    waited_for = {(duty, ended - timedelta(days=1) + timedelta(hours=hour)) for duty, hour in last.items()}
    began, minutes = time.monotonic(), 0
    while time.monotonic() - began < PATIENCE:
        rows = group.fleet.rows("SELECT duty, due_at, state FROM scheduled_runs WHERE state != 'noted'")
        states = {state for *_, state in rows}
        there = {(duty, datetime.fromisoformat(due)) for duty, due, _ in rows}
        runs = all(group.running(part) is not None for part in PARTS)
        if runs and waited_for <= there and not states & {"running", "waiting"}:
            return
        if "running" not in states and minutes < SCORE_AT * 60 - 20:
            group.clock.move(timedelta(minutes=1))
            minutes += 1
        time.sleep(0.5)
    raise Wrong(f"it did not come to rest: {rows}")


def _wrong(fleet: Repository, first: date, days: int, group: Group) -> Iterator[str]:
    """What did not happen once."""
    rows = fleet.rows("SELECT duty, due_at, state, content FROM scheduled_runs ORDER BY duty, due_at")
    turns = [
        (duty, datetime.fromisoformat(due), state, json.loads(content)) for duty, due, state, content in rows
    ]
    begins = datetime(first.year, first.month, first.day, tzinfo=UTC)
    ended = begins + timedelta(days=days)
    for duty, hours in (
        ("score test", [SCORE_AT]),
        ("train", [TRAIN_AT]),
        ("plan", range(PLANS_EVERY, 25, PLANS_EVERY)),
    ):
        due = {begins + timedelta(days=day, hours=hour) for day in range(days) for hour in hours}
        its = [one for one in turns if one[0] == duty and one[2] != "noted" and one[1] <= ended]
        yield from (f"{duty}, due {at}, is {state}" for _, at, state, _ in its if state != "done")
        yield from (f"{duty} has a turn at {at}, where none is due" for _, at, _, _ in its if at not in due)
        missed = sum(content["missed"] for *_, content in its)
        if len(its) + missed != len(due) or (duty == "score test" and missed):
            yield f"{duty}: {len(its)} turns and {missed} missed, of {len(due)} that were due"
        attempts = [content["attempts"] for *_, content in its]
        print(f"   {duty}: {len(its)} turns, {missed} missed, attempts {attempts}", flush=True)
    yield from _wrong_forecasts(fleet, [first + timedelta(days=day) for day in range(days)])
    events = Counter(fleet.audited())
    if events["schedule.failed"]:
        yield f"{events['schedule.failed']} turns failed for good"
    if left := fleet.rows("SELECT key FROM effects WHERE NOT recorded"):
        yield f"effects are left: {left}"
    if fleet.spawn("audit", "verify").code:
        yield "the audit log does not verify"
    for log in (group.log, *sorted((fleet.state / "schedules").glob("*/*.log"))):
        if "Traceback" in (text := log.read_text()):
            yield f"{log.name} has a traceback: {text[text.index('Traceback') :][:2000]}"


def _wrong_forecasts(fleet: Repository, days: Sequence[date]) -> Iterator[str]:
    """What was published otherwise than once for each circuit and day."""
    table = open_fleet(fleet.folder).platform.workspace.forecasts(EnvironmentName.TEST)
    if sorted(table.days()) != list(days):
        yield f"forecasts of {sorted(table.days())} instead of {days}"
    for day in days:
        issues = [issue.number for issue in table.issues(day)]
        if issues != [1]:
            yield f"issues {issues} on {day}"
        keys = {str(key) for key in table.circuits(day)}
        if keys != {"PLANT001/CIRCUIT01", "PLANT001/CIRCUIT02"}:
            yield f"forecasts of {keys} on {day}"


def _free_ports() -> tuple[int, int]:
    with _free_port() as first, _free_port() as second:
        return first, second


@contextmanager
def _free_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]
