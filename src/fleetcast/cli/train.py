"""`fleetcast train`, `fleetcast stage` and `fleetcast runs`: make the fleet as it is declared."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleetcast.cli.options import (
    AwaitingOption,
    FleetOption,
    LockOption,
    View,
    ViewOption,
    WideOption,
    duration_of,
)
from fleetcast.cli.output import console, say, show_json, show_text
from fleetcast.domain.identity import CircuitKey

if TYPE_CHECKING:
    from fleetcast.app import OpenFleet
    from fleetcast.domain.run import Ending, Run

CircuitsOption = Annotated[
    str | None,
    typer.Option("--circuits", metavar="PLANT/CIRCUIT,…", help="Only these circuits; * stands for all."),
]

EVERYTHING = "*"
"""Said by a pipeline whose parameter nobody filled in: a blank one may be a mistake, and trains nothing."""

RetryOption = Annotated[
    bool,
    typer.Option("--retry-failed", help="Try again what failed three times in the same way and is parked."),
]

runs_app = typer.Typer(no_args_is_help=True, help="Look at past and present runs of the pipeline.")


def train(
    fleet: FleetOption = Path(),
    circuits: CircuitsOption = None,
    plan: Annotated[Path | None, typer.Option("--plan", help="Apply this saved plan, or refuse.")] = None,
    retry_failed: RetryOption = False,  # noqa: FBT002
    lock_timeout: LockOption = None,
    awaiting_ok: AwaitingOption = False,  # noqa: FBT002
    view: ViewOption = View.TEXT,
) -> None:
    """Train what the plan shows: register, train, and ask for promotion. Running it again finishes the work.

    It runs all eight stages.

    Ends with exit code 3 when people have to approve something; run it again once they have. A circuit that failed
    three times in the same way is parked: it is not tried again, and the exit code stays 1, until its training inputs
    or the environment change, or with --retry-failed.

    For example:

    fleetcast train

    fleetcast train --circuits PLANT001/CIRCUIT01,PLANT001/CIRCUIT02
    """
    from fleetcast.cli.train_views import watching
    from fleetcast.domain.run import Ending
    from fleetcast.views.plan import read_saved

    if plan is not None and retry_failed:
        raise typer.BadParameter("--plan says what is trained; leave --retry-failed out, or the plan")
    saved = None if plan is None else read_saved(plan)
    opened = _open(fleet)
    with watching(view) as watcher:
        run = opened.training(
            opened.fleet,
            watcher,
            only=_keys(circuits),
            saved_plan=saved,
            retry_failed=retry_failed,
            lock_timeout=_timeout(lock_timeout),
        )
    _finish(opened, run, Ending(run.state.value), view, awaiting_ok=awaiting_ok)


def stage(
    name: Annotated[str, typer.Argument(help="RegisterEnvironment, … PromoteModels: see PIPELINES.md.")],
    run_id: Annotated[str | None, typer.Option("--run", help="Default: the last unfinished run.")] = None,
    fleet: FleetOption = Path(),
    circuits: CircuitsOption = None,
    retry_failed: RetryOption = False,  # noqa: FBT002
    lock_timeout: LockOption = None,
    awaiting_ok: AwaitingOption = False,  # noqa: FBT002
    view: ViewOption = View.TEXT,
) -> None:
    """Run one of the eight stages, as a CI stage does. It asks the platform what earlier stages did.

    For example:

    fleetcast stage RegisterData --run run-0003
    """
    opened = _open(fleet)
    from fleetcast.cli.train_views import watching
    from fleetcast.domain.run import worst

    with watching(view) as watcher:
        run = opened.training.stage(
            name,
            opened.fleet,
            watcher,
            run_id=run_id,
            only=_keys(circuits),
            retry_failed=retry_failed,
            lock_timeout=_timeout(lock_timeout),
        )
    records = tuple(record for record in run.stages if record.stage == name)
    ending = worst(record.ending for record in records)
    _finish(opened, replace(run, stages=records), ending, view, awaiting_ok=awaiting_ok)


@runs_app.command("list")
def list_runs(
    fleet: FleetOption = Path(),
    view: ViewOption = View.TEXT,
    wide: WideOption = False,  # noqa: FBT002
) -> None:
    """Show all runs, newest first.

    For example:

    fleetcast runs list
    """
    from fleetcast.app import open_asking
    from fleetcast.cli.run_views import print_runs
    from fleetcast.ports.clock import SystemClock
    from fleetcast.views.runs import as_json

    found = open_asking(fleet).runs()
    if view is View.JSON:
        show_json([as_json(run, at_work=found.at_work) for run in found.runs])
    else:
        print_runs(found.runs, console(wide=wide), at_work=found.at_work, now=SystemClock().now())


@runs_app.command("show")
def show_run(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="As `runs list` shows it: run-0001.")],
    fleet: FleetOption = Path(),
    view: ViewOption = View.TEXT,
    wide: WideOption = False,  # noqa: FBT002
) -> None:
    """Show the stages of one run, how long each took, where its files are, and where the platform shows its jobs.

    For example:

    fleetcast runs show run-0003
    """
    from fleetcast.app import open_asking
    from fleetcast.cli.run_views import print_run
    from fleetcast.ports.clock import SystemClock
    from fleetcast.views.runs import found_as_json

    found = open_asking(fleet).run(run_id)
    if view is View.JSON:
        show_json(found_as_json(found.run, found.jobs, at_work=found.at_work))
    else:
        now = SystemClock().now()
        print_run(
            found.run,
            console(wide=wide),
            folder=found.folder,
            jobs=found.jobs,
            at_work=found.at_work,
            now=now,
        )


@runs_app.command("logs")
def show_log(
    job_id: Annotated[
        str, typer.Argument(metavar="JOB", help="Its id: model, beginning of the training hash, attempt.")
    ],
    fleet: FleetOption = Path(),
    view: ViewOption = View.TEXT,
) -> None:
    """Show what one training job said, as far as it has come; of Azure ML once the job's batch has ended.

    Ids are in the files of a run, whose place `fleetcast runs show RUN` says: training_jobs.json has every job,
    completed_jobs.json also how each ended. Where the platform has pages about jobs, as Azure ML Studio does, `runs
    show` says their addresses: what happened around a job (images, machines) is told there.

    For example:

    fleetcast runs logs plant001-circuit01.3f2a91c07be4.1
    """
    from fleetcast.app import open_asking
    from fleetcast.views.runs import log_as_json

    found = open_asking(fleet).log(job_id)
    if view is View.JSON:
        show_json(log_as_json(found))
    elif found.text is None:
        say(
            f"nothing is kept of {found.job_id}: it has said nothing yet, or `fleetcast clean` removed it",
            err=True,
        )
    else:
        show_text(found.text)


def _open(fleet: Path) -> OpenFleet:
    from fleetcast.app import open_fleet

    return open_fleet(fleet)


def _finish(opened: OpenFleet, run: Run, ending: Ending, view: View, *, awaiting_ok: bool) -> None:
    """Say how it ended and what comes next, and exit with its code."""
    from fleetcast.cli.agent import Agent
    from fleetcast.domain.run import Ending
    from fleetcast.views.runs import as_json, next_steps

    agent = Agent()
    waiting = opened.books.deciding.pending() if view is View.TEXT or agent.is_there else ()
    if view is View.JSON:
        show_json(as_json(run, at_work=False))
    else:
        for line in next_steps(run, ending, waiting=waiting):
            say(line)
    agent.run(run, ending, [f"{one.gate.value}: {one.subject}" for one in waiting])
    if ending is Ending.AWAITING and awaiting_ok:
        return
    if ending.exit_code:
        raise typer.Exit(ending.exit_code)


def _keys(circuits: str | None) -> list[CircuitKey] | None:
    if circuits is None or circuits.strip() == EVERYTHING:
        return None
    return [CircuitKey.parse(part.strip()) for part in circuits.split(",") if part.strip()]


def _timeout(text: str | None) -> timedelta:
    return duration_of(text) if text else timedelta(0)
