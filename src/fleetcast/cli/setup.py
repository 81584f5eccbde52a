"""`fleetcast setup`: what a fleet needs around it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleetcast.cli.in_fleet import fleet_needed
from fleetcast.cli.options import FleetIfNeededOption, FleetOption, View, ViewOption
from fleetcast.cli.output import say, show_json
from fleetcast.domain.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fleetcast.domain.installation import Change, Create, InstallationPlan
    from fleetcast.domain.installed import Trust
    from fleetcast.workflows.set_up import SetUp

FAILED = 1

setup_app = typer.Typer(
    no_args_is_help=True,
    help="Make or repair what a fleet needs around it. A plan is shown first; repeating it is safe.",
)


class _Way(StrEnum):
    PLAN = "plan"
    APPLY = "apply"
    VERIFY = "verify"


PlanOption = Annotated[bool, typer.Option("--plan", help="Show what differs, and change nothing.")]
ApplyOption = Annotated[bool, typer.Option("--apply", help="Show what differs, ask, and do it.")]
VerifyOption = Annotated[
    bool,
    typer.Option(
        "--verify",
        help="Change nothing; say what others must do, and end with 1, if something differs.",
    ),
]
YesOption = Annotated[bool, typer.Option("--yes", help="With --apply: do not ask. For programs.")]


@setup_app.command("azure-devops")
def azure_devops(
    fleet: FleetOption = Path(),
    *,
    plan: PlanOption = False,
    apply: ApplyOption = False,
    verify: VerifyOption = False,
    yes: YesOption = False,
    view: ViewOption = View.TEXT,
) -> None:
    """Bring an Azure DevOps project to what the fleet repository declares.

    It looks after the six variable groups (secrets are linked to a Key Vault, never copied), environments with their
    approvals, service connections (by workload identity federation, without secrets), one pipeline for each file in
    .azuredevops, which pipeline may use what, and branch policies. Whatever else is in the project stays as it is.

    fleetcast.yaml says where, below `azure_devops`. The token comes from the environment: AZURE_DEVOPS_EXT_PAT (a
    personal access token) or SYSTEM_ACCESSTOKEN (of an agent, or of Entra ID).

    Without an option it is --plan. Lines begin with + (made), ~ (changed, with both values) or ! (people must decide).

    For example:

    fleetcast setup azure-devops

    fleetcast setup azure-devops --apply

    fleetcast setup azure-devops --verify --format json
    """
    from fleetcast.app import open_azure_devops_set_up

    way = _way_of(view, plan=plan, apply=apply, verify=verify, yes=yes)
    _go(open_azure_devops_set_up(fleet), "azure-devops", way, view, yes=yes)


@setup_app.command("github")
def github(
    fleet: FleetOption = Path(),
    *,
    plan: PlanOption = False,
    apply: ApplyOption = False,
    verify: VerifyOption = False,
    yes: YesOption = False,
    view: ViewOption = View.TEXT,
) -> None:
    """Bring a GitHub repository to what the fleet repository declares.

    It looks after environments (who opens them, from which branches), variables of the repository and of environments,
    branch rules of develop, release/* and main, and whether each file in .github/workflows is known there and enabled.
    Secrets are only looked for by their names: people enter them with the `gh secret set` line that is shown, and
    nobody reads them. Whatever else is there stays as it is, but for further branches of those environments.

    fleetcast.yaml says where, below `github`. The token comes from the environment: GITHUB_TOKEN (a fine-grained
    personal access token for the repository, or one of a GitHub App).

    Without an option it is --plan. Lines begin with + (made), ~ (changed, with both values) or ! (people must decide).

    For example:

    fleetcast setup github

    fleetcast setup github --apply

    fleetcast setup github --verify --format json
    """
    from fleetcast.app import open_github_set_up

    way = _way_of(view, plan=plan, apply=apply, verify=verify, yes=yes)
    _go(open_github_set_up(fleet), "github", way, view, yes=yes)


@setup_app.command("azure")
def azure(
    fleet: FleetIfNeededOption = None,
    *,
    plan: PlanOption = False,
    apply: ApplyOption = False,
    verify: VerifyOption = False,
    roles: Annotated[
        bool, typer.Option("--roles", help="Say which roles in Azure each command needs, and do nothing.")
    ] = False,
    yes: YesOption = False,
    view: ViewOption = View.TEXT,
) -> None:
    """Bring Azure to what a fleet of the platform azureml needs there.

    It makes and repairs the container of platform.storage, the datastore of each workspace that stands for it (without
    a key) and the cluster that trains. Workspaces and the shared registry are only looked at: where one is missing,
    it says with which `az` command somebody with the right to do so makes it. Nothing is ever deleted.

    fleetcast.yaml says where, below `azure`. Whoever runs it is found as Azure's own tools do: by a managed identity,
    a federated token, or `az login`.

    Without an option it is --plan. Lines begin with + (made), ~ (changed, with both values) or ! (people must decide).

    For example:

    fleetcast setup azure

    fleetcast setup azure --apply

    fleetcast setup azure --roles
    """
    from fleetcast.app import open_azure_set_up

    if roles:
        _show_roles(view)
        return
    way = _way_of(view, plan=plan, apply=apply, verify=verify, yes=yes)
    found = fleet_needed() if fleet is None else fleet
    _go(open_azure_set_up(found), "azure", way, view, yes=yes)


def _go(set_up: SetUp, command: str, way: _Way, view: View, *, yes: bool) -> None:
    found = set_up.plan()
    if view is View.TEXT:
        _print(found)
    if way is _Way.APPLY and found.work:
        if not yes:
            typer.confirm("Apply this?", abort=True)
        found = set_up.apply(found, _telling(view))
        if view is View.TEXT:
            _print(found)
    trusts = set_up.trusts() if way is not _Way.PLAN else []
    if view is View.JSON:
        from fleetcast.views.installation import as_json

        show_json(as_json(found, trusts))
    else:
        _print_next(way, command, found, trusts)
    if (way is _Way.VERIFY and not found.is_empty) or (way is _Way.APPLY and found.blocked):
        raise typer.Exit(FAILED)


def _show_roles(view: View) -> None:
    from fleetcast.views.installation import needed_roles_as_json, needed_roles_lines

    if view is View.JSON:
        show_json(needed_roles_as_json())
        return
    for line in needed_roles_lines():
        say(line)


def _way_of(view: View, *, plan: bool, apply: bool, verify: bool, yes: bool) -> _Way:
    way = _way(plan=plan, apply=apply, verify=verify)
    if way is _Way.APPLY and view is View.JSON and not yes:
        raise BadInput("a program cannot be asked", fix="add --yes, after looking at --plan")
    return way


def _way(*, plan: bool, apply: bool, verify: bool) -> _Way:
    chosen = [way for way, is_so in ((_Way.PLAN, plan), (_Way.APPLY, apply), (_Way.VERIFY, verify)) if is_so]
    if len(chosen) > 1:
        raise typer.BadParameter(f"--{chosen[0]} and --{chosen[1]} exclude each other")
    return chosen[0] if chosen else _Way.PLAN


def _telling(view: View) -> Callable[[Create | Change], None]:
    """Tells of each step, where a program does not read standard output."""
    from fleetcast.views.installation import done_line

    return lambda step: say(done_line(step), err=view is View.JSON)


def _print(plan: InstallationPlan) -> None:
    from fleetcast.views.installation import lines, others_in_one_line, summary

    for line in (*lines(plan), summary(plan), others_in_one_line(plan)):
        if line:
            say(line)


def _print_next(way: _Way, command: str, plan: InstallationPlan, trusts: Sequence[Trust]) -> None:
    """What people do next."""
    from fleetcast.views.installation import roles_lines, trust_lines

    if plan.roles:
        say("whoever applies it needs, at least:")
        for line in roles_lines(plan):
            say(f"  {line}")
    if trusts:
        say("these identities must trust its pipelines (federated credentials, made once in Azure):")
        for line in trust_lines(trusts):
            say(f"  {line}")
    if plan.work and way is not _Way.APPLY:
        say(f"next: fleetcast setup {command} --apply")
