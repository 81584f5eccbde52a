"""Starting a server, or the process of one green, from an opened fleet."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from granian.constants import Interfaces
from granian.server.embed import Server

from fleetcast.app.serving import OpenServing, open_serving
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import Digest
from fleetcast.domain.place import EnvironmentName
from fleetcast.pipeline.releases import previous_of
from fleetcast.ports.runs import RunInProgress
from fleetcast.serving.deployment import AROUND, Deployment, run
from fleetcast.serving.engine import Engine
from fleetcast.serving.green import Command
from fleetcast.serving.heartbeat import LoopPulse
from fleetcast.serving.loaded_models import LoadedModels
from fleetcast.serving.metrics import Metrics
from fleetcast.serving.newest import NewestReadings
from fleetcast.serving.plants import ServedPlant
from fleetcast.serving.replays import Replays
from fleetcast.serving.rsgi import RsgiDoor
from fleetcast.serving.server import Limits, ScoringServer
from fleetcast.serving.tracing import Trace, tracing, untraced
from fleetcast.serving.watcher import Told, Watcher

BUDGET_BYTES = 2 * 2**30
_FOR_THE_ONE_BEFORE = timedelta(seconds=15)
"""To end what it is working on."""


@dataclass(frozen=True, slots=True)
class ServeAt:
    """Where and how a server answers."""

    host: str = "127.0.0.1"
    port: int = 8585
    budget_bytes: int = BUDGET_BYTES
    limits: Limits = field(default_factory=Limits)


def green_command(directory: Path, environment: EnvironmentName) -> Command:
    """How the process of a green is started."""

    def command(release: Digest, at: Path) -> Sequence[str]:
        return (
            sys.executable,
            "-m",
            "fleetcast.serving.start_green",
            str(directory.resolve()),
            environment.value,
            release.hex,
            str(at),
        )

    return command


def engine_of(opened: OpenServing, budget_bytes: int, trace: Trace = untraced) -> Engine:
    """What forecasts."""
    models = LoadedModels(opened.open_model, budget_bytes)
    return Engine(models, NewestReadings(opened.tables, opened.clock), opened.clock, trace)


def serve(
    opened: OpenServing, at: ServeAt, ready: Callable[[str], None], command: Command | None = None
) -> None:
    """Serve until the process is asked to end; what is at work then is finished.

    Args:
        opened: The fleet.
        at: Where and how.
        ready: Called with the address once requests are answered.
        command: How greens are started; None: as processes of this fleetcast.

    Raises:
        BadInput: Nobody can listen there, another server serves this environment, or traces cannot be sent.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(
                opened.board.exclusive(opened.environment, opened.holder, _FOR_THE_ONE_BEFORE)
            )
        except RunInProgress as error:
            raise BadInput(
                f"another server serves {opened.environment} of this fleet: {error.holder}",
                fix="end it first: two of them would both say how a new release is",
            ) from error
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fleetcast-")))
        executor = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="replays"))
        asyncio.run(_serve(opened, at, ready, command, folder, executor))


async def _serve(
    opened: OpenServing,
    at: ServeAt,
    ready: Callable[[str], None],
    command: Command | None,
    folder: Path,
    executor: ThreadPoolExecutor,
) -> None:
    loop = asyncio.get_running_loop()
    traced = tracing(os.environ, opened.environment)
    engine = engine_of(opened, at.budget_bytes, traced.trace)
    told = Told(
        opened.environment,
        opened.circuits,
        opened.board,
        opened.releases,
        opened.states,
        command or green_command(opened.directory, opened.environment),
        folder,
        time.monotonic,
        opened.clock,
    )
    metrics = Metrics()
    watcher = Watcher(told, engine, Replays(engine, loop, executor), metrics, LoopPulse(loop))
    await asyncio.to_thread(watcher.look)
    watching = threading.Thread(target=watcher.run, name="watcher", daemon=True)
    watching.start()
    port = at.port or _free_port(at.host)
    scoring = ScoringServer(watcher, engine, metrics, at.limits)
    # OpenTelemetry stands around an application of ASGI, which takes a fifth longer.
    target, interface = (
        (RsgiDoor(scoring), Interfaces.RSGI)
        if traced.around is None
        else (traced.around(scoring), Interfaces.ASGINL)
    )
    server = Server(
        target, address=at.host, port=port, interface=interface, websockets=False, log_enabled=False
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    serving = asyncio.create_task(server.serve())
    await _answers(at.host, port, serving)
    ready(f"http://{at.host}:{port}")
    try:
        await serving
    finally:
        watcher.end()
        await asyncio.to_thread(traced.end)


async def _answers(host: str, port: int, serving: asyncio.Task[None]) -> None:
    """Wait until somebody answers there."""
    while not serving.done():
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError:
            await asyncio.sleep(0.01)
        else:
            writer.close()
            return
    raise BadInput(f"cannot listen at {host} port {port}", fix="choose another one with --port")


def _free_port(host: str) -> int:
    with socket.socket() as one:
        one.bind((host, 0))
        port: int = one.getsockname()[1]
        return port


def run_green(
    directory: Path,
    environment: EnvironmentName,
    release: Digest,
    at: Path,
    around: AROUND = lambda one: one.answer,
) -> int:
    """Be the process of one green; arguments as of `deployment.run`."""

    def opened() -> Deployment:
        fleet = open_serving(directory, environment)
        found = fleet.releases.of_digests([release]).get(release)
        if found is None:
            raise BadInput(f"there is no release {release}")
        plant = ServedPlant(
            found,
            fleet.circuits.of(found.release.plant),
            previous_of(fleet.releases, found, fleet.states.refused()),
        )
        return Deployment(engine_of(fleet, BUDGET_BYTES), plant)

    return run(opened, at, directory, around)
