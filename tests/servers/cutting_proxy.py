"""A TCP proxy that can cut a connection between a request and its answer, or before the request arrives."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass(slots=True)
class CuttingProxy:
    """Forwards to another port; when `word` is asked, hands it on, and cuts the connection before the answer.

    With `reset_at`, the request of that number does not arrive, and the one who asked finds the connection reset.
    """

    target: int
    word: bytes = b""
    cuts: int = 0
    asked: int = 0
    """How many requests there were."""
    reset_at: int = 0
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def port(self) -> int:
        port: int = self.listener.getsockname()[1]
        return port

    def serve(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.target))
            for source, sink, asking in ((client, server, True), (server, client, False)):
                threading.Thread(target=self._forward, args=(source, sink, asking), daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket, asking: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                if asking and self.cuts and self.word in data.lower():
                    self.cuts -= 1
                    source.shutdown(socket.SHUT_RDWR)  # the one who asked is gone and sees no answer
                self.asked += asking
                if asking and self.asked == self.reset_at:
                    self._reset(source, sink)
                    return
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        source.close()

    @staticmethod
    def _reset(source: socket.socket, sink: socket.socket) -> None:
        """Break a connection without a farewell."""
        source.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        source.close()
        sink.shutdown(socket.SHUT_RDWR)


@contextmanager
def cutting_proxy(target: int) -> Iterator[CuttingProxy]:
    proxy = CuttingProxy(target)
    threading.Thread(target=proxy.serve, daemon=True).start()
    try:
        yield proxy
    finally:
        proxy.listener.close()
