"""`fleetcast demo`: a whole fleet in a minute, by the same commands that a person types."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from fleetcast.domain.errors import BadInput, FleetcastError
from fleetcast.domain.identity import CircuitKey

PLANTS, CIRCUITS = 3, 4
CHANGED = CircuitKey("PLANT001", "CIRCUIT02")
_AS_DECLARED = f"      {CHANGED.circuit}: {{}}"
_LATER_CUTOFF = f"      {CHANGED.circuit}: {{cutoff_date: 2025-12-31}}"
_DONE, _CHANGES, _AWAITING = 0, 2, 3

Run = Callable[[list[str]], int]
"""Runs one command line, without the program's name, and returns its exit code."""
DirectoryArgument = Annotated[Path, typer.Argument(help="A new folder, or the one of an earlier demo.")]


class DemoStopped(FleetcastError):
    """A command of the demo did not end as it should."""


def demo_command(run: Run) -> Callable[[Path], None]:
    """The command, which types others by handing their words to `run`."""

    def demo(directory: DirectoryArgument = Path("fleetcast-demo")) -> None:
        """Show everything once, on made-up data: plan, train, approve, promote, change, forecast.

        Writes a fleet of 3 plants with 4 circuits each and a year of hourly readings into a folder, and runs there
        what a person would type. In the folder of an earlier demo it only shows that nothing is left to do.

        For example:

        fleetcast demo

        fleetcast demo my-demo
        """
        from fleetcast.domain.settings import DATABASE_URL_VARIABLE

        if os.environ.pop(DATABASE_URL_VARIABLE, None):
            typer.echo(f"The demo keeps a database of its own: {DATABASE_URL_VARIABLE} is not used.")
        _Demo(run).show(directory)

    return demo


@dataclass(frozen=True, slots=True)
class _Demo:
    """The story, chapter by chapter."""

    run: Run

    def show(self, directory: Path) -> None:
        if (directory / ".fleetcast" / "control.db").exists():
            with _inside(directory):
                self._again()
            _look_next(directory)
            return
        self._write(directory)
        with _inside(directory):
            self._first_models()
            self._one_cutoff()
            self._new_environment()
            self._reverted()
            self._pictures()
        _look_next(directory)

    def _write(self, directory: Path) -> None:
        from fleetcast.app import begin_demo
        from fleetcast.config.templates import NewFleet, init_fleet
        from fleetcast.forecasting.simulation import SENSORS

        keys = [
            CircuitKey(f"PLANT{plant:03d}", f"CIRCUIT{circuit:02d}")
            for plant in range(1, PLANTS + 1)
            for circuit in range(1, CIRCUITS + 1)
        ]
        _chapter(f"A fleet of {len(keys)} circuits, declared in git: {directory}")
        init_fleet(directory, NewFleet(circuits=keys, features=SENSORS, cutoff="2025-11-30"))
        begin_demo(directory)
        with _inside(directory):
            self._command(_DONE, "simulate", "--plants", str(PLANTS), "--circuits", str(CIRCUITS))
            _commit("Declare the fleet")

    def _first_models(self) -> None:
        _chapter("What would happen, and why")
        self._command(_DONE, "plan")
        _chapter("Train all circuits; promotion waits for people")
        self._command(_AWAITING, "train")
        _chapter("Approve with the evidence in view; the next run promotes")
        self._command(_DONE, "approvals", "list")
        self._approve_and_train("first models")

    def _one_cutoff(self) -> None:
        _chapter(f"Change one line: {CHANGED} gets another month of training data")
        _edit("config/circuits.yaml", _AS_DECLARED, _LATER_CUTOFF)
        _commit(f"Train {CHANGED} until the end of the year")
        self._command(_CHANGES, "plan", "--detailed-exitcode")
        self._command(_AWAITING, "train")
        self._command(_DONE, "approvals", "list")
        self._approve_and_train("as good as the champion, on newer data")

    def _new_environment(self) -> None:
        _chapter("Bump the environment: one promotion, no retraining")
        _edit("config/environment.yaml", "version: 1.0.0", "version: 1.1.0")
        _commit("Bump the training environment")
        self._command(_CHANGES, "plan", "--detailed-exitcode")
        self._command(_AWAITING, "train")
        self._approve_and_train("routine update")

    def _reverted(self) -> None:
        _chapter("Revert the cutoff: the earlier version is used again, nothing trains")
        _edit("config/circuits.yaml", _LATER_CUTOFF, _AS_DECLARED)
        _commit(f"Revert the cutoff of {CHANGED}")
        self._command(_CHANGES, "plan", "--detailed-exitcode")
        self._command(_DONE, "train")
        self._command(_DONE, "plan", "--detailed-exitcode")

    def _pictures(self) -> None:
        _chapter("Forecast, and where the forecast comes from")
        options = ("--sensor", "temperature", "--png", "forecast.png", "--html", "forecast.html")
        self._command(_DONE, "forecast", "PLANT001/CIRCUIT01", *options)
        self._command(_DONE, "status")

    def _again(self) -> None:
        _chapter("This demo has run before")
        self._command(_DONE, "plan", "--detailed-exitcode")
        self._command(_DONE, "train")
        typer.echo("\nNothing new was trained: every circuit's model is up to date.")

    def _approve_and_train(self, comment: str) -> None:
        self._command(_DONE, "approve", "--passing", "--comment", comment)
        for number in _left_to_decide():
            self._command(_DONE, "approvals", "show", number)
            self._command(_DONE, "approve", number, "--comment", "fails a check, and will do for a demo")
        self._command(_DONE, "train")

    def _command(self, expected: int, *words: str) -> None:
        """Run one fleetcast command here, shown as a person types it."""
        shown = shlex.join(words)
        typer.secho(f"\n$ fleetcast {shown}", bold=True)
        code = self.run(list(words))
        if code != expected:
            raise DemoStopped(
                f"`fleetcast {shown}` ended with exit code {code}, not {expected}",
                fix="remove the demo's folder and start again; if it stays so, please report it",
            )


