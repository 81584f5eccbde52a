"""`fleetcast circuits` and `fleetcast bump`: what is declared, and changing it for many circuits at once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleetcast.cli.options import DryRunOption, FleetOption, PatternsOption, View, ViewOption, WideOption
from fleetcast.cli.output import console, say, show_json, show_text
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import CircuitKey

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fleetcast.config.edit_circuits import Edited
    from fleetcast.config.reader import FleetReading
    from fleetcast.workflows.edit_circuits import EditCircuits

circuits_app = typer.Typer(
    no_args_is_help=True, help="List the declared circuits, add new ones, retire old ones."
)


@circuits_app.command("list")
def list_circuits(
    patterns: Annotated[
        list[str] | None, typer.Argument(metavar="[PATTERN]...", help="Such as 'PLANT001/*'. Default: all.")
    ] = None,
    owner: Annotated[str, typer.Option(help="Only circuits of this owner.")] = "",
    tags: Annotated[
        list[str] | None, typer.Option("--tag", metavar="KEY[=VALUE]", help="Only circuits with this tag.")
    ] = None,
    retired: Annotated[  # noqa: FBT002
        bool, typer.Option("--retired", help="Those that are no longer declared, and what is left of them.")
    ] = False,
    fleet: FleetOption = Path(),
    view: ViewOption = View.TEXT,
    wide: WideOption = False,  # noqa: FBT002
) -> None:
    """List the declared circuits with what they train on, or those that were retired.

    For example:

    fleetcast circuits list 'PLANT001/*' --tag line=A

    fleetcast circuits list --retired
    """
    if retired:
        if owner or tags:
            raise typer.BadParameter("a retired circuit has no owner or tags any more: leave them out")
        _list_retired(fleet, patterns or (), view)
        return
    from fleetcast.cli.circuits_views import print_circuits
    from fleetcast.views.circuits import as_json
    from fleetcast.workflows.inspect_circuits import choose

    chosen = choose(_read(fleet).fleet.circuits, patterns or (), owner=owner, tags=tags or ())
    if view is View.JSON:
        show_json(as_json(chosen))
    else:
        print_circuits(chosen, console(wide=wide))


@circuits_app.command("show")
def show_circuit(
    circuit: Annotated[str, typer.Argument(metavar="PLANT/CIRCUIT")],
    fleet: FleetOption = Path(),
    view: ViewOption = View.TEXT,
    wide: WideOption = False,  # noqa: FBT002
) -> None:
    """Show all that holds for one circuit, and the file and line each value comes from.

    For example:

    fleetcast circuits show PLANT001/CIRCUIT01
    """
    from fleetcast.cli.circuits_views import print_resolved
    from fleetcast.views.circuits import resolved_as_json
    from fleetcast.workflows.inspect_circuits import resolve

    found = resolve(_read(fleet), CircuitKey.parse(circuit))
    if view is View.JSON:
        show_json(resolved_as_json(found))
    else:
        print_resolved(found, console(wide=wide))


@circuits_app.command("add")
def add_circuits(
    circuits: Annotated[
        list[str], typer.Argument(metavar="PLANT/CIRCUIT...", help="One or more new circuits.")
    ],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="SETTING=VALUE", help="As in the file: --set 'features=[a, b]'."),
    ] = None,
    dry_run: DryRunOption = False,  # noqa: FBT002
    fleet: FleetOption = Path(),
    view: ViewOption = View.TEXT,
) -> None:
    """Declare new circuits, next to those of the same plant and in their style. What is not set is inherited.

    For example:

    fleetcast circuits add PLANT001/CIRCUIT07 PLANT001/CIRCUIT08 --set cutoff_date=2025-12-01 --set owner=cooling
    """
    keys = [CircuitKey.parse(text) for text in circuits]
    values = dict(_setting(text) for text in settings or ())
    report_edit(_editing(fleet, dry_run).add(keys, values), dry_run, view, "declared")


@circuits_app.command("retire")
def retire_circuits(
    patterns: Annotated[list[str], typer.Argument(metavar="PATTERN...", help="Such as PLANT001/CIRCUIT07.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask, however many circuits match.")] = False,  # noqa: FBT002
    dry_run: DryRunOption = False,  # noqa: FBT002
    fleet: FleetOption = Path(),
    view: ViewOption = View.TEXT,
) -> None:
    """Take circuits out of the fleet. Their models stay registered; the next `train` takes them out of use.

    For example:

    fleetcast circuits retire 'PLANT001/*' --dry-run
    """
    going = _editing(fleet, dry_run=True).retire(patterns)
    if len(going.circuits) > 1 and not (yes or dry_run):
        if not sys.stdin.isatty():
            raise BadInput(
                f"{len(going.circuits)} circuits would be retired", fix="say --yes if that is meant"
            )
        typer.confirm(f"Retire {len(going.circuits)} circuits?", abort=True)
    report_edit(going if dry_run else _editing(fleet, dry_run).retire(patterns), dry_run, view, "retired")


def bump(
    cutoff: Annotated[
        str | None, typer.Option(metavar="DATE", help="New end of training data: 2025-12-01, or an instant.")
    ] = None,
    delta_version: Annotated[
        int | None, typer.Option(min=0, help="New version of the readings; `data pin` takes the newest.")
    ] = None,
    component_version: Annotated[
        str | None, typer.Option(metavar="VERSION", help="New version of the training component.")
    ] = None,
    retrain: Annotated[  # noqa: FBT002
        bool, typer.Option("--retrain", help="Raise `revision`: train again though nothing else changed.")
    ] = False,
    patterns: PatternsOption = None,
    dry_run: DryRunOption = False,  # noqa: FBT002
    fleet: FleetOption = Path(),
    view: ViewOption = View.TEXT,
) -> None:
    """Give many circuits a new cutoff or version (of data or component), in the files that say so now.

    A value changes where it is written: in the circuit, or in the defaults if all that inherit it are chosen;
    else the circuits state it from now on. No other line changes, and comments stay. Running it again changes
    nothing. `fleetcast plan` then shows what would train; a plan saved before is refused.

    For example:

    fleetcast bump --cutoff 2025-12-01 --delta-version 7 --circuits 'PLANT001/*'

    fleetcast bump --retrain --circuits PLANT001/CIRCUIT01 --dry-run
    """
    from fleetcast.workflows.edit_circuits import NewValues

    new = NewValues(cutoff, delta_version, component_version, retrain)
    report_edit(_editing(fleet, dry_run).bump(patterns or (), new), dry_run, view, "changed")


def _list_retired(fleet: Path, patterns: Sequence[str], view: View) -> None:
    from fleetcast.app import open_fleet
    from fleetcast.cli.circuits_views import print_retired
    from fleetcast.views.circuits import retired_as_json

    opened = open_fleet(fleet)
    found = opened.retired(opened.fleet, patterns)
    if view is View.JSON:
        show_json([retired_as_json(one) for one in found])
    else:
        print_retired(found, console())


def _read(fleet: Path) -> FleetReading:
    from fleetcast.config.reader import read_fleet
    from fleetcast.ports.clock import SystemClock

    return read_fleet(fleet, now=SystemClock().now())


def _editing(fleet: Path, dry_run: bool) -> EditCircuits:  # noqa: FBT001
    from fleetcast.app import open_editing

    return open_editing(fleet, dry_run=dry_run)


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise BadInput(f"{text!r} is not a setting", fix="write --set SETTING=VALUE")
    return name.strip(), value.strip()


def report_edit(edited: Edited, dry_run: bool, view: View, done: str) -> None:  # noqa: FBT001
    """Say which circuits and files changed, and what comes next."""
    from fleetcast.domain.wording import counted
    from fleetcast.views.circuits import edited_as_json

    if view is View.JSON:
        show_json(edited_as_json(edited, written=not dry_run))
        return
    if not edited.files:
        say("nothing to change: the circuits are so already")
        return
    if dry_run:
        show_text(edited.diff())
    count = counted(len(edited.circuits), "circuit")
    files = ", ".join(edited.files)
    say(f"{count} would be {done} in {files}" if dry_run else f"{count} {done} in {files}")
    if not dry_run:
        say("next: `git diff`, then `fleetcast plan`")
