"""A forward proxy that ends TLS: whoever asks for a known host gets the emulator's answer."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Callable

import h11

from tests.azure_emulator.authority import Authority
from tests.azure_emulator.messages import HERE, Answer, Request, refusal

KNOWN = re.compile(
    r"""management\.azure\.com | [a-z0-9]{3,24}\.blob\.core\.windows\.net | [a-z0-9]+\.api\.azureml\.ms
    | cert-[a-z0-9]+\.experiments\.azureml\.net | [a-z0-9-]+\.[a-z0-9]+\.inference\.ml\.azure\.com
    | [a-z0-9-]{3,24}\.vault\.azure\.net | login\.microsoftonline\.com | azuremlschemas\.azureedge\.net""",
    re.VERBOSE,
)
"""The hosts that the emulator stands for."""
SCORING = re.compile(r"[a-z0-9-]+\.[a-z0-9]+\.inference\.ml\.azure\.com")
"""The hosts of endpoints."""
_CHUNK = 1 << 16


class Proxy:
    """Takes connections on 127.0.0.1.

    `answer` is called for one request at a time and must not block; `score`, for clients of endpoints, in a thread.
    """

    def __init__(
        self,
        authority: Authority,
        answer: Callable[[Request], Answer],
        score: Callable[[Request], Answer],
    ) -> None:
        self._authority = authority
        self._answer = answer
        self._score = score
        self._open: set[asyncio.StreamWriter] = set()

    async def start(self, port: int) -> asyncio.Server:
        """Listen; port 0 takes a free one."""
        return await asyncio.start_server(self._serve, "127.0.0.1", port)

    def close(self) -> None:
        """End all connections."""
        for writer in self._open:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            await self._converse(reader, writer, HERE)
        except (OSError, h11.RemoteProtocolError, asyncio.IncompleteReadError, ssl.SSLError):
            # The other side has gone, or speaks something else.
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str) -> None:
        speech = h11.Connection(h11.SERVER)
        while True:
            asked = await _next(speech, reader, writer)
            if not isinstance(asked, h11.Request):
                return
            method, target = asked.method.decode(), asked.target.decode()
            body = b""
            while isinstance(event := await _next(speech, reader, writer), h11.Data):
                body += bytes(event.data)
            if method == "CONNECT":
                await self._tunnel(speech, reader, writer, target)
                return
            headers = {name.decode(): value.decode("latin-1") for name, value in asked.headers}
            request = Request.read(method, *_addressed(host, target), headers, body)
            if SCORING.fullmatch(host):
                answer = await asyncio.to_thread(self._score, request)
            else:
                answer = self._answer(request)
            await _say(speech, writer, method, answer)
            if speech.our_state is not h11.DONE or speech.their_state is not h11.DONE:
                return
            speech.start_next_cycle()

    async def _tunnel(
        self, speech: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: str
    ) -> None:
        host = target.rpartition(":")[0].lower()
        if not KNOWN.fullmatch(host):
            refused = self._answer(Request("CONNECT", host, "", {}, {}, b""))
            await _say(speech, writer, "CONNECT", refused)
            return
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await writer.drain()
        await writer.start_tls(self._authority.context(host))
        await self._converse(reader, writer, host)


def unknown_host(host: str) -> Answer:
    """What a host gets that the emulator does not stand for."""
    refused = refusal(502, "UnknownHost", f"the Azure emulator does not stand for the host {host}")
    return Answer(refused.status, refused.body, {**refused.headers, "connection": "close"}, known=False)


def _addressed(host: str, target: str) -> tuple[str, str]:
    """Who is meant: a plain request to a proxy names its host in the target."""
    found = re.match(r"http://([^/:]+)(?::\d+)?(/.*)?$", target)
    if found is None or host != HERE:
        return host, target
    return (HERE if found[1] in {"127.0.0.1", "localhost"} else found[1].lower()), found[2] or "/"


async def _next(
    speech: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> h11.Event | type[h11.PAUSED]:
    while True:
        event = speech.next_event()
        if event is not h11.NEED_DATA:
            return event  # type: ignore[return-value]
        if speech.they_are_waiting_for_100_continue:
            writer.write(
                speech.send(h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue")) or b""
            )
            await writer.drain()
        speech.receive_data(await reader.read(_CHUNK))


async def _say(speech: h11.Connection, writer: asyncio.StreamWriter, method: str, answer: Answer) -> None:
    headers = dict(answer.headers)
    if answer.status not in {204, 304}:
        headers.setdefault("content-length", str(len(answer.body)))
    said = speech.send(h11.Response(status_code=answer.status, headers=list(headers.items())))
    writer.write(said or b"")
    if method != "HEAD" and answer.body:
        writer.write(speech.send(h11.Data(data=answer.body)) or b"")
    writer.write(speech.send(h11.EndOfMessage()) or b"")
    await writer.drain()
