"""What fleetcast needs to answer a call that is made again as it did before."""

from __future__ import annotations

from typing import Protocol

from fleetcast.domain.repeat import Answer, Call, KeptCall


class RepeatBook(Protocol):
    """Keeps calls by their owner and key, with what was answered."""

    def begin(self, call: Call) -> KeptCall:
        """Note that a call is begun; with an answer, where it was answered before.

        Of two that begin the same call at once, one is told that the other is at work.

        Raises:
            KeyTaken: The key stood for another call.
            StillAtWork: The first call goes on.
        """
        ...

    def keep(self, begun: KeptCall, answer: Answer) -> None:
        """Keep the answer; where somebody else began the call anew in the meantime, theirs is kept."""
        ...

    def forget(self, begun: KeptCall) -> None:
        """Let the call be made again, as nothing was done."""
        ...
