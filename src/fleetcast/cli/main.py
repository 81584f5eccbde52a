"""The command `fleetcast`: every command and group, and what a person sees when something is wrong."""

from __future__ import annotations

import io
import os
import sys
from typing import Annotated

import typer

from fleetcast import __version__
from fleetcast.cli.commands import COMMANDS
from fleetcast.cli.on_demand import root_with
from fleetcast.cli.shown_help import VERBOSE
from fleetcast.cli.usage_errors import UsageError, WrongUsage, is_help, refusal
from fleetcast.domain.errors import FleetcastError

WRONG_USAGE = 64
FAILED = 1
INTERRUPTED = 130
"""What Typer makes of Ctrl-C; ours is 1, as the work is not done."""

app = typer.Typer(
    name="fleetcast",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    cls=root_with(COMMANDS),
    context_settings={"help_option_names": ["--help", "-h"], "max_content_width": 100},
    help="GitOps for fleets of sensor-forecasting models: plan, train, approve, promote, forecast.",
    epilog=(
        "`fleetcast help COMMAND` says more of one.\n\n"
        "Exit codes: 0 done or nothing to do, 1 failed or bad input, 2 changes (plan --detailed-exitcode), "
        "3 awaiting approval, 4 jobs still running, 64 wrong usage."
    ),
)


def _show_version(asked: bool) -> None:  # noqa: FBT001  # Typer gives it so
    if asked:
        typer.echo(f"fleetcast {__version__}")
        raise typer.Exit


def _note_verbose(context: typer.Context, asked: bool) -> None:  # noqa: FBT001  # Typer gives it so
    if asked:
        context.meta[VERBOSE] = True


@app.callback()
def fleetcast(
    verbose: Annotated[  # noqa: FBT002  # the callback notes it, for whichever command comes
        bool,
        typer.Option(
            "--verbose",
            "-v",
            help="Say what is read, opened and asked, on standard error.",
            callback=_note_verbose,
            expose_value=False,
        ),
    ] = False,
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
        code = app(args=arguments, prog_name="fleetcast", standalone_mode=False)
    except UsageError as error:
        if is_help(error):
            typer.echo(str(error), err=True)
        else:
            refused = refusal(error)
            complain(WrongUsage(refused.what, fix=refused.fix))
        return WRONG_USAGE
    except FleetcastError as error:
        complain(error)
        return WRONG_USAGE if isinstance(error, WrongUsage) else FAILED
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


if __name__ == "__main__":
    main()
