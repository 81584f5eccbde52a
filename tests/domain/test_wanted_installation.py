"""What an installation should hold, from settings and pipelines."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest

from fleetcast.domain.errors import BadInput
from fleetcast.domain.gate import DEFAULT_GATES, GatePolicy
from fleetcast.domain.installed_devops import ApprovalCheck, Pipeline, VariableGroup, Variables
from fleetcast.domain.place import Gate
from fleetcast.domain.settings import AzureDevOpsSettings, AzureSettings, Settings
from fleetcast.domain.settings.azure_devops import AzureIdentity, LinkedVault
from fleetcast.domain.wanted_installation import PipelineFile, wanted_installation

ID = "5f1c0d6e-2f4b-4b52-9f0c-7d1c3a9e8b10"
DEVOPS = AzureDevOpsSettings(
    "acme",
    "Forecasts",
    "fleet",
    LinkedVault("vault"),
    connections=MappingProxyType({"mlops-dev": AzureIdentity(ID, ID, "Plants", ID)}),
    approvers=MappingProxyType({Gate.TEST_DEPLOYMENT: (ID, ID.replace("5", "6"))}),
)
FILE = PipelineFile("test", ".azuredevops/test.yml", environments=frozenset({"test-deployment", "rollback"}))


def groups(settings: Settings) -> dict[str, dict[str, str]]:
    return {
        one.name: dict(one.content.values)
        for one in wanted_installation(settings, [FILE])
        if isinstance(one, VariableGroup) and isinstance(one.content, Variables)
    }


def test_groups_hold_what_the_settings_say() -> None:
    local = groups(Settings(azure_devops=DEVOPS))
    assert local["mlops-test-variables"] == {"fleetEnvironment": "test"}
    assert local["mlops-registry-variables"] == {"fleetRegistry": "fleet-registry"}
    assert len(local) == 5
    azure = AzureSettings(subscription_id=ID, resource_group="rg")
    assert groups(Settings(azure_devops=DEVOPS, azure=azure))["mlops-test-variables"] == {
        "fleetEnvironment": "test",
        "fleetSubscription": ID,
        "fleetResourceGroup": "rg",
        "fleetWorkspace": "fleetcast-test",
    }


def test_a_gate_is_guarded_as_its_policy_says_and_other_environments_ask_nobody() -> None:
    policy = GatePolicy(minimum=2, own_request_allowed=False)
    gates = MappingProxyType({**DEFAULT_GATES, Gate.TEST_DEPLOYMENT: policy})
    (check,) = [
        one
        for one in wanted_installation(Settings(azure_devops=DEVOPS, gates=gates), [FILE])
        if isinstance(one, ApprovalCheck)
    ]
    assert (check.environment, check.minimum, check.own_run_allowed) == ("test-deployment", 2, False)
    assert check.lapses_after == policy.lapses_after


def test_a_gate_that_needs_more_people_than_are_named_is_refused() -> None:
    gates = MappingProxyType({**DEFAULT_GATES, Gate.TEST_DEPLOYMENT: GatePolicy(minimum=3)})
    with pytest.raises(BadInput, match="test-deployment needs 3 approvers") as raised:
        wanted_installation(Settings(azure_devops=DEVOPS, gates=gates), [FILE])
    assert "azure_devops.approvers.test-deployment" in raised.value.fix


def test_what_is_not_said_is_asked_for() -> None:
    with pytest.raises(BadInput, match="says nothing of Azure DevOps"):
        wanted_installation(Settings(), [FILE])
    with pytest.raises(BadInput, match="has no pipelines"):
        wanted_installation(Settings(azure_devops=DEVOPS), [])
    nobody = replace(DEVOPS, connections=MappingProxyType({}))
    with pytest.raises(BadInput, match="connections act: mlops-dev"):
        wanted_installation(Settings(azure_devops=nobody), [FILE])


def test_each_thing_is_wanted_once_and_each_file_is_a_pipeline() -> None:
    wanted = wanted_installation(Settings(azure_devops=DEVOPS), [FILE])
    refs = [one.ref for one in wanted]
    assert len(refs) == len(set(refs))
    assert [one.file for one in wanted if isinstance(one, Pipeline)] == [".azuredevops/test.yml"]
