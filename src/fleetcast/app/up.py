"""Commands of this program as one group: each runs in a process of its own, and is started again when it ends.

All of them end when this process does, even if it is killed: whoever starts the group anew finds its ports free.
"""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from fleetcast.domain.errors import FleetcastError
from fleetcast.platforms.commands import command_line
from fleetcast.ports.clock import Clock

_LOOKS_EVERY = timedelta(milliseconds=200)
_ASKS_EVERY = timedelta(seconds=5)
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=1), timedelta(seconds=30)
_WELL_AFTER = timedelta(minutes=1)
"""A process that was there for so long is started again at once."""
_GRACE_SECONDS = 20.0
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Member:
    """One command of the group."""

    name: str
    words: tuple[str, ...]
    """What a person would type after `fleetcast`."""


@dataclass(slots=True)
class _Running:
    member: Member
    process: subprocess.Popen[bytes] | None = None
    began: datetime | None = None
    pause: timedelta = _FIRST_PAUSE
    due: datetime | None = None
    """When it is started again; None: now, or it runs."""


@dataclass(slots=True)
class Group:
    """Keeps its members running until it is ended."""

    members: Sequence[Member]
    directory: Path
    """The fleet repository."""
    clock: Clock
    say: Say
    """Told what happens, a line each."""
    declared: Callable[[], Sequence[Member]] | None = None
    """Says anew who belongs to it, every few seconds; None: it stays as it is."""
    _running: list[_Running] = field(init=False)
    _asked: datetime | None = None
    _said: str = ""
    _ended: bool = False

    def __post_init__(self) -> None:
        self._running = [_Running(member) for member in self.members]

    @property
    def processes(self) -> Sequence[subprocess.Popen[bytes]]:
        """Those that were started, and of which nobody has seen yet that they ended."""
        return [one.process for one in self._running if one.process is not None]

    def run(self) -> None:
        """Run until `end` is called, then have all members end in good order."""
        try:
            while not self._ended:
                self.look()
                self.clock.sleep(_LOOKS_EVERY)
        finally:
            self._end_all()

    def end(self) -> None:
        """Have it end; may be called from a signal's handler."""
        self._ended = True

    def look(self) -> None:
        """Start whoever is not there and whose turn it is, and end whoever belongs to it no more."""
        now = self.clock.now()
        self._ask(now)
        for one in self._running:
            if one.process is not None and one.process.poll() is not None:
                self._gone(one, one.process.returncode, now)
            # A clock that was put back makes nobody wait for longer than the pause.
            if one.process is None and (one.due is None or not now < one.due <= now + one.pause):
                one.process = subprocess.Popen(  # noqa: S603  # our own program
                    command_line(one.member.words, self.directory, ended_by=signal.SIGTERM)
                )
                one.began, one.due = now, None

    def _ask(self, now: datetime) -> None:
        """Take in who is new, and have those end who were taken out; with mistakes in the settings, all stay."""
        if self.declared is None or (self._asked is not None and abs(now - self._asked) < _ASKS_EVERY):
            return
        self._asked = now
        try:
            members = self.declared()
        except FleetcastError as error:
            if self._said != str(error):
                self._said = str(error)
                self.say(f"what runs stays as it is, as the settings cannot be read: {error}")
            return
        self._said = ""
        known = [one.member for one in self._running]
        gone = [one for one in self._running if one.member not in members]
        new = [member for member in members if member not in known]
        for member in new:
            self.say(f"{member.name} is started, as the settings ask for it now")
        for one in gone:
            self.say(f"{one.member.name} is ended, as the settings ask for it no more")
        _end([one.process for one in gone if one.process is not None])
        self._running = [one for one in self._running if one not in gone] + [_Running(one) for one in new]

    def _gone(self, one: _Running, code: int, now: datetime) -> None:
        one.process = None
        if one.began is not None and now - one.began >= _WELL_AFTER:
            one.pause = _FIRST_PAUSE
        one.due = now + one.pause
        self.say(
            f"{one.member.name} ended with {code}, and is started again in {one.pause.total_seconds():g} s"
        )
        one.pause = min(2 * one.pause, _LONGEST_PAUSE)

    def _end_all(self) -> None:
        _end(self.processes)


def _end(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.send_signal(signal.SIGTERM)
    for process in processes:
        try:
            process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
