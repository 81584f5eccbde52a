"""What the container of a managed online deployment runs: the same core as `fleetcast serve`, for one release.

Azure gives each deployment its share of the requests, so a container counts its own alone. It looks at the signed rows
of its endpoint every few seconds: what is said of single circuits there holds at once, in blue and green alike.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from fleetcast.app.serving import OpenServing, open_serving
from fleetcast.domain.errors import BadInput, FleetcastError
from fleetcast.domain.identity import Digest
from fleetcast.domain.legible import legible
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.release import Endpoint
from fleetcast.domain.traffic import Colour, Report, Traffic
from fleetcast.pipeline.releases import previous_of
from fleetcast.serving.asked import Refused, read_request
from fleetcast.serving.counters import Outcome, WindowCounters
from fleetcast.serving.engine import Engine, Reply, refusal
from fleetcast.serving.heartbeat import Heartbeat
from fleetcast.serving.loaded_models import LoadedModels
from fleetcast.serving.metrics import Metrics
from fleetcast.serving.newest import NewestReadings
from fleetcast.serving.plants import ServedPlant
from fleetcast.serving.start import BUDGET_BYTES

LOOKS_EVERY = timedelta(seconds=2)
BEATS_EVERY = timedelta(seconds=10)
"""Each plant has a container of its own that says so."""
_log = logging.getLogger("fleetcast.serving")


@dataclass(slots=True)
class ManagedDeployment:
    """One release in a container of its own."""

    opened: OpenServing
    engine: Engine
    endpoint: Endpoint
    release: Digest
    plant: ServedPlant
    began: float
    heartbeat: Heartbeat
    metrics: Metrics = field(default_factory=Metrics)
    _counting: threading.Lock = field(default_factory=threading.Lock)
    _counters: WindowCounters | None = None
    _colour: Colour = Colour.GREEN
    _has_clients: bool = False
    """Whether any of them are sent here; copies of what they ask may be all the same."""
    _end: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def open(cls, directory: Path, variables: Mapping[str, str]) -> ManagedDeployment:
        """Open the release that the environment names, with every model of it.

        Args:
            directory: With the files of the fleet.
            variables: The process's environment.

        Raises:
            FleetcastError: There is no such release, or one of its models cannot be opened.
        """
        environment = EnvironmentName(variables["FLEETCAST_ENVIRONMENT"])
        release = Digest(variables["FLEETCAST_RELEASE"])
        opened = open_serving(directory, environment, in_container=True)
        found = opened.releases.of_digests([release]).get(release)
        if found is None:
            raise BadInput(f"there is no release {release}", fix="deploy it with `fleetcast deploy`")
        models = LoadedModels(opened.open_model, BUDGET_BYTES)
        engine = Engine(models, NewestReadings(opened.tables, opened.clock), opened.clock)
        plant = ServedPlant(
            found,
            opened.circuits.of(found.release.plant),
            previous_of(opened.releases, found, opened.states.refused()),
        )
        for name, error in engine.open_all(plant).items():
            raise FleetcastError(f"circuit {name}: {error}") from error
        endpoint = Endpoint(environment, found.release.plant)
        heartbeat = Heartbeat(opened.board, environment, time.monotonic, opened.clock, BEATS_EVERY)
        return cls(opened, engine, endpoint, release, plant, time.monotonic(), heartbeat)

    def answer(self, body: bytes) -> Reply:
        """Answer a request, and count it."""
        began = time.perf_counter()
        try:
            asked = read_request(body)
        except Refused as refused:
            return refusal(refused)
        reply = self.engine.reply(self.plant, asked, self._colour)
        seconds = time.perf_counter() - began
        if self._has_clients:
            with self._counting:
                self.metrics.answered(self.endpoint.plant, reply.status, seconds)
        if self._counters is not None:
            self._counters.answered(
                Colour.GREEN, Outcome(reply.status, seconds, reply.forecasts, reply.invalid)
            )
        return reply

    def look(self) -> None:
        """See what the rows of the endpoint say now, and write down that clients are served, and how green does.

        Raises:
            FleetcastError: The control database does not answer.
        """
        told = self.opened.board.read(self.endpoint.environment)
        plant = self.endpoint.plant
        if plant in told.refused:
            _log.error(
                "%s is told what is not believed, and goes on as before: %s", plant, told.refused[plant]
            )
        traffic = told.traffic.get(plant)
        if traffic is None:
            return
        self.plant = self.plant.overridden(traffic.overrides)
        self._colour = Colour.BLUE if traffic.blue == self.release else Colour.GREEN
        is_green = traffic.green == self.release
        self._has_clients = self._colour is Colour.BLUE or (is_green and traffic.share > 0)
        if is_green:
            self._report(traffic)
        else:
            self._counters = None
        if self.heartbeat.is_due():
            self.heartbeat.beat([self.endpoint.plant] if self._has_clients else [], self.metrics.served())

    def keep_looking(self) -> None:
        """Look until the process ends; what goes wrong is logged, and everything stays as it was."""
        while not self._end.is_set():
            try:
                self.look()
            except FleetcastError as error:
                _log.error("cannot see what is told, and go on as before: %s", legible(str(error)))
            self.opened.clock.sleep(LOOKS_EVERY)

    def _report(self, traffic: Traffic) -> None:
        if self._counters is None:
            noted = self.opened.board.noted(self.endpoint, self.release)
            after = noted.windows[-1].number if noted is not None and noted.windows else 0
            self._counters = WindowCounters(traffic.watch, time.monotonic, after=after, has_blue=False)
            self._counters.green_is_ready()
        self._counters.share_is(traffic.share)
        report = Report(
            ready=True,
            stopped=False,
            waited=timedelta(seconds=time.monotonic() - self.began),
            share=traffic.share,
            windows=self._counters.windows(),
        )
        self.opened.board.note(self.endpoint, self.release, report)


_deployment: ManagedDeployment | None = None


def init() -> None:
    """What Azure's inference server calls when a container starts: the fleet's files lie beside the script."""
    global _deployment  # noqa: PLW0603  # Azure calls two functions of a module
    folder = Path(os.environ.get("AML_APP_ROOT", "."))
    _deployment = ManagedDeployment.open(folder, os.environ)
    threading.Thread(target=_deployment.keep_looking, name="watcher", daemon=True).start()


def run(raw_data: str) -> Any:
    """What it calls for each request."""
    from azureml.contrib.services.aml_response import (  # type: ignore[import-not-found]  # only in such a container
        AMLResponse,
    )

    assert _deployment is not None  # noqa: S101  # `init` comes first
    reply = _deployment.answer(raw_data.encode())
    return AMLResponse(reply.body.decode(), reply.status, json_str=True)
