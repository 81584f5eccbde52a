"""A server that says what a test wants, byte by byte if need be."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


@contextmanager
def talking(handle: Callable[[socket.socket], None]) -> Iterator[int]:
    """A port of this machine, where each connection is handled by a thread; it ends with the test."""
    listener = socket.create_server(("127.0.0.1", 0))
    opened: list[socket.socket] = []

    def one(client: socket.socket) -> None:
        with suppress(OSError):
            handle(client)
        # What was not read makes a close a reset: the other side is to see an end.
        with suppress(OSError):
            client.shutdown(socket.SHUT_WR)
            client.close()

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                opened.append(client)
                threading.Thread(target=one, args=(client,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for client in opened:
            with suppress(OSError):
                client.close()


def dribbles(said: bytes, over: threading.Event) -> Callable[[socket.socket], None]:
    """Says this, then one byte again and again, each soon enough for a limit that begins anew with each."""

    def handle(client: socket.socket) -> None:
        client.sendall(said)
        while not over.wait(0.05):
            client.sendall(b"-")

    return handle


def hangs(said: bytes, over: threading.Event) -> Callable[[socket.socket], None]:
    """Says this, and then nothing any more."""

    def handle(client: socket.socket) -> None:
        client.sendall(said)
        over.wait(30)

    return handle
