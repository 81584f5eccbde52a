"""What a server was told to serve at one endpoint: which releases, to what share of the clients, and what instead."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from fleetcast.domain.canonical import canonical_json, plain
from fleetcast.domain.errors import BadInput
from fleetcast.domain.fallback import Unused
from fleetcast.domain.health import Counts
from fleetcast.domain.identity import Digest, checked_id
from fleetcast.domain.manifest import Signature
from fleetcast.domain.ramp import EVERYTHING, MIRRORED
from fleetcast.domain.release import Endpoint, ServedModel


class Colour(StrEnum):
    """The two deployments that an endpoint may have."""

    BLUE = "blue"
    """What serves."""
    GREEN = "green"
    """What comes."""


@dataclass(frozen=True, slots=True)
class Override:
    """Another model for one circuit than its release says, until somebody takes it back or its time is over."""

    circuit: str
    model: ServedModel | None
    """None: no model, but the seasonal naive forecast."""
    why: Unused
    """`BLOCKED` after a rollback, `HELD` where somebody wants it so."""
    until: datetime | None = None
    """Aware UTC, exclusive; None: until the release says the same."""

    def __post_init__(self) -> None:
        checked_id("circuit_id", self.circuit)
        if self.why not in (Unused.BLOCKED, Unused.HELD):
            raise BadInput(f"an override because a model is {self.why}")
        if self.until is not None and self.until.tzinfo is None:
            raise BadInput("an override ends at a moment with its time zone")

    def holds(self, now: datetime) -> bool:
        """Whether it says anything at a moment."""
        return self.until is None or now < self.until


@dataclass(frozen=True, slots=True)
class Watch:
    """How a server counts what green does."""

    window: timedelta = timedelta(seconds=30)
    slow_after: timedelta = timedelta(seconds=2)
    """An answer that took longer is counted as a slow one."""

    def __post_init__(self) -> None:
        if min(self.window, self.slow_after) <= timedelta(0):
            raise BadInput("a window, and the latency that is too much, take time")


@dataclass(frozen=True, slots=True)
class Traffic:
    """All that a server needs to be told of an endpoint; releases stand in it by number and digest."""

    endpoint: Endpoint
    blue: Digest | None = None
    green: Digest | None = None
    share: int = MIRRORED
    """Per cent of the clients that green answers; 0 with a green: it gets copies, whose answers reach nobody."""
    overrides: tuple[Override, ...] = ()
    """One for a circuit at most, sorted."""
    watch: Watch = Watch()
    revision: int = 0
    """Raised with every change, so that an older one cannot take the place of a newer one."""

    def __post_init__(self) -> None:
        if not MIRRORED <= self.share <= EVERYTHING or (self.green is None and self.share != MIRRORED):
            raise BadInput(f"{self.share} % of the traffic of {self.endpoint} for green")
        circuits = [override.circuit for override in self.overrides]
        if circuits != sorted(set(circuits)):
            raise BadInput(f"overrides of {self.endpoint} are doubled or out of order")

    def serving(self, release: Digest) -> Traffic:
        """With a release in blue's place at once, and no green."""
        if self.blue == release and self.green is None and self._holds == self.overrides:
            return self
        return self._next(blue=release, green=None, share=MIRRORED, overrides=self._holds)

    def starting(self, green: Digest, watch: Watch) -> Traffic:
        """With a green that gets nothing yet; one that serves everything already stays."""
        if self.blue == green or (self.green, self.watch) == (green, watch):
            return self
        return self._next(green=green, share=MIRRORED, watch=watch)

    def shifted(self, green: Digest, share: int) -> Traffic:
        """With another share for green.

        Raises:
            BadInput: Another release is green, or none.
        """
        self._check_green(green)
        return self if self.share == share else self._next(share=share)

    def finished(self, green: Digest) -> Traffic:
        """With green in blue's place.

        Raises:
            BadInput: Another release is green, or none, and it is not blue already.
        """
        if self.blue == green and self.green is None:
            return self
        self._check_green(green)
        return self._next(blue=green, green=None, share=MIRRORED, overrides=self._holds)

    def without_green(self) -> Traffic:
        """With blue alone."""
        return self if self.green is None else self._next(green=None, share=MIRRORED)

    def overridden(self, override: Override) -> Traffic:
        """With another model for a circuit.

        Raises:
            BadInput: Nothing serves there.
        """
        if self.blue is None and self.green is None:
            raise BadInput(f"nothing serves {self.endpoint}", fix="deploy it first")
        if override in self.overrides:
            return self
        others = [one for one in self.overrides if one.circuit != override.circuit]
        return self._next(overrides=tuple(sorted([*others, override], key=lambda one: one.circuit)))

    def released(self, circuit: str) -> Traffic:
        """Without what was said of a circuit."""
        left = tuple(one for one in self.overrides if one.circuit != circuit)
        return self if left == self.overrides else self._next(overrides=left)

    @property
    def _holds(self) -> tuple[Override, ...]:
        """What survives another release; that a version was rolled back, the release says itself."""
        return tuple(override for override in self.overrides if override.why is Unused.HELD)

    def _check_green(self, green: Digest) -> None:
        if self.green != green:
            raise BadInput(
                f"{green} is not green at {self.endpoint}", fix="look with `fleetcast deploy status`"
            )

    def _next(self, **changed: object) -> Traffic:
        return replace(self, revision=self.revision + 1, **changed)  # type: ignore[arg-type]  # checked by callers

    @property
    def message(self) -> bytes:
        """The bytes to sign; the same for ever."""
        return canonical_json({"kind": "fleetcast traffic", "traffic": plain(self)}).encode()


@dataclass(frozen=True, slots=True)
class SignedTraffic:
    """What a server was told, and who vouches for it."""

    traffic: Traffic
    signature: Signature


@dataclass(frozen=True, slots=True)
class CountedWindow:
    """What both colours did between two moments of a server's own clock."""

    number: int
    """Counted 1, 2, 3 for each green."""
    share: int
    """Per cent that green had all the while."""
    green: Counts
    blue: Counts | None
    """None: there is no blue."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a server says of the green of an endpoint."""

    ready: bool
    stopped: bool
    """Whether green ended by itself."""
    waited: timedelta
    """How long green has been starting, by the server's own clock."""
    share: int
    """Per cent that green really has."""
    windows: tuple[CountedWindow, ...] = ()
    """The last ones, oldest first."""
    says: str = ""
    """Why green is not ready or has stopped, in one line; empty if there is nothing to say."""