def _left_to_decide() -> list[str]:
    """The requests that `--passing` leaves for a person."""
    from fleetcast.app import open_books

    return [str(request.id) for request in open_books(Path()).deciding.pending()]


def _look_next(directory: Path) -> None:
    _chapter("Look next")
    if shutil.which("fleetcast") is None:
        typer.echo(
            f'  {"make the command known":<33} export PATH={shlex.quote(str(Path(sys.executable).parent))}:"$PATH"'
        )
    for what, command in (
        ("go there", f"cd {shlex.quote(str(directory))}"),
        ("every model, with its metrics", "fleetcast models list"),
        ("one model's lineage and versions", f"fleetcast models show {CHANGED}"),
        ("a forecast as a page", "open forecast.html, or: fleetcast forecast PLANT002/CIRCUIT03"),
        ("who decided what", "fleetcast audit list"),
        ("change something yourself", "edit config/circuits.yaml, then: fleetcast plan"),
    ):
        typer.echo(f"  {what:<33} {command}")


def _edit(file: str, before: str, after: str) -> None:
    """Replace one line of a file, as an editor would."""
    path = Path(file)
    text = path.read_text(encoding="utf-8")
    if before not in text:
        raise BadInput(
            f"{file} has no line {before.strip()!r}", fix="remove the demo's folder and start again"
        )
    path.write_text(text.replace(before, after, 1), encoding="utf-8")
    typer.secho(f"\n# {file}: {before.strip()} → {after.strip()}", dim=True)


def _commit(message: str) -> None:
    """Commit everything, so that models know their commit; without git the demo goes on all the same."""
    identity = ("-c", "user.name=demo", "-c", "user.email=demo@localhost", "-c", "commit.gpgsign=false")
    commands: list[tuple[str, ...]] = [("init", "-q", "-b", "main")] if not Path(".git").exists() else []
    commands += [("add", "."), (*identity, "commit", "-q", "-m", message)]
    for command in commands:
        try:
            done = subprocess.run(["git", *command], capture_output=True, text=True, check=False)  # noqa: S603, S607
        except OSError:
            typer.echo("(git is not installed: models will say that their fleet is uncommitted)")
            return
        if done.returncode:
            typer.echo(f"(git {command[0]} did not work: {done.stderr.strip()})")
            return


def _chapter(title: str) -> None:
    typer.secho(f"\n━━ {title}", fg=typer.colors.CYAN, bold=True)


@contextmanager
def _inside(directory: Path) -> Iterator[None]:
    """Work in a folder, as after `cd`."""
    before = Path.cwd()
    directory.mkdir(parents=True, exist_ok=True)
    os.chdir(directory)
    try:
        yield
    finally:
        os.chdir(before)
