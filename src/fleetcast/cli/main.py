"""The command `fleetcast`: every command and group, and what a person sees when something is wrong."""

from __future__ import annotations

import io
import os
import sys
from typing import Annotated

import typer

from fleetcast import __version__
from fleetcast.cli.on_demand import root_with
from fleetcast.cli.output import say, show_text
from fleetcast.domain.errors import BadInput, FleetcastError, InvalidFleet
from fleetcast.domain.legible import has_bytes, legible, unseen

WRONG_USAGE = 64
FAILED = 1
INTERRUPTED = 130
"""What Typer makes of Ctrl-C; ours is 1, as the work is not done."""

UsageError: type[Exception] = typer.BadParameter.__bases__[0]
"""What Typer raises when a command line does not fit; it has no public name there."""

COMMANDS = {
    "demo": "fleetcast.cli.demo:demo",
    "init": "fleetcast.cli.repository:init",
    "setup": "fleetcast.cli.setup:setup_app",
    "doctor": "fleetcast.cli.doctor:doctor",
    "adopt": "fleetcast.cli.adopt:adopt",
    "validate": "fleetcast.cli.repository:validate",
    "update-template": "fleetcast.cli.repository:update_template",
    "fmt": "fleetcast.cli.repository:format_files",
    "bump": "fleetcast.cli.circuits:bump",
    "ingest": "fleetcast.cli.data:ingest",
    "simulate": "fleetcast.cli.data:simulate",
    "plan": "fleetcast.cli.plan:plan",
    "train": "fleetcast.cli.train:train",
    "stage": "fleetcast.cli.train:stage",
    "fit": "fleetcast.cli.fit:fit",
    "run-batch": "fleetcast.cli.run_batch:run_batch",
    "dummy": "fleetcast.cli.dummy:dummy_app",
    "approve": "fleetcast.cli.approvals:approve",
    "reject": "fleetcast.cli.approvals:reject",
    "login": "fleetcast.cli.login:login",
    "logout": "fleetcast.cli.login:logout",
    "whoami": "fleetcast.cli.people:whoami",
    "web": "fleetcast.cli.web:web",
    "status": "fleetcast.cli.status:status",
    "forecast": "fleetcast.cli.forecast:forecast",
    "deploy": "fleetcast.cli.deploy:deploy",
    "rollback": "fleetcast.cli.rollback:rollback",
    "hold": "fleetcast.cli.rollback:hold",
    "unblock": "fleetcast.cli.rollback:unblock",
    "serve": "fleetcast.cli.serve:serve",
    "up": "fleetcast.cli.up:up",
    "schedules": "fleetcast.cli.schedules:schedules_app",
    "score": "fleetcast.cli.score:score",
    "monitor": "fleetcast.cli.monitor:monitor",
    "clean": "fleetcast.cli.clean:clean",
    "explain-forecast": "fleetcast.cli.score:explain_forecast",
    "affected": "fleetcast.cli.score:affected",
    "diagnose": "fleetcast.cli.diagnose:diagnose",
    "propose": "fleetcast.cli.propose:propose",
    "circuits": "fleetcast.cli.circuits:circuits_app",
    "data": "fleetcast.cli.data:data_app",
    "runs": "fleetcast.cli.train:runs_app",
    "alarms": "fleetcast.cli.alarms:alarms_app",
    "approvals": "fleetcast.cli.approvals:approvals_app",
    "audit": "fleetcast.cli.audit:audit_app",
    "people": "fleetcast.cli.people:people_app",
    "token": "fleetcast.cli.token:token_app",
    "keys": "fleetcast.cli.keys:keys_app",
    "models": "fleetcast.cli.models:models_app",
    "releases": "fleetcast.cli.releases:releases_app",
    "qa": "fleetcast.cli.qa:qa_app",
    "notifications": "fleetcast.cli.notifications:notifications_app",
    "endpoints": "fleetcast.cli.endpoints:endpoints_app",
    "database": "fleetcast.cli.database:database_app",
}
"""Every command and group, in the order of `fleetcast --help`, and where it is."""

app = typer.Typer(
    name="fleetcast",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    cls=root_with(COMMANDS),
    help="GitOps for fleets of sensor-forecasting models: plan, train, approve, promote, forecast.",
    epilog=(
        "Exit codes: 0 done or nothing to do, 1 failed or bad input, 2 changes (plan --detailed-exitcode), "
        "3 awaiting approval, 4 jobs still running, 64 wrong usage."
    ),
)


def _show_version(asked: bool) -> None:  # noqa: FBT001  # Typer gives it so
    if asked:
        say(f"fleetcast {__version__}")
        raise typer.Exit


@app.callback()
def fleetcast(
    version: Annotated[  # noqa: FBT002  # the callback answers, before a command is missed
        bool,
        typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    """GitOps for fleets of sensor-forecasting models: plan, train, approve, promote, forecast."""


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
        _check_encoding(arguments)
        code = app(args=arguments, prog_name="fleetcast", standalone_mode=False)
    except UsageError as error:
        said = io.StringIO()
        error.show(said)  # type: ignore[attr-defined]  # every usage error has it
        show_text(said.getvalue(), err=True)
        return WRONG_USAGE
    except FleetcastError as error:
        complain(error)
        return FAILED
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    if code == INTERRUPTED:
        say("\ninterrupted; what is finished is kept: the same command continues", err=True)
        return FAILED
    return code if isinstance(code, int) else 0


def complain(error: FleetcastError) -> None:
    """Say what is wrong, and what to do next."""
    (show_text if isinstance(error, InvalidFleet) else say)(f"error: {error}", err=True)
    if error.fix:
        say(f"  fix: {error.fix}", err=True)


def _check_encoding(arguments: list[str]) -> None:
    """Make sure that what was typed is text, except for the names of files, which may be any bytes.

    Raises:
        BadInput: It is not.
    """
    for word in arguments:
        option, _, value = word.partition("=")
        if has_bytes(word) and not os.path.lexists(value if option.startswith("--") else word):
            raise BadInput(
                f"the command line holds {unseen(word)} of {legible(word[:60])}",
                fix="type it in UTF-8, as the terminal and LANG should say",
            )


if __name__ == "__main__":
    main()
