"""Jobs: submitted, read, listed, canceled; and their history as the SDK asks for it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from tests.azure_emulator.blob_store import BlobStore
from tests.azure_emulator.job_parts import check, outputs_of
from tests.azure_emulator.job_runs import FINAL, LOG, JobRuns, artifacts
from tests.azure_emulator.listing import listed
from tests.azure_emulator.messages import Answer, Json, Refused, Request, Route, Value, answered, part, text
from tests.azure_emulator.operations import Operations
from tests.azure_emulator.scope import ARM, DATA_PLANE, WORKSPACE, Scope, Scopes, workspace_guid
from tests.azure_emulator.setup import Setup
from tests.azure_emulator.store import Record, Store
from tests.azure_emulator.workspaces import SAS

_FIXED = ("jobType", "command", "jobs", "codeId", "environmentId", "componentId")
"""What says what a job does; the rest may be changed later."""
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,254}")


class Jobs:
    """The jobs of the workspaces."""

    def __init__(
        self,
        setup: Setup,
        store: Store,
        blobs: BlobStore,
        operations: Operations,
        scopes: Scopes,
        runs: JobRuns,
    ) -> None:
        self._setup = setup
        self._store = store
        self._blobs = blobs
        self._operations = operations
        self._scopes = scopes
        self._runs = runs

    def routes(self) -> Sequence[Route]:
        job = rf"{WORKSPACE}/jobs/(?P<job>[^/]+)"
        history = rf"/history/v1\.0{WORKSPACE}"
        run = rf"{history}/runs/(?P<job>[^/]+)"
        return (
            Route("PUT", ARM, job, self._put),
            Route("GET", ARM, job, self._get),
            Route("GET", ARM, rf"{WORKSPACE}/jobs", self._list),
            Route("POST", ARM, rf"{job}/cancel", self._cancel),
            Route("GET", DATA_PLANE, "/discovery", self._discovery, open=True),
            Route("GET", DATA_PLANE, run, self._run),
            Route("PATCH", DATA_PLANE, rf"{history}/experiments/[^/]+/runs/(?P<job>[^/]+)", self._hide),
            Route("GET", DATA_PLANE, rf"{run}/details", self._details),
            Route("GET", DATA_PLANE, rf"{run}/children", self._children),
            Route("POST", DATA_PLANE, rf"{history}/rundata", self._run_data),
            Route(
                "POST", DATA_PLANE, rf"/data/v1\.0{WORKSPACE}/dataversion/batchGetResolvedUris", self._uris
            ),
        )

    def resume(self) -> None:
        """Run what an earlier emulator has left undone."""
        for name in self._setup.workspaces:
            scope = self._scopes.workspace(name)
            for record in self._store.children(scope.key("jobs")):
                status = part(record.body, "properties")["status"]
                if "parent" not in record.kept and status not in FINAL:
                    self._runs.submit(scope, text(record.body, "name"))

    def begin(self, workspace: str, name: str, definition: Json) -> None:
        """Begin a job that nobody has sent: a schedule or an endpoint holds what it is.

        Raises:
            Refused: It cannot be run.
        """
        found = {"workspace": workspace, "subscription": self._setup.subscription, "job": name}
        sent = json.dumps({"properties": definition}).encode()
        self._put(Request("PUT", "", "", {}, {}, sent), {**found, "group": self._setup.resource_group})

    def _put(self, request: Request, found: Mapping[str, str]) -> Answer:
        scope, name = self._scopes.of(found), found["job"]
        sent = part(request.mapping(), "properties")
        held = self._store.find(scope.key("jobs", name))
        fixed: Json = {key: sent[key] for key in _FIXED if sent.get(key) is not None}
        if held is not None:
            return self._change(held, sent, fixed)
        if not _NAME.fullmatch(name):
            raise Refused(400, "UserError", f"{name} is no name of a job.")
        check(sent, self._scopes)
        for kind in ("inputs", "outputs"):
            for said in part(sent, kind).values():
                uri = text(said, "uri") if isinstance(said, dict) else ""
                if "datastores/" in uri or uri.startswith("https:"):
                    self._scopes.locate(scope, uri)
                elif uri and kind == "inputs":
                    self._scopes.resolve(uri)
        outputs: Json = {
            key: {"uri": one.said, "mode": one.mode, "jobOutputType": one.kind}
            for key, one in outputs_of(name, {}, part(sent, "outputs"), {}).items()
        }
        outputs["default"] = {
            "uri": artifacts(name),
            "mode": "ReadWriteMount",
            "jobOutputType": "uri_folder",
        }
        studio = f"https://ml.azure.com/runs/{name}?wsid={scope.base}&tid={self._setup.principal.tenant}"
        properties: Json = {
            "experimentName": "Default",
            "tags": {},
            "properties": {},
            "isArchived": False,
            "displayName": name,
            **{key: value for key, value in sent.items() if value is not None},
            "outputs": outputs,
            "status": "NotStarted",
            "services": {
                "Studio": {"endpoint": studio, "jobServiceType": "Studio"},
                "Tracking": {
                    "endpoint": f"azureml://{self._setup.region}.api.azureml.ms/mlflow/v1.0{scope.base}?",
                    "jobServiceType": "Tracking",
                },
            },
        }
        identity = scope.key("jobs", name)
        body: Json = {"id": identity, "name": name, "type": scope.kind("jobs"), "properties": properties}
        kept: Json = {"fixed": fixed, "outputs": list(part(sent, "outputs"))}
        answer = answered(self._store.write(identity, body, kept).body, 201)
        self._store.write(identity, {**body, "properties": {**properties, "status": "Queued"}}, kept)
        self._runs.submit(scope, name)
        return answer

    def _change(self, held: Record, sent: Json, fixed: Json) -> Answer:
        if held.kept.get("fixed") != fixed:
            raise Refused(
                409, "UserError", f"The job {held.body['name']} is already there and does something else."
            )
        free = ("tags", "displayName", "description", "isArchived")
        changed = {key: sent[key] for key in free if sent.get(key) is not None}
        properties: Json = {**part(held.body, "properties"), **changed}
        return answered(self._store.write(held.id, {**held.body, "properties": properties}).body)

    def _get(self, _: Request, found: Mapping[str, str]) -> Answer:
        return answered(self._find(found).body)

    def _list(self, request: Request, found: Mapping[str, str]) -> Answer:
        kind = request.asked("jobType")
        records = [
            record
            for record in self._store.children(self._scopes.of(found).key("jobs"))
            if "parent" not in record.kept and kind in {None, part(record.body, "properties").get("jobType")}
        ]
        return listed(request, records, self._setup.page)

    def _cancel(self, request: Request, found: Mapping[str, str]) -> Answer:
        record = self._find(found)
        properties = part(record.body, "properties")
        if properties["status"] in FINAL:
            return Answer(200)
        waiting = properties["status"] != "Running"
        properties["status"] = "Canceled" if waiting else "CancelRequested"
        self._store.write(record.id, record.body)
        self._runs.cancel(self._scopes.of(found), text(record.body, "name"))
        return Answer(202, headers=self._operations.begin(request, record.id, "none"))

    def _find(self, found: Mapping[str, str]) -> Record:
        return self._store.get(self._scopes.of(found).key("jobs", found["job"]))

    def _discovery(self, _: Request, __: Mapping[str, str]) -> Answer:
        api = f"https://{self._setup.region}.api.azureml.ms"
        return answered(
            dict.fromkeys(("api", "experimentation", "history", "modelmanagement", "pipelines"), api)
        )

    def _run(self, _: Request, found: Mapping[str, str]) -> Answer:
        return answered(self._metadata(self._find(found)))

    def _hide(self, request: Request, found: Mapping[str, str]) -> Answer:
        """Archive a job, or show it again: the SDK asks for it here besides changing the job itself."""
        record, sent = self._find(found), request.mapping()
        if set(sent) != {"hidden"}:
            raise Refused(400, "UserError", "The emulator changes nothing of a run but whether it is hidden.")
        part(record.body, "properties")["isArchived"] = sent["hidden"] is True
        return answered(self._metadata(self._store.write(record.id, record.body)))

    def _details(self, _: Request, found: Mapping[str, str]) -> Answer:
        scope, record = self._scopes.of(found), self._find(found)
        name = text(record.body, "name")
        self._runs.keep_log(scope, name)
        place = self._scopes.locate(scope, artifacts(name)).below(LOG)
        logs: Json = {LOG: f"{place.url}?{SAS}"} if self._blobs.find(place) is not None else {}
        return answered({**self._metadata(record), "logFiles": logs, "warnings": []})

    def _children(self, _: Request, found: Mapping[str, str]) -> Answer:
        scope, parent = self._scopes.of(found), self._find(found)
        children: list[Value] = [
            self._metadata(record)
            for record in self._store.children(scope.key("jobs"))
            if record.kept.get("parent") == parent.body["name"]
        ]
        return answered({"value": children})

    def _run_data(self, request: Request, found: Mapping[str, str]) -> Answer:
        scope = self._scopes.of(found)
        record = self._store.get(scope.key("jobs", text(request.mapping(), "runId")))
        metadata = self._metadata(record)
        name = text(record.body, "name")
        metadata["outputs"] = {
            output: {
                "assetId": _output_asset(self._setup.region, scope, name, output),
                "type": said["jobOutputType"],
            }
            for output, said in part(record.body, "properties", "outputs").items()
            if isinstance(said, dict) and output != "default"
        }
        return answered({"runMetadata": metadata})

    def _uris(self, request: Request, found: Mapping[str, str]) -> Answer:
        """Where the outputs are that run data name."""
        scope, values = self._scopes.of(found), dict[str, Value]()
        asked = request.mapping().get("values")
        for asset in asked if isinstance(asked, list) else []:
            job, output = str(asset).split("/data/")[1].split("/")[0].split("_output_", 1)
            record = self._store.get(scope.key("jobs", job.removeprefix("azureml_")))
            values[str(asset)] = {
                "uri": _long(scope, text(part(record.body, "properties", "outputs", output), "uri"))
            }
        return answered({"values": values})

    def _metadata(self, record: Record) -> Json:
        properties, name = part(record.body, "properties"), text(record.body, "name")
        said: Json = {
            "runId": name,
            "rootRunId": name.partition(".")[0],
            "displayName": properties.get("displayName"),
            "status": properties["status"],
            "runType": "azureml.PipelineRun" if properties["jobType"] == "Pipeline" else "azureml.StepRun",
            "runTypeV2": {"orchestrator": None, "traits": []},
            "tags": part(properties, "tags"),
            "properties": part(properties, "properties"),
            "createdUtc": part(record.body, "systemData")["createdAt"],
        }
        for name_, key in (("started", "startTimeUtc"), ("ended", "endTimeUtc"), ("parent", "parentRunId")):
            if record.kept.get(name_):
                said[key] = record.kept[name_]
        if record.kept.get("error"):
            said["error"] = {"error": {"code": "UserError", "message": record.kept["error"]}}
        return said


def _output_asset(region: str, scope: Scope, job: str, output: str) -> str:
    guid = workspace_guid(scope.base.rpartition("/")[2])
    return f"azureml://locations/{region}/workspaces/{guid}/data/azureml_{job}_output_{output}/versions/1"


def _long(scope: Scope, uri: str) -> str:
    """A URI of a datastore that says of which workspace."""
    if not uri.startswith("azureml://datastores/"):
        return uri
    _, _, subscription, _, group, _, _, _, workspace = scope.base.split("/")
    return (
        f"azureml://subscriptions/{subscription}/resourcegroups/{group}/workspaces/{workspace}"
        f"/{uri.removeprefix('azureml://')}"
    )
