"""HTTP to addresses that settings or other people name: where it may go is decided as it connects.

A name is resolved here, each address is judged, and the one that was judged is connected to: a name that changes its
mind in between changes nothing, and neither does a redirect. Proxies of the environment are not used, as they would
connect to whatever they like.
"""

from __future__ import annotations

import json
import logging
import ssl
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpcore
import httpx

from fleetcast.domain.canonical import Json
from fleetcast.domain.errors import FleetcastError, Unavailable
from fleetcast.domain.legible import legible
from fleetcast.domain.outgoing import Address, Outgoing
from fleetcast.platforms.http.addresses import AddressRefused, Resolve, addresses_of, judged, looked_up

_log = logging.getLogger("fleetcast.steps")

_REDIRECTS = 3
_AT_ONCE = 1024
"""Bytes that are handed to a connection before its time is looked at."""

# It writes whole addresses into the log, which may hold secrets.
logging.getLogger("httpx").setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one request may take, whatever the other side does."""

    seconds: float = 10.0
    """From looking up the name to the last byte."""
    size: int = 1_000_000
    """Bytes of an answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said."""

    status: int
    content: bytes = field(repr=False)
    """May hold secrets."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """By their names in small letters."""

    @property
    def is_good(self) -> bool:
        """Whether the server did what it was asked."""
        return 200 <= self.status < 300

    def json(self) -> Mapping[str, Json] | None:
        """The mapping that was sent as JSON; None where it is something else."""
        try:
            read: object = json.loads(self.content)
        except (ValueError, RecursionError):
            return None
        return read if isinstance(read, dict) else None


@dataclass(frozen=True, slots=True)
class GuardedHttp:
    """Asks servers outside, as far as `outgoing` lets it."""

    outgoing: Outgoing
    bounds: Bounds = Bounds()
    resolve: Resolve = addresses_of
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context, repr=False)

    def get(self, url: str, *, headers: Mapping[str, str] | None = None) -> Answer:
        """Read something. Redirects are followed, but not with headers, which may hold secrets.

        Raises:
            AddressRefused: It leads where fleetcast may not go.
            Unavailable: No answer in time, too much of it, or an error on the way.
        """
        return self._ask("GET", url, headers=headers or {}, follow=not headers)

    def post(self, url: str, form: Mapping[str, str], *, headers: Mapping[str, str] | None = None) -> Answer:
        """Send a form. Redirects are not followed: what is sent may hold secrets.

        Raises:
            AddressRefused: It leads where fleetcast may not go.
            Unavailable: No answer in time, too much of it, or an error on the way.
        """
        return self._ask("POST", url, headers=headers or {}, form=form)

    def hand_over(self, url: str, content: bytes, *, content_type: str) -> Answer:
        """Send something to an address that is a secret itself; of the answer, the body is not read.

        Redirects are not followed. Whatever comes after the status, or does not, changes nothing any more.

        Raises:
            AddressRefused: It leads where fleetcast may not go.
            Unavailable: No answer in time, or an error on the way.
        """
        headers = {"Content-Type": content_type}
        with self._asked("POST", url, headers=headers, content=content) as response:
            return Answer(response.status_code, b"", dict(response.headers))

    def _ask(
        self,
        verb: str,
        url: str,
        *,
        headers: Mapping[str, str],
        form: Mapping[str, str] | None = None,
        follow: bool = False,
    ) -> Answer:
        with self._asked(verb, url, headers=headers, form=form, follow=follow) as response:
            return Answer(response.status_code, self._bounded(response), dict(response.headers))

    @contextmanager
    def _asked(
        self,
        verb: str,
        url: str,
        *,
        headers: Mapping[str, str],
        form: Mapping[str, str] | None = None,
        content: bytes | None = None,
        follow: bool = False,
    ) -> Iterator[httpx.Response]:
        said = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "fleetcast"}
        with (
            _understood(url),
            httpx.Client(
                transport=_GuardedTransport(self),
                trust_env=False,
                follow_redirects=follow,
                max_redirects=_REDIRECTS,
            ) as client,
            client.stream(verb, url, headers={**said, **headers}, data=form, content=content) as response,
        ):
            yield response

    def _bounded(self, response: httpx.Response) -> bytes:
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise httpx.DecodingError("it answered in a packed form that was not asked for")
        parts, size = [], 0
        for part in response.iter_raw():
            size += len(part)
            if size > self.bounds.size:
                raise httpx.DecodingError(f"its answer is longer than {self.bounds.size:,} bytes")
            parts.append(part)
        return b"".join(parts)


class _GuardedTransport(httpx.BaseTransport):
    """Carries one request and its redirects, each over a connection of its own."""

    def __init__(self, guard: GuardedHttp) -> None:
        self._guard = guard

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url, outgoing = request.url, self._guard.outgoing
        where = _shown(url)
        _log.debug("asks %s %s", request.method, where)
        if url.scheme not in ("https", "http") or not url.host or url.userinfo:
            raise AddressRefused(f"{where} is not asked", fix="write an address that begins with https://")
        if not outgoing.names(url.host):
            raise AddressRefused(
                f"{where} is not among the hosts that may be asked", fix="add it to `allowed_hosts`"
            )
        encrypted = url.scheme == "https"
        if not encrypted and not outgoing.allows_loopback:
            raise AddressRefused(f"{where} is not asked without TLS", fix="write https://")
        pool = httpcore.ConnectionPool(
            ssl_context=self._guard.tls,
            max_connections=1,
            max_keepalive_connections=0,
            network_backend=_GuardedNetwork(self._guard, where, encrypted=encrypted),
        )
        asked = httpcore.Request(
            request.method,
            httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.read(),
        )
        try:
            answer = pool.handle_request(asked)
        except BaseException:
            pool.close()
            raise
        return httpx.Response(
            answer.status, headers=answer.headers, stream=_Body(answer, pool), request=request
        )


class _Body(httpx.SyncByteStream):
    """An answer's bytes; its connection ends with it."""

    def __init__(self, answer: httpcore.Response, pool: httpcore.ConnectionPool) -> None:
        self._answer, self._pool = answer, pool

    def __iter__(self) -> Iterator[bytes]:
        yield from self._answer.iter_stream()

    def close(self) -> None:
        self._pool.close()


