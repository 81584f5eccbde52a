"""Start what schedules say, each once for each due instant, and look at what came of it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from fleetcast.config.cron import instants_until, next_instant
from fleetcast.domain.errors import FleetcastError, HistoryLost, Unavailable
from fleetcast.domain.people import Denied
from fleetcast.domain.role import Right
from fleetcast.domain.schedule import (
    LONGEST,
    REMEMBERED,
    Begin,
    Duty,
    Note,
    Turn,
    TurnState,
    command_of,
    duties,
    next_move,
)
from fleetcast.domain.settings.schedules import Routine, Schedule
from fleetcast.ports.clock import Clock
from fleetcast.ports.commands import Command, Commands
from fleetcast.ports.platform import Control
from fleetcast.ports.runs import RunInProgress, RunTakenOver
from fleetcast.workflows.exclusive import holder

_LISTENS_EVERY = timedelta(milliseconds=500)
"""How soon it is noticed, between two looks, that it is over."""
_NOT_STARTED = 127
"""What shells say of a command that could not be started."""
_TOLD_TO_END = frozenset({-signal.SIGTERM, -signal.SIGINT, 130})
"""What a command ends with that was told to end when this process was, as Ctrl-C tells a whole group of processes."""

_PATIENCE: Mapping[Routine, str] = {
    Routine.TRAIN: "30min",
    Routine.SCORE: "10min",
    Routine.MONITOR: "10min",
    Routine.RETENTION: "30min",
}
"""How long a command waits for another process that does the same."""


def _command(duty: Duty, turn: Turn) -> Sequence[str]:
    day = ("--date", f"{turn.due:%Y-%m-%d}") if duty.routine is Routine.SCORE else ()
    patience = _PATIENCE.get(duty.routine)
    return (*command_of(duty), *day, *(() if patience is None else ("--lock-timeout", patience)))


@dataclass(frozen=True, slots=True)
class _Running:
    turn: Turn
    command: Command


@dataclass(frozen=True, slots=True)
class KeepSchedules:
    """Starts what is due as a process of the command line, and sees it end.

    A turn is on record as running before its command starts. One process at a time does this, by a lease; whoever gets
    the lease finds those that its predecessor left, and tries them again.
    """

    control: Control
    clock: Clock
    declared: Callable[[], Sequence[Duty]]
    """Reads what is scheduled, anew each time."""
    commands: Commands
    logs: Path
    """Below it, what commands print is kept: a folder for each duty, a file for each due instant."""
    say: Callable[[str], None]
    """Told what happens, a line each."""
    _running: dict[str, _Running] = field(default_factory=dict)
    """By duty."""
    _said: list[str] = field(default_factory=lambda: [""])

    def __call__(self, every: timedelta, is_over: Callable[[], bool]) -> None:
        """Look so often until it is over; then end in good order what runs, which is tried again later.

        What goes wrong at one look is said once, and the next look tries again.

        Raises:
            Denied: Whoever acts may not operate everywhere.
        """
        self.control.require(Right.OPERATE)
        while not is_over():
            try:
                with self.control.schedules.exclusive(holder(self.control, self.clock), _LISTENS_EVERY):
                    self._keep(every, is_over)
            except (RunInProgress, RunTakenOver, Unavailable) as error:
                self._say_once(f"schedules wait: {error}")
                self._pause(every, is_over)
            finally:
                self._end_all()

    def look(self) -> None:
        """See what has ended, and start what is due."""
        book, now = self.control.schedules, self.clock.now()
        self._see_ends(now)
        held: dict[str, list[Turn]] = {}
        for turn in book.held(now - REMEMBERED):
            held.setdefault(turn.duty, []).append(turn)
        for duty in self.declared():
            if duty.name in self._running:
                continue
            move = next_move(duty, held.get(duty.name, ()), now, partial(instants_until, duty.cron))
            if isinstance(move, Note):
                book.save(move.turn)
            elif isinstance(move, Begin):
                self._begin(duty, move.turn)

    def take_over(self) -> None:
        """Find what somebody left who died: it is tried again, or has failed."""
        now = self.clock.now()
        for turn in self.control.schedules.held(now - REMEMBERED):
            if turn.state is TurnState.RUNNING and turn.duty not in self._running:
                self._save(turn.left(now), "was left by a process that died")

    def _keep(self, every: timedelta, is_over: Callable[[], bool]) -> None:
        self.take_over()
        try:
            while not is_over():
                try:
                    self.look()
                    self._said[0] = ""
                except (RunTakenOver, HistoryLost, Denied):
                    raise
                except FleetcastError as error:
                    self._say_once(f"schedules are not looked at, and it is tried again: {error}")
                self._pause(every, is_over)
        finally:
            self._end_all(record=is_over())

    def _begin(self, duty: Duty, turn: Turn) -> None:
        self.control.schedules.save(turn)
        missed = f", also for {turn.missed} that were missed" if turn.missed else ""
        attempt = f", attempt {turn.attempts}" if turn.attempts > 1 else ""
        self.say(f"{turn.duty}, due {turn.due:%Y-%m-%d %H:%M} UTC, begins{attempt}{missed}")
        try:
            command = self.commands.start(_command(duty, turn), log_of(self.logs, turn))
        except Unavailable as error:
            self._save(turn.ended(_NOT_STARTED, self.clock.now()), str(error))
            return
        self._running[turn.duty] = _Running(turn, command)

    def _see_ends(self, now: datetime) -> None:
        for name, one in list(self._running.items()):
            code = one.command.exit_code()
            if code is None and one.turn.began_at is not None and now - one.turn.began_at > LONGEST:
                one.command.end()
                code = one.command.exit_code() or _NOT_STARTED
            if code is not None:
                self._save(one.turn.ended(code, now), f"ended with {code}")
                del self._running[name]

    def _save(self, turn: Turn, says: str) -> None:
        self.control.schedules.save(turn)
        then = {TurnState.WAITING: ", and is tried again", TurnState.FAILED: ", too often: it has failed"}
        log = "" if turn.state is TurnState.DONE else f"; see {log_of(self.logs, turn)}"
        self.say(f"{turn.duty}, due {turn.due:%Y-%m-%d %H:%M} UTC, {says}{then.get(turn.state, '')}{log}")

    def _end_all(self, *, record: bool = False) -> None:
        """Have all commands end; those that had ended by themselves are on record as that."""
        for name, one in list(self._running.items()):
            code = one.command.exit_code()
            if code is None:
                one.command.end()
            if record:
                now = self.clock.now()
                self.control.schedules.save(
                    one.turn.put_off(now)
                    if code is None or code in _TOLD_TO_END
                    else one.turn.ended(code, now)
                )
            del self._running[name]

    def _pause(self, length: timedelta, is_over: Callable[[], bool]) -> None:
        while length > timedelta(0) and not is_over():
            self.clock.sleep(min(length, _LISTENS_EVERY))
            length -= _LISTENS_EVERY

    def _say_once(self, line: str) -> None:
        if self._said[0] != line:
            self.say(line)
            self._said[0] = line


def log_of(logs: Path, turn: Turn) -> Path:
    """The file in which is kept what the command of a turn prints, attempt after attempt."""
    return logs / f"{name_of(turn)}.log"


def name_of(turn: Turn) -> str:
    """By what that file is known: `score-prod/2026-11-02T0200`."""
    return f"{turn.duty.replace(' ', '-')}/{turn.due:%Y-%m-%dT%H%M}"


@dataclass(frozen=True, slots=True)
class DutyRow:
    """One duty, when it is next, and what came of it last."""

    duty: Duty
    next_due: datetime
    """Aware UTC."""
    last: Turn | None
    """The newest turn; None before the first."""
    open_turns: tuple[Turn, ...]
    """Turns that run, or are tried again."""
    log: Path | None
    """Of the newest turn, on the machine that ran it."""


@dataclass(frozen=True, slots=True)
class SchedulesShown:
    """All that starts by itself."""

    rows: tuple[DutyRow, ...]
    keeper: str | None
    """Who starts it; None: nobody does at this moment."""


@dataclass(frozen=True, slots=True)
class InspectSchedules:
    """Says what starts by itself, and what came of it, to whoever may look."""

    control: Control
    clock: Clock
    schedules: Mapping[Routine, Schedule]
    logs: Path

    def __call__(self) -> SchedulesShown:
        """Every duty that is scheduled.

        Raises:
            Denied: Whoever acts may not look.
        """
        self.control.require(Right.VIEW)
        now = self.clock.now()
        turns = [
            turn
            for turn in self.control.schedules.held(now - REMEMBERED)
            if turn.state is not TurnState.NOTED
        ]
        rows = tuple(self._row(duty, turns, now) for duty in duties(self.schedules))
        return SchedulesShown(rows, self.control.schedules.keeper())

    def _row(self, duty: Duty, turns: Sequence[Turn], now: datetime) -> DutyRow:
        its = [turn for turn in turns if turn.duty == duty.name]
        last = max(its, key=lambda turn: turn.due, default=None)
        return DutyRow(
            duty,
            next_instant(duty.cron, now),
            last,
            tuple(turn for turn in its if not turn.state.is_final),
            None if last is None else log_of(self.logs, last),
        )
