"""Online and batch endpoints with their deployments: what state they are in, and who gets the traffic."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta

from fleetcast.ports.clock import Clock
from tests.azure_emulator.containers import Containers
from tests.azure_emulator.listing import listed
from tests.azure_emulator.messages import Answer, Json, Refused, Request, Route, answered, part, text
from tests.azure_emulator.operations import Operations
from tests.azure_emulator.scope import ARM, WORKSPACE, Scope, Scopes
from tests.azure_emulator.setup import Setup
from tests.azure_emulator.store import Record, Store

_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9-]{1,30}[a-zA-Z0-9]")
_BUSY = frozenset({"Creating", "Updating", "Deleting"})
_AUTH_MODES = {"key": "Key", "amltoken": "AMLToken", "aadtoken": "AADToken"}
_BEFORE_PIPELINES = "2023-10-01"
"""A version in which a batch deployment runs a model and nothing else."""
_HALF = 50
_ALL = 100


class Endpoints:
    """The endpoints of the workspaces; one change at a time to each."""

    def __init__(
        self,
        setup: Setup,
        store: Store,
        operations: Operations,
        scopes: Scopes,
        clock: Clock,
        containers: Containers,
    ) -> None:
        self._setup = setup
        self._store = store
        self._operations = operations
        self._scopes = scopes
        self._clock = clock
        self._containers = containers

    def routes(self) -> Sequence[Route]:
        kind = rf"{WORKSPACE}/(?P<kind>onlineEndpoints|batchEndpoints)"
        endpoint = rf"{kind}/(?P<endpoint>[^/]+)"
        online = rf"{WORKSPACE}/(?P<kind>onlineEndpoints)/(?P<endpoint>[^/]+)"
        deployments = rf"{endpoint}/deployments"
        deployment = rf"{deployments}/(?P<deployment>[^/]+)"
        return (
            Route("GET", ARM, kind, self._list),
            Route("GET", ARM, endpoint, self._get),
            Route("PUT", ARM, endpoint, self._put),
            Route("DELETE", ARM, endpoint, self._delete),
            Route("GET", ARM, deployments, self._list),
            Route("GET", ARM, deployment, self._get),
            Route("PUT", ARM, deployment, self._put_deployment),
            Route("DELETE", ARM, deployment, self._delete_deployment),
            Route("POST", ARM, rf"{endpoint}/listKeys", self._keys),
            Route("POST", ARM, rf"{online}/regenerateKeys", self._regenerate),
            Route("POST", ARM, rf"{online}/token", self._token),
            Route("POST", ARM, rf"{online}/deployments/(?P<deployment>[^/]+)/getLogs", self._logs),
        )

    def _list(self, request: Request, found: Mapping[str, str]) -> Answer:
        scope, kind = self._scopes.of(found), _kind(found)
        parent = scope.key(kind)
        if "endpoint" in found:
            parent = f"{self._store.get(scope.key(kind, found['endpoint'])).id}/deployments"
        records = [_as_of(request, record) for record in self._store.children(parent)]
        return listed(request, records, self._setup.page)

    def _get(self, request: Request, found: Mapping[str, str]) -> Answer:
        return answered(_as_of(request, self._find(found)).body)

    def _put(self, request: Request, found: Mapping[str, str]) -> Answer:
        scope, kind, name = self._scopes.of(found), _kind(found), found["endpoint"]
        sent = request.mapping()
        _check_name(name)
        held = self._store.find(scope.key(kind, name))
        if held is not None:
            self._not_busy(held)
        said: Json = {key: value for key, value in part(sent, "properties").items() if value is not None}
        # The SDK has a case of its own for these.
        said["authMode"] = _AUTH_MODES.get(text(said, "authMode").lower(), "")
        if not said["authMode"]:
            raise Refused(400, "UserError", f"authMode is one of {', '.join(_AUTH_MODES.values())}.")
        deployments = self._store.children(f"{scope.key(kind, name)}/deployments")
        ready = {str(one.body["name"]).lower() for one in deployments if _state(one) == "Succeeded"}
        host = f"https://{name}.{self._setup.region}.inference.ml.azure.com"
        usual: Json = {"scoringUri": f"{host}/score", "swaggerUri": f"{host}/swagger.json"}
        if kind == "onlineEndpoints":
            _check_traffic(said, ready)
            usual |= {"publicNetworkAccess": "Enabled", "traffic": {}, "mirrorTraffic": {}}
        else:
            default = text(part(said, "defaults"), "deploymentName")
            if default and default.lower() not in ready:
                raise Refused(
                    400, "UserError", f"There is no deployment {default} that could be the default."
                )
            usual["scoringUri"] = f"{host}/jobs"
        secrets: Json = {"primaryKey": uuid.uuid4().hex, "secondaryKey": uuid.uuid4().hex}
        kept: Json = {"keys": held.kept["keys"] if held is not None else secrets}
        body = self._body(scope, (kind, name), sent, {**usual, **said}, held)
        part(body, "properties").pop("keys", None)
        body["identity"] = {
            "type": "SystemAssigned",
            **part(sent, "identity"),
            "principalId": str(uuid.uuid5(uuid.NAMESPACE_URL, scope.key(kind, name))),
            "tenantId": self._setup.principal.tenant,
        }
        return self._begin(request, body, held, kept)

    def _put_deployment(self, request: Request, found: Mapping[str, str]) -> Answer:
        scope, kind, name = self._scopes.of(found), _kind(found), found["deployment"]
        endpoint = self._store.get(scope.key(kind, found["endpoint"]))
        _check_name(name)
        self._not_busy(endpoint)
        sent = request.mapping()
        said: Json = {key: value for key, value in part(sent, "properties").items() if value is not None}
        held = self._store.find(f"{endpoint.id}/deployments/{name}")
        model = text(said, "model") or text(part(said, "model"), "assetId")
        references = [model, text(said, "environmentId"), text(part(said, "codeConfiguration"), "codeId")]
        references.append(text(part(said, "deploymentConfiguration", "componentId"), "assetId"))
        for reference in references:
            if reference:
                self._scopes.resolve(reference)
        usual: Json = {"properties": {}}
        if kind == "onlineEndpoints":
            if not text(said, "instanceType"):
                raise Refused(400, "UserError", "An online deployment needs an instanceType.")
            usual |= {
                "endpointComputeType": "Managed",
                "scaleSettings": {"scaleType": "Default"},
                "egressPublicNetworkAccess": "Enabled",
            }
        configuration = part(said, "deploymentConfiguration")
        if configuration:
            # The SDK reads them whether or not it has sent them.
            said["deploymentConfiguration"] = {"settings": {}, **configuration}
        parts = (kind, found["endpoint"], "deployments", name)
        body = self._body(scope, parts, sent, {**usual, **said}, held)
        if kind == "onlineEndpoints":
            body["sku"] = {"name": "Default", "capacity": 1, **part(sent, "sku")}
        answer = self._begin(request, body, held, {})
        if kind == "onlineEndpoints":
            self._containers.start(scope, self._store.get(text(body, "id")))
        return answer

    def _body(
        self, scope: Scope, parts: Sequence[str], sent: Json, properties: Json, held: Record | None
    ) -> Json:
        properties = {**properties, "provisioningState": "Creating" if held is None else "Updating"}
        return {
            "id": scope.key(*parts),
            "name": parts[-1],
            "type": scope.kind(*parts[::2]),
            "location": text(sent, "location") or self._setup.region,
            "tags": part(sent, "tags"),
            "properties": properties,
        }

    def _begin(self, request: Request, body: Json, held: Record | None, kept: Json) -> Answer:
        if held is not None:
            kept["before"] = held.body
        record = self._store.write(text(body, "id"), body, kept)
        headers = self._operations.begin(request, record.id, "write")
        return answered(record.body, 201 if held is None else 200, headers)

    def _delete(self, request: Request, found: Mapping[str, str]) -> Answer:
        record = self._store.find(self._scopes.of(found).key(_kind(found), found["endpoint"]))
        if record is None:
            return Answer(204)
        self._not_busy(record)
        return self._begin_delete(request, record)

    def _delete_deployment(self, request: Request, found: Mapping[str, str]) -> Answer:
        endpoint = self._store.get(self._scopes.of(found).key(_kind(found), found["endpoint"]))
        record = self._store.find(f"{endpoint.id}/deployments/{found['deployment']}")
        if record is None:
            return Answer(204)
        self._not_busy(endpoint)
        properties, name = part(endpoint.body, "properties"), text(record.body, "name")
        for kind in ("traffic", "mirrorTraffic"):
            if part(properties, kind).get(name):
                raise Refused(400, "UserError", f"The deployment {name} still has {kind}.")
        self._containers.end(record.id)
        return self._begin_delete(request, record)

    def _begin_delete(self, request: Request, record: Record) -> Answer:
        before: Json = {**record.body, "properties": dict(part(record.body, "properties"))}
        part(record.body, "properties")["provisioningState"] = "Deleting"
        self._store.write(record.id, record.body, {**record.kept, "before": before})
        return Answer(202, headers=self._operations.begin(request, record.id, "delete"))

    def _keys(self, _: Request, found: Mapping[str, str]) -> Answer:
        record = self._find(found)
        if text(part(record.body, "properties"), "authMode").lower() != "key":
            raise Refused(400, "UserError", "The endpoint has no keys.")
        return answered(record.kept["keys"])

    def _regenerate(self, request: Request, found: Mapping[str, str]) -> Answer:
        record = self._find(found)
        which = {"primary": "primaryKey", "secondary": "secondaryKey"}.get(
            text(request.mapping(), "keyType").lower()
        )
        if which is None:
            raise Refused(400, "UserError", "keyType is Primary or Secondary.")
        keys: Json = {**part(record.kept, "keys"), which: uuid.uuid4().hex}
        self._store.keep(record, {**record.kept, "keys": keys})
        return Answer(202, headers=self._operations.begin(request, record.id, "none"))

    def _token(self, _: Request, found: Mapping[str, str]) -> Answer:
        record = self._find(found)
        if text(part(record.body, "properties"), "authMode").lower() != "amltoken":
            raise Refused(400, "UserError", "The endpoint gives no tokens.")
        now = self._clock.now()
        return answered(
            {
                "accessToken": uuid.uuid4().hex,
                "expiryTimeUtc": int((now + timedelta(hours=8)).timestamp()),
                "refreshAfterTimeUtc": int((now + timedelta(hours=4)).timestamp()),
                "tokenType": "Bearer",
            }
        )

    def _logs(self, _: Request, found: Mapping[str, str]) -> Answer:
        record = self._find(found)
        said = self._containers.said(record.id) or f"No container runs for {record.body['name']}.\n"
        return answered({"content": said})

    def _find(self, found: Mapping[str, str]) -> Record:
        record = self._store.get(self._scopes.of(found).key(_kind(found), found["endpoint"]))
        if "deployment" in found:
            return self._store.get(f"{record.id}/deployments/{found['deployment']}")
        return record

    def _not_busy(self, endpoint: Record) -> None:
        for one in (endpoint, *self._store.children(f"{endpoint.id}/deployments")):
            if _state(one) in _BUSY:
                raise Refused(
                    409,
                    "Conflict",
                    f"{one.body['name']} is in the provisioning state {_state(one)}; try again when it is done.",
                )


def _as_of(request: Request, record: Record) -> Record:
    """A resource as the asked version of the API has it: an older one does not know all."""
    if request.asked("api-version") == _BEFORE_PIPELINES:
        part(record.body, "properties").pop("deploymentConfiguration", None)
    return record


def _kind(found: Mapping[str, str]) -> str:
    return "onlineEndpoints" if found["kind"].lower() == "onlineendpoints" else "batchEndpoints"


def _state(record: Record) -> str:
    return text(part(record.body, "properties"), "provisioningState")


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise Refused(400, "UserError", f"{name} is no name of an endpoint or a deployment.")


def _check_traffic(said: Json, ready: set[str]) -> None:
    """Live traffic is shared out wholly or not at all; one deployment may see a copy of up to half of it."""
    live, mirror = _shares(said, "traffic"), _shares(said, "mirrorTraffic")
    unknown = sorted(name for name in {**live, **mirror} if name.lower() not in ready)
    if unknown:
        raise Refused(400, "UserError", f"There is no deployment {unknown[0]} that could get traffic.")
    if sum(live.values()) not in {0, _ALL} or any(not 0 <= share <= _ALL for share in live.values()):
        raise Refused(400, "UserError", f"Traffic has to add up to 0 or 100, not {sum(live.values())}.")
    mirrored = {name: share for name, share in mirror.items() if share}
    if len(mirrored) > 1 or any(not 0 <= share <= _HALF for share in mirrored.values()):
        raise Refused(400, "UserError", "One deployment may get a mirror of at most 50 percent.")
    both = sorted(name for name in mirrored if live.get(name))
    if both:
        raise Refused(400, "UserError", f"{both[0]} cannot get live and mirrored traffic.")


def _shares(said: Json, name: str) -> dict[str, int]:
    shares = {}
    for deployment, share in part(said, name).items():
        if not isinstance(share, int):
            raise Refused(400, "UserError", f"{name} is given in whole percent.")
        shares[deployment] = share
    return shares
