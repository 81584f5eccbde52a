"""The emulator as a whole: a thread with its own loop, whose answers come from the capabilities beside this file."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from fleetcast.ports.clock import Clock, SystemClock
from tests.azure_emulator.assets import Assets
from tests.azure_emulator.authority import Authority
from tests.azure_emulator.batch_jobs import PATH as BATCH_PATH
from tests.azure_emulator.batch_jobs import BatchJobs
from tests.azure_emulator.blob_store import BlobStore
from tests.azure_emulator.blobs import Blobs
from tests.azure_emulator.computes import Computes
from tests.azure_emulator.containers import Containers
from tests.azure_emulator.endpoints import Endpoints
from tests.azure_emulator.exchange import Exchange
from tests.azure_emulator.faults import Fault, Faults
from tests.azure_emulator.identity import MANAGED, Identity
from tests.azure_emulator.job_runs import JobRuns
from tests.azure_emulator.jobs import Jobs
from tests.azure_emulator.key_vaults import KeyVaults
from tests.azure_emulator.messages import (
    HERE,
    Answer,
    Json,
    Refused,
    Request,
    Route,
    answered,
    first,
    part,
    refusal,
)
from tests.azure_emulator.operations import Operations
from tests.azure_emulator.proxy import KNOWN, Proxy, unknown_host
from tests.azure_emulator.registry import Registries
from tests.azure_emulator.schedules import Schedules
from tests.azure_emulator.scope import Scopes
from tests.azure_emulator.setup import Setup
from tests.azure_emulator.store import Store
from tests.azure_emulator.workspaces import Workspaces

_READY = 30.0
"""Seconds until the thread listens; it takes milliseconds."""


class AzureEmulator:
    """Azure Machine Learning on a port of this machine, from `start` to `close`; what it is told stays in `state`."""

    def __init__(
        self, state: Path, setup: Setup | None = None, *, clock: Clock | None = None, port: int = 0
    ) -> None:
        self.state = state
        self.setup = setup or Setup()
        self.clock = clock or SystemClock()
        self.port = port
        self.faults = Faults()
        self.store = Store(state / "resources", self.clock)
        self.operations = Operations(self.store, self.clock, self.setup.region)
        self.identity = Identity(self.setup.principal, self.faults, self.clock)
        self.blobs = BlobStore(state / "blobs", self.clock)
        self.scopes = scopes = Scopes(self.setup, self.store)
        assets = Assets(self.setup, self.store, self.blobs, self.operations, scopes, self.clock)
        self._runs = JobRuns(
            state / "jobs",
            self.store,
            self.blobs,
            scopes,
            self.clock,
            lambda: self.environment,
            self.setup.jobs_at_once,
        )
        self._jobs = Jobs(self.setup, self.store, self.blobs, self.operations, scopes, self._runs)
        self._containers = Containers(
            state / "containers", self.store, self.blobs, scopes, self.setup, lambda: self.environment
        )
        self.operations.failure = self._containers.failure
        self._authority = Authority(state / "authority")
        self._exchanges: list[Exchange] = []
        self._routes: list[Route] = [
            *self._own_routes(),
            *self.identity.routes(),
            *self.operations.routes(),
            *Workspaces(self.setup, self.store, self.blobs, scopes).routes(),
            *Registries(
                self.setup, self.store, self.blobs, self.operations, scopes, assets, self.clock
            ).routes(),
            *assets.routes(),
            *self._jobs.routes(),
            *Computes(self.setup, self.store, self.operations, scopes).routes(),
            *Endpoints(
                self.setup, self.store, self.operations, scopes, self.clock, self._containers
            ).routes(),
            *BatchJobs(self.setup, self.store, scopes, self._jobs).routes(),
            *Schedules(self.setup, self.store, self.operations, scopes).routes(),
            *Blobs(self.blobs).routes(),
            *KeyVaults(self.setup).routes(),
        ]
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="azure-emulator", daemon=True)
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self._failure: BaseException | None = None

    def start(self) -> Self:
        """Listen.

        Raises:
            OSError: The port is taken.
        """
        self._thread.start()
        if not self._ready.wait(_READY):
            raise TimeoutError("the Azure emulator does not listen")
        if self._failure is not None:
            raise self._failure
        self._jobs.resume()
        return self

    def close(self) -> None:
        """End all jobs and connections, and stop listening."""
        self._runs.close()
        self._containers.close()
        if self._loop is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def address(self) -> str:
        """Of this machine, in plain HTTP: the proxy, the managed identity, and blobs by path."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> Mapping[str, str]:
        """What a process needs to find the emulator in Azure's place."""
        authority, principal = str(self._authority.certificate), self.setup.principal
        return {
            "HTTPS_PROXY": self.address,
            "NO_PROXY": "127.0.0.1,localhost",
            "REQUESTS_CA_BUNDLE": authority,
            "SSL_CERT_FILE": authority,
            "AZURE_TENANT_ID": principal.tenant,
            "AZURE_CLIENT_ID": principal.client,
            "AZURE_CLIENT_SECRET": principal.secret,
            "IDENTITY_ENDPOINT": f"{self.address}{MANAGED}",
            "IDENTITY_HEADER": principal.header,
        }

    def storage_environment(self, account: str) -> Mapping[str, str]:
        """What clients of object stores need besides, to find an account's blobs by path."""
        return {
            "AZURE_STORAGE_ACCOUNT_NAME": account,
            "AZURE_STORAGE_ENDPOINT": f"{self.address}/{account}",
            "AZURE_STORAGE_TOKEN": self.identity.token("https://storage.azure.com"),
            "AZURE_ALLOW_HTTP": "true",
        }

    def exchanges(self) -> Sequence[Exchange]:
        """All requests and answers so far, but those to the emulator's own questions."""
        return tuple(self._exchanges)

    def trigger(self, workspace: str, schedule: str) -> str:
        """Let a schedule's moment come; gives the name of the job that it starts.

        Raises:
            Refused: There is none, or its job cannot be run.
            ValueError: It is disabled.
        """
        record = self.store.get(self.scopes.workspace(workspace).key("schedules", schedule))
        properties = part(record.body, "properties")
        if properties["isEnabled"] is not True:
            raise ValueError(f"{schedule} is disabled")
        name = f"{schedule}-{len(self.exchanges())}"
        with self.store.lock:
            self._jobs.begin(workspace, name, part(properties, "action", "jobDefinition"))
        return name

    def score(self, request: Request) -> Answer:
        """Answer a client of an endpoint, and note both; takes as long as its container does."""
        if request.path == BATCH_PATH:
            return self.answer(request)
        answer = self._containers.score(request)
        self._exchanges.append(_exchange(request, answer))
        return answer

    def answer(self, request: Request) -> Answer:
        """Answer one request, and note both."""
        answer = self._answer(request)
        if not (request.host == HERE and request.path.startswith("/__")):
            self._exchanges.append(_exchange(request, answer))
        return answer

    def _answer(self, request: Request) -> Answer:
        if request.host != HERE and not KNOWN.fullmatch(request.host):
            return unknown_host(request.host)
        self.operations.settle()
        found = first(self._routes, request)
        if found is None:
            unknown = refusal(
                501,
                "UnknownRoute",
                f"the Azure emulator does not know {request.method} {request.host}{request.path}",
            )
            return replace(unknown, known=False)
        route, values = found
        try:
            if not route.open:
                self.identity.check(request)
            fault = self.faults.take(request.method, request.path) if not _own(request) else None
            if fault is not None and fault.kind == "refuse":
                pace = {} if fault.retry_after is None else {"retry-after": str(fault.retry_after)}
                return refusal(fault.status, fault.code, fault.message, pace)
            with self.store.lock:
                answer = route.handler(replace(request, fault=fault), values)
        except Refused as refused:
            return refused.answer
        if (
            fault is not None
            and fault.kind == "done_but_failed"
            and "azure-asyncoperation" not in answer.headers
        ):
            return refusal(fault.status, fault.code, fault.message)
        if (
            fault is not None
            and fault.kind == "fail_operation"
            and "azure-asyncoperation" not in answer.headers
        ):
            told = refusal(
                500, "EmulatorError", f"{request.method} {request.path} begins no operation to fail"
            )
            return replace(told, known=False)
        return answer

    def _own_routes(self) -> Sequence[Route]:
        return (
            Route("POST", HERE, "/__faults", self._tell, open=True),
            Route("DELETE", HERE, "/__faults", self._clear, open=True),
            Route("GET", HERE, "/__exchanges", self._exchanged, open=True),
        )

    def _tell(self, request: Request, _: Mapping[str, str]) -> Answer:
        said = request.mapping()
        lifetime, length = said.pop("token_lifetime", None), said.pop("operations_take", None)
        try:
            if lifetime is not None:
                self.faults.token_lifetime = timedelta(seconds=float(str(lifetime)))
            if length is not None:
                self.operations.length = timedelta(seconds=float(str(length)))
            if said:
                self.faults.add(Fault(**said))  # type: ignore[arg-type]  # checked by what it does with it
        except (TypeError, ValueError) as error:
            raise Refused(400, "NoSuchFault", str(error)) from error
        return Answer(204)

    def _clear(self, _: Request, __: Mapping[str, str]) -> Answer:
        self.faults.clear()
        return Answer(204)

    def _exchanged(self, _: Request, __: Mapping[str, str]) -> Answer:
        return answered([_said(one) for one in self._exchanges])

    def _run(self) -> None:
        try:
            asyncio.run(self._listen())
        except BaseException as error:  # noqa: BLE001  # handed to whoever starts it
            self._failure = error
        finally:
            self._ready.set()

    async def _listen(self) -> None:
        proxy = Proxy(self._authority, self.answer, self.score)
        server = await proxy.start(self.port)
        self._loop = asyncio.get_running_loop()
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        proxy.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)


def _own(request: Request) -> bool:
    return request.host == HERE and request.path.startswith("/__")


def _exchange(request: Request, answer: Answer) -> Exchange:
    return Exchange(
        method=request.method,
        host=request.host or "127.0.0.1",
        path=request.path,
        query=dict(request.query),
        request=request.json(),
        status=answer.status,
        response_headers=dict(answer.headers),
        response=answer.json(),
        known=answer.known,
    )


def _said(exchange: Exchange) -> Json:
    return asdict(exchange)
