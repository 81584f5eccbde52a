import pytest

from fleetcast.domain.branch import WrongBranch, branch_of_ci, check_branch
from fleetcast.domain.place import EnvironmentName


@pytest.mark.parametrize(
    ("environment", "branch"),
    [("dev", "develop"), ("test", "release/2026.11"), ("test", "release/a/b"), ("prod", "main")],
)
def test_each_environment_has_its_branch(environment: str, branch: str) -> None:
    check_branch(EnvironmentName(environment), branch)


@pytest.mark.parametrize(
    ("environment", "branch"),
    [
        ("prod", "release/2026.11"),
        ("prod", "mainline"),
        ("prod", "refs/pull/7/merge"),
        ("test", "main"),
        ("test", "release"),
        ("test", "hotfix/leak"),
        ("prod", None),
    ],
)
def test_from_another_branch_nothing_is_changed(environment: str, branch: str | None) -> None:
    with pytest.raises(WrongBranch, match=r"is changed from") as refused:
        check_branch(EnvironmentName(environment), branch)
    assert "--any-branch" in refused.value.fix


@pytest.mark.parametrize(
    ("variables", "branch"),
    [
        ({"TF_BUILD": "True", "BUILD_SOURCEBRANCH": "refs/heads/release/2026.11"}, "release/2026.11"),
        ({"GITHUB_ACTIONS": "true", "GITHUB_REF": "refs/heads/main"}, "main"),
        ({"GITHUB_ACTIONS": "true", "GITHUB_REF": "refs/pull/7/merge"}, "refs/pull/7/merge"),
        ({"BUILD_SOURCEBRANCH": "refs/heads/main"}, None),
        ({"TF_BUILD": "True"}, None),
        ({}, None),
    ],
)
def test_an_agent_says_which_branch_it_builds(variables: dict[str, str], branch: str | None) -> None:
    assert branch_of_ci(variables) == branch
