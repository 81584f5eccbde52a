"""The process of one green: a release that has not proved itself yet, apart from everything that serves.

It is started by the server, answers over a socket in a folder of that user's alone, and ends with the server: when its
standard input closes. It opens every model before it says `ready`.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from fleetcast.app.unforeseen import told
from fleetcast.domain.errors import FleetcastError
from fleetcast.domain.legible import legible
from fleetcast.domain.traffic import Colour
from fleetcast.serving import frames
from fleetcast.serving.asked import Refused, read_request
from fleetcast.serving.engine import Engine, Reply, refusal
from fleetcast.serving.plants import ServedPlant

READY = "ready"
_GRACE_SECONDS = 10.0
"""For what it is working on when it is to end."""
ANSWER = Callable[[bytes], Reply]


@dataclass(frozen=True, slots=True)
class Deployment:
    """One release with what forecasts."""

    engine: Engine
    plant: ServedPlant

    def open_all(self) -> None:
        """Open every model of the release.

        Raises:
            FleetcastError: One of them cannot be opened; the text names its circuit.
        """
        for name, error in self.engine.open_all(self.plant).items():
            raise FleetcastError(f"circuit {name}: {error}") from error

    def answer(self, body: bytes) -> Reply:
        """Answer a request that a client sent to the server."""
        try:
            asked = read_request(body)
        except Refused as refused:
            return refusal(refused)
        return self.engine.reply(self.plant, asked, Colour.GREEN)


AROUND = Callable[[Deployment], ANSWER]
"""What answers for a release."""


async def serve(answer: ANSWER, socket: Path) -> None:
    """Answer until standard input closes.

    Args:
        answer: Gives the answer to a body; may block, and is called in a thread.
        socket: Where to listen; the folder is this user's alone.
    """

    busy = 0

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal busy
        try:
            while True:
                body = await frames.read_request(reader)
                busy += 1
                try:
                    writer.write(frames.reply(await asyncio.to_thread(answer, body)))
                    await writer.drain()
                finally:
                    busy -= 1
        except (frames.Ended, OSError):
            writer.close()

    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin.fileno(), lambda: None if os.read(0, 1) else ended.set())
    server = await asyncio.start_unix_server(connected, socket)
    print(READY, flush=True)  # noqa: T201  # what the server waits for
    await ended.wait()
    server.close()
    with suppress(TimeoutError):
        async with asyncio.timeout(_GRACE_SECONDS):
            while busy:
                await asyncio.sleep(0.01)


def run(
    opened: Callable[[], Deployment],
    socket: Path,
    directory: Path,
    around: AROUND = lambda one: one.answer,
) -> int:
    """Open a release and serve it; what is wrong is said in one line.

    Args:
        opened: Opens it.
        socket: Where to listen.
        directory: The fleet repository.
        around: What answers in place of the release alone, for those who try what happens to a bad one.

    Returns:
        The exit code.
    """
    try:
        deployment = opened()
        deployment.open_all()
    except FleetcastError as error:
        print(legible(str(error).splitlines()[0]), file=sys.stderr, flush=True)  # noqa: T201
        return 1
    except Exception as error:  # noqa: BLE001  # the last one of this process who can say anything
        print(told(error, sys.argv[1:], directory), file=sys.stderr, flush=True)  # noqa: T201
        return 1
    asyncio.run(serve(around(deployment), socket))
    return 0
