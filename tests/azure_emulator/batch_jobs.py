"""Batch endpoints when they are invoked: the default deployment, or the one that is named, becomes a job that runs."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from tests.azure_emulator.jobs import Jobs
from tests.azure_emulator.listing import listed
from tests.azure_emulator.messages import Answer, Json, Refused, Request, Route, answered, part, text
from tests.azure_emulator.scope import DATA_PLANE, WORKSPACE, Scope, Scopes
from tests.azure_emulator.setup import Setup
from tests.azure_emulator.store import Record, Store

PATH = "/jobs"
_HOST = r"(?P<endpoint>[a-z0-9-]+)\.[a-z0-9]+\.inference\.ml\.azure\.com"
_DEPLOYMENT, _REPEATED = "azureml-model-deployment", "repeatability_request-id"
"""Headers as the SDK writes them."""
_TAKEN = frozenset({"inputData", "name", "properties"})


class BatchJobs:
    """The jobs that the batch endpoints of the workspaces begin.

    Nothing of it is published: addresses, headers and bodies are those of the SDK.
    """

    def __init__(self, setup: Setup, store: Store, scopes: Scopes, jobs: Jobs) -> None:
        self._setup = setup
        self._store = store
        self._scopes = scopes
        self._jobs = jobs

    def routes(self) -> Sequence[Route]:
        below = rf"/mferp/managementfrontend{WORKSPACE}/batchEndpoints/(?P<endpoint>[^/]+)"
        return (
            Route("POST", _HOST, PATH, self._invoke),
            Route("GET", DATA_PLANE, rf"{below}/deployments/(?P<deployment>[^/]+)/jobs", self._list),
        )

    def _invoke(self, request: Request, found: Mapping[str, str]) -> Answer:
        workspace, endpoint = self._endpoint(found["endpoint"])
        sent, repeated = request.mapping(), request.headers.get(_REPEATED, "")
        said = part(sent, "properties")
        if set(sent) != {"properties"} or set(said) - _TAKEN:
            strange = sorted(set(sent) - {"properties"} | set(said) - _TAKEN)
            raise Refused(400, "UserError", f"The emulator takes no {', '.join(strange) or 'such body'}.")
        deployment = self._deployment(endpoint, request.headers.get(_DEPLOYMENT))
        name = text(said, "name") or f"batchjob-{uuid.uuid4()}"
        scope = self._scopes.workspace(workspace)
        held = self._store.find(scope.key("jobs", name))
        if held is not None:
            if not repeated or held.kept.get("repeated") != repeated:
                raise Refused(409, "UserError", f"There is a job {name} already.")
            return answered(_shown(held), 200)
        self._jobs.begin(workspace, name, self._definition(deployment, said))
        record = self._store.get(scope.key("jobs", name))
        begun_by: Json = {
            "endpoint": text(endpoint.body, "name").lower(),
            "deployment": text(deployment.body, "name").lower(),
            "repeated": repeated,
        }
        self._store.keep(record, {**record.kept, **begun_by})
        return answered(_shown(record), 201)

    def _endpoint(self, name: str) -> tuple[str, Record]:
        """A batch endpoint, and its workspace: its name is the only one of the region."""
        for workspace in self._setup.workspaces:
            found = self._store.find(self._scopes.workspace(workspace).key("batchEndpoints", name))
            if found is not None:
                return workspace, found
        raise Refused(404, "NotFound", "There is nothing here.")

    def _deployment(self, endpoint: Record, named: str | None) -> Record:
        name = named or text(part(endpoint.body, "properties", "defaults"), "deploymentName")
        found = self._store.find(f"{endpoint.id}/deployments/{name}") if name else None
        if found is None:
            raise Refused(400, "UserError", f"There is no deployment {name or 'that is the default'}.")
        state = text(part(found.body, "properties"), "provisioningState")
        if state != "Succeeded":
            raise Refused(400, "UserError", f"The deployment {name} is in the provisioning state {state}.")
        return found

    def _definition(self, deployment: Record, said: Json) -> Json:
        """The job of a pipeline component: its steps, with the inputs of whoever invoked it."""
        configuration = part(deployment.body, "properties", "deploymentConfiguration")
        component = text(part(configuration, "componentId"), "assetId")
        if not component:
            raise Refused(400, "UserError", "The emulator invokes deployments of pipeline components.")
        spec = part(self._scopes.resolve(component).body, "properties", "componentSpec")
        if text(spec, "type") != "pipeline":
            raise Refused(400, "UserError", "A deployment runs a component of type pipeline.")
        more = part(said, "properties")
        tags: Json = {"azureml.batchrun": "true", "azureml.jobtype": "azureml.pipelinejob"}
        return {
            "jobType": "Pipeline",
            "experimentName": text(more, "experimentName") or "Default",
            "inputs": _inputs(part(spec, "inputs"), part(said, "inputData")),
            "jobs": part(spec, "jobs"),
            "settings": dict(part(configuration, "settings")),
            "tags": {**tags, **part(configuration, "tags")},
        }

    def _list(self, request: Request, found: Mapping[str, str]) -> Answer:
        scope = self._scopes.of(found)
        endpoint = self._store.get(scope.key("batchEndpoints", found["endpoint"]))
        self._store.get(f"{endpoint.id}/deployments/{found['deployment']}")
        wanted = {name: found[name].lower() for name in ("endpoint", "deployment")}
        return listed(request, self._begun(scope, wanted), self._setup.page)

    def _begun(self, scope: Scope, by: Mapping[str, str]) -> list[Record]:
        return [
            record
            for record in self._store.children(scope.key("jobs"))
            if all(record.kept.get(key) == value for key, value in by.items())
        ]


def _inputs(declared: Json, sent: Json) -> Json:
    """The inputs of a job: texts only, all that are needed and none that nobody has declared."""
    unknown = sorted(set(sent) - set(declared))
    if unknown:
        raise Refused(400, "UserError", f"There is no input {unknown[0]}.")
    inputs: Json = {}
    for name in declared:
        said, kind = part(sent, name), part(declared, name)
        if said and (text(said, "jobInputType") != "Literal" or not isinstance(said.get("value"), str)):
            raise Refused(400, "UserError", f"The emulator takes a text for the input {name}.")
        value = said.get("value", kind.get("default"))
        if value is None and kind.get("optional") is not True:
            raise Refused(400, "UserError", f"The input {name} has no value.")
        if value is not None:
            inputs[name] = {"jobInputType": "literal", "value": value}
    return inputs


def _shown(record: Record) -> Json:
    return {
        "id": record.id,
        "name": record.body["name"],
        "type": record.body["type"],
        "properties": {"status": part(record.body, "properties")["status"]},
    }
