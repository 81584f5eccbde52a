"""`fleetcast propose`: which circuits would gain by a retrain, as a change that people review."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleetcast.cli.options import FleetOption, View, ViewOption
from fleetcast.cli.output import progress, say, show_json, show_text
from fleetcast.domain.errors import BadInput
from fleetcast.domain.place import EnvironmentName

if TYPE_CHECKING:
    from fleetcast.app import OpenFleet
    from fleetcast.domain.proposal import Proposal

_MIN_GAIN = 0.02


def propose(
    environment: Annotated[
        EnvironmentName, typer.Argument(metavar="[ENV]", help="Whose models in use are held against.")
    ] = EnvironmentName.PROD,
    circuits: Annotated[
        list[str] | None,
        typer.Option(
            "--circuits",
            metavar="PATTERN",
            help="Such as 'PLANT001/*'; may be repeated. Default: those with an alarm that a retrain may end.",
        ),
    ] = None,
    cutoff: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="New end of training data. Default: the last day with readings."),
    ] = None,
    min_gain: Annotated[
        float,
        typer.Option(min=-1.0, max=1.0, help="Share of the error that a retrain has to save: 0.02 is 2 %."),
    ] = _MIN_GAIN,
    branch: Annotated[
        str | None, typer.Option(metavar="NAME", help="Default: fleetcast/retrain-DATE, of today.")
    ] = None,
    patch: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write a patch for `git apply` there, and make no branch; - prints it."
        ),
    ] = None,
    base: Annotated[
        str | None, typer.Option(metavar="BRANCH", help="To merge into. Default: the one checked out.")
    ] = None,
    *,
    open_request: Annotated[
        bool, typer.Option("--open", help="Push the branch, and open a pull request with the text shown.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Look, and change nothing.")] = False,
    fleet: FleetOption = Path(),
    view: ViewOption = View.TEXT,
) -> None:
    """Propose retraining the circuits that would gain by it: new cutoff_date and delta_version, on a branch.

    It looks at circuits with an alarm of a changed process, of a worse or an old model, or at those that are named.
    Each is trained here on all but its newest readings, and forecasts those, and so does the model in use, which has
    not seen them either. Where the retrained one saves enough of the error, the change is proposed: one commit on a
    branch of its own, beside what you have checked out. Nothing is trained for good before people merge it. The same
    proposal again changes nothing.

    With --open the branch is pushed, and a pull request opened: in Azure Repos where fleetcast.yaml has
    `azure_devops:`, else at GitHub (GITHUB_REPOSITORY, GITHUB_TOKEN).

    For example:

    fleetcast propose prod --open

    fleetcast propose --circuits 'PLANT001/*' --dry-run
    """
    from fleetcast.app import open_fleet
    from fleetcast.domain.circuit import Cutoff
    from fleetcast.domain.identity import matching
    from fleetcast.views.proposals import as_text

    _check(patch, branch, open_request=open_request, dry_run=dry_run)
    opened = open_fleet(fleet)
    if circuits:
        keys = matching([circuit.key for circuit in opened.fleet.circuits], circuits)
    else:
        keys = opened.finding_gains.alarmed(opened.fleet, environment)
    if not keys and view is View.TEXT:
        say(f"no alarm is open in {environment} that a retrain may end; name circuits with --circuits")
        return
    with progress("training on trial") as watch:
        found = opened.finding_gains(
            opened.fleet,
            keys,
            environment=environment,
            cutoff=None if cutoff is None else Cutoff.parse(cutoff),
            at_least=min_gain,
            watch=lambda done, of, _: watch(done, of),
        )
    if view is View.TEXT and patch != Path("-"):
        show_text(as_text(found))
    if dry_run or not found.proposed:
        _show(view, found, _diff(opened, found))
    elif patch is not None:
        _patch(found, _diff(opened, found), patch, view)
    else:
        _branch(opened, found, branch, base, view, open_request=open_request)


def _check(patch: Path | None, branch: str | None, *, open_request: bool, dry_run: bool) -> None:
    if patch is not None and (branch or open_request):
        raise BadInput("a patch is no branch", fix="give --patch, or --branch and --open")
    if dry_run and (patch is not None or open_request):
        raise BadInput("--dry-run changes nothing", fix="leave it out, or leave --patch and --open out")


def _diff(opened: OpenFleet, found: Proposal) -> str:
    """What the proposal changes; nothing is written."""
    from fleetcast.app import open_editing
    from fleetcast.workflows.propose import declared_anew

    if not found.proposed:
        return ""
    return declared_anew(open_editing(opened.directory, dry_run=True, clock=opened.clock), found).diff()


def _show(view: View, found: Proposal, diff: str) -> None:
    from fleetcast.views.proposals import as_json

    if view is View.JSON:
        show_json(as_json(found, None, None, diff))
    else:
        show_text(diff)


def _patch(found: Proposal, diff: str, patch: Path, view: View) -> None:
    from fleetcast.cli.whole_file import write_whole

    if patch == Path("-"):
        _show(view, found, diff)
        return
    write_whole(patch, diff.encode())
    if view is View.JSON:
        _show(view, found, diff)
    else:
        say(f"wrote {patch}; next: `git apply {patch}`, then `fleetcast plan`")


def _branch(
    opened: OpenFleet,
    found: Proposal,
    branch: str | None,
    base: str | None,
    view: View,
    *,
    open_request: bool,
) -> None:
    from fleetcast.app import open_pull_requests
    from fleetcast.views.proposals import as_json, as_markdown, title

    proposing = opened.proposing
    into = base or proposing.branches.current
    requests = open_pull_requests(opened.fleet.settings, os.environ, opened.clock) if open_request else None
    if requests is not None and into is None:
        raise BadInput("no branch is checked out to merge into", fix="name it: --base develop")
    name = branch or f"fleetcast/retrain-{opened.clock.now():%Y-%m-%d}"
    text = as_markdown(found)
    edited, committed = proposing(found, name, f"{title(found)}\n\n{text}")
    url = None
    if requests is not None and into is not None:
        proposing.branches.push(name)
        url = requests.open(name, into, title(found), text)
    if view is View.JSON:
        show_json(as_json(found, committed, url, edited.diff()))
        return
    say(f"{'made' if committed.new else 'there already:'} branch {name} at {committed.commit[:12]}")
    if url is not None:
        say(f"pull request: {url}")
    else:
        say(f"next: `git diff ...{name}`, `git push origin {name}`, and open a pull request; or --open")
