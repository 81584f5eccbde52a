"""What an installation in GitHub should hold, from the settings of a fleet and what its workflows name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from fleetcast.domain.branch import LEADS_TO
from fleetcast.domain.errors import BadInput
from fleetcast.domain.installed import Trust
from fleetcast.domain.installed_devops import REGISTRY_GROUP, SETTINGS_GROUP
from fleetcast.domain.installed_github import (
    ANYBODY,
    BranchRules,
    DeploymentEnvironment,
    GitHubItem,
    GitHubVariables,
    SecretName,
    WorkflowFile,
)
from fleetcast.domain.place import EnvironmentName, Gate
from fleetcast.domain.settings import Settings
from fleetcast.domain.settings.github import IDENTITIES, GitHubSettings, checked_variable
from fleetcast.domain.wanted_installation import group_of, values_for_pipelines

GUARDS: Mapping[Gate, EnvironmentName] = MappingProxyType(
    {
        Gate.REGISTRY_PROMOTION: EnvironmentName.DEV,
        Gate.TEST_DEPLOYMENT: EnvironmentName.TEST,
        Gate.PROD_DEPLOYMENT: EnvironmentName.PROD,
    }
)
"""Which environment of the fleet the jobs behind a gate change, or take models from."""
ROLLBACK = "rollback"
"""The environment of the workflow that one operator alone may run: from any branch that nobody changes alone."""
TENANT, SUBSCRIPTION = "AZURE_TENANT_ID", "AZURE_SUBSCRIPTION_ID"
ACTIONS = "app 15368"
"""GitHub Actions on github.com: nobody else can say that a check has passed."""
PULL_REQUEST = "pull_request"
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True, slots=True, order=True)
class SignIn:
    """How jobs sign in to Azure."""

    variable: str
    """That holds the client id."""
    claim: str
    """What their token says of them, after the repository: `environment:NAME`, `ref:REFERENCE` or `pull_request`."""


@dataclass(frozen=True, slots=True)
class WorkflowUses:
    """One workflow of the fleet repository that runs fleetcast, and what it names."""

    file: str
    environments: frozenset[str] = frozenset()
    variables: frozenset[str] = frozenset()
    secrets: frozenset[str] = frozenset()
    sign_ins: frozenset[SignIn] = frozenset()
    checks: frozenset[str] = frozenset()
    """The names of its jobs, if it checks pull requests."""


def wanted_in_github(settings: Settings, files: Sequence[WorkflowUses]) -> tuple[GitHubItem, ...]:
    """Everything that the workflows of a fleet need.

    Raises:
        BadInput: The settings lack something that the workflows name, or there are no workflows.
    """
    github = github_of(settings)
    if not files:
        raise BadInput(
            "the fleet has no workflows in .github/workflows that run fleetcast",
            fix="write them with `fleetcast update-template --ci github`",
        )
    secrets = _all(one.secrets for one in files)
    return (
        *guards_in_github(settings, files),
        *_variables(settings, github, files, secrets),
        *(SecretName(name, github.for_gh) for name in secrets),
        *(WorkflowFile(one.file) for one in files),
    )


def guards_in_github(
    settings: Settings, files: Sequence[WorkflowUses]
) -> tuple[DeploymentEnvironment | BranchRules, ...]:
    """What keeps people from moving something alone: environments and branch rules.

    Raises:
        BadInput: The settings name nobody for a gate.
    """
    github = github_of(settings)
    checks = {name: ACTIONS if github.is_cloud else ANYBODY for one in files for name in one.checks}
    return (
        *(_environment(settings, github, name) for name in _all(one.environments for one in files)),
        *(BranchRules.of(branch, github.approvals, checks) for branch in LEADS_TO.values()),
    )


def trusts_of_github(settings: Settings, files: Sequence[WorkflowUses]) -> tuple[Trust, ...]:
    """Whose tokens the identities of the workflows must trust in Azure.

    Raises:
        BadInput: The settings do not say which identity a workflow signs in as.
    """
    github = github_of(settings)
    known = _known(settings, github)
    sign_ins = sorted({each for one in files for each in one.sign_ins})
    _check_known({one.variable for one in sign_ins}, known)
    return tuple(
        Trust(one.variable, known[one.variable], github.issuer, f"repo:{github.repository}:{one.claim}")
        for one in sign_ins
    )


def github_of(settings: Settings) -> GitHubSettings:
    """What the settings say of GitHub.

    Raises:
        BadInput: Nothing.
    """
    if settings.github is None:
        raise BadInput(
            "fleetcast.yaml says nothing of GitHub",
            fix="write `github:` with repository, tenant, identities and reviewers; see docs/SETUP.md",
        )
    return settings.github


def _environment(settings: Settings, github: GitHubSettings, name: str) -> DeploymentEnvironment:
    """A gate that fleetcast keeps too, or an environment that asks nobody."""
    if name == ROLLBACK:
        return DeploymentEnvironment(name, branches=frozenset(LEADS_TO.values()))
    if name not in list(Gate):
        return DeploymentEnvironment(name)
    gate = Gate(name)
    reviewers = frozenset(github.reviewers.get(gate, ()))
    if not reviewers:
        raise BadInput(
            f"environment {gate} needs somebody who opens it, and `github.reviewers` names nobody",
            fix=f"write names, or teams as owner/team, below `github.reviewers.{gate}`",
        )
    return DeploymentEnvironment(
        name,
        reviewers,
        settings.gates[gate].own_request_allowed,
        frozenset({LEADS_TO[GUARDS[gate]]}),
        github.wait.get(gate),
    )


def _variables(
    settings: Settings, github: GitHubSettings, files: Sequence[WorkflowUses], secrets: Sequence[str]
) -> Iterator[GitHubVariables]:
    carried, known = values_for_pipelines(settings), _known(settings, github)
    named = frozenset(_all(one.variables for one in files))
    _check_known(named, known)
    open_secrets = sorted(set(secrets) & set(github.variables))
    if open_secrets:
        raise BadInput(
            f"{', '.join(open_secrets)}: workflows read it as a secret, and none is written in a file",
            fix="take it out of `github.variables`, and enter it with `gh secret set`",
        )
    shared = _as_variables({**carried[REGISTRY_GROUP], **carried[SETTINGS_GROUP]})
    needed = {name: value for name, value in known.items() if name in named or name in github.variables}
    yield GitHubVariables("", MappingProxyType({**shared, **needed}))
    environments = _all(one.environments for one in files)
    for gate, environment in GUARDS.items():
        if gate in environments:
            yield GitHubVariables(gate, MappingProxyType(_as_variables(carried[group_of(environment)])))


def _known(settings: Settings, github: GitHubSettings) -> Mapping[str, str]:
    """What the settings say that variables hold, which workflows know by name."""
    found = {
        TENANT: github.tenant,
        SUBSCRIPTION: github.subscription or settings.azure.subscription_id,
        **{client_variable(who): github.identities.get(who, "") for who in IDENTITIES},
        **github.variables,
    }
    return {name: value for name, value in found.items() if value}


def _check_known(named: frozenset[str] | set[str], known: Mapping[str, str]) -> None:
    lacking = sorted(named - set(known))
    if not lacking:
        return
    ours = {
        TENANT: "github.tenant",
        SUBSCRIPTION: "github.subscription",
        **{client_variable(who): f"github.identities.{who}" for who in IDENTITIES},
    }
    places = sorted({ours.get(name, f"github.variables.{name}") for name in lacking})
    raise BadInput(
        f"workflows read these variables, and nothing says what they hold: {', '.join(lacking)}",
        fix=f"write {', '.join(places)} in fleetcast.yaml",
    )


def client_variable(who: str) -> str:
    """By which variable workflows know an identity."""
    return f"{who.upper()}_CLIENT_ID"


def _as_variables(values: Mapping[str, str]) -> dict[str, str]:
    """The same values under names that GitHub takes: `fleetMaxParallel` is FLEET_MAX_PARALLEL."""
    return {checked_variable(_WORD.sub("_", name).upper()): value for name, value in values.items()}


def _all(names: Iterator[frozenset[str]]) -> Sequence[str]:
    return sorted(frozenset().union(*names))
