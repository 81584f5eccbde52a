"""A scoring server that is asked without a socket, and the fleet behind it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from fleetcast.domain.circuit import Circuit
from fleetcast.domain.errors import FleetcastError
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.release import Endpoint, NumberedRelease
from fleetcast.serving.server import ScoringServer
from fleetcast.serving.watcher import Watcher
from tests.fleets import SmallFleet

TEST = EnvironmentName.TEST
ENDPOINT = Endpoint(TEST, "PLANT001")
KEY = "fck_" + "k" * 43
JSON = {"content-type": "application/json"}


@dataclass(slots=True)
class Declared:
    """The circuits of one plant, and what reading them again comes to."""

    circuits: dict[str, Circuit]
    next: dict[str, Circuit] | FleetcastError | None = None

    def of(self, _plant: str) -> Mapping[str, Circuit]:
        return self.circuits

    def refresh(self) -> None:
        if isinstance(self.next, FleetcastError):
            raise self.next
        self.circuits = self.next or self.circuits


@dataclass(frozen=True, slots=True)
class House:
    """A server and the fleet behind it."""

    fleet: SmallFleet
    release: NumberedRelease
    watcher: Watcher
    server: ScoringServer
    declared: Declared

    def ask(
        self,
        content: bytes | None = None,
        *,
        path: str = "/endpoints/PLANT001/score",
        headers: Mapping[str, str] | None = None,
        method: str = "POST",
        **said: Any,
    ) -> httpx.Response:
        sent = json.dumps(said).encode() if content is None else content
        named = {"authorization": f"Bearer {KEY}", **JSON} if headers is None else headers

        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(self.server)
            async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
                return await client.request(method, path, content=sent, headers=dict(named))

        return asyncio.run(asked())
