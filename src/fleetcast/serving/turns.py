"""Whose request is worked on next: circuits take turns, so that a flood of one circuit's keeps no other waiting."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Hashable
from dataclasses import dataclass, field

AT_ONCE = 8
"""Circuits that go on in one round."""


@dataclass(slots=True)
class Turns:
    """Lets a few go on in each round of the event loop, each of another circuit.

    In each round the interpreter is handed to the threads that read and write, which one alone would be too dear for.

    Used in one event loop alone. Whoever was let go on works until it gives control back.
    """

    _waiting: OrderedDict[Hashable, deque[asyncio.Future[None]]] = field(default_factory=OrderedDict)
    _goes_round: bool = False

    async def take(self, of: Hashable) -> None:
        """Wait for a turn.

        Args:
            of: Those of the same take turns among themselves, in their order.
        """
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting.setdefault(of, deque()).append(turn)
        if not self._goes_round:
            self._goes_round = True
            loop.call_soon(self._next)
        await turn

    def _next(self) -> None:
        for _ in range(min(len(self._waiting), AT_ONCE)):
            of, queue = self._waiting.popitem(last=False)
            turn = queue.popleft()
            if queue:
                self._waiting[of] = queue
            if not turn.cancelled():
                turn.set_result(None)
        self._goes_round = bool(self._waiting)
        if self._goes_round:
            asyncio.get_running_loop().call_soon(self._next)
