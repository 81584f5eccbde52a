"""Whose request is worked on next: circuits take turns, so that a flood of one circuit's keeps no other waiting."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Hashable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Turns:
    """Lets one go on in each round of the event loop, those of different circuits one after the other.

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
        while self._waiting:
            of, queue = self._waiting.popitem(last=False)
            turn = queue.popleft()
            if queue:
                self._waiting[of] = queue
            if not turn.cancelled():
                turn.set_result(None)
                break
        self._goes_round = bool(self._waiting)
        if self._goes_round:
            asyncio.get_running_loop().call_soon(self._next)
