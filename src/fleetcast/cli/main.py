"""The command `fleetcast`: every command group, and what a person sees when something is wrong."""

from __future__ import annotations

import io
import os
import sys
from typing import Annotated

import typer

from fleetcast import __version__
from fleetcast.cli.adopt import adopt
from fleetcast.cli.approvals import approvals_app, approve, reject
from fleetcast.cli.audit import audit_app
from fleetcast.cli.circuits import bump, circuits_app
from fleetcast.cli.data import data_app, ingest, simulate
from fleetcast.cli.database import database_app
from fleetcast.cli.demo import demo_command
from fleetcast.cli.fit import fit
from fleetcast.cli.forecast import forecast
from fleetcast.cli.keys import keys_app
from fleetcast.cli.models import models_app
from fleetcast.cli.people import people_app, whoami
from fleetcast.cli.plan import plan
from fleetcast.cli.repository import format_files, init, validate
from fleetcast.cli.status import status
from fleetcast.cli.token import token_app
from fleetcast.cli.train import runs_app, stage, train
from fleetcast.cli.web import web
from fleetcast.domain.errors import FleetcastError

WRONG_USAGE = 64
FAILED = 1
INTERRUPTED = 130
"""What Typer makes of Ctrl-C; ours is 1, as the work is not done."""

UsageError: type[Exception] = typer.BadParameter.__bases__[0]
"""What Typer raises when a command line does not fit; it has no public name there."""

app = typer.Typer(
    name="fleetcast",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="GitOps for fleets of sensor-forecasting models: plan, train, approve, promote, forecast.",
    epilog=(
        "Exit codes: 0 done or nothing to do, 1 failed or bad input, 2 changes (plan --detailed-exitcode), "
        "3 awaiting approval, 4 jobs still running, 64 wrong usage."
    ),
)


@app.callback()
def fleetcast(
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,  # noqa: FBT002
) -> None:
    """GitOps for fleets of sensor-forecasting models: plan, train, approve, promote, forecast."""
    if version:
        typer.echo(f"fleetcast {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line, and end the process with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show ✓ shows ? and goes on
    try:
        code = run(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code; what is wrong goes to standard error."""
    try:
        code = app(args=arguments, prog_name="fleetcast", standalone_mode=False)
    except UsageError as error:
        error.show()  # type: ignore[attr-defined]  # every usage error has it
        return WRONG_USAGE
    except FleetcastError as error:
        complain(error)
        return FAILED
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    if code == INTERRUPTED:
        typer.echo("\ninterrupted; what is finished is kept: the same command continues", err=True)
        return FAILED
    return code if isinstance(code, int) else 0


def complain(error: FleetcastError) -> None:
    """Say what is wrong, and what to do next."""
    typer.echo(f"error: {error}", err=True)
    if error.fix:
        typer.echo(f"  fix: {error.fix}", err=True)


START, DATA, PIPELINE, PEOPLE, LOOK = "Start", "Data", "Plan and train", "Approve", "Look"

app.command(rich_help_panel=START)(demo_command(run))
app.command(rich_help_panel=START)(init)
app.command(rich_help_panel=START)(adopt)
app.command(rich_help_panel=START)(validate)
app.command("fmt", rich_help_panel=START)(format_files)
app.add_typer(circuits_app, name="circuits", rich_help_panel=START)
app.command(rich_help_panel=START)(bump)
app.command(rich_help_panel=DATA)(ingest)
app.command(rich_help_panel=DATA)(simulate)
app.add_typer(data_app, name="data", rich_help_panel=DATA)
app.command(rich_help_panel=PIPELINE)(plan)
app.command(rich_help_panel=PIPELINE)(train)
app.command(rich_help_panel=PIPELINE)(stage)
app.command(rich_help_panel=PIPELINE)(fit)
app.add_typer(runs_app, name="runs", rich_help_panel=PIPELINE)
app.add_typer(approvals_app, name="approvals", rich_help_panel=PEOPLE)
app.command(rich_help_panel=PEOPLE)(approve)
app.command(rich_help_panel=PEOPLE)(reject)
app.add_typer(audit_app, name="audit", rich_help_panel=PEOPLE)
app.add_typer(people_app, name="people", rich_help_panel=PEOPLE)
app.add_typer(token_app, name="token", rich_help_panel=PEOPLE)
app.command(rich_help_panel=PEOPLE)(whoami)
app.command(rich_help_panel=PEOPLE)(web)
app.add_typer(keys_app, name="keys", rich_help_panel=PEOPLE)
app.command(rich_help_panel=LOOK)(status)
app.command(rich_help_panel=LOOK)(forecast)
app.add_typer(models_app, name="models", rich_help_panel=LOOK)
app.add_typer(database_app, name="database", rich_help_panel=LOOK)

if __name__ == "__main__":
    main()
