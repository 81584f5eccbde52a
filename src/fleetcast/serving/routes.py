"""Where each request goes: an unchanging table that is replaced as a whole, so that a swap drops nothing."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from fleetcast.domain.identity import Digest
from fleetcast.domain.ramp import EVERYTHING
from fleetcast.domain.release import Endpoint
from fleetcast.domain.traffic import Colour
from fleetcast.serving.counters import WindowCounters
from fleetcast.serving.green import Green
from fleetcast.serving.plants import ServedPlant


def shown_key(key: str) -> str:
    """The digest by which a key is known."""
    return hashlib.sha256(key.encode()).hexdigest()


@dataclass(slots=True)
class Share:
    """Gives green its share of the requests, spread as evenly as can be: of any hundred, just so many."""

    percent: int
    _owed: int = 0

    def next(self) -> Colour:
        """Whose turn it is."""
        self._owed += self.percent
        if self._owed < EVERYTHING:
            return Colour.BLUE
        self._owed -= EVERYTHING
        return Colour.GREEN


@dataclass(frozen=True, slots=True)
class Coming:
    """A green beside what serves."""

    green: Green
    plant: ServedPlant
    share: Share
    counters: WindowCounters


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint."""

    endpoint: Endpoint
    blue: ServedPlant | None
    coming: Coming | None = None
    keys: tuple[Digest, ...] = ()

    @property
    def is_answered(self) -> bool:
        """Whether clients who ask here are answered by a release."""
        green = self.coming is not None and self.coming.green.ready and self.coming.share.percent > 0
        return green or self.blue is not None

    def admits(self, shown: str) -> bool:
        """Whether this is the digest of one of this endpoint's keys; takes as long whichever it is."""
        fits = [hmac.compare_digest(shown, held.hex) for held in self.keys]
        return any(fits)


@dataclass(frozen=True, slots=True)
class Routes:
    """All endpoints of an environment."""

    by_plant: Mapping[str, Route] = field(default_factory=lambda: MappingProxyType({}))
    refused: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """By plant, what it was told and is not believed."""

    def whose(self, shown: str) -> Sequence[Route]:
        """The endpoints that the key with this digest belongs to."""
        return [route for route in self.by_plant.values() if route.admits(shown)]
