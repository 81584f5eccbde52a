"""The process that serves a site: its socket, its log and its end."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Callable
from datetime import timedelta
from ipaddress import ip_address, ip_network

import uvicorn

from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.web.guard import Guard, Network

_GRACE_SECONDS = 10
_TURNS = timedelta(milliseconds=0.5)
"""After which a thread that computes lets another one on. What asks the database waits for its turn after each answer:
with Python's own 5 ms, a decision of thirty statements stood still behind four threads that write lists."""
_CONNECTIONS = 500
"""More than so many at once are turned away."""


def listening(host: str, port: int) -> socket.socket:
    """A socket on which nobody is answered yet.

    Raises:
        BadInput: This machine has no such address.
        Unavailable: Somebody else listens there, or this user may not.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise BadInput(f"{host} is no address of this machine", fix="give one with --host") from error
    opened = socket.socket(family, kind, protocol)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address)
        opened.listen(1024)
    except OSError as error:
        opened.close()
        raise Unavailable(
            f"cannot listen at {host} port {port}: {error.strerror}", fix="choose another one with --port"
        ) from error
    return opened


def is_loopback(opened: socket.socket) -> bool:
    """Whether a socket is reached from this machine alone."""
    return ip_address(opened.getsockname()[0].partition("%")[0]).is_loopback


def own_urls(opened: socket.socket) -> tuple[str, ...]:
    """The addresses under which a socket is reached from this machine."""
    address, port = opened.getsockname()[:2]
    shown = f"[{address}]" if ":" in address else address
    names = dict.fromkeys((shown, *(("localhost", "127.0.0.1", "[::1]") if is_loopback(opened) else ())))
    return tuple(f"http://{name}:{port}" for name in names)


def network(text: str) -> Network:
    """The address of a proxy, or a network of them.

    Raises:
        BadInput: It is none.
    """
    try:
        return ip_network(text)
    except ValueError as error:
        raise BadInput(
            f"{text!r} is no address of a proxy", fix="write 10.0.0.7, or 10.0.0.0/24 for several"
        ) from error


def serve(site: Guard, opened: socket.socket, ready: Callable[[], None]) -> None:
    """Serve until the process is asked to end; what is at work then is finished.

    Args:
        site: Answers.
        opened: Where requests come in.
        ready: Called once they are answered.
    """
    log = logging.getLogger("fleetcast.web")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
    config = uvicorn.Config(
        site,
        access_log=False,
        log_config=None,
        http="h11",
        loop="asyncio",
        ws="none",
        lifespan="on",
        proxy_headers=False,
        server_header=False,
        limit_concurrency=_CONNECTIONS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        h11_max_incomplete_event_size=32 * 1024,
    )
    sys.setswitchinterval(_TURNS.total_seconds())
    # uvicorn ends in order, and then raises again the signal that asked for it.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    server = uvicorn.Server(config)

    async def run() -> None:
        serving = asyncio.create_task(server.serve(sockets=[opened]))
        while not server.started and not serving.done():
            await asyncio.sleep(0.01)
        if server.started:
            ready()
        await serving

    asyncio.run(run())
