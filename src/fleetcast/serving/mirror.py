"""Copies of clients' requests for a green that serves nobody yet: its answers are counted, and reach nobody."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from fleetcast.domain.traffic import Colour
from fleetcast.serving.counters import Outcome
from fleetcast.serving.green import NoGreen
from fleetcast.serving.routes import Coming

MOST = 16
"""Copies that are worked on at the same time: under load, they are the first that are dropped."""


@dataclass(slots=True)
class Mirror:
    """Asks a green what a client has asked."""

    dropped: int = 0
    _at_work: set[asyncio.Task[None]] = field(default_factory=set)

    def offer(self, coming: Coming, body: bytes) -> None:
        """Copy a request, unless there is too much at work."""
        if len(self._at_work) >= MOST:
            self.dropped += 1
            return
        task = asyncio.get_running_loop().create_task(self._ask(coming, body))
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)

    async def _ask(self, coming: Coming, body: bytes) -> None:
        began = time.perf_counter()
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                reply = await coming.green.ask(body)
        except (NoGreen, TimeoutError):
            coming.counters.answered(Colour.GREEN, Outcome(504, time.perf_counter() - began))
            return
        seconds = time.perf_counter() - began
        coming.counters.answered(Colour.GREEN, Outcome(reply.status, seconds, reply.forecasts, reply.invalid))


_PATIENCE_SECONDS = 10.0
