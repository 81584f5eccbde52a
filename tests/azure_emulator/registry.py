"""Registries: where they are, and what is brought into them from a workspace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from fleetcast.ports.clock import Clock
from tests.azure_emulator.assets import Assets
from tests.azure_emulator.blob_store import BlobStore, Place
from tests.azure_emulator.messages import Answer, Json, Refused, Request, Route, answered, part, text
from tests.azure_emulator.operations import Operations
from tests.azure_emulator.scope import ARM, DATA_PLANE, REGISTRY, Scope, Scopes, storage_account
from tests.azure_emulator.setup import Setup
from tests.azure_emulator.store import Record, Store
from tests.azure_emulator.workspaces import SAS

_CONTAINER = "assets"


class Registries:
    """The registries of the set-up."""

    def __init__(
        self,
        setup: Setup,
        store: Store,
        blobs: BlobStore,
        operations: Operations,
        scopes: Scopes,
        assets: Assets,
        clock: Clock,
    ) -> None:
        self._setup = setup
        self._store = store
        self._blobs = blobs
        self._operations = operations
        self._scopes = scopes
        self._assets = assets
        self._clock = clock
        for name in setup.registries:
            blobs.make_container(storage_account(name), _CONTAINER)

    def routes(self) -> Sequence[Route]:
        group = r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)"
        registry = rf"{group}/providers/Microsoft\.MachineLearningServices/registries/(?P<registry>[^/]+)"
        discovery = r"/registrymanagement/v1\.0/registries/(?P<registry>[^/]+)/discovery"
        return (
            Route("GET", DATA_PLANE, discovery, self._discovery),
            Route("GET", ARM, registry, self._registry),
            Route("POST", DATA_PLANE, rf"{REGISTRY}/import", self._import),
            Route("POST", DATA_PLANE, rf"{REGISTRY}/datarefs/[^/]+/versions/[^/]+", self._reference),
        )

    def _discovery(self, _: Request, found: Mapping[str, str]) -> Answer:
        scope, region = self._scopes.registry(found["registry"]), self._setup.region
        return answered(
            {
                "registryName": scope.registry,
                "tenantId": self._setup.principal.tenant,
                "primaryRegion": region,
                "regions": [region],
                "subscriptionId": self._setup.subscription,
                "resourceGroup": self._setup.resource_group,
                "workspaceName": "",
                "primaryRegionResourceProviderUri": f"https://cert-{region}.experiments.azureml.net/",
                "registryFqdns": {region: {"uri": f"https://cert-{region}.experiments.azureml.net/"}},
            }
        )

    def _registry(self, _: Request, found: Mapping[str, str]) -> Answer:
        scope, region = self._scopes.of(found), self._setup.region
        return answered(
            {
                "id": scope.base,
                "name": scope.registry,
                "type": scope.kind(),
                "location": region,
                "identity": {"type": "SystemAssigned"},
                "tags": {},
                "properties": {
                    "discoveryUrl": f"https://{region}.api.azureml.ms/registrymanagement/v1.0/registries"
                    f"/{scope.registry}/discovery",
                    "publicNetworkAccess": "Enabled",
                    "regionDetails": [{"location": region}],
                },
            }
        )

    def _import(self, request: Request, found: Mapping[str, str]) -> Answer:
        """Bring a model of a workspace into the registry, with its blobs, or an environment."""
        scope = self._scopes.of(found)
        sent = request.mapping()
        sent = part(sent, "properties") or sent
        source = self._scopes.resolve(text(sent, "sourceAssetId"))
        kind, name, _, version = source.id.split("/")[-4:]
        name, version = text(sent, "destinationName") or name, text(sent, "destinationVersion") or version
        key = scope.key(kind, name, "versions", version)
        if kind not in ("models", "environments"):
            raise Refused(400, "UserError", f"The emulator shares models and environments, not {kind}.")
        if self._store.find(key) is not None:
            raise Refused(409, "UserError", f"{kind} {name}:{version} is already in the registry.")
        self._bring(request, scope, source, kind, name, version)
        return Answer(202, headers=self._operations.begin(request, key, "create"))

    def _reference(self, request: Request, found: Mapping[str, str]) -> Answer:
        """Where an asset's blobs may be read."""
        scope, sent = self._scopes.of(found), request.mapping()
        self._scopes.resolve(text(sent, "assetId"))
        uri = text(sent, "blobUri")
        container = replace(self._scopes.locate(scope, uri), name="")
        sas: Json = {"credentialType": "SAS", "sasUri": f"{container.url}?{SAS}"}
        return answered({"blobReferenceForConsumption": {"blobUri": uri, "credential": sas}})

    def _bring(
        self, request: Request, scope: Scope, source: Record, kind: str, name: str, version: str
    ) -> None:
        properties: Json = dict(part(source.body, "properties"))
        properties["provisioningState"] = "Creating"
        kept: Json = {"content": part(source.kept, "content")}
        if kind == "models":
            workspace = self._scopes.workspace(source.id.split("/")[8])
            there = self._scopes.locate(workspace, text(properties, "modelUri"))
            assert scope.registry is not None
            here = Place(storage_account(scope.registry), _CONTAINER, f"models/{name}/{version}")
            self._blobs.copy(there, here)
            properties["modelUri"] = here.url
            kept = {"content": {"modelUri": here.url}}
        fault = request.fault
        if fault is not None and fault.kind == "late":
            kept["hidden_reads"] = fault.reads
            if fault.seconds:
                kept["hidden_until"] = (self._clock.now() + timedelta(seconds=fault.seconds)).isoformat()
        self._assets.write(scope, kind, name, version, properties, kept)
