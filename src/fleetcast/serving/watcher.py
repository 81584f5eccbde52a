"""Looks several times a second at what a server is told, changes what it serves, and says how a green is."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from fleetcast.domain.circuit import Circuit
from fleetcast.domain.errors import FleetcastError
from fleetcast.domain.identity import Digest
from fleetcast.domain.legible import legible
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.release import NumberedRelease
from fleetcast.domain.traffic import Report, Traffic
from fleetcast.pipeline.releases import previous_of
from fleetcast.ports.clock import Clock
from fleetcast.ports.endpoints import TrafficBoard
from fleetcast.ports.models import ModelStates
from fleetcast.ports.releases import ReleaseBook
from fleetcast.serving.counters import WindowCounters
from fleetcast.serving.engine import Engine
from fleetcast.serving.green import Command, Green
from fleetcast.serving.heartbeat import Heartbeat
from fleetcast.serving.metrics import Metrics
from fleetcast.serving.plants import ServedPlant
from fleetcast.serving.replays import Replays
from fleetcast.serving.routes import Coming, Route, Routes, Share

LOOKS_EVERY = timedelta(milliseconds=200)
_SAYS_EVERY_SECONDS = 1.0
_READS_KEYS_EVERY_SECONDS = 2.0
_log = logging.getLogger("fleetcast.serving")


class Declared(Protocol):
    """What the fleet declares."""

    def of(self, plant: str) -> Mapping[str, Circuit]:
        """The circuits of one plant, by circuit id."""
        ...

    def refresh(self) -> None:
        """Read it again, if it is another than before; raises `FleetcastError` where it has mistakes."""
        ...


@dataclass(frozen=True, slots=True)
class Told:
    """What a watcher works with."""

    environment: EnvironmentName
    circuits: Declared
    board: TrafficBoard
    releases: ReleaseBook
    states: ModelStates
    command: Command
    folder: Path
    """For sockets; this user's alone."""
    seconds: Callable[[], float]
    """A clock that only goes forward."""
    clock: Clock


