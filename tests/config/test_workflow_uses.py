"""What the workflows of a fleet name."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetcast.config.workflow_uses import workflow_uses
from fleetcast.domain.errors import InvalidFleet
from fleetcast.domain.wanted_github import SignIn, WorkflowUses

WORKFLOWS = ".github/workflows"


def write(directory: Path, text: str, path: str = f"{WORKFLOWS}/own.yml") -> None:
    file = directory / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_a_workflow_that_does_not_run_fleetcast_is_nobody_s_business(tmp_path: Path) -> None:
    write(tmp_path, "on: push\njobs: {a: {environment: prod, steps: [{run: 'make ${{ vars.A }}'}]}}\n")
    assert workflow_uses(tmp_path) == ()


def test_names_are_found_wherever_they_are_written(tmp_path: Path) -> None:
    write(
        tmp_path,
        "on: [pull_request]\n"
        "env: {A: '${{ vars.site }}', T: '${{ secrets.GITHUB_TOKEN }}'}\n"
        "jobs:\n"
        "  one:\n"
        "    name: First\n"
        "    environment: {name: prod-deployment, url: 'https://x'}\n"
        "    steps: [{run: 'fleetcast plan ${{ secrets.KEY }}'}]\n"
        "  two:\n"
        "    environment: ${{ inputs.where }}\n"
        "    steps: [{uses: ./.github/actions/own, with: {client-id: '${{ vars.DEV_CLIENT_ID }}'}}]\n",
    )
    write(tmp_path, "runs: {steps: [{run: 'x ${{ vars.IN_ACTION }}'}]}\n", ".github/actions/own/action.yml")
    assert workflow_uses(tmp_path) == (
        WorkflowUses(
            f"{WORKFLOWS}/own.yml",
            environments=frozenset({"prod-deployment"}),
            variables=frozenset({"SITE", "DEV_CLIENT_ID", "IN_ACTION"}),
            secrets=frozenset({"KEY"}),
            sign_ins=frozenset({SignIn("DEV_CLIENT_ID", "pull_request")}),
            checks=frozenset({"First", "two"}),
        ),
    )


@pytest.mark.parametrize(
    ("trigger", "environment", "claims"),
    [
        ("push: {branches: [develop, main]}", "", {"ref:refs/heads/develop", "ref:refs/heads/main"}),
        ("workflow_dispatch:", "", set()),
        ("schedule: [{cron: '0 1 * * *'}]", "prod-deployment", {"environment:prod-deployment"}),
    ],
)
def test_jobs_sign_in_by_their_environment_or_by_what_started_them(
    tmp_path: Path, trigger: str, environment: str, claims: set[str]
) -> None:
    job = f"environment: {environment}\n    " if environment else ""
    write(
        tmp_path,
        f"on:\n  {trigger}\njobs:\n  fleetcast:\n    {job}"
        "steps: [{uses: a, with: {client-id: '${{ vars.X_CLIENT_ID }}'}}]\n",
    )
    (found,) = workflow_uses(tmp_path)
    assert found.sign_ins == {SignIn("X_CLIENT_ID", claim) for claim in claims}


def test_by_hand_it_is_the_branch_that_leads_to_the_gates_of_the_workflow(tmp_path: Path) -> None:
    write(
        tmp_path,
        "on:\n  workflow_dispatch:\njobs:\n"
        "  ask: {steps: [{uses: fleetcast, with: {client-id: '${{ vars.TEST_CLIENT_ID }}'}}]}\n"
        "  door: {environment: test-deployment, steps: [{run: 'true'}]}\n",
    )
    (found,) = workflow_uses(tmp_path)
    assert found.sign_ins == {SignIn("TEST_CLIENT_ID", "ref:refs/heads/release/*")}


def test_a_workflow_that_is_no_yaml_is_named(tmp_path: Path) -> None:
    write(tmp_path, "on: [fleetcast\n")
    with pytest.raises(InvalidFleet, match=r"own\.yml"):
        workflow_uses(tmp_path)
