"""Clusters of a workspace, the sizes of machines, and how many cores a subscription may use."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence

from tests.azure_emulator.messages import Answer, Json, Refused, Request, Route, Value, answered, part, text
from tests.azure_emulator.operations import Operations
from tests.azure_emulator.scope import ARM, WORKSPACE, Scopes
from tests.azure_emulator.setup import Setup
from tests.azure_emulator.store import Store

_FAMILY, _FAMILY_USE = "standardDSv2Family", "Standard DSv2 Family Cluster Dedicated vCPUs"
_TOTAL_USE = "Total Cluster Dedicated Regional vCPUs"
_CORES = {"Standard_DS2_v2": 2, "Standard_DS3_v2": 4, "Standard_DS4_v2": 8}


class Computes:
    """Clusters grow and shrink; what their machines are never changes."""

    def __init__(self, setup: Setup, store: Store, operations: Operations, scopes: Scopes) -> None:
        self._setup = setup
        self._store = store
        self._operations = operations
        self._scopes = scopes

    def routes(self) -> Sequence[Route]:
        one = rf"{WORKSPACE}/computes/(?P<compute>[^/]+)"
        place = (
            r"/subscriptions/(?P<subscription>[^/]+)/providers/Microsoft\.MachineLearningServices"
            r"/locations/(?P<location>[^/]+)"
        )
        return (
            Route("GET", ARM, one, self._get),
            Route("PUT", ARM, one, self._put),
            Route("GET", ARM, rf"{place}/usages", self._usages),
            Route("GET", ARM, rf"{place}/vmSizes", self._sizes),
        )

    def _get(self, _: Request, found: Mapping[str, str]) -> Answer:
        return answered(self._store.get(self._scopes.of(found).key("computes", found["compute"])).body)

    def _put(self, request: Request, found: Mapping[str, str]) -> Answer:
        scope, sent = self._scopes.of(found), request.mapping()
        said = part(sent, "properties")
        if said.get("computeType") != "AmlCompute":
            raise Refused(400, "UserError", "The emulator knows computes of type AmlCompute only.")
        wanted = part(said, "properties")
        size = {one.lower(): one for one in _CORES}.get(text(wanted, "vmSize").lower())
        if size is None:
            raise Refused(400, "UserError", f"The VM size {text(wanted, 'vmSize')!r} is not available here.")
        scale = part(wanted, "scaleSettings")
        most, least = scale.get("maxNodeCount"), scale.get("minNodeCount", 0)
        if not isinstance(most, int) or not isinstance(least, int) or not 0 <= least <= most:
            raise Refused(400, "UserError", "The scale settings of a cluster make no sense.")
        key = scope.key("computes", found["compute"])
        held = self._store.find(key)
        if held is not None:
            state = part(held.body, "properties")
            if state.get("provisioningState") != "Succeeded":
                raise Refused(409, "Conflict", "The compute is being changed.")
            if text(part(state, "properties"), "vmSize") != size.upper():
                raise Refused(400, "UserError", "The VM size of a compute cannot be changed.")
        body: Json = {
            "id": key,
            "name": found["compute"],
            "type": scope.kind("computes"),
            "location": text(sent, "location") or self._setup.region,
            **_identity(part(sent, "identity"), key, self._setup.principal.tenant),
            "properties": {
                "computeType": "AmlCompute",
                "computeLocation": text(sent, "location") or self._setup.region,
                "description": said.get("description"),
                "disableLocalAuth": bool(said.get("disableLocalAuth")),
                "provisioningState": "Creating" if held is None else "Updating",
                "properties": {
                    # The service writes it so.
                    "vmSize": size.upper(),
                    "vmPriority": text(wanted, "vmPriority") or "Dedicated",
                    "osType": "Linux",
                    "scaleSettings": {**scale, "minNodeCount": least},
                    "remoteLoginPortPublicAccess": "NotSpecified",
                    "enableNodePublicIp": bool(wanted.get("enableNodePublicIp", True)),
                    "allocationState": "Steady",
                    "currentNodeCount": 0,
                    "targetNodeCount": 0,
                },
            },
        }
        kept: Json = {"before": held.body} if held is not None else {}
        self._store.write(key, body, kept)
        headers = self._operations.begin(request, key, "create" if held is None else "write")
        return answered(self._store.get(key).body, 201 if held is None else 200, headers)

    def _usages(self, _: Request, found: Mapping[str, str]) -> Answer:
        self._check(found)
        used = self._setup.cores_of_others + sum(self._deployed())
        base = f"/subscriptions/{self._setup.subscription}/providers/Microsoft.MachineLearningServices/usages"
        shown: list[Value] = [
            {
                "id": f"{base}/{name.replace(' ', '_')}",
                "type": f"Microsoft.MachineLearningServices/{kind}/usages",
                "unit": "Count",
                "currentValue": used,
                "limit": self._setup.cores,
                "name": {"value": name, "localizedValue": name},
            }
            for name, kind in ((_TOTAL_USE, "dedicatedCores"), (_FAMILY_USE, "vmFamily"))
        ]
        return answered({"value": shown})

    def _sizes(self, _: Request, found: Mapping[str, str]) -> Answer:
        self._check(found)
        shown: list[Value] = [
            {
                "name": name,
                "family": _FAMILY,
                "vCPUs": cores,
                "gpus": 0,
                "osVhdSizeMB": 1047552,
                "maxResourceVolumeMB": 7168 * cores,
                "memoryGB": 3.5 * cores,
                "lowPriorityCapable": True,
                "premiumIO": True,
                "supportedComputeTypes": ["AmlCompute", "ComputeInstance"],
            }
            for name, cores in _CORES.items()
        ]
        return answered({"value": shown})

    def _check(self, found: Mapping[str, str]) -> None:
        if found["subscription"].lower() != self._setup.subscription.lower():
            raise Refused(404, "SubscriptionNotFound", "The subscription was not found.")
        if found["location"].lower() != self._setup.region.lower():
            raise Refused(404, "LocationNotFound", f"There is no location {found['location']}.")

    def _deployed(self) -> Iterator[int]:
        """The cores of each online deployment."""
        for name in self._setup.workspaces:
            endpoints = self._scopes.workspace(name).key("onlineEndpoints")
            for endpoint in self._store.children(endpoints):
                for one in self._store.children(f"{endpoint.id}/deployments"):
                    count = part(one.body, "sku").get("capacity")
                    size = text(part(one.body, "properties"), "instanceType")
                    yield _CORES.get(size, 0) * (count if isinstance(count, int) else 1)


def _identity(sent: Json, key: str, tenant: str) -> Json:
    """The identity of a cluster, if it was asked for one; the SDK has a case of its own for its kind."""
    if text(sent, "type").lower() != "systemassigned":
        return {}
    principal = str(uuid.uuid5(uuid.NAMESPACE_URL, key))
    return {"identity": {"type": "SystemAssigned", "principalId": principal, "tenantId": tenant}}
