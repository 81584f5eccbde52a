"""TLS in front of a plain server, and a forward proxy that counts: what a locked-down network has."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.servers.certificates import Certificates


@contextmanager
def tls_in_front(port: int, certificates: Certificates) -> Iterator[int]:
    """A port that speaks TLS and hands on to another one of this machine."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.certificate, certificates.key)

    def handle(client: socket.socket) -> None:
        with (
            suppress(OSError),
            context.wrap_socket(client, server_side=True) as secured,
            socket.create_connection(("127.0.0.1", port)) as server,
        ):
            _join(secured, server)

    with _listening(handle) as own:
        yield own


@dataclass(slots=True)
class ForwardProxy:
    """What went through it: `host:port` of each CONNECT."""

    port: int
    connected: list[str] = field(default_factory=list)


@contextmanager
def forward_proxy() -> Iterator[ForwardProxy]:
    """A proxy that lets connections to this machine through."""
    proxy = ForwardProxy(0)

    def handle(client: socket.socket) -> None:
        with suppress(OSError), client:
            request = b""
            while b"\r\n\r\n" not in request:
                request += client.recv(4_096)
            verb, target, _ = request.split(b" ", 2)
            assert verb == b"CONNECT", request
            proxy.connected.append(target.decode())
            with socket.create_connection(("127.0.0.1", int(target.rpartition(b":")[2]))) as server:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                _join(client, server)

    with _listening(handle) as proxy.port:
        yield proxy


@contextmanager
def _listening(handle: Callable[[socket.socket], None]) -> Iterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=handle, args=(client,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()


def _join(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes both ways until one side ends."""

    def carry(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    back = threading.Thread(target=carry, args=(other, one), daemon=True)
    back.start()
    carry(one, other)
    back.join()
