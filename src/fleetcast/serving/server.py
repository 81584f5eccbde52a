"""The scoring server: who may ask, where each request goes, what is counted; forecasting itself is the engine's."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from fleetcast.domain.traffic import Colour
from fleetcast.serving.answers import JSON, PROBLEM
from fleetcast.serving.asked import LARGEST_BODY, AskedTogether, Refused, read_request
from fleetcast.serving.counters import Outcome
from fleetcast.serving.deadlines import Deadlines
from fleetcast.serving.engine import BROKEN, Engine, Reply, refusal
from fleetcast.serving.green import NoGreen
from fleetcast.serving.metrics import Metrics
from fleetcast.serving.mirror import Mirror
from fleetcast.serving.plants import ServedPlant
from fleetcast.serving.routes import Coming, Route, shown_key
from fleetcast.serving.turns import Turns
from fleetcast.serving.watcher import Watcher

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = Mapping[bytes, bytes]
"""Those that are read, by their names in small letters."""
ReadBody = Callable[[], Awaitable[bytes]]
"""Gives a request's body; raises `Refused` where it ends early or is too large."""

_SCORE = re.compile(r"/endpoints/([A-Za-z0-9][A-Za-z0-9_-]{0,63})/score")
DEPLOYMENT_HEADER = b"azureml-model-deployment"
_READ = frozenset(
    {b"authorization", b"content-type", b"content-encoding", b"content-length", DEPLOYMENT_HEADER}
)
_ANOTHER_KEY = "send `Authorization: Bearer KEY`; an operator makes one with `fleetcast endpoints key`"
AGAIN_AFTER = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one server takes on."""

    deadline: timedelta = timedelta(seconds=10)
    """From the head of a request to its answer: what came slower is given up."""
    at_once: int = 256
    """Requests; more are sent away."""
    of_one_plant: int = 128
    """Of those, so many at most for one plant while others ask too."""


@dataclass(slots=True)
class ScoringServer:
    """An ASGI application."""

    watcher: Watcher
    engine: Engine
    metrics: Metrics
    limits: Limits = field(default_factory=Limits)
    mirror: Mirror = field(default_factory=Mirror)
    turns: Turns = field(default_factory=Turns)
    _deadlines: Deadlines = field(init=False)
    _at_work: Counter[str] = field(default_factory=Counter)
    _total: int = 0

    def __post_init__(self) -> None:
        self._deadlines = Deadlines(self.limits.deadline.total_seconds())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI has it."""
        if scope["type"] == "http":
            read = partial(_read_body, receive)
            await _send(send, await self.answer(scope["method"], scope["path"], scope["headers"], read))

    async def answer(
        self, method: str, path: str, sent: Iterable[tuple[bytes, bytes]], read: ReadBody
    ) -> Reply:
        """Answer one request, whatever it came by.

        Args:
            method: In capitals.
            path: Without its query.
            sent: All headers.
            read: Gives the body, once it is wanted.
        """
        if path in ("/health/live", "/health/ready", "/metrics"):
            return self._open(path, method)
        began = time.perf_counter()
        plant, reply = "-", BROKEN
        task = self._deadlines.begin(began)
        try:
            headers = _read_headers(sent)
            route = self._route(headers, path, method)
            plant = route.endpoint.plant
            with self._room(plant):
                _check_head(headers)
                body = await read()
                reply = await self._reply(route, headers, body, began)
        except Refused as refused:
            reply = refusal(refused)
        except asyncio.CancelledError:
            if not self._deadlines.passed(task):
                raise
            reply = refusal(Refused(504, "this took too long", "ask for fewer circuits at once"))
        finally:
            self._deadlines.end(task)
        self.metrics.answered(plant, reply.status, time.perf_counter() - began)
        return reply

    def _open(self, path: str, method: str) -> Reply:
        if method not in ("GET", "HEAD"):
            return Reply(405, b"")
        if path == "/metrics":
            return Reply(200, self.metrics.text(self.engine.models, self.watcher.routes))
        ready = path == "/health/live" or self.watcher.seen
        return Reply(200, b'{"status":"ok"}') if ready else Reply(503, b'{"status":"starting"}')

    def _route(self, headers: Headers, path: str, method: str) -> Route:
        """The endpoint that a request is for, if its key is one of that endpoint's.

        Raises:
            Refused: It is for none, or has no such key. Who has no key at all is told nothing of what there is.
        """
        routes = self.watcher.routes
        key = shown_key(_bearer(headers))
        named = _SCORE.fullmatch(path)
        if named is not None:
            route = routes.by_plant.get(named[1])
            if route is not None and route.admits(key):
                found = route
            elif routes.whose(key):
                raise Refused(404, "there is no such endpoint", "look at how the plant is spelt")
            else:
                raise Refused(401, "no key of this endpoint was sent", _ANOTHER_KEY)
        elif path == "/score":
            owned = routes.whose(key)
            if len(owned) != 1:
                raise Refused(401, "no key of one endpoint was sent", _ANOTHER_KEY)
            found = owned[0]
        else:
            raise Refused(404, "there is nothing here", "POST to /endpoints/PLANT/score")
        if method != "POST":
            raise Refused(405, "forecasts are asked for by POST")
        return found

    def _room(self, plant: str) -> _Room:
        """A place among those that are worked on.

        Raises:
            Refused: There is none.
        """
        alone = self._at_work[plant] == self._total
        if self._total >= self.limits.at_once or (
            not alone and self._at_work[plant] >= self.limits.of_one_plant
        ):
            raise Refused(
                429, "too much is asked at once", "ask again a little later", retry_after=AGAIN_AFTER
            )
        return _Room(self, plant)

    async def _reply(self, route: Route, headers: Headers, body: bytes, began: float) -> Reply:
        asked = read_request(body)
        coming, wanted = route.coming, _deployment(headers)
        green_ready = coming is not None and coming.green.ready
        if wanted is Colour.GREEN and not green_ready:
            raise Refused(404, "this endpoint has no deployment green that is ready")
        if coming is not None and green_ready:
            colour = wanted or (coming.share.next() if route.blue is not None else Colour.GREEN)
            if colour is Colour.GREEN:
                reply = await self._by_green(coming, body, began)
                if reply is not None:
                    return reply
                # A green that is gone may have become what serves since this request came.
                route = self.watcher.routes.by_plant.get(route.endpoint.plant, route)
        if route.blue is None:
            raise Refused(503, "nothing serves this endpoint yet", "ask again a little later")
        reply = await self._by_blue(route.blue, asked)
        if coming is not None:
            seconds = time.perf_counter() - began
            coming.counters.answered(
                Colour.BLUE, Outcome(reply.status, seconds, reply.forecasts, reply.invalid)
            )
            if green_ready and coming.share.percent == 0:
                self.mirror.offer(coming, body)
        return reply

    async def _by_green(self, coming: Coming, body: bytes, began: float) -> Reply | None:
        """What green answers; None where its process is gone: then what serves answers, and it counts as an error."""
        reply: Reply | None = None
        status = 504
        try:
            with self.engine.trace("ask green", {"release": coming.plant.name}):
                reply = await coming.green.ask(body)
            status = reply.status
        except NoGreen:
            status = 503
        finally:
            seconds = time.perf_counter() - began
            forecasts, invalid = (0, ()) if reply is None else (reply.forecasts, reply.invalid)
            coming.counters.answered(Colour.GREEN, Outcome(status, seconds, forecasts, invalid))
        return reply

    async def _by_blue(self, plant: ServedPlant, asked: AskedTogether) -> Reply:
        try:
            at_hand = self.engine.at_hand(plant, asked.forecasts)
        except Refused as refused:
            return refusal(refused)
        if at_hand is not None:
            await self.turns.take((plant.name, asked.forecasts[0].circuit))
            return self.engine.reply(plant, asked, Colour.BLUE, at_hand)
        return await asyncio.to_thread(self.engine.reply, plant, asked, Colour.BLUE)


