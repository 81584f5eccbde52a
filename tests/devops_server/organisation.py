"""The state of one organisation with one project, and what each request does to it.

As strict as the service where that is known: names are unique, what is referred to must exist, unknown fields are
refused, secrets are never given back, and lists come in pages.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

from tests.devops_server.refused import Refused

Body = dict[str, Any]
ORGANISATION, PROJECT, REPOSITORY = "acme", "Energy Forecasts", "fleet"
NAMESPACE = UUID("6f6f3c9e-5d0c-4a39-8f3e-0c2f4a8f0e11")
APPROVAL = "8c6f20a7-a545-4486-9777-f762fafe0d4d"
REVIEWERS, BUILD = "fa4e907d-c16b-4a4c-9dfa-4906e5d171dd", "0609b952-1397-4640-95ec-e00a01b2c241"
MOMENT = "2025-12-01T12:00:00Z"


def made_id(name: str) -> str:
    return str(uuid5(NAMESPACE, name))


@dataclass(slots=True)
class Organisation:
    """Everything by its id."""

    page: int = 2
    """How many a page of a list holds."""
    endpoints: dict[str, Body] = field(default_factory=dict)
    groups: dict[int, Body] = field(default_factory=dict)
    environments: dict[int, Body] = field(default_factory=dict)
    checks: dict[int, Body] = field(default_factory=dict)
    definitions: dict[int, Body] = field(default_factory=dict)
    permissions: dict[tuple[str, str], Body] = field(default_factory=dict)
    policies: dict[int, Body] = field(default_factory=dict)
    runs: dict[int, Body] = field(default_factory=dict)
    approvals: dict[str, Body] = field(default_factory=dict)
    last: int = 0

    def named(self, kind: str, name: str) -> Body:
        """What a test looks at or changes by hand."""
        things: Mapping[Any, Body] = getattr(self, kind)
        return next(one for one in things.values() if one["name"] == name)

    def check_of(self, environment: str) -> Body:
        number = str(self.named("environments", environment)["id"])
        return next(one for one in self.checks.values() if one["resource"]["id"] == number)

    # Repository ---------------------------------------------------------------------------------------------------

    def repository(self, name: str) -> Body:
        if name != REPOSITORY:
            raise Refused(404, f"TF401019: The Git repository with name or identifier {name} does not exist.")
        return {
            "id": made_id("repository"),
            "name": REPOSITORY,
            "project": {"id": made_id("project"), "name": PROJECT},
            "defaultBranch": "refs/heads/main",
        }

    # Service connections ------------------------------------------------------------------------------------------

    def list_endpoints(self, _query: Mapping[str, str]) -> Any:
        return listed([*self.endpoints.values()])

    def add_endpoint(self, body: Body) -> Body:
        self._check_endpoint(body)
        self._check_free(self.endpoints, body["name"])
        number = made_id(f"endpoint {body['name']}")
        self.endpoints[number] = self._federated({**body, "id": number, "owner": "library"})
        return self.endpoints[number]

    def put_endpoint(self, number: str, body: Body, query: Mapping[str, str]) -> Body:
        held = found(self.endpoints, number)
        self._check_endpoint(body)
        converts = body["authorization"]["scheme"] != held["authorization"]["scheme"]
        if converts and query.get("operation") != "ConvertAuthenticationScheme":
            raise Refused(400, "The authorization scheme of a service connection cannot be changed so.")
        self.endpoints[number] = self._federated({**body, "id": number})
        return self.endpoints[number]

    def _check_endpoint(self, body: Body) -> None:
        only(
            body,
            "name type url description data authorization isShared isReady serviceEndpointProjectReferences "
            "id owner createdBy",
        )
        needs(body, "name", "type", "url", "authorization", "serviceEndpointProjectReferences")
        for one in body["serviceEndpointProjectReferences"]:
            self._check_project(one["projectReference"])
        if "serviceprincipalkey" in body["authorization"]["parameters"]:
            raise Refused(400, "A federated connection has no key.")

    def _federated(self, body: Body) -> Body:
        made = copy.deepcopy(body)
        if made["authorization"]["scheme"] == "WorkloadIdentityFederation":
            made["authorization"]["parameters"] |= {
                "workloadIdentityFederationIssuer": f"https://vstoken.dev.azure.com/{made_id('organisation')}",
                "workloadIdentityFederationSubject": f"sc://{ORGANISATION}/{PROJECT}/{made['name']}",
            }
        return made

    # Variable groups ----------------------------------------------------------------------------------------------

    def add_group(self, body: Body) -> Body:
        self._check_group(body)
        self._check_free(self.groups, body["name"])
        number = self._next()
        self.groups[number] = {**body, "id": number, "createdOn": MOMENT}
        return hidden(self.groups[number])

    def put_group(self, number: int, body: Body) -> Body:
        held = found(self.groups, number)
        self._check_group(body)
        kept = held["variables"] if held["type"] == body["type"] else {}
        for name, variable in body["variables"].items():
            if variable.get("isSecret") and variable.get("value") is None and name in kept:
                variable["value"] = kept[name].get("value")
        self.groups[number] = {**held, **body, "id": number}
        return hidden(self.groups[number])

    def list_groups(self, query: Mapping[str, str]) -> Any:
        return self._page([hidden(one) for one in self.groups.values()], query)

    def _check_group(self, body: Body) -> None:
        only(body, "name description type variables providerData variableGroupProjectReferences")
        needs(body, "name", "type", "variables", "variableGroupProjectReferences")
        if not body["variables"]:
            raise Refused(400, "The variable group must contain at least one variable.")
        for one in body["variableGroupProjectReferences"]:
            self._check_project(one["projectReference"])
        if body["type"] == "AzureKeyVault":
            found(self.endpoints, body["providerData"]["serviceEndpointId"])
            for name, variable in body["variables"].items():
                only(variable, "isSecret enabled contentType expires value")
                if not variable.get("isSecret") or not name.replace("-", "").isalnum():
                    raise Refused(400, f"{name} cannot be a secret of a Key Vault.")
        elif body["type"] == "Vsts":
            for variable in body["variables"].values():
                only(variable, "value isSecret isReadOnly")
        else:
            raise Refused(400, f"{body['type']} is no type of a variable group.")

    # Environments and their checks ----------------------------------------------------------------------------------

    def add_environment(self, body: Body) -> Body:
        only(body, "name description")
        needs(body, "name")
        self._check_free(self.environments, body["name"])
        number = self._next()
        self.environments[number] = {**body, "id": number, "createdOn": MOMENT, "resources": []}
        return self.environments[number]

    def list_environments(self, query: Mapping[str, str]) -> Any:
        return self._page([*self.environments.values()], query)

    def query_checks(self, body: list[Body], query: Mapping[str, str]) -> Any:
        asked = {(one["type"], one["id"]) for one in body}
        checks = []
        for check in self.checks.values():
            if (check["resource"]["type"], check["resource"]["id"]) in asked:
                one = copy.deepcopy(check)
                if query.get("$expand") != "settings":
                    del one["settings"]
                one["resource"].pop("name", None)
                checks.append(one)
        return listed(checks)

    def add_check(self, body: Body) -> Body:
        self._check_check(body)
        number = self._next()
        self.checks[number] = {**body, "id": number, "createdOn": MOMENT}
        return self.checks[number]

    def patch_check(self, number: int, body: Body) -> Body:
        held = found(self.checks, number)
        self._check_check(body)
        if body["resource"]["id"] != held["resource"]["id"]:
            raise Refused(400, "A check cannot be moved to another resource.")
        self.checks[number] = {**held, **body}
        return self.checks[number]

    def _check_check(self, body: Body) -> None:
        only(body, "type resource timeout isDisabled settings")
        needs(body, "type", "resource", "settings")
        if body["type"]["id"].lower() != APPROVAL:
            raise Refused(400, "This server knows approval checks alone.")
        found(self.environments, int(body["resource"]["id"]))
        settings = body["settings"]
        only(
            settings,
            "approvers blockedApprovers executionOrder instructions minRequiredApprovers requesterCannotBeApprover",
        )
        if not settings["approvers"] or settings["minRequiredApprovers"] > len(settings["approvers"]):
            raise Refused(400, "The minimum number of approvers is more than there are approvers.")
        if not 1 <= body.get("timeout", 43_200) <= 43_200:
            raise Refused(400, "The timeout must be between 1 minute and 30 days.")

    # Pipelines ------------------------------------------------------------------------------------------------------

    def add_definition(self, body: Body) -> Body:
        self._check_definition(body)
        taken = {(one["path"], one["name"]) for one in self.definitions.values()}
        if (body["path"], body["name"]) in taken:
            raise Refused(409, f"A pipeline called {body['name']} already exists in {body['path']}.")
        number = self._next()
        self.definitions[number] = {**body, "id": number, "revision": 1}
        return self.definitions[number]

    def put_definition(self, number: int, body: Body) -> Body:
        held = found(self.definitions, number)
        self._check_definition(body)
        if body.get("revision") != held["revision"] or body.get("id") != number:
            raise Refused(409, "The pipeline was changed by somebody else in the meantime.")
        self.definitions[number] = {**body, "revision": held["revision"] + 1}
        return self.definitions[number]

    def list_definitions(self, query: Mapping[str, str]) -> Any:
        short = ("id", "name", "path", "type", "quality", "queueStatus", "revision")
        ordered = sorted(self.definitions.values(), key=lambda one: one["name"])
        return self._page([{key: one[key] for key in short} for one in ordered], query)

    def get_definition(self, number: int) -> Body:
        return found(self.definitions, number)

    def _check_definition(self, body: Body) -> None:
        only(
            body,
            "name path type quality queueStatus process repository queue triggers id revision createdDate",
        )
        needs(body, "name", "path", "process", "repository", "queue")
        only(body["process"], "type yamlFilename")
        if body["process"]["type"] != 2 or not body["process"]["yamlFilename"]:
            raise Refused(400, "This server knows pipelines in YAML alone.")
        if body["repository"]["id"] != made_id("repository") or body["repository"]["type"] != "TfsGit":
            raise Refused(400, "There is no such repository.")

    # Permissions to use -----------------------------------------------------------------------------------------------

    def get_permission(self, kind: str, number: str) -> Body:
        self._check_resource(kind, number)
        blank = {"resource": {"type": kind, "id": number}, "pipelines": []}
        return self.permissions.setdefault((kind, number), blank)

    def patch_permission(self, kind: str, number: str, body: Body) -> Body:
        held = self.get_permission(kind, number)
        only(body, "resource allPipelines pipelines")
        may = {one["id"]: one for one in held["pipelines"]}
        for one in body.get("pipelines", []):
            only(one, "id authorized")
            found(self.definitions, one["id"])
            may[one["id"]] = {**one, "authorizedOn": MOMENT}
        held["pipelines"] = [one for one in may.values() if one["authorized"]]
        if "allPipelines" in body:
            if body["allPipelines"]["authorized"]:
                held["allPipelines"] = {"authorized": True, "authorizedOn": MOMENT}
            else:
                held.pop("allPipelines", None)
        return held

    def _check_resource(self, kind: str, number: str) -> None:
        if kind == "endpoint":
            found(self.endpoints, number)
        elif kind == "variablegroup":
            found(self.groups, int(number))
        elif kind == "environment":
            found(self.environments, int(number))
        else:
            raise Refused(400, f"{kind} is no resource.")

    # Branch policies --------------------------------------------------------------------------------------------------

    def add_policy(self, body: Body) -> Body:
        self._check_policy(body)
        number = self._next()
        self.policies[number] = {**body, "id": number, "revision": 1, "isDeleted": False}
        return self.policies[number]

    def put_policy(self, number: int, body: Body) -> Body:
        held = found(self.policies, number)
        self._check_policy(body)
        if body["type"]["id"] != held["type"]["id"]:
            raise Refused(400, "A policy keeps its type.")
        self.policies[number] = {**held, **body, "revision": held["revision"] + 1}
        return self.policies[number]

    def list_policies(self, query: Mapping[str, str]) -> Any:
        return self._page([*self.policies.values()], query)

    def _check_policy(self, body: Body) -> None:
        only(body, "isEnabled isBlocking type settings")
        needs(body, "isEnabled", "isBlocking", "type", "settings")
        settings = body["settings"]
        if body["type"]["id"] == REVIEWERS:
            only(settings, "minimumApproverCount creatorVoteCounts allowDownvotes resetOnSourcePush scope")
            if not 1 <= settings["minimumApproverCount"] <= 10:
                raise Refused(400, "The minimum of approvers must be 1 to 10.")
        elif body["type"]["id"] == BUILD:
            only(
                settings,
                "buildDefinitionId displayName queueOnSourceUpdateOnly manualQueueOnly validDuration scope",
            )
            found(self.definitions, settings["buildDefinitionId"])
        else:
            raise Refused(400, "This server knows two types of policies.")
        for scope in settings["scope"]:
            only(scope, "repositoryId refName matchKind")

    # Runs and approvals -----------------------------------------------------------------------------------------------

    def add_run(self, pipeline: int, body: Body) -> Body:
        definition = found(self.definitions, pipeline)
        only(body, "resources templateParameters variables stagesToSkip")
        number = self._next()
        self.runs[number] = {
            "id": number,
            "name": f"20251201.{number}",
            "state": "inProgress",
            "createdDate": MOMENT,
            "pipeline": {"id": pipeline, "name": definition["name"], "folder": definition["path"]},
            "asked": body,
        }
        return shown(self.runs[number])

    def get_run(self, pipeline: int, number: int) -> Body:
        run = found(self.runs, number)
        if run["pipeline"]["id"] != pipeline:
            raise Refused(404, f"Run {number} is of another pipeline.")
        return shown(run)

    def get_build(self, number: int) -> Body:
        found(self.runs, number)
        return {"id": number, "orchestrationPlan": {"planId": made_id(f"plan {number}")}}

    def get_timeline(self, number: int, timeline: str) -> Body:
        run = found(self.runs, number)
        if timeline != made_id(f"plan {number}"):
            raise Refused(404, f"There is no timeline {timeline}.")
        state = "completed" if run["state"] == "completed" else "inProgress"
        stage = {
            "id": made_id(f"stage {number}"),
            "type": "Stage",
            "name": "Deploy",
            "order": 1,
            "state": state,
        }
        job = {
            "id": made_id(f"job {number}"),
            "parentId": stage["id"],
            "type": "Job",
            "name": "ask",
            "order": 1,
            "state": state,
            "result": run.get("result", "succeeded"),
            "startTime": MOMENT,
        }
        return {"id": timeline, "records": [job, stage]}

    def ask(self, environment: str) -> Body:
        """Let a job on an environment wait for people; what a test calls by hand."""
        check = self.check_of(environment)
        number = made_id(f"approval {self._next()}")
        self.approvals[number] = {
            "id": number,
            "status": "pending",
            "createdOn": MOMENT,
            "instructions": check["settings"]["instructions"],
            "minRequiredApprovers": check["settings"]["minRequiredApprovers"],
            "executionOrder": "anyOrder",
            "blockedApprovers": [],
            "steps": [
                {"assignedApprover": {"id": one["id"]}, "status": "pending", "order": order}
                for order, one in enumerate(check["settings"]["approvers"], start=1)
            ],
        }
        return self.approvals[number]

    def list_approvals(self, query: Mapping[str, str]) -> Any:
        asked = query.get("state")
        return listed([one for one in self.approvals.values() if asked in (None, one["status"])])

    def patch_approvals(self, body: list[Body]) -> Any:
        decided = []
        for one in body:
            only(one, "approvalId status comment")
            held = found(self.approvals, one["approvalId"])
            if held["status"] != "pending":
                raise Refused(409, f"Approval {one['approvalId']} is {held['status']} already.")
            step = next(step for step in held["steps"] if step["status"] == "pending")
            step |= {"status": one["status"], "comment": one.get("comment", ""), "lastModifiedOn": MOMENT}
            given = sum(step["status"] == "approved" for step in held["steps"])
            if one["status"] == "rejected":
                held["status"] = "rejected"
            elif given >= held["minRequiredApprovers"]:
                held["status"] = "approved"
            decided.append(held)
        return listed(decided)

    # ------------------------------------------------------------------------------------------------------------------

    def _next(self) -> int:
        self.last += 1
        return self.last

    def _page(self, everything: list[Body], query: Mapping[str, str]) -> tuple[Any, Mapping[str, str]]:
        start = int(query.get("continuationToken", "0"))
        end = start + self.page
        return listed(everything[start:end]), (
            {"x-ms-continuationtoken": str(end)} if end < len(everything) else {}
        )

    def _check_free(self, things: Mapping[Any, Body], name: str) -> None:
        if any(one["name"] == name for one in things.values()):
            raise Refused(409, f"{name} already exists in project {PROJECT}.")

    def _check_project(self, reference: Body) -> None:
        if reference.get("id") != made_id("project"):
            raise Refused(404, "VS800075: The project does not exist, or you have no permission to see it.")


def hidden(group: Body) -> Body:
    """A variable group as it is shown: secrets without their values."""
    shown = copy.deepcopy(group)
    for variable in shown["variables"].values():
        if variable.get("isSecret"):
            variable["value"] = None
    return shown


def shown(run: Body) -> Body:
    """A run as it is shown; what it was asked is this server's own."""
    return {key: value for key, value in run.items() if key != "asked"}


def listed(everything: list[Body]) -> Body:
    return {"count": len(everything), "value": everything}


def found(things: Mapping[Any, Body], number: Any) -> Body:
    if number not in things:
        raise Refused(404, f"There is no {number}.")
    return things[number]


def only(body: Mapping[str, Any], names: str) -> None:
    unknown = sorted(set(body) - set(names.split()))
    if unknown:
        raise Refused(400, f"unknown fields: {', '.join(unknown)}")


def needs(body: Mapping[str, Any], *names: str) -> None:
    lacking = [name for name in names if name not in body]
    if lacking:
        raise Refused(400, f"missing fields: {', '.join(lacking)}")
