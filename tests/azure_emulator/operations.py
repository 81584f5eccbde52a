"""Operations that take their time: what was begun, whether it is done, and how it ended."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from fleetcast.ports.clock import Clock
from tests.azure_emulator.messages import Answer, Json, Refused, Request, Route, answered, part, text
from tests.azure_emulator.store import Record, Store

Change = Literal["create", "write", "delete", "none"]
_BELOW = "/operations"
_HOSTS = r"management\.azure\.com|[a-z0-9]+\.api\.azureml\.ms|cert-[a-z0-9]+\.experiments\.azureml\.net"
_PREFIX = r"(?:/mferp/managementfrontend)?/subscriptions/.+"
# A header `Retry-After` would win over this one and cannot say less than a second.
PACE: Mapping[str, str] = {"retry-after-ms": "20"}


class Operations:
    """What was begun ends when its time on the clock has come, whether or not somebody asks for it."""

    def __init__(self, store: Store, clock: Clock, region: str) -> None:
        self._store = store
        self._clock = clock
        self._region = region
        self.length = timedelta(milliseconds=30)
        """How long an operation takes that is begun from now on."""
        self.failure: Callable[[str], str | None] = lambda _target: ""
        """Why a resource could not be made; empty: it could; None: that is not known yet."""
        self._open = {record.id for record in store.children(_BELOW) if record.body["status"] == "InProgress"}

    def routes(self) -> Sequence[Route]:
        one = r"/(?P<operation>[0-9a-f-]{36})"
        return (
            Route("GET", _HOSTS, rf"{_PREFIX}/mfeOperationsStatus{one}", self._status),
            Route("GET", _HOSTS, rf"{_PREFIX}/mfeOperationResults{one}", self._results),
        )

    def begin(self, request: Request, target: str, change: Change) -> Mapping[str, str]:
        """Begin an operation on a resource; gives the headers by which its end is found.

        What a `create` or a `write` makes is kept by the caller, with a provisioning state that says so; when it
        fails, what was created is gone, and what was written says so. `delete` removes the resource in the end.
        """
        fault = request.fault if request.fault and request.fault.kind != "late" else None
        error: Json = {"code": fault.code, "message": fault.message} if fault else {}
        said: Json = {
            "status": "InProgress",
            "target": target,
            "change": change,
            "due": (self._clock.now() + self.length).isoformat(),
            "error": error,
            "done": fault is None or fault.kind == "done_but_failed",
        }
        name = str(uuid.uuid4())
        self._store.write(f"{_BELOW}/{name}", said)
        self._open.add(f"{_BELOW}/{name}")
        version = request.asked("api-version") or "2023-04-01"
        base = f"https://{request.host}{_scope(request.path)}/locations/{self._region}"
        if "/registries/" in request.path.lower():
            base = f"https://{request.host}{_registry(request.path)}"
        address = {
            "azure-asyncoperation": f"{base}/mfeOperationsStatus/{name}?api-version={version}",
            **PACE,
        }
        if request.method != "PUT":
            address["location"] = f"{base}/mfeOperationResults/{name}?api-version={version}"
        return address

    def settle(self) -> None:
        """End what is due."""
        with self._store.lock:
            for one in sorted(self._open):
                record = self._store.get(one)
                if datetime.fromisoformat(text(record.body, "due")) <= self._clock.now():
                    failure = self.failure(text(record.body, "target")) if record.body["done"] else ""
                    if failure is None:
                        continue
                    if failure:
                        record.body["error"] = {"code": "BadRequest", "message": failure}
                        record.body["done"] = False
                    self._end(record)
                    self._open.discard(one)

    def _end(self, record: Record) -> None:
        said, failed = record.body, bool(record.body["error"])
        target, change, done = text(said, "target"), said["change"], bool(said["done"])
        found = self._store.find(target)
        if (found is not None and change == "delete" and done) or (
            found is not None and change == "create" and not done
        ):
            self._store.remove(target)
        elif found is not None and change in {"create", "write", "delete"}:
            before = found.kept.pop("before", None)
            if isinstance(before, dict) and not done:
                self._store.write(target, before, found.kept)
            else:
                part(found.body, "properties")["provisioningState"] = "Succeeded" if done else "Failed"
                self._store.write(target, found.body, found.kept)
        self._store.write(record.id, {**said, "status": "Failed" if failed else "Succeeded"})

    def _find(self, found: Mapping[str, str]) -> Record:
        record = self._store.find(f"{_BELOW}/{found['operation']}")
        if record is None:
            raise Refused(404, "OperationNotFound", f"There is no operation {found['operation']}.")
        return record

    def _status(self, request: Request, found: Mapping[str, str]) -> Answer:
        record = self._find(found)
        shown: Json = {"id": request.path, "name": found["operation"], "status": record.body["status"]}
        if record.body["status"] == "Failed":
            shown["error"] = record.body["error"]
        return answered(shown, headers=PACE)

    def _results(self, _: Request, found: Mapping[str, str]) -> Answer:
        """Nothing: a body here would lead the SDK to upload what it has just imported."""
        record = self._find(found)
        return Answer(202 if record.body["status"] == "InProgress" else 200, headers=PACE)


def _scope(path: str) -> str:
    subscription = path.split("/")[2]
    return f"/subscriptions/{subscription}/providers/Microsoft.MachineLearningServices"


def _registry(path: str) -> str:
    parts = path.split("/")
    return "/".join(parts[: [part.lower() for part in parts].index("registries") + 2])
