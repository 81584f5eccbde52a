"""Schedules: kept and shown; nothing is ever started by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.azure_emulator.listing import listed
from tests.azure_emulator.messages import Answer, Json, Refused, Request, Route, answered, part, text
from tests.azure_emulator.operations import Operations
from tests.azure_emulator.scope import ARM, WORKSPACE, Scopes
from tests.azure_emulator.setup import Setup
from tests.azure_emulator.store import Store

_CRON_FIELDS = 5


class Schedules:
    """The schedules of the workspaces."""

    def __init__(self, setup: Setup, store: Store, operations: Operations, scopes: Scopes) -> None:
        self._setup = setup
        self._store = store
        self._operations = operations
        self._scopes = scopes

    def routes(self) -> Sequence[Route]:
        one = rf"{WORKSPACE}/schedules/(?P<name>[^/]+)"
        return (
            Route("GET", ARM, rf"{WORKSPACE}/schedules", self._list),
            Route("GET", ARM, one, self._get),
            Route("PUT", ARM, one, self._put),
            Route("DELETE", ARM, one, self._delete),
        )

    def _list(self, request: Request, found: Mapping[str, str]) -> Answer:
        wanted = {"enabledonly": True, "disabledonly": False}.get(
            (request.asked("listViewType") or "").lower()
        )
        records = [
            record
            for record in self._store.children(self._scopes.of(found).key("schedules"))
            if wanted in {None, part(record.body, "properties").get("isEnabled")}
        ]
        plain = {name: value for name, value in request.query.items() if name.lower() != "listviewtype"}
        asked = Request(request.method, request.host, request.path, plain, request.headers, b"")
        return listed(asked, records, self._setup.page)

    def _get(self, _: Request, found: Mapping[str, str]) -> Answer:
        return answered(self._store.get(self._scopes.of(found).key("schedules", found["name"])).body)

    def _put(self, request: Request, found: Mapping[str, str]) -> Answer:
        scope, sent = self._scopes.of(found), part(request.mapping(), "properties")
        action, trigger = part(sent, "action"), part(sent, "trigger")
        if not action or not trigger:
            raise Refused(400, "UserError", "A schedule needs an action and a trigger.")
        cron = text(trigger, "triggerType") == "Cron"
        if cron and len(text(trigger, "expression").split()) != _CRON_FIELDS:
            raise Refused(400, "UserError", f"{text(trigger, 'expression')} is no cron expression.")
        identity = scope.key("schedules", found["name"])
        held = self._store.find(identity)
        usual: Json = {"isEnabled": True, "tags": {}, "properties": {}, "provisioningState": "Succeeded"}
        properties: Json = {**usual, **{name: value for name, value in sent.items() if value is not None}}
        body: Json = {
            "id": identity,
            "name": found["name"],
            "type": scope.kind("schedules"),
            "properties": properties | {"provisioningState": "Succeeded"},
        }
        return answered(self._store.write(identity, body).body, 201 if held is None else 200)

    def _delete(self, request: Request, found: Mapping[str, str]) -> Answer:
        record = self._store.find(self._scopes.of(found).key("schedules", found["name"]))
        if record is None:
            return Answer(204)
        if part(record.body, "properties").get("isEnabled") is not False:
            raise Refused(400, "UserError", "A schedule has to be disabled before it is deleted.")
        return Answer(202, headers=self._operations.begin(request, record.id, "delete"))
