"""Recent windows for a green that few clients ask: they prove that its forecasts can be true, and nothing else."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor, Future
from concurrent.futures import TimeoutError as TookTooLong
from dataclasses import dataclass, field
from itertools import cycle, islice

import orjson

from fleetcast.domain.health import Criteria
from fleetcast.domain.traffic import Colour
from fleetcast.serving.asked import read_request
from fleetcast.serving.counters import Outcome
from fleetcast.serving.engine import Engine
from fleetcast.serving.green import NoGreen
from fleetcast.serving.routes import Coming, Route

_WANTED = Criteria().least_forecasts
_PATIENCE_SECONDS = 30.0


@dataclass(slots=True)
class Replays:
    """Has a green forecast circuits of its plant from their newest readings, and what serves the same."""

    engine: Engine
    loop: asyncio.AbstractEventLoop
    """The server's, in which a green is asked."""
    executor: Executor
    """One thread, so that clients' requests come first."""
    _at_work: dict[str, Future[None]] = field(default_factory=dict)

    def see_to(self, route: Route, coming: Coming) -> None:
        """Begin to feed a green, if what clients asked of it in this window is too little, and nobody does already."""
        plant = route.endpoint.plant
        at_work = self._at_work.get(plant)
        if at_work is not None and not at_work.done():
            return
        if coming.counters.half_over and self._lacking(route, coming):
            self._at_work[plant] = self.executor.submit(self._feed, route, coming)

    @staticmethod
    def _lacking(route: Route, coming: Coming) -> list[Colour]:
        """Of which too little was looked at: what serves is compared with too, and has no clients left at 100 %."""
        wanted = [Colour.GREEN, *([] if route.blue is None else [Colour.BLUE])]
        return [colour for colour in wanted if coming.counters.forecasts_so_far(colour) < _WANTED]

    def _feed(self, route: Route, coming: Coming) -> None:
        circuits = list(coming.plant.release.release.circuits)
        for circuit in islice(cycle(circuits), _WANTED):
            lacking = self._lacking(route, coming)
            if not lacking:
                return
            body = orjson.dumps({"circuit_id": circuit})
            if Colour.GREEN in lacking and not self._asked(coming, body):
                return
            if Colour.BLUE in lacking:
                self._compared(route, coming, circuit, body)

    def _asked(self, coming: Coming, body: bytes) -> bool:
        """Have green forecast; whether it did."""
        asked = asyncio.run_coroutine_threadsafe(coming.green.ask(body), self.loop)
        try:
            reply = asked.result(_PATIENCE_SECONDS)
        except (NoGreen, TookTooLong):
            asked.cancel()
            return False
        coming.counters.replayed(Colour.GREEN, Outcome(reply.status, 0.0, reply.forecasts, reply.invalid))
        return True

    def _compared(self, route: Route, coming: Coming, circuit: str, body: bytes) -> None:
        """Have what serves forecast the same, where it serves the circuit."""
        if route.blue is not None and circuit in route.blue.release.release.circuits:
            before = self.engine.reply(route.blue, read_request(body), Colour.BLUE)
            coming.counters.replayed(
                Colour.BLUE, Outcome(before.status, 0.0, before.forecasts, before.invalid)
            )
