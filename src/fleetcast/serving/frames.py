"""How the server and the process of a green talk: length, then bytes, over a socket that only this user reaches."""

from __future__ import annotations

import asyncio
import struct

import orjson

from fleetcast.domain.health import Invalid
from fleetcast.serving.engine import Reply

_LENGTH = struct.Struct("!I")
_LENGTHS = struct.Struct("!II")


class Ended(Exception):
    """The other side is gone."""


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """The next request's body.

    Raises:
        Ended: There is none any more.
    """
    try:
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        return await reader.readexactly(length)
    except (asyncio.IncompleteReadError, OSError) as error:
        raise Ended from error


def request(body: bytes) -> bytes:
    """A request as it is sent."""
    return _LENGTH.pack(len(body)) + body


async def read_reply(reader: asyncio.StreamReader) -> Reply:
    """The answer to a request.

    Raises:
        Ended: None comes any more.
    """
    try:
        head_length, length = _LENGTHS.unpack(await reader.readexactly(_LENGTHS.size))
        head = orjson.loads(await reader.readexactly(head_length))
        body = await reader.readexactly(length)
    except (asyncio.IncompleteReadError, OSError) as error:
        raise Ended from error
    invalid = tuple(Invalid(kind) for kind in head["invalid"])
    return Reply(head["status"], body, head["forecasts"], invalid, head["retry_after_seconds"])


def reply(answer: Reply) -> bytes:
    """An answer as it is sent."""
    head = orjson.dumps(
        {
            "status": answer.status,
            "forecasts": answer.forecasts,
            "invalid": [kind.value for kind in answer.invalid],
            "retry_after_seconds": answer.retry_after_seconds,
        }
    )
    return _LENGTHS.pack(len(head), len(answer.body)) + head + answer.body
