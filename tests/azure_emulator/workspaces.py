"""Workspaces and their datastores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.azure_emulator.blob_store import BlobStore
from tests.azure_emulator.listing import listed
from tests.azure_emulator.messages import Answer, Json, Refused, Request, Route, answered, part, text
from tests.azure_emulator.scope import ARM, WORKSPACE, Scope, Scopes, storage_account, workspace_guid
from tests.azure_emulator.setup import Setup
from tests.azure_emulator.store import Store

DEFAULT = "workspaceblobstore"
ARTIFACTS = "workspaceartifactstore"
SAS = "sv=2021-08-06&sr=c&sp=racwdl&sig=emulator"


class Workspaces:
    """The workspaces of the set-up, each with the datastores that come with one."""

    def __init__(self, setup: Setup, store: Store, blobs: BlobStore, scopes: Scopes) -> None:
        self._setup = setup
        self._store = store
        self._scopes = scopes
        for name in setup.workspaces:
            scope, account = scopes.workspace(name), storage_account(name)
            for datastore, container in (
                (DEFAULT, f"azureml-blobstore-{workspace_guid(name)}"),
                (ARTIFACTS, "azureml"),
            ):
                blobs.make_container(account, container)
                if store.find(scope.key("datastores", datastore)) is None:
                    self._write(scope, datastore, _default(account, container, first=datastore == DEFAULT))
            for datastore, (account, container) in setup.datastores.items():
                blobs.make_container(account, container)
                if store.find(scope.key("datastores", datastore)) is None:
                    said = _default(account, container, first=False)
                    self._write(scope, datastore, {**said, "credentials": {"credentialsType": "None"}})

    def routes(self) -> Sequence[Route]:
        one = rf"{WORKSPACE}/datastores/(?P<name>[^/]+)"
        return (
            Route("GET", ARM, WORKSPACE, self._workspace),
            Route("GET", ARM, rf"{WORKSPACE}/datastores", self._list),
            Route("GET", ARM, one, self._get),
            Route("PUT", ARM, one, self._put),
            Route("DELETE", ARM, one, self._delete),
            Route("POST", ARM, rf"{one}/listSecrets", self._secrets),
        )

    def _workspace(self, _: Request, found: Mapping[str, str]) -> Answer:
        scope = self._scopes.of(found)
        name = scope.base.rpartition("/")[2]
        group = scope.base.partition("/providers/")[0]
        account = f"{group}/providers/Microsoft.Storage/storageAccounts/{storage_account(name)}"
        return answered(
            {
                "id": scope.base,
                "name": name,
                "type": scope.kind(),
                "location": self._setup.region,
                "kind": "Default",
                "sku": {"name": "Basic", "tier": "Basic"},
                "identity": {
                    "type": "SystemAssigned",
                    "principalId": workspace_guid(f"{name}/identity"),
                    "tenantId": self._setup.principal.tenant,
                },
                "tags": {},
                "properties": {
                    "friendlyName": name,
                    "description": "",
                    "workspaceId": workspace_guid(name),
                    "provisioningState": "Succeeded",
                    "storageAccount": account,
                    "publicNetworkAccess": "Enabled",
                    "discoveryUrl": f"https://{self._setup.region}.api.azureml.ms/discovery",
                    "mlFlowTrackingUri": f"azureml://{self._setup.region}.api.azureml.ms/mlflow/v1.0{scope.base}",
                },
            }
        )

    def _list(self, request: Request, found: Mapping[str, str]) -> Answer:
        return listed(
            request, self._store.children(self._scopes.of(found).key("datastores")), self._setup.page
        )

    def _get(self, _: Request, found: Mapping[str, str]) -> Answer:
        return answered(self._store.get(self._scopes.of(found).key("datastores", found["name"])).body)

    def _put(self, request: Request, found: Mapping[str, str]) -> Answer:
        scope = self._scopes.of(found)
        sent = part(request.mapping(), "properties")
        if sent.get("datastoreType") != "AzureBlob":
            raise Refused(400, "UserError", "The emulator knows datastores of type AzureBlob only.")
        if not text(sent, "accountName") or not text(sent, "containerName"):
            raise Refused(400, "UserError", "A blob datastore needs accountName and containerName.")
        kind = text(part(sent, "credentials"), "credentialsType") or "None"
        if kind not in {"None", "AccountKey", "Sas"}:
            raise Refused(400, "UserError", f"The emulator knows no credentials of type {kind}.")
        new = self._store.find(scope.key("datastores", found["name"])) is None
        # What is secret in them is never shown again, so it is not kept either.
        said: Json = {**sent, "credentials": {"credentialsType": kind}, "isDefault": False}
        said.setdefault("endpoint", "core.windows.net")
        said.setdefault("protocol", "https")
        self._write(scope, found["name"], said)
        return answered(self._store.get(scope.key("datastores", found["name"])).body, 201 if new else 200)

    def _delete(self, _: Request, found: Mapping[str, str]) -> Answer:
        key = self._scopes.of(found).key("datastores", found["name"])
        if self._store.find(key) is None:
            return Answer(204)
        self._store.remove(key)
        return Answer(200)

    def _secrets(self, _: Request, found: Mapping[str, str]) -> Answer:
        record = self._store.get(self._scopes.of(found).key("datastores", found["name"]))
        match text(part(record.body, "properties", "credentials"), "credentialsType"):
            case "None":
                raise Refused(400, "UserError", "The datastore has no credentials.")
            case _:
                # The SDK asks for secrets that expire, and gets a signature whatever was set.
                return answered({"secretsType": "Sas", "sasToken": SAS})

    def _write(self, scope: Scope, name: str, properties: Json) -> None:
        identity = scope.key("datastores", name)
        body: Json = {
            "id": identity,
            "name": name,
            "type": scope.kind("datastores"),
            "properties": properties,
        }
        self._store.write(identity, body)


def _default(account: str, container: str, *, first: bool) -> Json:
    return {
        "datastoreType": "AzureBlob",
        "accountName": account,
        "containerName": container,
        "endpoint": "core.windows.net",
        "protocol": "https",
        "credentials": {"credentialsType": "AccountKey"},
        "serviceDataAccessAuthIdentity": "None",
        "isDefault": first,
        "tags": {},
        "properties": {},
    }
