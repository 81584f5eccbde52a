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
from fleetcast.cli.deploy import deploy
from fleetcast.cli.endpoints import endpoints_app
from fleetcast.cli.fit import fit
from fleetcast.cli.forecast import forecast
from fleetcast.cli.keys import keys_app
from fleetcast.cli.login import login, logout
from fleetcast.cli.models import models_app
from fleetcast.cli.on_demand import root_with
from fleetcast.cli.people import people_app, whoami
from fleetcast.cli.plan import plan
from fleetcast.cli.qa import qa_app
from fleetcast.cli.releases import releases_app
from fleetcast.cli.repository import format_files, init, validate
from fleetcast.cli.rollback import hold, rollback, unblock
from fleetcast.cli.score import affected, explain_forecast, score
from fleetcast.cli.serve import serve
from fleetcast.cli.status import status
from fleetcast.cli.token import token_app
from fleetcast.cli.train import runs_app, stage, train
from fleetcast.cli.up import up
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
    cls=root_with(
        {
            "circuits": circuits_app,
            "data": data_app,
            "runs": runs_app,
            "approvals": approvals_app,
            "audit": audit_app,
            "people": people_app,
            "token": token_app,
            "keys": keys_app,
            "models": models_app,
            "releases": releases_app,
            "qa": qa_app,
            "endpoints": endpoints_app,
            "database": database_app,
        }
    ),
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


app.command()(demo_command(run))
app.command()(init)
app.command()(adopt)
app.command()(validate)
app.command("fmt")(format_files)
app.command()(bump)
app.command()(ingest)
app.command()(simulate)
app.command()(plan)
app.command()(train)
app.command()(stage)
app.command()(fit)
app.command()(approve)
app.command()(reject)
app.command()(login)
app.command()(logout)
app.command()(whoami)
app.command()(web)
app.command()(status)
app.command()(forecast)
app.command()(deploy)
app.command()(rollback)
app.command()(hold)
app.command()(unblock)
app.command()(serve)
app.command()(up)
app.command()(score)
app.command("explain-forecast")(explain_forecast)
app.command()(affected)

if __name__ == "__main__":
    main()
