"""Three days of `fleetcast up` whose parts are killed: each due instant happens once, and each page reaches somebody.

The processes are real, and so is what they do. Their wall clock is not: Debian's libfaketime lays an offset over it,
which is read from a file, and this file is moved on by twenty minutes a few times a second,
while nothing that was scheduled runs. Clocks since the boot stay as
they are, so that pauses take as long as ever, and leases, which a file of one machine times by the boot, as well.

Readings come for a time and then stop, more than once, and somebody goes back to an earlier release: each is a page.
Whoever delivers it is killed as the mail server has it and has not said so, so that it is sent again.
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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
from aiosmtpd.smtp import SMTP, Envelope, Session

from fleetcast.app import open_fleet
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.wording import counted
from fleetcast.platforms.delta.observations import DeltaObservationTable
from tests.chaos.ordeal import PATIENCE, Wrong
from tests.chaos.releases import typed
from tests.scenarios.repository import Repository, Said, alive, write_fleet
from tests.servers.mail import MailBox, mail_server
from tests.servers.scoring import quick

MISSING = "libfaketime is not installed: as root, run `apt-get install faketime`"
TICK, TICKS_LAST = timedelta(minutes=20), 0.2
"""How far the clock is moved on at once, and for how many real seconds it then stands still."""
SCORE_AT, TRAIN_AT, CLEAN_AT, LOOKS_EVERY, PLANS_EVERY = 2, 3, 5, 6, 12
"""Hours."""
ROLLED_BACK_AT = 9
"""Of the last day."""
FED_AT = (11, 17, 23, 41, 47)
"""Hours since the beginning at which readings come, up to then; in between they go stale, and so they are at first."""
FED_FROM = -30
SCHEDULES = f"""
schedules:
  score: {{cron: '0 {SCORE_AT} * * *', environments: [test]}}
  train: '0 {TRAIN_AT} * * *'
  plan: '0 */{PLANS_EVERY} * * *'
  monitor: {{cron: '0 */{LOOKS_EVERY} * * *', environments: [test]}}
  retention: '0 {CLEAN_AT} * * *'
"""
DUE: Mapping[str, Sequence[int]] = {
    "score test": (SCORE_AT,),
    "train": (TRAIN_AT,),
    "plan": range(PLANS_EVERY, 25, PLANS_EVERY),
    "monitor test": range(LOOKS_EVERY, 25, LOOKS_EVERY),
    "retention": (CLEAN_AT,),
}
"""At which hours of each day."""
ON_DUTY, NEWS = "duty@example.com", "news@example.com"
CHANNELS = """
notifications:
  channels:
    - {{name: duty, {mail}, to: [{duty}]}}
    - {{name: news, {mail}, to: [{news}]}}
  routes:
    - {{channels: [duty], events: [rolled-back, data-stale, endpoint-down]}}
    - {{channels: [news]}}
  allowed_networks: [127.0.0.1/32]
