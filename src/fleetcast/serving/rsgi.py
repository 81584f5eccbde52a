"""The scoring server as granian likes it best: one call for a request and one for its answer, in place of messages."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache, partial

from granian.rsgi import (  # type: ignore[attr-defined]  # its stubs do not say that it gives them on
    HTTPProtocol,
    ProtocolClosed,
    ProtocolError,
    Scope,
)

from fleetcast.serving.asked import LARGEST_BODY, Refused
from fleetcast.serving.engine import Reply
from fleetcast.serving.server import ScoringServer, headers_of, too_large

_LENGTH = "content-length"


class RsgiDoor:
    """Lets requests in that come by RSGI."""

    def __init__(self, server: ScoringServer) -> None:
        self._server = server

    async def __rsgi__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        """Answer one request."""
        read = partial(_read_body, protocol, is_whole=_LENGTH in scope.headers)
        reply = await self._server.answer(scope.method, scope.path, _sent(scope), read)
        protocol.response_bytes(reply.status, _said(reply.status, reply.retry_after_seconds), reply.body)


def _sent(scope: Scope) -> Iterator[tuple[bytes, bytes]]:
    for name, value in scope.headers.items():
        yield name.encode(), value.encode()


async def _read_body(protocol: HTTPProtocol, *, is_whole: bool) -> bytes:
    """All that was sent; whatever did not say how long it is, is read part by part."""
    try:
        if is_whole:
            return bytes(await protocol())
        parts, size = [], 0
        async for part in protocol:
            parts.append(part)
            size += len(part)
            if size > LARGEST_BODY:
                raise too_large()
        return b"".join(parts)
    except (ProtocolClosed, ProtocolError) as error:
        raise Refused(400, "the request ended early") from error


@lru_cache(maxsize=64)
def _said(status: int, retry_after_seconds: int | None) -> list[tuple[str, str]]:
    reply = Reply(status, b"", retry_after_seconds=retry_after_seconds)
    return [(name.decode(), value.decode()) for name, value in headers_of(reply)]
