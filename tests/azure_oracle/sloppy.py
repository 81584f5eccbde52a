"""Which of Microsoft's own examples do not fit its descriptions, and why each is theirs and no mistake of ours."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_NULLS = "it writes what there is not as null, where null is not declared"
_OTHER_VALUE = "its value is one that this version does not declare"


@dataclass(frozen=True, slots=True)
class Sloppy:
    """One example file, in all versions that have it."""

    file: str
    """Its end, from the folder of the examples on."""
    places: tuple[str, ...]
    """Where it is wrong; `*` is one part. Empty: it is no request of its own operation."""
    why: str

    def is_of(self, file: Path) -> bool:
        return file.as_posix().endswith(f"xamples/{self.file}")

    def place_of(self, where: str) -> str | None:
        """The listed place that this one is."""
        for place in self.places:
            if re.fullmatch(r"[^/]+".join(re.escape(part) for part in place.split("*")), where):
                return place
        return None


_COMPUTE = "/properties/properties"
_KUBERNETES = tuple(
    f"{_COMPUTE}/{place}"
    for place in (
        "extensionPrincipalId",
        "instanceTypes/*/nodeSelector",
        "instanceTypes/*/resources/limits/nvidia.com~1gpu",
        "instanceTypes/*/resources/requests/nvidia.com~1gpu",
        "relayConnectionString",
        "serviceBusConnectionString",
        "vcName",
    )
)
_MODELS = tuple(
    f"/value/*/{place}"
    for place in (
        "baseModel",
        "callRateLimit",
        "skus/*/capacity/minimum",
        "skus/*/capacity/step",
        "source",
        "systemData/createdByType",
        "systemData/lastModifiedByType",
    )
)

MACHINE_LEARNING = (
    Sloppy(
        "Compute/createOrUpdate/AmlCompute.json",
        (f"{_COMPUTE}/errors", f"{_COMPUTE}/virtualMachineImage"),
        _NULLS,
    ),
    Sloppy("Compute/get/AmlCompute.json", (f"{_COMPUTE}/errors", f"{_COMPUTE}/virtualMachineImage"), _NULLS),
    Sloppy("Compute/get/ComputeInstance.json", (f"{_COMPUTE}/errors",), _NULLS),
    Sloppy("Compute/createOrUpdate/KubernetesCompute.json", _KUBERNETES, _NULLS),
    Sloppy("Compute/get/KubernetesCompute.json", _KUBERNETES, _NULLS),
    Sloppy("Compute/list.json", (), "in one version its api-version is 2021-04-01"),
    Sloppy("Endpoint/Deployment/create.json", ("/properties/model/source",), _NULLS),
    Sloppy("Endpoint/Deployment/get.json", ("/properties/model/source",), _NULLS),
    Sloppy("Endpoint/Deployment/getDeployments.json", ("/value/*/properties/model/source",), _NULLS),
    Sloppy("Endpoint/Deployment/getInWorkspace.json", ("/value/*/properties/model/source",), _NULLS),
    Sloppy("Endpoint/getModels.json", _MODELS, _NULLS),
    Sloppy("Job/AutoMLJob/createOrUpdate.json", ("/properties/status",), _OTHER_VALUE),
    Sloppy("Job/AutoMLJob/get.json", ("/properties/status",), _OTHER_VALUE),
    Sloppy("Job/AutoMLJob/list.json", ("/value/*/properties/status",), _OTHER_VALUE),
    Sloppy("Job/FineTuningJob/createOrUpdate.json", ("/properties/status",), _OTHER_VALUE),
    Sloppy("Job/FineTuningJob/get.json", ("/properties/status",), _OTHER_VALUE),
    Sloppy("Job/FineTuningJob/list.json", ("/value/*/properties/status",), _OTHER_VALUE),
    Sloppy("Job/delete.json", (), "in two versions the job's name is a whole address"),
    Sloppy("Notebook/listKeys.json", ("/primaryAccessKey", "/secondaryAccessKey"), _NULLS),
    Sloppy("Registry/ModelVersion/package.json", ("/modelConfiguration/mode",), _OTHER_VALUE),
    Sloppy("Workspace/ModelVersion/package.json", ("/modelConfiguration/mode",), _OTHER_VALUE),
    Sloppy("Workspace/DataContainer/createOrUpdate.json", ("/properties/dataType",), _OTHER_VALUE),
    Sloppy("Workspace/DataContainer/get.json", ("/properties/dataType",), _OTHER_VALUE),
    Sloppy("Workspace/DataContainer/list.json", ("/value/*/properties/dataType",), _OTHER_VALUE),
    Sloppy("Workspace/listConnectionModels.json", _MODELS, _NULLS),
    Sloppy(
        "Workspace/listKeys.json",
        (
            "/appInsightsInstrumentationKey",
            "/containerRegistryCredentials/location",
            "/notebookAccessKeys/primaryAccessKey",
            "/notebookAccessKeys/secondaryAccessKey",
            "/userStorageKey",
        ),
        _NULLS,
    ),
    Sloppy("Workspace/listNotebookAccessToken.json", ("/expiresIn",), "it writes an integer as 28800.0"),
    Sloppy("Workspace/listStorageAccountKeys.json", ("/userStorageKey",), _NULLS),
    Sloppy("WorkspaceConnection/createDeployment.json", ("/properties/model/source",), _NULLS),
    Sloppy("WorkspaceConnection/getDeployment.json", ("/properties/model/source",), _NULLS),
    Sloppy("WorkspaceConnection/listDeployments.json", ("/value/*/properties/model/source",), _NULLS),
    Sloppy("WorkspaceConnection/getModels.json", _MODELS, _NULLS),
)

_CAPITAL = "it begins a value with a capital"
_NUMBER = "it writes a number where a text is declared"
DEVOPS = (
    Sloppy(
        "configurations/POST__AddApprovalCheckConfiguration.json",
        ("/settings/approvers/*/displayName",),
        "it asks with null",
    ),
    Sloppy(
        "consumers/GET__hooks_consumers.json",
        tuple(
            f"/value/*/actions/*/inputDescriptors/*/validation/{name}" for name in ("minValue", "maxValue")
        ),
        _NUMBER,
    ),
    Sloppy("events/POST_distributedtask_PostEvent_.json", ("/result", "/taskId"), "they are of a child"),
    Sloppy("logs/POST__distributedtask_AppendLogContent_.json", ("",), "its body is text, and left out"),
    Sloppy("logs/POST__distributedtask_CreateLog_.json", ("/location",), "it asks with null"),
    Sloppy("runs/PATCH__UpdateCheckSuiteRun.json", ("/Action", "/CheckId"), "it begins names in capitals"),
    Sloppy("subscriptions/GET__hooks_subscriptions_.json", ("/value/*/probationRetries",), _NUMBER),
    Sloppy(
        "tags/POST_build_addBuildTag.json",
        ("", "path:buildId"),
        "it has no number, and its answer is a list without its count",
    ),
    Sloppy(
        "targets/GET__distributedtask_DeploymentTargets__Id_.json",
        ("/agent/authorization/publicKey/exponent", "/agent/authorization/publicKey/modulus"),
        "bytes are declared as a list; they are written as base64",
    ),
    Sloppy(
        "targets/GET__distributedtask_DeploymentTargets__LastRequest_.json",
        (
            "/value/*/agent/lastCompletedRequest/agentDelays",
            "/value/*/agent/lastCompletedRequest/demands/*",
        ),
        "a demand is declared as an object; it is written as text, and delays are not declared",
    ),
    Sloppy("taskgroups/POST__CreateTaskGroup.json", ("/definitionType",), "only the answer declares it"),
    Sloppy(
        "taskgroups/PUT__UpdateTaskGroup.json",
        ("/createdBy", "/createdOn", "/definitionType", "/modifiedBy", "/modifiedOn"),
        "only the answer declares them",
    ),
    Sloppy(
        "variablegroups/GET_VariableGroupsByActionFilter.json",
        ("query:actionFilter", "query:queryOrder"),
        _CAPITAL,
    ),
    Sloppy("variablegroups/GET_VariableGroupsByGroupName.json", ("query:queryOrder",), _CAPITAL),
)
