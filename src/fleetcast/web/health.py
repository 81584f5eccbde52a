"""Whether the server can work: asked by anybody, so the database is asked once at a time, and seldom."""

from __future__ import annotations

import time
from collections.abc import Callable

from anyio import CapacityLimiter, Lock, move_on_after
from anyio.to_thread import run_sync

from fleetcast.domain.errors import FleetcastError, Unavailable

_FRESH_SECONDS = 1.0
_PATIENT_SECONDS = 2.0


class Health:
    """Asks the control database, and remembers for a second what it said."""

    def __init__(self, check: Callable[[], None]) -> None:
        """Take what asks the database; it raises where that does not answer."""
        self._check = check
        self._lock = Lock()
        self._own_thread = CapacityLimiter(1)
        self._asked = float("-inf")
        self._well = False

    async def ask(self) -> None:
        """Make sure that the database answers.

        Raises:
            Unavailable: It does not, or not at once.
        """
        async with self._lock:
            if time.monotonic() - self._asked > _FRESH_SECONDS:
                self._well = False
                with move_on_after(_PATIENT_SECONDS):
                    self._well = await run_sync(
                        self._answers, abandon_on_cancel=True, limiter=self._own_thread
                    )
                self._asked = time.monotonic()
        if not self._well:
            raise Unavailable("the control database does not answer", fix="try again in a few seconds")

    def _answers(self) -> bool:
        try:
            self._check()
        except FleetcastError:
            return False
        return True
