"""Saying every few seconds that a server serves, and what it answered: one row for all of its plants."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.service import BEATS_EVERY, LONGEST_STRETCH, PATIENCE, Served, ServerStretch
from fleetcast.ports.clock import Clock
from fleetcast.ports.endpoints import TrafficBoard


@dataclass(slots=True)
class Heartbeat:
    """What one process says of how it serves. What cannot be written down is said with the next beat."""

    board: TrafficBoard
    environment: EnvironmentName
    seconds: Callable[[], float]
    """A clock that only goes forward."""
    clock: Clock
    every: timedelta = BEATS_EVERY
    server: str = field(default_factory=lambda: secrets.token_hex(8))
    _stretch: ServerStretch | None = None
    _written: bool = True
    _before: Mapping[str, Served] = field(default_factory=dict)
    """What had been counted when the stretch began."""
    _counted: Mapping[str, Served] = field(default_factory=dict)
    """What had been counted at the last beat."""
    _beat_at: float = -1e9

    def is_due(self) -> bool:
        """Whether it is time to say something."""
        return self.seconds() - self._beat_at >= self.every.total_seconds()

    def beat(self, plants: Collection[str], counted: Mapping[str, Served]) -> None:
        """Say that these plants are served; of those that are not, nothing is said.

        Args:
            plants: Whose clients are answered by now.
            counted: By plant, what was answered since the process began; others may be in it.

        Raises:
            FleetcastError: The control database does not answer.
        """
        self._beat_at, now = self.seconds(), self.clock.now()
        held = self._stretch
        if held is None or self._ends(held, plants, now):
            self._before = self._counted
            held = ServerStretch(self.server, now, now, {})
        self._counted = counted
        served = {
            plant: counted.get(plant, Served()) - self._before.get(plant, Served())
            for plant in sorted(plants)
        }
        self._stretch = held = replace(held, until=now, plants=served)
        if served:
            self._written = False
            self.board.beat(self.environment, held)
        self._written = True

    def _ends(self, held: ServerStretch, plants: Collection[str], now: datetime) -> bool:
        """Whether a stretch is over; one that could not be written down goes on, so that nothing of it is lost."""
        if set(plants) != held.plants.keys() or not timedelta(0) <= now - held.until <= PATIENCE:
            return True
        return self._written and now - held.since >= LONGEST_STRETCH


class LoopPulse:
    """Whether an event loop still turns: a server whose loop hangs answers nobody, whatever its threads say."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._came_back = True

    def __call__(self) -> bool:
        """Whether what was asked of it at the last call has come back; asks it again."""
        came_back, self._came_back = self._came_back, False
        with suppress(RuntimeError):  # closed: it turns no more
            self._loop.call_soon_threadsafe(self._back)
        return came_back

    def _back(self) -> None:
        self._came_back = True