@dataclass(slots=True)
class _Room:
    """One request's place."""

    server: ScoringServer
    plant: str

    def __enter__(self) -> None:
        self.server._total += 1  # noqa: SLF001  # its other half
        self.server._at_work[self.plant] += 1  # noqa: SLF001

    def __exit__(self, *_: object) -> None:
        self.server._total -= 1  # noqa: SLF001
        self.server._at_work[self.plant] -= 1  # noqa: SLF001
        if not self.server._at_work[self.plant]:  # noqa: SLF001
            del self.server._at_work[self.plant]  # noqa: SLF001


def _read_headers(sent: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Those that are read, each of which may come once.

    Raises:
        Refused: One comes more often.
    """
    found: dict[bytes, bytes] = {}
    for written, value in sent:
        name = written.lower()
        if name in _READ:
            if name in found:
                raise Refused(400, f"the header {name.decode()} was sent more than once")
            found[name] = value
    return found


def _bearer(headers: Headers) -> str:
    said = headers.get(b"authorization", b"").decode("latin-1")
    scheme, _, key = said.partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def _deployment(headers: Headers) -> Colour | None:
    """Which deployment a request names, as clients of Azure ML do.

    Raises:
        Refused: There is none of that name.
    """
    said = headers.get(DEPLOYMENT_HEADER)
    if said is None:
        return None
    found = next((colour for colour in Colour if colour.value.encode() == said), None)
    if found is None:
        raise Refused(404, "there is no such deployment", "name blue or green, or leave the header out")
    return found


def _check_head(headers: Headers) -> None:
    """Make sure that a body is one to be read.

    Raises:
        Refused: It is said to be too large, compressed, or something else than JSON.
    """
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind != JSON:
        raise Refused(415, "the body is said to be something else than JSON", "send application/json")
    if (headers.get(b"content-encoding") or b"identity").strip().lower() != b"identity":
        raise Refused(415, "the body is compressed", "send it as it is")
    said = headers.get(b"content-length")
    if said is not None and (not said.isdigit() or len(said) > 12 or int(said) > LARGEST_BODY):
        raise too_large()


async def _read_body(receive: Receive) -> bytes:
    """All that was sent."""
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused(400, "the request ended early")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > LARGEST_BODY:
            raise too_large()
        if not message.get("more_body", False):
            return b"".join(parts)


def too_large() -> Refused:
    """What is said of a body that is."""
    return Refused(413, f"the body has more than {LARGEST_BODY:,} bytes", "ask for fewer circuits at once")


def headers_of(reply: Reply) -> Sequence[tuple[bytes, bytes]]:
    """What an answer says of itself, but for its length."""
    kind = JSON if reply.status == 200 else PROBLEM
    said = [
        (b"content-type", kind),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    if reply.retry_after_seconds is not None:
        said.append((b"retry-after", str(reply.retry_after_seconds).encode()))
    return said


async def _send(send: Send, reply: Reply) -> None:
    headers = [*headers_of(reply), (b"content-length", str(len(reply.body)).encode())]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