"""
_SITE = Path(__file__).parent / "shifted"
"""Where Python finds what it does first: see there."""
PARTS = ("schedules", "serve", "deploy", "web", "notifications")
"""Members of the group, by the commands that they are."""
AT_WORK: Sequence[Sequence[tuple[str, str]]] = (
    (("score", "score"), ("monitor", "monitor")),
    (("score", "schedules"), ("monitor", "notifications"), ("clean", "clean")),
    (("score", "up"), ("monitor", "schedules"), ("train", "train")),
)
"""For each day: while what runs, what is killed."""
FEWEST_PAGES = {1: 2, 3: 4}
"""In so many days."""


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

    def typed(self, *words: str) -> Said:
        """What somebody types by the same clock."""
        done = subprocess.run(
            self.fleet.command(*words),
            env={**os.environ, **self.fleet.environment, **self.clock.environment},
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE,
            check=False,
        )
        if done.returncode:
            raise Wrong(f"{words[0]} ended with {done.returncode}: {done.stderr[-2000:]}")
        return Said(done.returncode, done.stdout, done.stderr)

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


@dataclass(slots=True)
class KillingBox(MailBox):
    """Keeps mail, and has whoever sends a page killed before it is told so, each second page that comes."""

    kill: Callable[[], object] = lambda: None
    pages: dict[str, int] = field(default_factory=dict)
    """How often each page on duty came, by Message-ID, in the order of their first coming."""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        said = await MailBox.handle_DATA(self, server, session, envelope)
        mail = self.mails[-1]
        if mail["Importance"] == "high" and ON_DUTY in self.recipients[-1]:
            name = str(mail["Message-ID"])
            self.pages[name] = self.pages.get(name, 0) + 1
            if self.pages[name] == 1 and len(self.pages) % 2:
                self.kill()
        return said


def main(seed: int, days: int) -> int:
    """Go through so many days, three at most; gives how many things were wrong."""
    preload = library()
    if preload is None:
        print(MISSING, flush=True)
        return 1
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder, mail_server(box=KillingBox()) as box:
        assert isinstance(box, KillingBox)
        fleet = _served(Path(folder), box.port)
        first = date.fromordinal(datetime.now(UTC).toordinal() + 1)
        begins = datetime(first.year, first.month, first.day, tzinfo=UTC)
        clock = ShiftedClock(Path(folder) / "offset", preload, begins - datetime.now(UTC))
        group = Group(fleet, clock, Path(folder) / "up.log", _free_ports())
        box.kill = partial(group.kill, "notifications")
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
        box.kill = lambda: None
        wrong += group.end()
        left = alive(str(clock.file))
        wrong += [f"{len(left)} processes outlived it"] if left else []
        wrong += [*_wrong(fleet, first, days, group), *_wrong_pages(fleet, days, box)]
        for one in wrong:
            print(f"    ✗ {one[:3000]}", flush=True)
        print(
            f"   killed: {', '.join(f'{part} {n}' for part, n in sorted(group.killed.items()))}", flush=True
        )
        return len(wrong)


def _served(folder: Path, port: int) -> Repository:
    """A fleet whose second release is live in test, with schedules and channels."""
    os.environ.update({"TF_BUILD": "True", "BUILD_SOURCEBRANCH": "refs/heads/release/1"})
    fleet = write_fleet(folder / "fleet", circuits=2, family="seasonal_naive")
    quick(fleet)
    serving = fleet.start("serve", "test", "--port", "0")
    try:
        _released(fleet)
        fleet.declare("CIRCUIT02", "cutoff_date: 2025-02-27")
        _released(fleet)
    finally:
        serving.kill()
        serving.communicate()
    settings = fleet.folder / "fleetcast.yaml"
    mail = f"kind: email, host: 127.0.0.1, port: {port}, security: none, from: fleet@example.com"
    told = CHANNELS.format(mail=mail, duty=ON_DUTY, news=NEWS)
    settings.write_text(settings.read_text() + SCHEDULES + told)
    return fleet


def _released(fleet: Repository) -> None:
    fleet.promote()
    typed(fleet, 3, "deploy", "test")
    fleet.approve_all()
    typed(fleet, None, "deploy", "test")
    typed(fleet, 0, "deploy", "test", "--wait")


def _noted(group: Group) -> None:
    """Wait until every schedule counts, and the log is read: nothing is due before, nor was told."""
    for _ in range(5 * 60):
        noted = group.fleet.rows("SELECT duty FROM scheduled_runs")
        if len(noted) == len(DUE) and group.fleet.rows("SELECT number FROM told"):
            return
        time.sleep(0.2)
    raise Wrong(f"no schedule was looked at, or nobody delivers: {group.log.read_text()[-2000:]}")


def _pass(group: Group, begins: datetime, days: int, chance: random.Random) -> None:
    """Let days go by, and kill each part once a day, and something while something runs."""
    ends = begins + timedelta(days=days)
    at_random = sorted(
        (begins + timedelta(days=day, hours=chance.uniform(SCORE_AT + 4, 23)), part)
        for day in range(days)
        for part in (*PARTS, "up")
    )
    at_work = [list(day) for day in AT_WORK[:days]]
    deeds = _deeds(group, begins, ends)
    while group.clock.now() < ends:
        now = group.clock.now()
        while at_random and now >= at_random[0][0] and group.kill(at_random[0][1]):
            at_random.pop(0)
        while deeds and now >= deeds[0][0]:
            deeds.pop(0)[1]()
        for one in [one for day in at_work[: (now - begins).days + 1] for one in day]:
            runs, part = one
            if group.running(runs) is not None:
                time.sleep(chance.uniform(0, 1))
                if group.running(runs) is not None and group.kill(part):
                    next(day for day in at_work if one in day).remove(one)
                break
        if not group.fleet.rows("SELECT duty FROM scheduled_runs WHERE state = 'running'"):
            group.clock.move(TICK)  # what takes seconds on a busy machine is not to take days there
        time.sleep(TICKS_LAST)
    if at_random or any(at_work):
        raise Wrong(f"not killed: {at_random} {at_work}")


def _deeds(group: Group, begins: datetime, ends: datetime) -> list[tuple[datetime, Callable[[], object]]]:
    """What people and plants do, in the order of its time: readings come, and somebody goes back."""
    deeds: list[tuple[datetime, Callable[[], object]]] = []
    for before, hour in pairwise((FED_FROM, *FED_AT)):
        start, length = begins + timedelta(hours=before), f"{hour - before}h"
        words = ("simulate", "--plants", "1", "--circuits", "2", "--start", f"{start:%Y-%m-%dT%H:%M:%SZ}")
        deeds.append((begins + timedelta(hours=hour), partial(group.typed, *words, "--length", length)))
    back = ("rollback", "test", "PLANT001", "--reason", "it hums")
    deeds.append((ends - timedelta(hours=24 - ROLLED_BACK_AT), partial(group.typed, *back)))
    return sorted(((at, do) for at, do in deeds if at < ends), key=lambda deed: deed[0])


def _settle(group: Group, ended: datetime) -> None:
    """Let all that was due come to its end, and be told, before anything else is due."""
    waited_for = {
        (duty, ended - timedelta(days=1) + timedelta(hours=hours[-1])) for duty, hours in DUE.items()
    }
    began, minutes = time.monotonic(), 0
    while time.monotonic() - began < PATIENCE:
        rows = group.fleet.rows("SELECT duty, due_at, state FROM scheduled_runs WHERE state != 'noted'")
        states = {state for *_, state in rows}
        there = {(duty, datetime.fromisoformat(due)) for duty, due, _ in rows}
        runs = all(group.running(part) is not None for part in PARTS)
        quiet = not states & {"running", "waiting"} and not _untold(group.fleet)
        if runs and waited_for <= there and quiet:
            return
        if "running" not in states and minutes < SCORE_AT * 60 - 20:
            group.clock.move(timedelta(minutes=1))
            minutes += 1
        time.sleep(0.5)
    raise Wrong(f"it did not come to rest: {rows} {_untold(group.fleet)}")


def _untold(fleet: Repository) -> str:
    """What is still to be told; empty: nothing."""
    waiting = fleet.rows("SELECT channel, content FROM letters WHERE state = 'waiting'")
    ((content,),) = fleet.rows("SELECT content FROM told")
    ((last,),) = fleet.rows("SELECT max(number) FROM audit")
    read = _content(content)["entry"]
    return f"{waiting}, and {last - read} entries were not read" if waiting or read != last else ""


def _content(written: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(written)
    return found


def _wrong(fleet: Repository, first: date, days: int, group: Group) -> Iterator[str]:
    """What did not happen once."""
    rows = fleet.rows("SELECT duty, due_at, state, content FROM scheduled_runs ORDER BY duty, due_at")
    turns = [
        (duty, datetime.fromisoformat(due), state, json.loads(content)) for duty, due, state, content in rows
    ]
    begins = datetime(first.year, first.month, first.day, tzinfo=UTC)
    ended = begins + timedelta(days=days)
    for duty, hours in DUE.items():
        due = {begins + timedelta(days=day, hours=hour) for day in range(days) for hour in hours}
        its = [one for one in turns if one[0] == duty and one[2] != "noted" and one[1] <= ended]
        yield from (f"{duty}, due {at}, is {state}" for _, at, state, _ in its if state != "done")
        yield from (f"{duty} has a turn at {at}, where none is due" for _, at, _, _ in its if at not in due)
        missed = sum(content["missed"] for *_, content in its)
        if len(its) + missed != len(due) or (duty == "score test" and missed):
            yield f"{duty}: {len(its)} turns and {missed} missed, of {len(due)} that were due"
        attempts = [content["attempts"] for *_, content in its]
        print(f"   {duty}: {len(its)} turns, {missed} missed, attempts {attempts}", flush=True)
        if duty == "monitor test":
            yield from _wrong_looks(fleet, [content for *_, content in its])
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


def _wrong_looks(fleet: Repository, turns: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What was looked at otherwise than once by each attempt that came to its end."""
    table = open_fleet(fleet.folder).platform.workspace.observations()
    assert isinstance(table, DeltaObservationTable)
    looks = sorted(set(pl.read_delta(table.place)["at"]))
    print(f"   {counted(len(looks), 'look')} in the table of observations", flush=True)
    for turn in turns:
        begun, ended = (datetime.fromisoformat(turn[name]) for name in ("began_at", "ended_at"))
        if (count := sum(begun <= look <= ended for look in looks)) != 1:
            yield f"{counted(count, 'look')} by the turn due {turn['due']}"
    if len(looks) > (attempts := sum(turn["attempts"] for turn in turns)):
        yield f"{len(looks)} looks by {attempts} attempts"


