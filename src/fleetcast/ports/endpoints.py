"""What fleetcast needs to serve releases: where clients reach them, and how the servers of a platform are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from fleetcast.domain.identity import Digest
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.release import Endpoint
from fleetcast.domain.service import ServerStretch, Stretch
from fleetcast.domain.traffic import Override, Report, Traffic, Watch


class Endpoints(Protocol):
    """Serves releases where clients reach them: a blue one, and at times a green one beside it.

    Every change is idempotent: asked for what is, it does nothing. What was asked for takes a moment to be; whoever
    asks reads back. None of them asks whether it should be done: that was decided before.
    """

    def standing(self, environment: EnvironmentName) -> Mapping[str, Traffic]:
        """What servers were told last, by plant, in one reading; plants without an endpoint are not in it."""
        ...

    def serve(self, endpoint: Endpoint, release: Digest) -> None:
        """Have a release serve at once, alone; holds stay, other overrides go."""
        ...

    def start(self, endpoint: Endpoint, green: Digest, watch: Watch) -> None:
        """Start a release beside the one that serves; it gets no traffic yet, and counting begins anew."""
        ...

    def shift(self, endpoint: Endpoint, green: Digest, share: int) -> None:
        """Give green this share of the traffic, in per cent; 0 gives it copies.

        Raises:
            BadInput: Another release is green, or none.
        """
        ...

    def finish(self, endpoint: Endpoint, green: Digest) -> None:
        """Put green in blue's place.

        Raises:
            BadInput: Another release is green, or none, and it is not blue already.
        """
        ...

    def stop(self, endpoint: Endpoint) -> None:
        """Give everything back to blue, and end green."""
        ...

    def override(self, endpoint: Endpoint, override: Override) -> None:
        """Have one circuit forecast by something else than its release says.

        Raises:
            BadInput: Nothing serves there.
        """
        ...

    def release_override(self, endpoint: Endpoint, circuit: str) -> None:
        """Have a circuit forecast by what its release says again."""
        ...

    def report(self, endpoint: Endpoint, green: Digest) -> Report | None:
        """What servers say of green; None: nobody serves this endpoint, or none has seen this green yet."""
        ...

    def fared(self, environment: EnvironmentName, since: datetime) -> Mapping[str, Sequence[Stretch]]:
        """For how long each plant was served, and what clients were answered, in one reading.

        By plant all stretches that end after `since` (aware), as far as they are kept (`service.KEPT` at least), in the
        order of their beginnings; several servers serve at the same time, so that they may overlap. A stretch counts
        from its own beginning on, also where that lies before `since`; it goes on growing, and a long time is told in
        several. Plants that no server served since then are not in it. That clients asked nothing is a stretch without
        answers; that nobody served is none. Moments are those of the servers' clocks.
        """
        ...


@dataclass(frozen=True, slots=True)
class Told:
    """What a server was told, as far as somebody who is trusted vouches for it."""

    traffic: Mapping[str, Traffic]
    """By plant."""
    refused: Mapping[str, str]
    """By plant, why what stands there is not believed: whoever serves goes on as before."""


class TrafficBoard(Protocol):
    """Where the servers of the local platform read what to do, and write down what they see."""

    def exclusive(
        self, environment: EnvironmentName, holder: str, timeout: timedelta
    ) -> AbstractContextManager[None]:
        """Be the only one who serves an environment, for the length of a `with` block; as of `RunBook.exclusive`.

        Two would both say how a green is, each of its own.
        """
        ...

    def revision(self, environment: EnvironmentName) -> int:
        """Raised with every change for any of its plants; cheap, as servers ask several times a second."""
        ...

    def read(self, environment: EnvironmentName) -> Told:
        """What every plant is told."""
        ...

    def noted(self, endpoint: Endpoint, green: Digest) -> Report | None:
        """What was written down last of this green; None: nothing."""
        ...

    def note(self, endpoint: Endpoint, green: Digest, report: Report) -> None:
        """Write down how a green is."""
        ...

    def beat(self, environment: EnvironmentName, stretch: ServerStretch) -> None:
        """Write down that a server goes on serving, for all its plants at once; what that server said before of a
        stretch with the same beginning is replaced, and what is older than anybody asks for goes.
        """
        ...

    def keys(self, environment: EnvironmentName) -> Mapping[str, Sequence[Digest]]:
        """By plant, the digests of the keys by which clients may ask."""
        ...


class EndpointKeys(Protocol):
    """Keys by which clients may ask an endpoint: two, so that one can be changed while the other is in use."""

    def put(self, endpoint: Endpoint, slot: str, digest: Digest) -> None:
        """Put a new key in place of the one in this slot; only its digest is kept."""
        ...

    def slots(self, endpoint: Endpoint) -> Sequence[str]:
        """Which slots have a key."""
        ...
