"""What an installation in GitHub should hold, from settings and workflows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import pytest

from fleetcast.domain.errors import BadInput
from fleetcast.domain.gate import DEFAULT_GATES, GatePolicy
from fleetcast.domain.installed import Trust
from fleetcast.domain.installed_github import (
    BranchRules,
    DeploymentEnvironment,
    GitHubVariables,
    SecretName,
)
from fleetcast.domain.place import Gate
from fleetcast.domain.settings import AzureSettings, GitHubSettings, Settings
from fleetcast.domain.wanted_github import SignIn, WorkflowUses, trusts_of_github, wanted_in_github

ID = "5f1c0d6e-2f4b-4b52-9f0c-7d1c3a9e8b10"
GITHUB = GitHubSettings(
    "acme/fleet",
    tenant=ID,
    identities=MappingProxyType({"test": ID}),
    reviewers=MappingProxyType({Gate.TEST_DEPLOYMENT: ("acme/qa", "ada")}),
)
AZURE = AzureSettings(subscription_id=ID, resource_group="rg")
FILE = WorkflowUses(
    ".github/workflows/test.yml",
    environments=frozenset({"test-deployment", "rollback", "dummy"}),
    variables=frozenset({"AZURE_SUBSCRIPTION_ID", "TEST_CLIENT_ID"}),
    secrets=frozenset({"FLEETCAST_DATABASE_URL"}),
    sign_ins=frozenset({SignIn("TEST_CLIENT_ID", "environment:test-deployment")}),
    checks=frozenset({"validate"}),
)


def settings(github: GitHubSettings = GITHUB) -> Settings:
    return Settings(github=github, azure=AZURE)


def test_environments_are_guarded_as_their_gates_say() -> None:
    policy = GatePolicy(minimum=2, own_request_allowed=False)
    gates = MappingProxyType({**DEFAULT_GATES, Gate.TEST_DEPLOYMENT: policy})
    waits = MappingProxyType({Gate.TEST_DEPLOYMENT: timedelta(minutes=5)})
    wanted = wanted_in_github(replace(settings(replace(GITHUB, wait=waits)), gates=gates), [FILE])
    assert [one for one in wanted if isinstance(one, DeploymentEnvironment)] == [
        DeploymentEnvironment("dummy"),
        DeploymentEnvironment("rollback", branches=frozenset({"develop", "release/*", "main"})),
        DeploymentEnvironment(
            "test-deployment",
            frozenset({"acme/qa", "ada"}),
            own_run_allowed=False,
            branches=frozenset({"release/*"}),
            wait=timedelta(minutes=5),
        ),
    ]


def test_variables_hold_what_the_settings_say_and_only_what_workflows_read() -> None:
    wanted = wanted_in_github(settings(), [FILE])
    of = {one.environment: dict(one.values) for one in wanted if isinstance(one, GitHubVariables)}
    assert of["test-deployment"] == {
        "FLEET_ENVIRONMENT": "test",
        "FLEET_SUBSCRIPTION": ID,
        "FLEET_RESOURCE_GROUP": "rg",
        "FLEET_WORKSPACE": "fleetcast-test",
    }
    assert of[""]["AZURE_SUBSCRIPTION_ID"] == ID
    assert of[""]["FLEET_REGISTRY"] == "fleet-registry"
    assert "AZURE_TENANT_ID" not in of[""]
    assert set(of) == {"", "test-deployment"}
    assert [one.name for one in wanted if isinstance(one, SecretName)] == ["FLEETCAST_DATABASE_URL"]


def test_on_github_itself_only_its_actions_may_say_that_a_check_has_passed() -> None:
    def checks(url: str) -> list[dict[str, str]]:
        wanted = wanted_in_github(settings(replace(GITHUB, url=url)), [FILE])
        return [dict(one.checks) for one in wanted if isinstance(one, BranchRules)]

    assert checks("https://github.com") == [{"validate": "app 15368"}] * 3
    assert checks("https://github.example.com") == [{"validate": "anybody"}] * 3


@pytest.mark.parametrize(
    ("url", "api", "issuer", "gh"),
    [
        (
            "https://github.com",
            "https://api.github.com",
            "https://token.actions.githubusercontent.com",
            "acme/fleet",
        ),
        (
            "https://acme.ghe.com/",
            "https://api.acme.ghe.com",
            "https://token.actions.acme.ghe.com",
            "acme.ghe.com/acme/fleet",
        ),
        (
            "https://github.example.com",
            "https://github.example.com/api/v3",
            "https://github.example.com/_services/token",
            "github.example.com/acme/fleet",
        ),
    ],
)
def test_each_github_has_addresses_of_its_own(url: str, api: str, issuer: str, gh: str) -> None:
    github = replace(GITHUB, url=url)
    assert (github.api, github.for_gh) == (api, gh)
    assert trusts_of_github(settings(github), [FILE]) == (
        Trust("TEST_CLIENT_ID", ID, issuer, "repo:acme/fleet:environment:test-deployment"),
    )


def test_what_is_not_said_is_asked_for() -> None:
    with pytest.raises(BadInput, match="says nothing of GitHub"):
        wanted_in_github(Settings(), [FILE])
    with pytest.raises(BadInput, match="has no workflows"):
        wanted_in_github(settings(), [])
    with pytest.raises(BadInput, match="names nobody"):
        wanted_in_github(settings(replace(GITHUB, reviewers=MappingProxyType({}))), [FILE])
    nobody = replace(GITHUB, identities=MappingProxyType({}))
    with pytest.raises(BadInput, match="what they hold: TEST_CLIENT_ID") as raised:
        wanted_in_github(settings(nobody), [FILE])
    assert raised.value.fix == "write github.identities.test in fleetcast.yaml"
    with pytest.raises(BadInput, match="TEST_CLIENT_ID"):
        trusts_of_github(settings(nobody), [FILE])


def test_each_thing_is_wanted_once() -> None:
    refs = [one.ref for one in wanted_in_github(settings(), [FILE])]
    assert len(refs) == len(set(refs))
