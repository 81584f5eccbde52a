"""Endpoints in memory: every green is ready at once, and well; each time that somebody looks, a window goes by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from fleetcast.domain.health import Answers, Counts, Forecasts
from fleetcast.domain.identity import Digest
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.release import Endpoint
from fleetcast.domain.service import TIMES_END_MS, Served, Stretch
from fleetcast.domain.traffic import CountedWindow, Override, Report, Traffic, Watch
from fleetcast.platforms.memory.world import World
from fleetcast.ports.clock import Clock

_WELL = Counts(Answers(1_000), Forecasts(1_000))
_FAST = Served(1_000, times=(1_000, *(0 for _ in TIMES_END_MS)))


class MemoryEndpoints:
    """Serves releases to nobody."""

    def __init__(self, world: World, clock: Clock) -> None:
        self._world = world
        self._clock = clock

    def standing(self, environment: EnvironmentName) -> Mapping[str, Traffic]:
        """What servers were told last, by plant."""
        held = self._world.traffic
        return {at.plant: held[at] for at in sorted(held) if at.environment is environment}

    def serve(self, endpoint: Endpoint, release: Digest) -> None:
        """Have a release serve at once, alone."""
        self._world.traffic[endpoint] = self._of(endpoint).serving(release)

    def start(self, endpoint: Endpoint, green: Digest, watch: Watch) -> None:
        """Start a release beside the one that serves."""
        held = self._of(endpoint)
        after = held.starting(green, watch)
        if after != held:
            self._world.windows[endpoint] = []
        self._world.traffic[endpoint] = after

    def shift(self, endpoint: Endpoint, green: Digest, share: int) -> None:
        """Give green this share of the traffic."""
        self._world.traffic[endpoint] = self._of(endpoint).shifted(green, share)

    def finish(self, endpoint: Endpoint, green: Digest) -> None:
        """Put green in blue's place."""
        self._world.traffic[endpoint] = self._of(endpoint).finished(green)

    def stop(self, endpoint: Endpoint) -> None:
        """Give everything back to blue, and end green."""
        self._world.traffic[endpoint] = self._of(endpoint).without_green()

    def override(self, endpoint: Endpoint, override: Override) -> None:
        """Have one circuit forecast by something else than its release says."""
        self._world.traffic[endpoint] = self._of(endpoint).overridden(override)

    def release_override(self, endpoint: Endpoint, circuit: str) -> None:
        """Have a circuit forecast by what its release says again."""
        self._world.traffic[endpoint] = self._of(endpoint).released(circuit)

    def report(self, endpoint: Endpoint, green: Digest) -> Report | None:
        """What servers say of green."""
        held = self._of(endpoint)
        if held.green != green:
            return None
        windows = self._world.windows.setdefault(endpoint, [])
        windows.append(
            CountedWindow(len(windows) + 1, held.share, _WELL, None if held.blue is None else _WELL)
        )
        return Report(
            ready=True, stopped=False, waited=timedelta(0), share=held.share, windows=tuple(windows[-60:])
        )

    def fared(self, environment: EnvironmentName, since: datetime) -> Mapping[str, Sequence[Stretch]]:
        """For how long each plant was served: as long as anybody asks, without a break, and well."""
        now = self._clock.now()
        if since >= now:
            return {}
        told = self.standing(environment)
        served = [plant for plant, one in told.items() if one.blue is not None or one.share > 0]
        return {plant: [Stretch(since, now, _FAST)] for plant in served}

    def _of(self, endpoint: Endpoint) -> Traffic:
        return self._world.traffic.get(endpoint, Traffic(endpoint))
