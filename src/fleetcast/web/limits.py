"""How often somebody may try: for doors at which secrets are guessed."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

_REMEMBERED = 10_000
"""Addresses; whoever has more of them than that is not stopped by counting addresses."""


@dataclass(slots=True)
class RateLimit:
    """So many attempts in so much time, for each address. One process counts for itself."""

    attempts: int
    per: timedelta
    _seen: OrderedDict[str, list[datetime]] = field(default_factory=OrderedDict)

    def wait(self, address: str, now: datetime) -> timedelta | None:
        """Count one more attempt; gives how long to wait if there were too many, which then does not count."""
        recent = [at for at in self._seen.pop(address, ()) if now - at < self.per]
        late = len(recent) >= self.attempts
        self._seen[address] = recent if late else [*recent, now]
        while len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return recent[0] + self.per - now if late else None