def _wrong_pages(fleet: Repository, days: int, box: KillingBox) -> Iterator[str]:
    """Pages that reached nobody, or by more than one name; what was not sent, or out of order."""
    events = [json.loads(content)["event"] for (content,) in fleet.rows("SELECT content FROM audit")]
    causes = sum(event["action"] == "alarm.raised" and event["detail"]["page"] for event in events)
    causes += sum(event["detail"].get("phase") == "rolled back" for event in events)
    pages = [_content(content) for (content,) in fleet.rows("SELECT content FROM pages ORDER BY number")]
    if len(pages) != causes or causes < FEWEST_PAGES[days]:
        yield f"{len(pages)} pages of {causes} events that need one; {FEWEST_PAGES[days]} were to come"
    rows = fleet.rows("SELECT number, channel, state, content FROM letters ORDER BY number")
    letters = {number: _content(content) for number, _, _, content in rows}
    yield from (
        f"letter {number} to {channel} is {state}" for number, channel, state, _ in rows if state != "sent"
    )
    for page in pages:
        name = page["notice"]["id"]
        its = {
            letter["id"]
            for letter in letters.values()
            if letter["channel"] == "duty"
            and any(n["id"] == name and n["title"] == page["notice"]["title"] for n in letter["notices"])
        }
        if len(its) != 1 or not any(next(iter(its)) in message for message in box.pages):
            yield f"the page {page['notice']['title']!r} came to duty as {its}"
    for address, channel in ((ON_DUTY, "duty"), (NEWS, "news")):
        came = list(dict.fromkeys(str(mail["Message-ID"]) for mail in _mails(box, address)))
        its_letters = [letter for letter in letters.values() if letter["channel"] == channel]
        numbers = {letter["id"]: letter for letter in its_letters}
        in_order = [numbers[message.strip("<>").partition(".")[0]] for message in came]
        if len(in_order) != len(its_letters):
            yield f"{len(in_order)} of {len(its_letters)} letters came to {channel}"
        for first, second in pairwise(in_order):
            later = second["due_at"] > first["due_at"] or (first["is_page"] and not second["is_page"])
            if first["number"] > second["number"] and not later:
                yield f"letter {first['number']} came to {channel} before {second['number']}"
    again = len(box.mails) - len({(str(mail["To"]), str(mail["Message-ID"])) for mail in box.mails})
    print(
        f"   {counted(len(pages), 'page')}, {counted(len(letters), 'letter')}, {again} of them came again",
        flush=True,
    )
    if not again:
        yield "nothing was sent again, though whoever sent it was killed"


def _mails(box: MailBox, address: str) -> Iterator[EmailMessage]:
    return (mail for mail, to in zip(box.mails, box.recipients, strict=True) if address in to)


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
