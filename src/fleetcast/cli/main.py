"""The command `fleetcast`: every command and group, and what a person sees when something is wrong."""

from __future__ import annotations

import io
import os
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

from fleetcast import __version__
from fleetcast.cli.commands import COMMANDS
from fleetcast.cli.on_demand import root_with
from fleetcast.cli.output import say, show_text
from fleetcast.cli.shown_help import VERBOSE
from fleetcast.cli.usage_errors import UsageError, WrongUsage, is_help, refusal
from fleetcast.domain.errors import BadInput, FleetcastError, InvalidFleet
from fleetcast.domain.legible import has_bytes, legible, unseen

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
        say(f"fleetcast {__version__}")
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
    words = sys.argv[1:]
    _open_what_is_closed()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show ✓ shows ? and goes on
    keep_from_others()
    threading.excepthook = lambda what: _thread_ended(what, words)
    try:
        code = run(words)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        code = 0
        _write_nowhere()
    except SystemExit as end:  # Rich ends the process with 1 where it meets the closed pipe itself
        if not isinstance(end.__context__, BrokenPipeError):
            raise
        code = 0
        _write_nowhere()
    except OSError as error:  # what was to be shown cannot be written
        _last_words(error, words)
        code = FAILED
        _write_nowhere()
    sys.exit(code)


def _open_what_is_closed() -> None:
    """Have standard output and error lead nowhere where they were closed: else the next file takes their place."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            how = "r" if name == "stdin" else "w"
            setattr(sys, name, Path(os.devnull).open(how, encoding="utf-8"))  # noqa: SIM115  # until the end


def keep_from_others() -> None:
    """Where this process was started so that anybody may write to what it makes, let its owner alone do so.

    What lets a group in, and not everybody, was meant: those who work on one fleet may share its folder.
    """
    before = os.umask(0o077)
    os.umask(before if before & 0o002 else before | 0o022)


def _write_nowhere() -> None:
    """What standard output still holds is dropped as the process ends, without a word."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            os.dup2(nowhere, stream.fileno())


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code; what is wrong goes to standard error."""
    try:
        _check_encoding(arguments)
        code = app(args=arguments, prog_name="fleetcast", standalone_mode=False)
    except UsageError as error:
        if is_help(error):
            show_text(str(error), err=True)
        else:
            refused = refusal(error)
            complain(WrongUsage(refused.what, fix=refused.fix))
        return WRONG_USAGE
    except FleetcastError as error:
        complain(error)
        return WRONG_USAGE if isinstance(error, WrongUsage) else FAILED
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except (BrokenPipeError, SystemExit):  # whoever calls knows what became of its output
        raise
    except BaseException as error:  # noqa: BLE001  # the last one who can say anything; Rust's panics are no `Exception`
        _last_words(error, arguments)
        return FAILED
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


def _last_words(error: BaseException, words: list[str]) -> None:
    """Say what became of an error that nobody took."""
    try:
        from fleetcast.app.unforeseen import told  # what a command that goes well has no use for
    except (OSError, ImportError, MemoryError):  # nothing can be read any more, as with too many files open
        complain(
            FleetcastError(
                f"{type(error).__name__}: {error}",
                fix="free files, memory or disk of this machine, then run the same again",
            )
        )
    else:
        complain(told(error, words))


def _thread_ended(what: threading.ExceptHookArgs, words: list[str]) -> None:
    """Say what ended a thread in the background."""
    if what.exc_value is not None and not isinstance(what.exc_value, SystemExit):
        _last_words(what.exc_value, words)


if __name__ == "__main__":
    main()
