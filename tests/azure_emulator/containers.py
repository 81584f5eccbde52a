"""The containers of online deployments, as processes: one for each, from its code and its environment variables."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.azure_emulator.blob_store import BlobStore
from tests.azure_emulator.messages import Answer, Json, Request, part, refusal, text
from tests.azure_emulator.scope import Scope, Scopes
from tests.azure_emulator.setup import Setup
from tests.azure_emulator.store import Record, Store

DEPLOYMENT_HEADER = "azureml-model-deployment"
_SECONDS = 30.0
"""Within which a container has to answer a request."""


@dataclass(slots=True)
class _Container:
    process: subprocess.Popen[str]
    log: Path
    port: int | None = None

    def listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as said:
            line = said.readline().strip()
            if line.isdecimal():
                self.port = int(line)
            said.read()


class Containers:
    """Starts, asks and ends them; may be used from any thread."""

    def __init__(
        self,
        folder: Path,
        store: Store,
        blobs: BlobStore,
        scopes: Scopes,
        setup: Setup,
        environment: Callable[[], Mapping[str, str]],
    ) -> None:
        self._folder = folder
        self._store = store
        self._blobs = blobs
        self._scopes = scopes
        self._setup = setup
        self._environment = environment
        self._running: dict[str, _Container] = {}
        self._owed: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self._lock = threading.Lock()
        self._mirrors = ThreadPoolExecutor(4, thread_name_prefix="azure-mirror")

    def start(self, scope: Scope, deployment: Record) -> None:
        """Start what a deployment's code is, in place of what ran for it before; without code nothing runs."""
        properties = part(deployment.body, "properties")
        code = part(properties, "codeConfiguration")
        self.end(deployment.id)
        if not text(code, "codeId") or not self._setup.containers:
            return
        folder = self._folder / deployment.id.lower().replace("/", "_")
        source = part(self._scopes.resolve(text(code, "codeId")).body, "properties")
        self._blobs.download(self._scopes.locate(scope, text(source, "codeUri")), folder / "code")
        log = folder / "log.txt"
        with log.open("ab") as said:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "tests.azure_emulator.inference",
                    str(folder / "code"),
                    text(code, "scoringScript"),
                ],
                cwd=Path(__file__).parents[2],
                env={**os.environ, **self._environment(), **_variables(properties)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
                start_new_session=True,
            )
        container = _Container(process, log)
        with self._lock:
            self._running[deployment.id.lower()] = container
        threading.Thread(target=container.listen, daemon=True).start()

    def failure(self, deployment: str) -> str | None:
        """Why a container did not start; empty: it runs, or there is none; None: it is not there yet."""
        container = self._running.get(deployment.lower())
        if container is None or container.port is not None:
            return ""
        if container.process.poll() is None:
            return None
        lines = container.log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"it ended with {container.process.returncode}"

    def said(self, deployment: str) -> str:
        """What a container wrote; empty if there is none."""
        container = self._running.get(deployment.lower())
        return "" if container is None else container.log.read_text(errors="replace")

    def end(self, deployment: str) -> None:
        """End a deployment's container, if there is one."""
        with self._lock:
            container = self._running.pop(deployment.lower(), None)
        if container is not None:
            container.process.kill()
            container.process.wait()

    def close(self) -> None:
        """End all of them."""
        self._mirrors.shutdown(cancel_futures=True)
        for deployment in list(self._running):
            self.end(deployment)

    def score(self, request: Request) -> Answer:
        """Answer a client of an endpoint: by one of its deployments, and a copy goes to the one that mirrors."""
        name = request.host.partition(".")[0]
        endpoint = next((one for one in self._endpoints() if one.body["name"] == name), None)
        if endpoint is None or request.method != "POST" or request.path != "/score":
            return refusal(404, "NotFound", "There is nothing here.")
        keys = set(part(endpoint.kept, "keys").values())
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in keys:
            return refusal(401, "Unauthorized", "The key is none of this endpoint's.")
        properties = part(endpoint.body, "properties")
        named = request.headers.get(DEPLOYMENT_HEADER)
        slot = named or self._turn(endpoint.id, "live", part(properties, "traffic"))
        if slot is None:
            return refusal(503, "NoDeployment", "No deployment gets traffic.")
        mirror = self._turn(endpoint.id, "mirror", part(properties, "mirrorTraffic"), whole=False)
        if mirror is not None and named is None:
            self._mirrors.submit(self._ask, f"{endpoint.id}/deployments/{mirror}", request.body)
        return self._ask(f"{endpoint.id}/deployments/{slot}", request.body)

    def _endpoints(self) -> list[Record]:
        return [
            one
            for name in self._setup.workspaces
            for one in self._store.children(self._scopes.workspace(name).key("onlineEndpoints"))
        ]

    def _turn(self, endpoint: str, kind: str, shares: Json, *, whole: bool = True) -> str | None:
        """Whose turn it is, by the largest debt, so that of any hundred each gets its share."""
        parts = {name: share for name, share in shares.items() if isinstance(share, int) and share}
        if not parts:
            return None
        with self._lock:
            owed = self._owed[f"{endpoint} {kind}"]
            for name, share in parts.items():
                owed[name] = owed.get(name, 0) + share
            first = max(parts, key=lambda name: owed[name])
            if not whole and owed[first] < 100:
                return None
            owed[first] -= 100
        return first

    def _ask(self, deployment: str, body: bytes) -> Answer:
        container = self._running.get(deployment.lower())
        if container is None or container.port is None:
            return refusal(404, "NotFound", "There is no such deployment.")
        try:
            said = httpx.post(
                f"http://127.0.0.1:{container.port}/score",
                content=body,
                timeout=_SECONDS,
                trust_env=False,
                headers={"content-type": "application/json"},
            )
        except httpx.HTTPError as error:
            return refusal(502, "ModelDoesNotAnswer", str(error))
        return Answer(said.status_code, said.content, {"content-type": "application/json"})


def _variables(properties: Json) -> dict[str, str]:
    return {name: str(value) for name, value in part(properties, "environmentVariables").items()}
