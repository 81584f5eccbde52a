"""A blue-green rollout as a value: which steps it takes, how it stands, and what comes next.

Time is counted in windows that the servers close by their own clocks, so that nobody who sets a clock, and no
controller that was away for an hour, lets a step soak for less than it should.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from fleetcast.domain.errors import BadInput
from fleetcast.domain.health import Health, Verdict, failed_alike
from fleetcast.domain.identity import Digest, checked_id
from fleetcast.domain.ramp import EVERYTHING, MIRRORED, Ramp


class Phase(StrEnum):
    """How far a rollout has come."""

    STARTING = "starting"
    """Green is not ready yet, and gets nothing."""
    RAMPING = "ramping"
    DONE = "done"
    """Green serves everything."""
    ROLLED_BACK = "rolled back"
    SUPERSEDED = "superseded"
    """A newer release took its place before it came to its end."""

    @property
    def is_over(self) -> bool:
        """Whether nothing comes after it."""
        return self in (Phase.DONE, Phase.ROLLED_BACK, Phase.SUPERSEDED)


class Cause(StrEnum):
    """Why a release was rolled back."""

    FAILED = "a check failed"
    BOTH_SICK = "the release before failed the same checks"
    NO_VERDICT = "too little could be measured for too long"
    NOT_READY = "it did not start in time"
    CRASHED = "it stopped by itself"
    BY_SOMEBODY = "somebody rolled it back"

    @property
    def blames_release(self) -> bool:
        """Whether the release is what is wrong, so that nothing of it is served again without somebody's word."""
        return self in (Cause.FAILED, Cause.NOT_READY, Cause.CRASHED)


@dataclass(frozen=True, slots=True)
class Rollout:
    """One release on its way to one plant's traffic."""

    plant: str
    green: Digest
    """The release."""
    blue: Digest | None
    """What is served until then, and again after a rollback; None: nothing yet."""
    ramp: Ramp
    phase: Phase = Phase.STARTING
    share: int = MIRRORED
    """Per cent of the traffic that green is meant to have."""
    judged: int = 0
    """Number of the last window that was looked at; servers count them from 1."""
    passed: int = 0
    """Windows in a row that passed at this share."""
    unclear: int = 0
    """Windows in a row that said too little, or nothing."""
    cause: Cause | None = None

    def __post_init__(self) -> None:
        checked_id("plant_id", self.plant)
        if self.blue == self.green:
            raise BadInput(f"{self.plant} serves release {self.green} already")


@dataclass(frozen=True, slots=True)
class Window:
    """What was counted between two moments of a server's own clock, and what it comes to."""

    number: int
    share: int
    """Per cent that green really had all the while; windows in which it changed are not judged."""
    health: Health
    blue: Health | None = None
    """Of the release before, by the same criteria; None: there is none, or it served nothing."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the endpoint says at one moment."""

    ready: bool
    """Whether green answers its readiness check."""
    stopped: bool
    """Whether it ended by itself: a server that was started anew starts green anew, and is waited for."""
    waited: timedelta
    """How long green has been starting, by the server's own clock."""
    share: int
    """Per cent that green really has."""
    windows: Sequence[Window] = ()
    """Those that are closed, oldest first; more than were judged may be there."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Stay as it is."""


@dataclass(frozen=True, slots=True)
class Shift:
    """Give green another share of the traffic."""

    share: int


@dataclass(frozen=True, slots=True)
class RollBack:
    """Give everything back to blue, at once."""

    cause: Cause
    health: Health | None = None
    """What was measured, where that is why."""


@dataclass(frozen=True, slots=True)
class Finish:
    """Green serves everything, and is the live release from now on."""


Step = Hold | Shift | RollBack | Finish


