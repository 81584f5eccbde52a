"""Schedules: what is due, what was missed, and what waits as it runs already or failed a moment ago.

Pure: the present, what is on record and the instants of a schedule come in, what to do comes out. Every due instant
is one turn, which is on record before its command starts, so nothing starts twice for the same instant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import islice, takewhile

from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.settings.schedules import Routine, Schedule

MOST_ATTEMPTS = 5
"""After so many a turn has failed."""
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)
CAUGHT_UP = timedelta(days=7)
"""Days of forecasts that are older than this are not made up for."""
REMEMBERED = CAUGHT_UP + timedelta(days=2)
"""How far back a decision looks at what is on record."""
LONGEST = timedelta(hours=24)
"""A command that takes longer is ended, and has failed."""
_MOST_COUNTED = 10_000
_AN_INSTANT = timedelta(microseconds=1)
Instants = Callable[[datetime], Iterator[datetime]]
"""The instants of a schedule at or before a moment, newest first."""


@dataclass(frozen=True, slots=True)
class Duty:
    """One routine, in one environment or for the fleet, with its schedule."""

    routine: Routine
    environment: EnvironmentName | None
    cron: str

    @property
    def name(self) -> str:
        """As people and tables name it: `score prod`, `train`."""
        return " ".join(filter(None, (self.routine.value, self.environment)))


def duties(schedules: Mapping[Routine, Schedule]) -> tuple[Duty, ...]:
    """All that schedules start, in the order they are written."""
    return tuple(
        Duty(schedule.routine, environment, schedule.cron)
        for schedule in schedules.values()
        for environment in schedule.environments or (None,)
    )


_TYPED: Mapping[Routine, tuple[str, ...]] = {
    Routine.PLAN: ("plan",),
    Routine.TRAIN: ("train", "--awaiting-ok"),
    Routine.SCORE: ("score",),
    Routine.MONITOR: ("monitor",),
    Routine.RETENTION: ("clean", "--apply", "--yes"),
}


def command_of(duty: Duty) -> tuple[str, ...]:
    """What a person would type after `fleetcast`; training that waits for people has not failed."""
    return (*_TYPED[duty.routine], *((duty.environment.value,) if duty.environment else ()))


class TurnState(StrEnum):
    """Where a turn stands."""

    NOTED = "noted"
    """No turn, but the moment from which the instants of a schedule count: before it, nothing was missed."""
    RUNNING = "running"
    WAITING = "waiting"
    """Its command failed, or its process died; it is tried again."""
    DONE = "done"
    FAILED = "failed"
    """Too often: it is not tried again."""

    @property
    def is_final(self) -> bool:
        """Whether it stays as it is."""
        return self in (TurnState.NOTED, TurnState.DONE, TurnState.FAILED)


@dataclass(frozen=True, slots=True)
class Turn:
    """One due instant of one duty, and what came of it."""

    duty: str
    due: datetime
    """Aware UTC. With the duty, its name: there is one turn for each."""
    cron: str
    state: TurnState
    attempts: int = 0
    """How often its command was started, but for what was ended in good order."""
    missed: int = 0
    """Earlier instants that it stands for, as nobody was there when they were due."""
    began_at: datetime | None = None
    """Of the last attempt."""
    ended_at: datetime | None = None
    exit_code: int | None = None
    """Of the last attempt; None: it runs, or nobody saw it end."""
    again_at: datetime | None = None
    """When it is tried again, while it waits."""

    def begun(self, now: datetime) -> Turn:
        """Started once more."""
        return replace(
            self,
            state=TurnState.RUNNING,
            attempts=self.attempts + 1,
            began_at=now,
            ended_at=None,
            exit_code=None,
            again_at=None,
        )

    def ended(self, exit_code: int, now: datetime) -> Turn:
        """Its command ended."""
        if exit_code == 0:
            return replace(self, state=TurnState.DONE, ended_at=now, exit_code=0)
        return replace(self._failed(now), ended_at=now, exit_code=exit_code)

    def left(self, now: datetime) -> Turn:
        """Whoever ran it died, and nobody knows how far it came: its command finds what is missing."""
        return self._failed(now)

    def put_off(self, now: datetime) -> Turn:
        """Its command was ended in good order, by which it has not failed."""
        return replace(self, state=TurnState.WAITING, attempts=self.attempts - 1, ended_at=now, again_at=now)

    def _failed(self, now: datetime) -> Turn:
        if self.attempts >= MOST_ATTEMPTS:
            return replace(self, state=TurnState.FAILED, again_at=None)
        pause = min(_FIRST_PAUSE * 2 ** (self.attempts - 1), _LONGEST_PAUSE)
        return replace(self, state=TurnState.WAITING, again_at=now + pause)


@dataclass(frozen=True, slots=True)
class Note:
    """Write down from when on the instants of a schedule count."""

    turn: Turn


@dataclass(frozen=True, slots=True)
class Begin:
    """Write a turn down as running, then start its command."""

    turn: Turn


@dataclass(frozen=True, slots=True)
class Rest:
    """Nothing is to be done now."""


Move = Note | Begin | Rest


def next_move(duty: Duty, held: Sequence[Turn], now: datetime, instants: Instants) -> Move:
    """Decide what a duty does next.

    A schedule that is new, or was changed, counts from now on. Of the instants that nobody saw, the last one is made
    up for; of forecasts, which are for a day, the last one of each day, today's first, as long as `CAUGHT_UP` reaches.

    Args:
        duty: As it is scheduled.
        held: Its turns: the newest, all that are not over, and all that are younger than `REMEMBERED`.
        now: The present.
        instants: Of its schedule.
    """
    if any(turn.state is TurnState.RUNNING for turn in held):
        return Rest()
    waiting = [turn for turn in held if turn.state is TurnState.WAITING]
    if waiting:
        turn = min(waiting, key=lambda one: one.again_at or now)
        return Begin(turn.begun(now)) if turn.again_at is None or turn.again_at <= now else Rest()
    newest = max(held, key=lambda one: one.due, default=None)
    if newest is None or newest.cron != duty.cron:
        since = now if newest is None else max(now, newest.due + _AN_INSTANT)
        return Note(Turn(duty.name, since, duty.cron, TurnState.NOTED))
    if duty.routine is Routine.SCORE:
        return _next_day(duty, held, newest.due, now, instants)
    due = _since(newest.due, instants(now))
    return _begin(duty, due[0], len(due) - 1, now) if due else Rest()


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that should start by itself and did not, or that failed too often."""

    duty: str
    due: datetime
    """Aware UTC: of the turn that failed, or that nobody began."""
    failed: bool
    """Else it is late: nobody began it."""


