"""Environments, codes, components, data and models: in versions that never change, in workspaces and registries."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime

from fleetcast.ports.clock import Clock
from tests.azure_emulator.blob_store import BlobStore
from tests.azure_emulator.listing import listed
from tests.azure_emulator.messages import Answer, Json, Refused, Request, Route, Value, answered, part, text
from tests.azure_emulator.operations import Operations
from tests.azure_emulator.scope import ARM, DATA_PLANE, REGISTRY, WORKSPACE, Scope, Scopes, storage_account
from tests.azure_emulator.setup import Setup
from tests.azure_emulator.store import Record, Store
from tests.azure_emulator.workspaces import SAS

KINDS = "environments|codes|components|data|models"
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,254}")
_LATEST = {"azureml_default", "latest"}
_FREE = {
    "autoDeleteSetting",
    "autoRebuild",
    "description",
    "environmentType",
    "isAnonymous",
    "isArchived",
    "properties",
    "provisioningState",
    "stage",
    "systemMetadata",
    "system_metadata",
    "tags",
}
"""What may be changed later, or is filled in by the service."""
_NEEDED = {
    "environments": ("image", "build"),
    "codes": ("codeUri",),
    "components": ("componentSpec",),
    "data": ("dataUri",),
    "models": ("modelUri",),
}


class Assets:
    """Everything that has a name and versions."""

    def __init__(
        self,
        setup: Setup,
        store: Store,
        blobs: BlobStore,
        operations: Operations,
        scopes: Scopes,
        clock: Clock,
    ) -> None:
        self._setup = setup
        self._store = store
        self._blobs = blobs
        self._operations = operations
        self._scopes = scopes
        self._clock = clock

    def routes(self) -> Sequence[Route]:
        routes = []
        for host, base in ((ARM, WORKSPACE), (DATA_PLANE, REGISTRY)):
            kind = rf"{base}/(?P<kind>{KINDS})"
            name = rf"{kind}/(?P<name>[^/]+)"
            version = rf"{name}/versions/(?P<version>[^/]+)"
            routes += [
                Route("GET", host, kind, self._containers),
                Route("GET", host, name, self._container),
                Route("PUT", host, name, self._put_container),
                Route("GET", host, rf"{name}/versions", self._versions),
                Route("GET", host, version, self._version),
                Route("PUT", host, version, self._put_version),
                Route("DELETE", host, version, self._delete_version),
                Route("POST", host, rf"{version}/startPendingUpload", self._pending),
            ]
        routes.append(
            Route(
                "PUT",
                DATA_PLANE,
                rf"{REGISTRY}/tempdatarefs/(?P<name>[^/]+)/versions/(?P<version>[^/]+)",
                self._pending,
            )
        )
        return routes

    def _containers(self, request: Request, found: Mapping[str, str]) -> Answer:
        scope, kind = self._scopes.of(found), found["kind"].lower()
        for container in self._store.children(scope.key(kind)):
            self._count(scope, kind, text(container.body, "name"))
        return listed(request, self._store.children(scope.key(kind)), self._setup.page)

    def _container(self, _: Request, found: Mapping[str, str]) -> Answer:
        scope, kind = self._scopes.of(found), found["kind"].lower()
        self._store.get(scope.key(kind, found["name"]))
        self._count(scope, kind, found["name"])
        return answered(self._store.get(scope.key(kind, found["name"])).body)

    def _put_container(self, request: Request, found: Mapping[str, str]) -> Answer:
        scope, kind, name = self._scopes.of(found), found["kind"].lower(), found["name"]
        sent = part(request.mapping(), "properties")
        held = self._store.get(scope.key(kind, name))
        free = {key: value for key, value in sent.items() if key in _FREE}
        properties = {**part(held.body, "properties"), **free}
        return answered(self._store.write(held.id, {**held.body, "properties": properties}).body)

    def _versions(self, request: Request, found: Mapping[str, str]) -> Answer:
        scope, kind = self._scopes.of(found), found["kind"].lower()
        wanted = request.asked("hash")
        if kind == "codes" and wanted is not None:
            # Codes are asked for by content, under a name made up for the occasion.
            records = [
                record
                for container in self._store.children(scope.key(kind))
                for record in self._visible(f"{container.id}/versions")
                if part(record.body, "properties", "properties").get("hash_sha256") == wanted
            ]
            return listed(request, records[-1:], self._setup.page)
        return listed(request, self._visible(scope.key(kind, found["name"], "versions")), self._setup.page)

    def _version(self, _: Request, found: Mapping[str, str]) -> Answer:
        scope, kind, version = self._scopes.of(found), found["kind"].lower(), found["version"]
        parent = scope.key(kind, found["name"], "versions")
        if version.lower() in _LATEST:
            visible = self._visible(parent)
            if not visible:
                raise Refused(404, "ResourceNotFound", f"There is no version of {found['name']}.")
            return answered(visible[-1].body)
        record = self._store.get(f"{parent}/{version}")
        if self._late(record):
            raise Refused(404, "ResourceNotFound", f"{record.body['id']} was not found.")
        return answered(record.body)

    def _put_version(self, request: Request, found: Mapping[str, str]) -> Answer:
        scope, kind = self._scopes.of(found), found["kind"].lower()
        name, version = found["name"], found["version"]
        sent = part(request.mapping(), "properties")
        self._check(kind, name, version, sent)
        key = scope.key(kind, name, "versions", version)
        properties = {**_defaults(kind), **{name: value for name, value in sent.items() if value is not None}}
        content, held = _content(properties), self._store.find(key)
        if held is not None and held.kept["content"] != content:
            raise Refused(
                409,
                "UserError",
                f"{kind} {name}:{version} already exists with other content; it cannot be changed.",
            )
        # The SDK sends a number, where the service keeps texts only.
        properties["properties"] = {one: str(value) for one, value in part(properties, "properties").items()}
        properties.pop("system_metadata", None)
        if scope.registry is not None:
            properties["provisioningState"] = "Creating" if held is None else "Updating"
        kept: Json = {"content": content}
        if held is not None and scope.registry is not None:
            kept["before"] = held.body
        record = self.write(scope, kind, name, version, properties, kept)
        headers: Mapping[str, str] = {}
        if scope.registry is not None:
            headers = self._operations.begin(request, record.id, "create" if held is None else "write")
        return answered(record.body, 201 if held is None else 200, headers)

    def write(self, scope: Scope, kind: str, name: str, version: str, properties: Json, kept: Json) -> Record:
        """Keep a version, and make its container."""
        body: Json = {
            "id": scope.shown(kind, name, "versions", version),
            "name": version,
            "type": scope.kind(kind, "versions"),
            "properties": properties,
        }
        record = self._store.write(scope.key(kind, name, "versions", version), body, kept)
        self._count(scope, kind, name)
        return record

    def _delete_version(self, _: Request, found: Mapping[str, str]) -> Answer:
        scope, kind = self._scopes.of(found), found["kind"].lower()
        key = scope.key(kind, found["name"], "versions", found["version"])
        if self._store.find(key) is None:
            return Answer(204)
        self._store.remove(key)
        self._count(scope, kind, found["name"])
        return Answer(200)

    def _pending(self, _: Request, found: Mapping[str, str]) -> Answer:
        """A place of its own to upload to."""
        scope = self._scopes.of(found)
        account = storage_account(scope.base.rpartition("/")[2])
        container = f"{uuid.uuid4()}"
        self._blobs.make_container(account, container)
        url = f"https://{account}.blob.core.windows.net/{container}"
        sas: Json = {"credentialType": "SAS", "sasUri": f"{url}?{SAS}"}
        return answered(
            {
                "pendingUploadId": str(uuid.uuid4()),
                "pendingUploadType": "TemporaryBlobReference",
                "blobReferenceForConsumption": {
                    "blobUri": url,
                    "storageAccountArmId": (
                        f"{scope.base.partition('/providers/')[0]}"
                        f"/providers/Microsoft.Storage/storageAccounts/{account}"
                    ),
                    "credential": sas,
                },
            }
        )

    def _check(self, kind: str, name: str, version: str, sent: Json) -> None:
        if not _NAME.fullmatch(name) or not _NAME.fullmatch(version):
            raise Refused(400, "UserError", f"{name}:{version} is no name and version of an asset.")
        if kind == "models" and not version.isdigit():
            raise Refused(
                400, "UserError", f"The version of a model has to be a positive integer, not {version}."
            )
        if not any(sent.get(needed) for needed in _NEEDED[kind]):
            raise Refused(400, "UserError", f"{kind} need {' or '.join(_NEEDED[kind])}.")
        specification = part(sent, "componentSpec")
        for reference in (text(specification, "environment"), text(specification, "code")):
            if reference:
                self._scopes.resolve(reference)
        for job in part(specification, "jobs").values():
            if isinstance(job, dict) and text(job, "componentId"):
                self._scopes.resolve(text(job, "componentId"))

    def _count(self, scope: Scope, kind: str, name: str) -> None:
        """Let a container say what its versions are by now; one that failed has gone since."""
        versions = self._store.children(scope.key(kind, name, "versions"))
        numbers = [int(str(one.body["name"])) for one in versions if str(one.body["name"]).isdigit()]
        held = self._store.find(scope.key(kind, name))
        properties: Json = {
            "description": "",
            "tags": {},
            "properties": {},
            "isArchived": False,
            **{
                one: value
                for one, value in (part(held.body, "properties") if held else {}).items()
                if one != "latestVersion"
            },
            "nextVersion": str(max(numbers, default=0) + 1),
        }
        if versions:
            properties["latestVersion"] = versions[-1].body["name"]
            if kind == "data":
                properties["dataType"] = part(versions[-1].body, "properties")["dataType"]
        body: Json = {
            "id": scope.shown(kind, name),
            "name": name,
            "type": scope.kind(kind),
            "properties": properties,
        }
        if held is None or held.body["properties"] != properties:
            self._store.write(scope.key(kind, name), body)

    def _visible(self, parent: str) -> Sequence[Record]:
        return [record for record in self._store.children(parent) if not self._late(record)]

    def _late(self, record: Record) -> bool:
        """Whether a read finds nothing yet; counts this one."""
        reads, until = record.kept.get("hidden_reads"), record.kept.get("hidden_until")
        if isinstance(until, str) and datetime.fromisoformat(until) > self._clock.now():
            return True
        if isinstance(reads, int) and reads > 0:
            self._store.keep(record, {**record.kept, "hidden_reads": reads - 1})
            return True
        return False


def _content(sent: Json) -> Json:
    """What never changes."""
    content: Json = {key: value for key, value in sent.items() if key not in _FREE and value is not None}
    specification = content.get("componentSpec")
    if isinstance(specification, dict):
        free = {"description", "tags", "display_name"}
        content["componentSpec"] = {key: value for key, value in specification.items() if key not in free}
    return content


def _defaults(kind: str) -> Json:
    usual: Json = {"description": "", "tags": {}, "properties": {}, "isArchived": False, "isAnonymous": False}
    more: dict[str, dict[str, Value]] = {
        "environments": {"environmentType": "UserCreated", "osType": "Linux"},
        "models": {"flavors": {}, "modelType": "custom_model"},
        "data": {"dataType": "uri_folder"},
    }
    return {**usual, **more.get(kind, {})}
