"""Do what somebody asks for once, however often they ask with the same key."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from fleetcast.domain.errors import FleetcastError
from fleetcast.domain.identity import Digest
from fleetcast.domain.repeat import Answer, Call, owner_of
from fleetcast.domain.role import Right
from fleetcast.ports.platform import Control


@dataclass(frozen=True, slots=True)
class Answered:
    """What the caller gets."""

    answer: Answer
    again: bool
    """Whether it was done before, and this is only what was answered then."""


@dataclass(frozen=True, slots=True)
class AnswerOnce:
    """Answer a call that changes something, or give again what was answered before.

    Where a process dies between the change and keeping the answer, the call made again meets its own change, and
    is told so by the workflow that makes it: a second decision is refused, a role that is given stays given.
    """

    control: Control

    def __call__(self, key: str, content: Digest, right: Right, work: Callable[[], Answer]) -> Answered:
        """Answer once.

        Args:
            key: Whoever acts has made it up for this call.
            content: What is asked for.
            right: What the work asks for too; who has it nowhere is refused before anything is written.
            work: Makes the change. What it raises is not kept, so the call may be made again.

        Raises:
            Denied: Whoever acts has the right nowhere.
            KeyTaken: The key stood for another call.
            StillAtWork: The same call was made before and goes on.
        """
        self.control.require_somewhere(right)
        begun = self.control.repeats.begin(Call(owner_of(self.control.actor), key, content))
        if begun.answer is not None:
            return Answered(begun.answer, again=True)
        try:
            answer = work()
        except BaseException:
            with suppress(FleetcastError):
                self.control.repeats.forget(begun)
            raise
        self.control.repeats.keep(begun, answer)
        return Answered(answer, again=False)