LATE = timedelta(minutes=10)
"""What was due longer ago than this, and nobody began, is late."""


def trouble(duty: Duty, held: Sequence[Turn], now: datetime, instants: Instants) -> Trouble | None:
    """What is to be said of a duty that is not as it should be; None of one that is.

    Args:
        duty: As it is scheduled.
        held: As for `next_move`; without any, nobody has begun to keep schedules.
        now: The present.
        instants: Of its schedule.
    """
    turns = [turn for turn in held if turn.state is not TurnState.NOTED]
    newest = max(turns, key=lambda turn: turn.due, default=None)
    move = next_move(duty, held, now, instants)
    again = [turn.again_at for turn in turns if turn.state is TurnState.WAITING and turn.again_at is not None]
    if isinstance(move, Begin) and now - min(again, default=move.turn.due) > LATE:
        return Trouble(duty.name, move.turn.due, failed=False)
    if newest is not None and newest.state is TurnState.FAILED:
        return Trouble(duty.name, newest.due, failed=True)
    return None


def _next_day(duty: Duty, held: Sequence[Turn], newest: datetime, now: datetime, instants: Instants) -> Move:
    """The newest day whose last instant had no turn."""
    notes = [turn.due for turn in held if turn.state is TurnState.NOTED]
    noted = max(notes) if notes else min(turn.due for turn in held)
    reach = max(noted, now - CAUGHT_UP)
    had: dict[date, datetime] = {}
    for turn in held:
        if turn.state is not TurnState.NOTED:
            had[turn.due.date()] = max(turn.due, had.get(turn.due.date(), turn.due))
    last: dict[date, list[datetime]] = {}
    for instant in _since(reach, instants(now)):
        last.setdefault(instant.date(), []).append(instant)
    for day, its in last.items():
        waits = [instant for instant in its if day not in had or instant > had[day]]
        if waits:
            given_up = len(_since(newest, instants(reach))) if waits[0] > newest else 0
            return _begin(duty, waits[0], len(waits) - 1 + given_up, now)
    return Rest()


def _since(moment: datetime, instants: Iterable[datetime]) -> list[datetime]:
    return list(islice(takewhile(lambda instant: instant > moment, instants), _MOST_COUNTED))


def _begin(duty: Duty, due: datetime, missed: int, now: datetime) -> Begin:
    return Begin(Turn(duty.name, due, duty.cron, TurnState.WAITING, missed=missed).begun(now))
