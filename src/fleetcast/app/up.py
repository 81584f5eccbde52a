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

from fleetcast.platforms.commands import command_line
from fleetcast.ports.clock import Clock

_LOOKS_EVERY = timedelta(milliseconds=200)
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
    _running: list[_Running] = field(init=False)
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
        """Start whoever is not there and whose turn it is."""
        now = self.clock.now()
        for one in self._running:
            if one.process is not None and one.process.poll() is not None:
                self._gone(one, one.process.returncode, now)
            if one.process is None and (one.due is None or now >= one.due):
                one.process = subprocess.Popen(  # noqa: S603  # our own program
                    command_line(one.member.words, self.directory, ended_by=signal.SIGTERM)
                )
                one.began, one.due = now, None

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
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