@dataclass(slots=True)
class Watcher:
    """Keeps `routes` up to date. Where what it is told cannot be read or believed, everything stays as it was."""

    told: Told
    engine: Engine
    replays: Replays
    """Feeds a green that few clients ask."""
    metrics: Metrics
    """Counts what is answered."""
    is_answering: Callable[[], bool] = lambda: True
    """Whether what answers clients turns at all."""
    routes: Routes = field(default_factory=Routes)
    seen: bool = False
    """Whether it has read once what to serve."""
    _revision: int = -1
    _traffic: dict[str, Traffic] = field(default_factory=dict)
    _keys_read: float = -1e9
    _said: dict[str, tuple[float, Report]] = field(default_factory=dict)
    _end: threading.Event = field(default_factory=threading.Event)
    _heartbeat: Heartbeat = field(init=False)

    def __post_init__(self) -> None:
        told = self.told
        self._heartbeat = Heartbeat(told.board, told.environment, told.seconds, told.clock)

    def run(self) -> None:
        """Look until it is ended; what goes wrong is logged, once for as long as it lasts."""
        doing = {
            "see what to serve, and go on as before": self.look,
            "say that this server serves, and go on": self.beat,
        }
        wrong = dict.fromkeys(doing, "")
        while not self._end.is_set():
            for what, do in doing.items():
                try:
                    do()
                    wrong[what] = ""
                except FleetcastError as error:
                    if str(error) != wrong[what]:
                        wrong[what] = str(error)
                        _log.error("cannot %s: %s", what, legible(str(error)))
            self.told.clock.sleep(LOOKS_EVERY)

    def end(self) -> None:
        """End it, and every green."""
        self._end.set()
        for route in self.routes.by_plant.values():
            if route.coming is not None:
                route.coming.green.end()

    def look(self) -> None:
        """Look once.

        Raises:
            FleetcastError: The control database does not answer, or holds what cannot be read.
        """
        board, now = self.told.board, self.told.seconds()
        revision = board.revision(self.told.environment)
        if revision != self._revision:
            self._refresh()
        if revision != self._revision or now - self._keys_read > _READS_KEYS_EVERY_SECONDS:
            self._rebuild()
            self._revision, self._keys_read, self.seen = revision, now, True
        for route in self.routes.by_plant.values():
            if route.coming is not None:
                self._report(route, route.coming)

    def beat(self) -> None:
        """Say which plants are served and what was answered, if it is time to.

        Raises:
            FleetcastError: The control database does not answer.
        """
        if self._heartbeat.is_due() and self.is_answering():
            served = [plant for plant, route in self.routes.by_plant.items() if route.is_answered]
            self._heartbeat.beat(served, self.metrics.served())

    def _refresh(self) -> None:
        """See whether the fleet declares something else by now; what it cannot say keeps nobody from rolling back."""
        try:
            self.told.circuits.refresh()
        except FleetcastError as error:
            _log.error(
                "the fleet cannot be read, and is served as it was declared before: %s", legible(str(error))
            )

    def _rebuild(self) -> None:
        told = self.told.board.read(self.told.environment)
        keys = self.told.board.keys(self.told.environment)
        for plant, why in told.refused.items():
            if plant not in self.routes.refused:
                _log.error("%s is told what is not believed, and goes on as before: %s", plant, why)
        believed = {
            plant: traffic
            for plant, traffic in told.traffic.items()
            if traffic.revision >= self._traffic.get(plant, traffic).revision
        }
        traffic = {**self._traffic, **believed}
        wanted = {
            digest for one in traffic.values() for digest in (one.blue, one.green) if digest is not None
        }
        held = self.told.releases.of_digests(wanted)
        refused = self.told.states.refused()
        before = self.routes.by_plant
        # Whatever serves next is in memory before the first client is sent there.
        after = {
            plant: self._route(one, held, refused, tuple(keys.get(plant, ())), before.get(plant))
            for plant, one in traffic.items()
        }
        self.routes = Routes(MappingProxyType(after), told.refused)
        self._traffic = traffic
        for plant, route in before.items():
            now = after[plant].coming
            if route.coming is not None and (now is None or now.green is not route.coming.green):
                route.coming.green.end()

    def _route(
        self,
        traffic: Traffic,
        held: Mapping[Digest, NumberedRelease],
        refused: Collection[tuple[str, int]],
        keys: tuple[Digest, ...],
        before: Route | None,
    ) -> Route:
        blue = None if traffic.blue is None else held.get(traffic.blue)
        plant = None if blue is None else self._plant(traffic, blue, refused)
        if plant is not None and before is not None and (before.blue is None or before.blue.release != blue):
            self._warm(plant)
        green = None if traffic.green is None else held.get(traffic.green)
        coming = None if green is None else self._coming(traffic, green, refused, before)
        return Route(traffic.endpoint, plant, coming, keys)

    def _plant(
        self, traffic: Traffic, release: NumberedRelease, refused: Collection[tuple[str, int]]
    ) -> ServedPlant:
        circuits = self.told.circuits.of(traffic.endpoint.plant)
        plant = ServedPlant(release, circuits, previous_of(self.told.releases, release, refused))
        return plant.overridden(traffic.overrides)

    def _warm(self, plant: ServedPlant) -> None:
        """Open what a release serves; what cannot be opened is replaced down the chain when it is asked for."""
        for name, error in self.engine.open_all(plant).items():
            _log.error(
                "%s serves circuit %s by what takes its model's place: %s",
                plant.name,
                name,
                legible(str(error)),
            )

    def _coming(
        self,
        traffic: Traffic,
        release: NumberedRelease,
        refused: Collection[tuple[str, int]],
        before: Route | None,
    ) -> Coming:
        plant = self._plant(traffic, release, refused)
        digest, share = release.release.digest, Share(traffic.share)
        held = None if before is None else before.coming
        if held is not None and held.green.release == digest:
            held.counters.share_is(traffic.share)
            return Coming(
                held.green, plant, held.share if held.share.percent == traffic.share else share, held.counters
            )
        noted = self.told.board.noted(traffic.endpoint, digest)
        green = Green.start(digest, self.told.folder, self.told.command, self.told.seconds)
        counters = WindowCounters(
            traffic.watch,
            self.told.seconds,
            after=noted.windows[-1].number if noted is not None and noted.windows else 0,
            has_blue=traffic.blue is not None,
        )
        counters.share_is(traffic.share)
        return Coming(green, plant, share, counters)

    def _report(self, route: Route, coming: Coming) -> None:
        """Write down how a green is, when that changed or a second has gone by."""
        green = coming.green
        green.end_if_it_leaks()
        if green.ready:
            coming.counters.green_is_ready()
        report = Report(
            ready=green.ready and not green.stopped,
            stopped=green.stopped,
            waited=green.waited,
            share=coming.share.percent,
            windows=coming.counters.windows(),
            says=green.says,
        )
        now, plant = self.told.seconds(), route.endpoint.plant
        at, last = self._said.get(plant, (-1e9, None))
        same = last is not None and replace(last, waited=report.waited) == report
        if not same or now - at >= _SAYS_EVERY_SECONDS:
            self.told.board.note(route.endpoint, green.release, report)
            self._said[plant] = now, report
        if report.ready:
            self.replays.see_to(route, coming)