class _GuardedNetwork(httpcore.NetworkBackend):
    """Resolves a name, judges the addresses, and connects to one that was judged."""

    def __init__(self, guard: GuardedHttp, where: str, *, encrypted: bool) -> None:
        self._guard, self._where, self._encrypted = guard, where, encrypted
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002  # one limit holds for the whole request
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        until = time.monotonic() + self._guard.bounds.seconds
        failed: Exception | None = None
        for address in self._allowed(host, port, until):
            try:
                stream = self._plain.connect_tcp(
                    str(address), port, _left(until), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
            else:
                return _Timed(stream, until)
        raise failed or httpcore.ConnectError("its name leads nowhere")

    def _allowed(self, host: str, port: int, until: float) -> list[Address]:
        try:
            found = looked_up(self._guard.resolve, host, port, _left(until))
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(str(error)) from None
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from None
        return judged(self._guard.outgoing, self._where, found, encrypted=self._encrypted)


class _Timed(httpcore.NetworkStream):
    """A connection that ends at a moment, however slowly the other side goes on."""

    def __init__(self, stream: httpcore.NetworkStream, until: float) -> None:
        self._stream, self._until = stream, until

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        return self._stream.read(max_bytes, _left(self._until))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        for start in range(0, len(buffer), _AT_ONCE):
            self._stream.write(buffer[start : start + _AT_ONCE], _left(self._until))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002  # one limit holds for the whole request
    ) -> httpcore.NetworkStream:
        return _Timed(self._stream.start_tls(ssl_context, server_hostname, _left(self._until)), self._until)

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("it takes too long")
    return left


@contextmanager
def _understood(url: str) -> Iterator[None]:
    """Errors on the way as ours; what was sent, answered and the rest of the address are not shown."""
    try:
        yield
    except FleetcastError:
        raise
    except httpx.TooManyRedirects:
        raise _unavailable(url, f"it leads on more than {_REDIRECTS} times") from None
    except httpx.DecodingError as error:
        raise _unavailable(url, str(error)) from None
    except (httpcore.TimeoutException, httpx.TimeoutException):
        raise _unavailable(url, "it did not answer in time") from None
    except (httpcore.ConnectError, httpcore.ReadError, httpcore.WriteError) as error:
        raise _unavailable(url, _in_short(error)) from None
    except (httpcore.ProtocolError, httpx.HTTPError):
        raise _unavailable(url, "it does not speak HTTP as it should") from None
    except httpx.InvalidURL:
        raise AddressRefused("this is no address", fix="write one that begins with https://") from None


def _unavailable(url: str, why: str) -> Unavailable:
    try:
        where = _shown(httpx.URL(url))
    except httpx.InvalidURL:
        where = "the address"
    return Unavailable(f"{where} cannot be asked: {why}", fix="see that it is there, then try again")


def _in_short(error: Exception) -> str:
    return legible(str(error)[:200]) or "the connection broke"


def _shown(url: httpx.URL) -> str:
    """An address without what may hold secrets."""
    port = f":{url.port}" if url.port is not None else ""
    host = f"[{url.host}]" if ":" in url.host else url.host
    return f"{url.scheme}://{host}{port}"[:200]