def advance(rollout: Rollout, seen: Seen) -> tuple[Rollout, Step]:
    """Look at what was counted since the last time, and decide on one step.

    It takes one share at a time however many windows have piled up, and judges each window once. Those pass in which
    green had the share that it was meant to have; a failed one is final, whatever the share. A controller that died
    between deciding and doing finds another share than it meant: then it does what it had decided.

    Args:
        rollout: As it was written down last.
        seen: What the endpoint says now.

    Returns:
        How it stands now, to be written down before the step is taken, and the step.
    """
    if rollout.phase is Phase.ROLLED_BACK and rollout.cause is not None and seen.share != rollout.share:
        return rollout, RollBack(rollout.cause)
    if rollout.phase.is_over:
        return rollout, Hold()
    if seen.stopped:
        return _rolled_back(rollout, RollBack(Cause.CRASHED))
    if rollout.phase is Phase.STARTING:
        return _started(rollout, seen)
    if not seen.ready:
        return _waited(rollout, seen)
    fresh = [window for window in seen.windows if window.number > rollout.judged]
    failed = next((window for window in fresh if window.health.verdict is Verdict.FAILED), None)
    if failed is not None:
        return _failed(rollout, failed)
    if seen.share != rollout.share:
        return rollout, Shift(rollout.share)
    # Whatever the step, none of them is looked at again: they say nothing of the share that comes next.
    newest = max((window.number for window in fresh), default=rollout.judged)
    for window in fresh:
        if window.share != rollout.share:
            continue
        rollout, step = _soaked(rollout, window.health)
        if not isinstance(step, Hold):
            return replace(rollout, judged=newest), step
    return replace(rollout, judged=newest), Hold()


def superseded(rollout: Rollout) -> Rollout:
    """The same, where a newer release takes its place: that one starts from the beginning, beside the same blue."""
    return rollout if rollout.phase.is_over else replace(rollout, phase=Phase.SUPERSEDED, share=MIRRORED)


def fell_short(rollout: Rollout) -> tuple[Rollout, Step]:
    """The same, where its forecasts turn out worse than those of the release before."""
    return _rolled_back(rollout, RollBack(Cause.FAILED))


def at_once(rollout: Rollout) -> Rollout:
    """The same at its end, where no client could be hurt, nor anything measured."""
    return replace(rollout, phase=Phase.DONE, share=EVERYTHING)


def rolled_back(rollout: Rollout, cause: Cause) -> Rollout:
    """The same, after everything was given back to blue."""
    return replace(rollout, phase=Phase.ROLLED_BACK, share=MIRRORED, cause=cause)


def _started(rollout: Rollout, seen: Seen) -> tuple[Rollout, Step]:
    if seen.ready and rollout.blue is None:
        # A plant without a release before it has no clients that could be hurt, nor any to judge by.
        return at_once(rollout), Finish()
    if seen.ready:
        first = rollout.ramp.shares[0]
        newest = max((window.number for window in seen.windows), default=rollout.judged)
        return replace(rollout, phase=Phase.RAMPING, share=first, judged=newest), Shift(first)
    return _waited(rollout, seen)


def _waited(rollout: Rollout, seen: Seen) -> tuple[Rollout, Step]:
    if seen.waited >= rollout.ramp.ready_within:
        return _rolled_back(rollout, RollBack(Cause.NOT_READY))
    return rollout, Hold()


def _failed(rollout: Rollout, window: Window) -> tuple[Rollout, Step]:
    # Where both are sick, blue is what is known: it is stayed with, and nobody blames the release.
    alike = window.blue is not None and failed_alike(window.health, window.blue)
    return _rolled_back(rollout, RollBack(Cause.BOTH_SICK if alike else Cause.FAILED, window.health))


def _soaked(rollout: Rollout, health: Health) -> tuple[Rollout, Step]:
    """What one more window at this share, that did not fail, comes to."""
    if health.verdict is not Verdict.PASSED:
        unclear = rollout.unclear + 1
        if unclear >= rollout.ramp.patience:
            return _rolled_back(rollout, RollBack(Cause.NO_VERDICT, health))
        return replace(rollout, unclear=unclear, passed=0), Hold()
    passed = replace(rollout, passed=rollout.passed + 1, unclear=0)
    if passed.passed < rollout.ramp.windows:
        return passed, Hold()
    share = rollout.ramp.after(rollout.share)
    if share is None:
        return replace(passed, phase=Phase.DONE), Finish()
    return replace(passed, share=share, passed=0), Shift(share)


def _rolled_back(rollout: Rollout, step: RollBack) -> tuple[Rollout, Step]:
    return rolled_back(rollout, step.cause), step


def waves(plants: Sequence[str], share: float = 0.1) -> tuple[tuple[str, ...], ...]:
    """In which order plants get a release: one, then a share of all of them, then the rest.

    Args:
        plants: In the order in which they are wanted.
        share: Of all plants, for the second wave; at least one.

    Returns:
        No empty wave; every plant once.
    """
    if not 0 < share <= 1:
        raise BadInput(f"a wave of {share:g} of the plants", fix="write 0.1 for a tenth")
    every = tuple(dict.fromkeys(plants))
    second = 1 + math.ceil(len(every) * share)
    return tuple(wave for wave in (every[:1], every[1:second], every[second:]) if wave)
