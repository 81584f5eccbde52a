"""`fleetcast demo`: a whole fleet in a minute, by the same commands that a person types."""

from __future__ import annotations

import io
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from fleetcast.cli.output import say
from fleetcast.cli.serve import missing_libraries
from fleetcast.domain.errors import BadInput, FleetcastError
from fleetcast.domain.identity import CircuitKey

PLANTS, CIRCUITS = 3, 4
CHANGED = CircuitKey("PLANT001", "CIRCUIT02")
_AS_DECLARED = f"      {CHANGED.circuit}: {{}}"
_LATER_CUTOFF = f"      {CHANGED.circuit}: {{cutoff_date: 2025-12-31}}"
_DONE, _CHANGES, _AWAITING = 0, 2, 3
_PATIENCE_SECONDS = 20.0

Run = Callable[[list[str]], int]
"""Runs one command line, without the program's name, and returns its exit code."""
DirectoryArgument = Annotated[Path, typer.Argument(help="A new folder, or the one of an earlier demo.")]


class DemoStopped(FleetcastError):
    """A command of the demo did not end as it should."""


def demo(directory: DirectoryArgument = Path("fleetcast-demo")) -> None:
    """Show everything once, on made-up data: plan, train, approve, promote, change, forecast, serve, roll back.

    Writes a fleet of 3 plants with 4 circuits each and a year of hourly readings into a folder, and runs there
    what a person would type. In the folder of an earlier demo it only shows that nothing is left to do.

    For example:

    fleetcast demo

    fleetcast demo my-demo
    """
    from fleetcast.cli.main import run
    from fleetcast.domain.settings import DATABASE_URL_VARIABLE

    if os.environ.pop(DATABASE_URL_VARIABLE, None):
        say(f"The demo keeps a database of its own: {DATABASE_URL_VARIABLE} is not used.")
    _Demo(run).show(directory)


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
            self._served()
        _look_next(directory)

    def _write(self, directory: Path) -> None:
        from fleetcast.app import begin_demo
        from fleetcast.app.new_fleet import check_not_inside_another
        from fleetcast.config.templates import NewFleet, init_fleet
        from fleetcast.forecasting.simulation import SENSORS

        keys = [
            CircuitKey(f"PLANT{plant:03d}", f"CIRCUIT{circuit:02d}")
            for plant in range(1, PLANTS + 1)
            for circuit in range(1, CIRCUITS + 1)
        ]
        check_not_inside_another(directory)
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

    def _served(self) -> None:
        _chapter("Serve it: a release reaches its clients, and one circuit goes back")
        missing = missing_libraries()
        if missing:
            say(f"(not shown: serving needs {', '.join(missing)}: pip install 'fleetcast[serving]')")
            return
        _edit("fleetcast.yaml", "  # soak: 5min  ", "  soak: 1s        ")
        _edit("fleetcast.yaml", "  # window: 30s ", "  window: 1s     ")
        _commit("Judge a release after a second: nobody waits for longer in a demo")
        _branch("release/1")
        with self._server() as ask:
            self._deployed()
            ask(CHANGED, 1)
            _edit("config/circuits.yaml", _AS_DECLARED, _LATER_CUTOFF)
            _commit(f"Train {CHANGED} until the end of the year after all")
            self._command(_DONE, "train")
            self._deployed()
            ask(CHANGED, 2)
            self._command(_DONE, "rollback", "test", str(CHANGED), "--reason", "off by 100", "--write-back")
            ask(CHANGED, 1)
        _commit(f"Declare what serves {CHANGED} again")
        self._command(_DONE, "train")
        self._command(_DONE, "releases", "list", f"test/{CHANGED.plant}")

    def _deployed(self) -> None:
        """Bring what one plant declares to its clients, through the gate."""
        words = ("deploy", "test", "--plants", CHANGED.plant)
        self._command(_AWAITING, *words)
        for number in _left_to_decide():
            self._command(_DONE, "approve", number, "--comment", "as planned")
        self._command(_DONE, *words, "--wait")

    @contextmanager
    def _server(self) -> Iterator[Callable[[CircuitKey, int], None]]:
        """A server for as long as the block; gives what asks it for a forecast."""
        key = _quietly(self.run, ["endpoints", "key", f"test/{CHANGED.plant}"])
        typer.secho("\n$ fleetcast serve test &", bold=True)
        process = subprocess.Popen(
            [sys.executable, "-m", "fleetcast.cli.main", "serve", "test", "--port", "0"],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None  # noqa: S101  # a pipe was asked for
        try:
            said = process.stdout.readline().strip()
            if " at http" not in said:
                raise DemoStopped(
                    "the server did not start", fix="try `fleetcast serve test` in the demo's folder"
                )
            say(said)
            yield lambda circuit, version: _ask(said.rpartition(" ")[2], key, circuit, version)
        finally:
            process.terminate()
            process.wait()

    def _again(self) -> None:
        _chapter("This demo has run before")
        self._command(_DONE, "plan", "--detailed-exitcode")
        self._command(_DONE, "train")
        say("\nNothing new was trained: every circuit's model is up to date.")

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


def _quietly(run: Run, words: list[str]) -> str:
    """What a command prints, which is not shown."""
    said = io.StringIO()
    with redirect_stdout(said):
        code = run(words)
    if code != _DONE:
        raise DemoStopped(f"`fleetcast {shlex.join(words)}` ended with exit code {code}")
    return said.getvalue().strip()


def _ask(address: str, key: str, circuit: CircuitKey, version: int) -> None:
    """Ask for a forecast as a client does, and show who answered; what was done a moment ago is seen in a moment."""
    import urllib.error
    import urllib.request

    place, body = f"/endpoints/{circuit.plant}/score", json.dumps({"circuit_id": circuit.circuit})
    typer.secho(f"\n$ curl -H 'Authorization: Bearer …' -d '{body}' {address}{place}", bold=True)
    asked = urllib.request.Request(  # noqa: S310  # this machine's own server
        f"{address}{place}",
        body.encode(),
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    deadline = time.monotonic() + _PATIENCE_SECONDS
    said: dict[str, Any] = {}
    while said.get("version") != version:
        if time.monotonic() > deadline:
            raise DemoStopped(f"the server does not answer by version {version}")
        time.sleep(0.1)
        with (
            suppress(urllib.error.HTTPError),
            urllib.request.urlopen(asked, timeout=_PATIENCE_SECONDS) as answer,  # noqa: S310
        ):
            said = json.load(answer)
    temperature = said["sensors"]["temperature"]
    say(
        f"{said['release']} by {said['model_name']}:{said['version']}: temperature {temperature['point'][0]:.1f}, "
        f"80 % between {temperature['lower_80'][0]:.1f} and {temperature['upper_80'][0]:.1f}"
    )


def _branch(name: str) -> None:
    """Go to a new branch, where there is git; without, an agent's variable says so."""
    done = None
    with suppress(OSError):
        done = subprocess.run(["git", "switch", "-q", "-c", name], capture_output=True, check=False)  # noqa: S603, S607
    if done is None or done.returncode:
        os.environ |= {"TF_BUILD": "True", "BUILD_SOURCEBRANCH": f"refs/heads/{name}"}
    typer.secho(f"\n# on branch {name}", dim=True)


def _left_to_decide() -> list[str]:
    """The requests that `--passing` leaves for a person."""
    from fleetcast.app import open_books

    return [str(request.id) for request in open_books(Path()).deciding.pending()]


def _look_next(directory: Path) -> None:
    _chapter("Look next")
    if shutil.which("fleetcast") is None:
        say(
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
        say(f"  {what:<33} {command}")


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
            say("(git is not installed: models will say that their fleet is uncommitted)")
            return
        if done.returncode:
            say(f"(git {command[0]} did not work: {done.stderr.strip()})")
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
